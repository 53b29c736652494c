"""Notices become mails: the right words to the right people, once, whatever the mail server does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from allswell.desk import outbox
from allswell.desk import tickets as desk
from allswell.desk.mail import ours
from allswell.engine.outbox import Mail
from allswell.kernel.actor import engine
from allswell.notifications import mail, queries
from allswell.notifications.letters import Letter, Matter, Said
from allswell.notifications.models import Attempt, Delivery
from allswell.notifications.rules import Outcome, Topic
from allswell.tickets.models import Ticket
from allswell.tickets.rules import WaitingOn
from tests.support.mailbox import Mailbox
from tests.support.world import World

SENDER = "Service desk <desk@example.org>"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


def send(world: World, url: str, **later: float) -> None:
    """The engine works until nothing is due."""
    world.forward(**(later or {"seconds": 15}))
    module = Mail(url, SENDER, now=lambda: world.now)
    for _ in range(50):
        if not module.is_due(world.now):
            return
        module.tick(world.now)
    raise AssertionError("the outbox does not end")


def text(message: object) -> str:
    body = message.get_body(("plain",))  # type: ignore[attr-defined]
    return str(body.get_content())


def test_the_requester_is_told_number_answer_and_end(world: World, mailbox: Mailbox) -> None:
    ticket = world.report()
    send(world, mailbox.url)
    (first,) = mailbox.received
    assert first["To"] == "Maria Keller <maria@example.org>"
    assert first["From"] == first["Reply-To"] == SENDER
    assert first["Subject"] == f"[INC-{ticket.pk}] Account look-up is down"
    assert f"Its number is INC-{ticket.pk}." in text(first)
    assert f"/INC-{ticket.pk}" in text(first)
    assert (first["Auto-Submitted"], first["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert "notices.127.0.0.1" in first["List-Id"]
    desk.reply(ticket.pk, body="We **look** into it.", **world.by(world.jonas))
    send(world, mailbox.url)
    second = mailbox.received[1]
    assert "Jonas Berg wrote:" in text(second)
    assert "> We **look** into it." in text(second)
    html = second.get_body(("html",))
    assert html is not None
    assert "<strong>look</strong>" in html.get_content()
    assert first["References"] == f"<ticket.{ticket.pk}@127.0.0.1>"
    assert second["References"] == f"{first['References']} {first['Message-ID']}"
    assert second["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] != second["Message-ID"]
    assert second["Message-ID"].startswith("<")


def test_what_follows_within_seconds_is_one_mail(world: World, mailbox: Mailbox) -> None:
    ticket = world.report()
    send(world, mailbox.url)
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.reply(ticket.pk, body="Found it.", **world.by(world.jonas))
    world.forward(seconds=3)
    desk.resolve(ticket.pk, code="fixed", **world.by(world.jonas))
    send(world, mailbox.url)
    (_, news) = mailbox.received
    assert "Found it." in text(news)
    assert "It is solved." in text(news)
    assert sorted(Delivery.objects.filter(channel="email").values_list("outcome", flat=True)) == ["bundled", "sent", "sent"]


def test_news_of_many_tickets_is_one_digest(world: World, mailbox: Mailbox) -> None:
    tickets = [world.report(title=f"Printer {n}") for n in range(6)]
    send(world, mailbox.url)
    assert [mail["Subject"] for mail in mailbox.received] == ["News about 6 tickets"]
    said = text(mailbox.received[0])
    assert all(f"[INC-{ticket.pk}] {ticket.title}" in said for ticket in tickets)


def test_a_note_never_leaves_the_desk_by_mail(world: World, mailbox: Mailbox) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.note(
        ticket.pk, body="The password of the pool is hunter2", mentions=(world.maria.pk, world.amir.pk), **world.by(world.jonas)
    )
    send(world, mailbox.url)
    to_maria = [mail for mail in mailbox.received if "maria" in mail["To"]]
    assert "hunter2" not in "".join(text(mail) for mail in to_maria)
    assert any("hunter2" in text(mail) for mail in mailbox.received if "amir" in mail["To"])


def test_what_may_not_be_seen_any_more_is_not_sent(world: World, mailbox: Mailbox) -> None:
    ticket = world.report(service="account-look-up")
    desk.assign(ticket.pk, person=world.amir.pk, **world.by(world.jonas))
    desk.assign(ticket.pk, person=world.jonas.pk, **world.by(world.julia))
    Ticket.objects.filter(pk=ticket.pk).update(is_restricted=True)
    send(world, mailbox.url)
    assert not [mail for mail in mailbox.received if "amir" in mail["To"]]
    assert Delivery.objects.get(person=world.amir, channel="email").outcome == "moot"


def test_a_dead_server_loses_nothing_and_shows(world: World) -> None:
    with Mailbox() as box:
        port = box.port
    tickets = [world.report(person, title="No mail") for person in (world.maria, world.rolf, world.otto)]
    url = f"smtp+plain://127.0.0.1:{port}"
    send(world, url)
    waiting = queries.queue("email", now=world.now)
    assert waiting.pending == 3
    assert waiting.failing_since is not None
    assert "ConnectionRefused" in waiting.last_error
    assert Attempt.objects.count() == 1
    send(world, url, hours=2)
    with Mailbox(port) as box:
        send(world, url, hours=2)
        assert len(box.received) == len(tickets)
        assert box.connections == 1
    after = queries.queue("email", now=world.now)
    assert (after.pending, after.failing_since, after.last_error) == (0, None, "")


def test_a_dead_server_is_not_asked_again_for_every_mail_that_waits(world: World) -> None:
    for number in range(50):
        world.report(world._person(f"p{number} Person", world.bank))
    module = Mail("smtp+plain://127.0.0.1:1", SENDER, now=lambda: world.now)
    module.tick(world.now)
    assert not module.is_due(world.now)
    assert Mail("smtp+plain://127.0.0.1:1", SENDER).is_due(world.now)
    assert Attempt.objects.count() == 1
    assert queries.queue("email", now=world.now).pending == 50


def test_it_gives_up_after_days_and_says_so(world: World) -> None:
    world.report()
    for _ in range(130):
        send(world, "smtp+plain://127.0.0.1:1", hours=1)
    delivery = Delivery.objects.get(channel="email")
    assert delivery.outcome == "failed"
    assert delivery.settled_at is not None
    assert timedelta(days=4.9) < delivery.settled_at - delivery.created_at < timedelta(days=5.1)


@pytest.mark.parametrize(
    ("step", "answer", "outcome"),
    [
        ("RCPT", "550 5.1.1 No such user", "failed"),
        ("RCPT", "550 5.7.1 Relaying denied", ""),
        ("RCPT", "451 4.7.1 Greylisted", ""),
        ("DATA", "552 5.3.4 Too large", "failed"),
        ("DATA", "452 4.3.1 No space", ""),
    ],
)
def test_a_refusal_for_now_is_tried_again_one_for_ever_is_not(
    world: World, mailbox: Mailbox, step: str, answer: str, outcome: str
) -> None:
    world.report()
    mailbox.refuse = {step: answer}
    send(world, mailbox.url)
    assert Delivery.objects.get(channel="email").outcome == outcome
    assert Attempt.objects.get().status == int(answer[:3])
    mailbox.refuse = {}
    send(world, mailbox.url, hours=1)
    assert len(mailbox.received) == (0 if outcome else 1)


def test_an_engine_that_died_is_replaced_and_repeats_carry_the_same_key(world: World, mailbox: Mailbox) -> None:
    ticket = world.report()
    (lost,) = outbox.claim_mails(10, actor=engine(), now=world.now)
    assert outbox.claim_mails(10, actor=engine(), now=world.now) == []
    desk.reply(ticket.pk, body="Later", **world.by(world.jonas))
    send(world, mailbox.url, seconds=61)
    assert mailbox.received[0]["Message-ID"] == f"<{ours.message_id(ticket.pk, lost.key)}>"
    assert "Later" not in text(mailbox.received[0])
    assert "Later" in text(mailbox.received[1])
    assert not outbox.drop(lost, Outcome.MOOT, actor=engine(), now=world.now)


HOSTILE = "Broken {{7*7}} ${x} {% raw %} {0.__class__}\r\nBcc: all@example.org <script>alert(1)</script>"


def test_text_is_never_interpreted(world: World, mailbox: Mailbox) -> None:
    ticket = world.report(title=HOSTILE)
    desk.reply(ticket.pk, body=HOSTILE + "\n\n![x](http://evil.example/x.png) [y](javascript:alert(1))", **world.by(world.jonas))
    send(world, mailbox.url)
    (mail,) = mailbox.received
    assert mail["Bcc"] is None
    assert "{{7*7}} ${x} {% raw %} {0.__class__}" in mail["Subject"]
    assert "{{7*7}} ${x} {% raw %} {0.__class__}" in text(mail)
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "{{7*7}}" in html


def test_each_reads_their_own_language_and_time(world: World, mailbox: Mailbox) -> None:
    world.maria.time_zone, world.maria.locale = "Europe/Zurich", "de"
    world.maria.save()
    ticket = world.report()
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    send(world, mailbox.url)
    (mail,) = mailbox.received
    assert mail["Content-Language"] == "de"
    assert "23 Nov. 2026, 10:00 (Europe/Zurich)" in text(mail)


def test_an_address_where_nobody_is_is_remembered_until_mail_arrives_again(world: World, mailbox: Mailbox) -> None:
    world.report()
    mailbox.refuse = {"RCPT": "550 5.1.1 No such user"}
    send(world, mailbox.url)
    assert world.maria.addresses.get().failing_since == world.now
    mailbox.refuse = {}
    world.report()
    send(world, mailbox.url)
    assert world.maria.addresses.get().failing_since is None


def test_no_secret_shows_in_heartbeat_log_or_doctor(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with Mailbox() as box:
        port = box.port
    world.report()
    send(world, f"smtp+plain://canary:canary-hunter2@127.0.0.1:{port}")
    assert "canary" not in caplog.text
    assert "canary" not in str(queries.queue("email", now=world.now))
    assert "canary" not in str(list(Attempt.objects.values()))


@pytest.mark.parametrize(
    "host", ["desk.example.org", "a-very-long-name-of-a-service-desk.of-a-large-company.example.org", "bücher.example"]
)
def test_ids_stand_on_one_line_however_long(host: str, world: World) -> None:
    letter = Letter(
        key="f" * 32 + ".123456.received.98765.email",
        to_name="Zoë Älplermagronen mit einem recht langen Namen, der umbrochen wird",
        to_address="zoe@example.org",
        locale="en",
        time_zone="UTC",
        parts=(
            (Matter(1042, "INC-1042", "Größere Störung " * 12), (Said(Topic.RECEIVED, "incident.reported", "Zoë", world.now),)),
        ),
    )
    raw = mail.message(letter, sender=SENDER, public_url=f"https://{host}", now=world.now).as_bytes()
    lines = raw.split(b"\r\n")
    ascii_host = host.encode("idna")
    assert b"Message-ID: <" + letter.key.encode() + b"@" + ascii_host + b">" in lines
    assert b"References: <ticket.1042@" + ascii_host + b">" in lines
    assert max(len(line) for line in lines) < 998
    assert raw.isascii()
