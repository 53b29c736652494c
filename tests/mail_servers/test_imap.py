"""Fetching from Debian's Dovecot: what comes is told at once, and what breaks is tried again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connection

from allswell.desk.mail import mailboxes
from allswell.engine import mailboxes as engine
from allswell.engine.mailboxes import Mailboxes
from allswell.intake.models import InboundMessage, Mailbox
from allswell.intake.servers import imap
from allswell.kernel import clock
from allswell.kernel.actor import setup
from allswell.notifications.channels import guarded_http
from tests.mail_servers.servers import PASSWORD, Dovecot, patiently, wait_until
from tests.support.boxes import mail
from tests.support.world import World

pytestmark = pytest.mark.django_db(transaction=True)
OLD = '"01-Jan-2020 10:00:00 +0000"'
Set = Callable[..., Mailbox]


@pytest.fixture
def fetches(world: World, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    """fetches(done_folder="Done") is a mailbox that the engine watches."""
    monkeypatch.setattr(settings, "OUTGOING_ALLOW", ["localhost"])
    monkeypatch.setattr(engine, "PAUSE", 0.2)
    monkeypatch.setattr(engine, "LONGEST_PAUSE", 0.5)
    module = Mailboxes(now=clock.now)

    def watch(user: str = "desk", password: str = PASSWORD, **connection: object) -> Mailbox:
        row, _key = mailboxes.create(
            name="Desk",
            address="support@example.org",
            kind="imap",
            connection={"host": "localhost", "port": dovecot.port, "user": user, **connection},
            secret={"password": password},
            actor=world.actor(world.ada),
            now=clock.now(),
        )
        module.tick(clock.now())
        module.tick(clock.now())
        return row

    watch.module = module  # type: ignore[attr-defined]
    yield watch
    module.finish()
    connection.close()


def kept() -> int:
    return InboundMessage.objects.count()


def is_known(row: Mailbox) -> bool:
    row.refresh_from_db()
    return row.looked_at is not None and row.failing_since is None


def test_what_comes_is_kept_at_once_and_put_aside(fetches: Set, dovecot: Dovecot) -> None:
    row = fetches(done_folder="Erledigt.Größe & mehr")
    wait_until(lambda: is_known(row))
    for number in range(3):
        dovecot.save(mail(f"Mail {number}"))
    wait_until(lambda: kept() == 3, within=20)
    wait_until(lambda: dovecot.count() == 0)
    assert dovecot.count(folder="Erledigt.Größe & mehr", what="SEEN") == 3
    row.refresh_from_db()
    assert row.last_seen_at is not None
    assert mailboxes.try_connection(row.pk, actor=setup()).messages == 0


def test_what_lay_there_before_is_left_alone_unless_it_is_wanted(fetches: Set, dovecot: Dovecot) -> None:
    dovecot.save_of(mail("Old"), OLD, "maria")
    row = fetches("maria")
    wait_until(lambda: is_known(row))
    dovecot.save(mail("New"), "maria")
    wait_until(lambda: kept() == 1)
    wait_until(lambda: dovecot.count("maria", what="SEEN") == 1)
    row.refresh_from_db()
    assert row.last_uid == 2


def test_all_that_lies_there_is_taken_where_it_is_wanted(fetches: Set, dovecot: Dovecot) -> None:
    for number in range(5):
        dovecot.save_of(mail(f"Old {number}"), OLD, "maria")
    fetches("maria", takes_all=True)
    wait_until(lambda: kept() == 5)


def test_a_server_that_is_started_again_is_found_again(fetches: Set, dovecot: Dovecot) -> None:
    row = fetches()
    wait_until(lambda: is_known(row))
    dovecot.stop()
    wait_until(lambda: _word(row) == "unreachable")
    dovecot.start()
    dovecot.save(mail("After the night"))
    wait_until(lambda: kept() == 1)
    wait_until(lambda: is_known(row))


def test_what_comes_between_opening_and_looking_is_found(dovecot: Dovecot) -> None:
    server = imap.Server("localhost", dovecot.port, "tls", "desk", password=PASSWORD)
    with imap.opened(server, allowed=guarded_http.Allowed.parse(["localhost"]), most=100_000) as folder:
        dovecot.save(mail("In between"))
        assert [one.uid for one in folder.after(0)] == [1]


def test_a_wrong_password_is_said_in_words_and_stops_no_other(fetches: Set, dovecot: Dovecot, world: World) -> None:
    row = fetches(password="not-the-one")
    wait_until(lambda: _word(row) == "sign_in", within=60)
    trial = mailboxes.try_connection(row.pk, actor=setup())
    assert (trial.problem, trial.messages) == ("sign_in", 0)
    patiently(lambda: mailboxes.change(row.pk, secret={"password": PASSWORD}, actor=setup(), now=clock.now()))
    dovecot.save(mail("Now"))
    wait_until(lambda: (_again(fetches), kept() == 1)[1], within=60)
    wait_until(lambda: is_known(row))


def test_numbering_anew_takes_nothing_twice(fetches: Set, dovecot: Dovecot) -> None:
    row = fetches()
    dovecot.save(mail("One"))
    wait_until(lambda: kept() == 1)
    wait_until(lambda: dovecot.count(what="SEEN") == 1)
    before = Mailbox.objects.get(pk=row.pk).uid_validity
    dovecot.stop()
    lists = dovecot.home("desk") / "Maildir" / "dovecot-uidlist"
    said = lists.read_text()
    lists.write_text(re.sub(r"V(\d+)", lambda found: f"V{int(found.group(1)) + 7}", said, count=1))
    for index in lists.parent.glob("dovecot.index*"):
        index.unlink()
    dovecot.start()
    dovecot.save(mail("Two"))
    wait_until(lambda: kept() == 2, within=60)
    wait_until(lambda: Mailbox.objects.get(pk=row.pk).uid_validity not in (None, before))
    assert kept() == 2


def test_what_is_too_large_stays_and_the_next_is_taken(fetches: Set, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_BYTES", 20_000)
    row = fetches(done_folder="Done")
    dovecot.save(mail("Large", text="x" * 30_000))
    dovecot.save(mail("Small"))
    wait_until(lambda: kept() == 2)
    wait_until(lambda: dovecot.count() == 1)
    found = {one.state: one for one in InboundMessage.objects.filter(mailbox=row)}
    assert (found["quarantined"].reason, found["quarantined"].subject) == ("too_large", "Large")
    assert found["quarantined"].size > 30_000


def test_a_certificate_that_does_not_fit_ends_it(fetches: Set, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    guarded_http._certificates.cache_clear()
    row = fetches()
    wait_until(lambda: _word(row) == "encryption")
    assert mailboxes.try_connection(row.pk, actor=setup()).problem == "encryption"


def test_one_that_is_switched_off_is_left_within_moments(fetches: Set, dovecot: Dovecot) -> None:
    row = fetches()
    wait_until(lambda: is_known(row))
    patiently(lambda: mailboxes.switch(row.pk, is_active=False, actor=setup(), now=clock.now()))
    wait_until(lambda: (_again(fetches), not fetches.module.watchers)[1])  # type: ignore[attr-defined]
    dovecot.save(mail("Too late"))
    assert dovecot.count(what="UNSEEN") == 1
    patiently(lambda: mailboxes.switch(row.pk, is_active=True, actor=setup(), now=clock.now()))
    _again(fetches)
    wait_until(lambda: kept() == 1)


def _again(fetches: Set) -> None:
    fetches.module.tick(clock.now())  # type: ignore[attr-defined]


def _word(row: Mailbox) -> str:
    row.refresh_from_db()
    return row.last_error.partition(":")[0]
