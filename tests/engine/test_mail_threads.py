"""A ticket's mails are one conversation in the recipient's mail program, and an answer finds its way back."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default

import pytest
from django.conf import LazySettings

from allswell.desk import tickets as desk
from allswell.desk.mail import ours
from allswell.intake.models import InboundMessage, Mailbox, ThreadReference
from allswell.intake.parsers.mail import references
from allswell.people.models import Person
from allswell.tickets.models import Comment
from tests.engine.test_mail import send
from tests.support.mail_threads import base_subject, conversations, parents
from tests.support.mailbox import Mailbox as Server
from tests.support.world import World


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as box:
        yield box


def mailbox(world: World, address: str = "support@example.org", **more: object) -> Mailbox:
    return Mailbox.objects.create(name="Support", address=address, kind="imap", created_at=world.now, **more)


def wrote(
    world: World, ticket: int, said: str, *, who: Person, box: Mailbox | None = None, comment: int | None = None
) -> EmailMessage:
    """A mail of a person on a ticket, as taking it leaves it."""
    mark = str(InboundMessage.objects.count()).rjust(64, "0")
    told = {"message_id": said, "state": "taken", "person": who, "ticket_id": ticket, "comment_id": comment}
    InboundMessage.objects.create(mailbox=box, received_at=world.now, size=1, digest=mark, **told)
    mail = EmailMessage(policy=default)
    mail["Message-ID"] = f"<{said}>" if " " not in said else "<nonsense@y>"
    return mail


def own_id(mail: EmailMessage) -> str:
    return str(mail["Message-ID"]).strip("<>")


def test_a_whole_conversation_is_one_in_the_mail_program(world: World, server: Server) -> None:
    box = mailbox(world)
    ticket = world.report()
    mails = [wrote(world, ticket.pk, "first@customer.example", who=world.maria, box=box)]
    send(world, server.url)
    for turn in range(14):
        desk.reply(ticket.pk, body=f"We look into it ({turn}).", **world.by(world.jonas))
        send(world, server.url)
        world.forward(minutes=1)
        answer = wrote(world, ticket.pk, f"answer-{turn}@customer.example", who=world.maria)
        answer["In-Reply-To"] = answer["References"] = server.received[-1]["Message-ID"]
        mails.append(answer)
        world.forward(minutes=1)
    to_maria = [mail for mail in server.received if "maria" in mail["To"]]
    assert len(to_maria) == 15
    assert len(conversations([*mails, *to_maria])) == 1
    assert len(conversations([*to_maria, *mails][::-1])) == 1, "in whatever order they arrive"
    above = parents([*mails, *to_maria])
    assert above[own_id(to_maria[-1])] == "answer-12@customer.example", "it stands under what it answers"
    assert {mail["Subject"] for mail in to_maria} == {f"Re: [INC-{ticket.pk}] Account look-up is down"}
    assert base_subject(to_maria[-1]["Subject"]) == "Account look-up is down"
    assert all(len(line) < 998 for raw in server.raw for line in raw.split(b"\r\n"))
    assert str(to_maria[-1]["References"]).count("<") == 11, "the root, the beginning and the last ones"


def test_answers_come_back_to_the_ticket(world: World, server: Server, settings: LazySettings) -> None:
    settings.MAIL_FROM = "Service desk <desk@example.org>"
    box = mailbox(world, organization=world.bank)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.reply(ticket.pk, body="We look into it.", **world.by(world.jonas))
    send(world, server.url)
    own = ours.own()
    for mail in server.received:
        assert references.ticket_of_id(own_id(mail), own) == ticket.pk
        assert references.ticket_of_address(mail["Reply-To"].addresses[0].addr_spec, own) == ticket.pk
        assert mail["From"].addresses[0].addr_spec == "support@example.org"
        assert mail["From"].addresses[0].display_name == f"Support ({world.bank.name})"
        assert ThreadReference.objects.filter(ticket=ticket, message_id=own_id(mail), is_ours=True).exists()
    Mailbox.objects.filter(pk=box.pk).update(address="help@elsewhere.example")
    desk.reply(ticket.pk, body="It works.", **world.by(world.jonas))
    send(world, server.url)
    last = server.received[-1]
    assert last["From"].addresses[0].addr_spec == "desk@example.org", "our server may not send for a strange domain"
    assert last["Reply-To"].addresses[0].addr_spec.startswith(f"help+t{ticket.pk}-")


def test_the_mailbox_is_the_one_the_ticket_came_by(world: World, server: Server) -> None:
    mailbox(world)
    other = mailbox(world, "bank@example.org")
    ticket = world.report()
    wrote(world, ticket.pk, "x@customer.example", who=world.maria, box=other)
    send(world, server.url)
    assert server.received[0]["Reply-To"].addresses[0].addr_spec.startswith("bank+t")
    Mailbox.objects.filter(pk=other.pk).update(is_active=False)
    desk.reply(ticket.pk, body="We look into it.", **world.by(world.jonas))
    send(world, server.url)
    assert server.received[-1]["Reply-To"].addresses[0].addr_spec.startswith("support+t")


def test_nobody_learns_of_mails_that_are_not_theirs(world: World, server: Server) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    note = Comment.objects.create(ticket=ticket, author=world.amir, body="x", is_public=False, created_at=world.now)
    wrote(world, ticket.pk, "secret@supplier.example", who=world.amir, comment=note.pk)
    wrote(world, ticket.pk, "odd id<x>@y", who=world.maria)
    desk.note(ticket.pk, body="Look here", mentions=(world.amir.pk,), **world.by(world.jonas))
    send(world, server.url)
    world.forward(minutes=5)
    desk.reply(ticket.pk, body="It works.", **world.by(world.jonas))
    send(world, server.url)
    to_maria = [mail for mail in server.received if "maria" in mail["To"]]
    to_amir = {own_id(mail) for mail in server.received if "amir" in mail["To"]}
    assert to_amir
    assert all("supplier" not in str(mail["References"]) for mail in to_maria)
    assert not any(one in str(mail["References"]) for mail in to_maria for one in to_amir)
    assert own_id(to_maria[0]) in str(to_maria[-1]["References"])
    assert str(to_maria[-1]["References"]).count("<") == 2, "what is no id is left out"


def test_a_mail_about_several_tickets_is_known_on_each(world: World, server: Server) -> None:
    mailbox(world)
    tickets = [world.report(title=f"Printer {n}") for n in range(5)]
    send(world, server.url)
    (digest,) = server.received
    assert references.ticket_of_id(own_id(digest), ours.own()) is None
    assert digest["Reply-To"].addresses[0].addr_spec == "support@example.org"
    assert set(ThreadReference.objects.filter(message_id=own_id(digest)).values_list("ticket", flat=True)) == {
        t.pk for t in tickets
    }
    desk.reply(tickets[0].pk, body="It works.", **world.by(world.jonas))
    send(world, server.url)
    assert server.received[-1]["In-Reply-To"] == digest["Message-ID"]
