"""Mail servers hand mail over by LMTP and SMTP: "250" means that it is committed, and each recipient gets an answer."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError

from allswell.desk.mail import brought, mailboxes
from allswell.engine import listener
from allswell.engine.listener import Listener
from allswell.intake.models import InboundMessage
from allswell.intake.queries import mail as queries
from tests.support.boxes import a_mailbox, mail
from tests.support.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def listens(world: World) -> Iterator[Callable[[str], int]]:
    """listens("lmtp") is the port."""
    opened: list[Listener] = []

    def at(protocol: str) -> int:
        module = Listener(now=lambda: world.now, url=f"{protocol}://127.0.0.1:1")
        module.place = listener.Place(protocol, "127.0.0.1", 0)
        assert module.is_due(world.now)
        module.tick(world.now)
        assert not module.is_due(world.now)
        opened.append(module)
        assert module.listening is not None
        return module.listening.port

    yield at
    for one in opened:
        one.finish()


class Said:
    """A conversation by LMTP, line by line."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"220")
        self.say("LHLO mx.example.org")

    def line(self) -> str:
        while True:
            told = self.file.readline().decode().strip()
            if told[3:4] != "-":
                return told

    def say(self, words: str) -> str:
        self.socket.sendall(words.encode() + b"\r\n")
        return self.line()

    def mail(self, raw: bytes, *to: str, sender: str = "") -> list[str]:
        """The answers to the recipients, then to the mail."""
        self.say(f"MAIL FROM:<{sender}>")
        told = [self.say(f"RCPT TO:<{one}>") for one in to]
        taken = sum(one.startswith("250") for one in told)
        if not taken:
            return told
        assert self.say("DATA").startswith("354")
        self.socket.sendall(raw + b"\r\n.\r\n")
        return told + [self.line() for _ in range(taken)]

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def codes(told: list[str]) -> list[str]:
    return [one[:3] for one in told]


def test_by_lmtp_each_recipient_gets_an_answer(world: World, listens: Callable[[str], int]) -> None:
    first, _key = a_mailbox(world)
    second, _key = a_mailbox(world, address="billing@example.org")
    said = Said(listens("lmtp"))
    to = ("support@example.org", "nobody@example.org", "Support+t7-abc@example.org", "billing@example.org")
    assert codes(said.mail(mail(), *to)) == ["250", "550", "250", "250", "250", "250", "250"]
    assert codes(said.mail(mail("Two"), "support@example.org", sender="maria@example.org")) == ["250", "250"]
    said.close()
    kept = InboundMessage.objects.order_by("id")
    assert [(one.mailbox_id, one.envelope_from, one.envelope_to) for one in kept] == [
        (first.pk, "", ["support@example.org", "support+t7-abc@example.org"]),
        (second.pk, "", ["billing@example.org"]),
        (first.pk, "maria@example.org", ["support@example.org"]),
    ]
    assert queries.raw(kept[0].pk) == mail() + b"\r\n"


def test_what_is_too_large_is_refused_for_each(
    world: World, listens: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_mailbox(world)
    monkeypatch.setattr(listener, "MOST_BYTES", 10_000)
    said = Said(listens("lmtp"))
    assert codes(said.mail(b"x" * 20_000, "support@example.org", "support+a@example.org")) == ["250", "250", "552", "552"]
    assert said.say("MAIL FROM:<a@example.org> SIZE=20000").startswith("552")
    said.say("RSET")
    assert codes(said.mail(mail(text="y" * 5_000), "support@example.org")) == ["250", "250"]
    said.close()


def test_a_database_that_is_away_makes_the_mail_wait(
    world: World, listens: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_mailbox(world)
    said = Said(listens("lmtp"))

    def away(*_said: object, **_more: object) -> None:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(brought, "keep_for_all", away)
        assert codes(said.mail(mail(), "support@example.org", "support+a@example.org")) == ["250", "250", "451", "451"]
        broken.setattr(brought, "places", away)
        assert codes(said.mail(mail(), "support@example.org")) == ["451"]
    said.say("RSET")
    assert codes(said.mail(mail(), "support@example.org")) == ["250", "250"]
    said.close()
    assert InboundMessage.objects.count() == 1


def test_a_connection_that_is_cut_leaves_nothing(world: World, listens: Callable[[str], int]) -> None:
    a_mailbox(world)
    port = listens("lmtp")
    said = Said(port)
    said.say("MAIL FROM:<>")
    said.say("RCPT TO:<support@example.org>")
    said.say("DATA")
    said.socket.sendall(mail()[:100])
    said.close()
    again = Said(port)
    assert codes(again.mail(mail(), "support@example.org")) == ["250", "250"]
    again.close()
    assert InboundMessage.objects.count() == 1


def test_too_many_at_once_are_asked_to_come_again(
    world: World, listens: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    a_mailbox(world)
    monkeypatch.setattr(listener, "CONNECTIONS", 2)
    monkeypatch.setattr(listener, "RECIPIENTS", 3)
    port = listens("lmtp")
    held = [Said(port), Said(port)]
    with socket.create_connection(("127.0.0.1", port), 20) as third:
        assert third.recv(100).startswith(b"421")
    told = held[0].mail(mail(), *(f"support+{n}@example.org" for n in range(5)))
    assert codes(told) == ["250", "250", "250", "452", "452", "250", "250", "250"]
    for one in held:
        one.close()


def test_it_speaks_smtp_too_and_relays_nothing(world: World, listens: Callable[[str], int]) -> None:
    row, _key = a_mailbox(world)
    a_mailbox(world, "pipe", "pipe@example.org")
    with smtplib.SMTP("127.0.0.1", listens("smtp"), timeout=20) as client:
        refused = client.sendmail("maria@example.org", ["support@example.org", "a@example.net", "pipe@example.org"], mail())
        assert {address: told[0] for address, told in refused.items()} == {"a@example.net": 550, "pipe@example.org": 550}
        mailboxes.switch(row.pk, is_active=False, **world.by(world.ada))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("maria@example.org", ["support@example.org"], mail("Two"))
    assert [one.mailbox_id for one in InboundMessage.objects.all()] == [row.pk]
