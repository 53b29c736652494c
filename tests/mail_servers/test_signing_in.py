"""Signing in at Debian's Dovecot: with TLS that begins later, and with tokens instead of a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connection

from allswell.desk.mail import mailboxes
from allswell.engine import mailboxes as engine
from allswell.engine.mailboxes import Mailboxes
from allswell.intake.models import InboundMessage, Mailbox
from allswell.intake.servers import imap
from allswell.intake.servers.trouble import Problem, Trouble
from allswell.kernel import clock
from allswell.kernel.actor import setup
from allswell.notifications.channels import guarded_http
from tests.mail_servers.provider import CLIENT, SECRET, Provider
from tests.mail_servers.servers import PASSWORD, Dovecot, patiently, wait_until
from tests.support.boxes import mail
from tests.support.world import World

pytestmark = pytest.mark.django_db(transaction=True)
Watch = Callable[..., Mailbox]
LOCAL = guarded_http.Allowed.parse(["localhost"])


@pytest.fixture
def watched(world: World, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """watched({"port": …}, {"password": …}) is a mailbox that the engine watches."""
    monkeypatch.setattr(settings, "OUTGOING_ALLOW", ["localhost"])
    monkeypatch.setattr(engine, "PAUSE", 0.2)
    monkeypatch.setattr(engine, "LONGEST_PAUSE", 0.5)
    module = Mailboxes(now=clock.now)

    def watch(said: dict[str, object], secret: dict[str, str]) -> Mailbox:
        row, _key = mailboxes.create(
            name="Desk",
            address="support@example.org",
            kind="imap",
            connection={"host": "localhost", "port": dovecot.port, "user": "desk", **said},
            secret=secret,
            actor=world.actor(world.ada),
            now=clock.now(),
        )
        module.tick(clock.now())
        return row

    yield watch
    module.finish()
    connection.close()


def by_token(provider: Provider) -> dict[str, object]:
    return {"login": "oauth", "token_url": provider.outside, "client_id": CLIENT}


def secrets_of(provider: Provider) -> dict[str, str]:
    return {"client_secret": SECRET, "refresh_token": provider.refresh_token}


def kept() -> int:
    return InboundMessage.objects.count()


def word(row: Mailbox) -> str:
    row.refresh_from_db()
    return row.last_error.partition(":")[0]


def test_tls_may_begin_after_the_greeting(watched: Watch, dovecot: Dovecot) -> None:
    watched({"security": "starttls", "port": dovecot.plain_port}, {"password": PASSWORD})
    dovecot.save(mail("Behind STARTTLS"))
    wait_until(lambda: kept() == 1)


def test_nothing_is_said_to_who_cannot_show_a_certificate(dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    guarded_http._certificates.cache_clear()
    server = imap.Server("localhost", dovecot.plain_port, "starttls", "desk", password=PASSWORD)
    with pytest.raises(Trouble) as told, imap.opened(server, allowed=LOCAL, most=1000):
        pass
    assert told.value.problem is Problem.ENCRYPTION


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_token_opens_the_mailbox(watched: Watch, dovecot: Dovecot, provider: Provider, security: str) -> None:
    port = dovecot.port if security == "tls" else dovecot.plain_port
    row = watched({**by_token(provider), "security": security, "port": port}, secrets_of(provider))
    dovecot.save(mail("By token"))
    wait_until(lambda: kept() == 1)
    assert len(provider.given) == 1
    row.refresh_from_db()
    # the refresh token was replaced by the provider, and so it is here
    assert mailboxes.opened_secrets(row)["refresh_token"] == provider.refresh_token == "refresh-2"
    assert provider.given[0] not in row.secret


@pytest.mark.parametrize("way", ["XOAUTH2", "OAUTHBEARER"])
def test_both_ways_of_saying_a_token_work(
    dovecot: Dovecot, provider: Provider, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    provider.valid.add("a-token")
    monkeypatch.setattr(imap, "BEARER", {way: imap.BEARER[way]})
    server = imap.Server("localhost", dovecot.port, "tls", "desk", token="a-token")
    dovecot.save(mail("One"))
    with imap.opened(server, allowed=LOCAL, most=100_000) as folder:
        assert folder.messages == 1
    provider.valid.clear()
    dovecot.stop()  # it remembers tokens for a while
    dovecot.start()
    with pytest.raises(Trouble) as told, imap.opened(server, allowed=LOCAL, most=100_000):
        pass
    assert told.value.problem is Problem.SIGN_IN


def test_a_token_of_somebody_else_opens_nothing(dovecot: Dovecot, provider: Provider) -> None:
    provider.valid.add("a-token")
    server = imap.Server("localhost", dovecot.port, "tls", "maria", token="a-token")
    with pytest.raises(Trouble) as told, imap.opened(server, allowed=LOCAL, most=100_000):
        pass
    assert told.value.problem is Problem.SIGN_IN


def test_a_token_that_is_revoked_is_renewed(watched: Watch, dovecot: Dovecot, provider: Provider) -> None:
    row = watched(by_token(provider), secrets_of(provider))
    dovecot.save(mail("Before"))
    wait_until(lambda: kept() == 1)
    provider.valid.clear()
    dovecot.stop()
    wait_until(lambda: word(row) == "unreachable")
    dovecot.start()
    dovecot.save(mail("After"))
    wait_until(lambda: kept() == 2, within=60)
    assert len(provider.given) == 2
    wait_until(lambda: (row.refresh_from_db(), row.failing_since is None)[1])


def test_a_refresh_token_that_is_refused_is_said(watched: Watch, dovecot: Dovecot, provider: Provider, world: World) -> None:
    right = provider.refresh_token
    row = watched(by_token(provider), {"client_secret": SECRET, "refresh_token": "stolen"})
    wait_until(lambda: word(row) == "token", within=60)
    assert row.last_error == "token: invalid_grant"
    trial = mailboxes.try_connection(row.pk, actor=setup())
    assert (trial.problem, trial.said) == ("token", "invalid_grant")
    patiently(
        lambda: mailboxes.change(row.pk, secret={"client_secret": SECRET, "refresh_token": right}, actor=setup(), now=clock.now())
    )
    assert mailboxes.try_connection(row.pk, actor=setup()).problem == ""
