"""Only an id that we signed proves a mail ours: a host can be written by anybody, and "localhost" is written by many."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from allswell.desk import tickets as desk
from allswell.desk.mail import ours
from allswell.intake.models import InboundMessage, ThreadReference
from allswell.notifications.models import Delivery
from allswell.tickets.models import Comment, Ticket
from tests.support.post import Post
from tests.support.responders import Exchange
from tests.support.world import World

MARIA = "Maria Keller <maria@example.org>"


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


def _own_id(mail: Any) -> str:
    return str(mail["Message-ID"]).strip("<>")


@pytest.mark.parametrize("left", ["20261123.4711", "ticket.1", f"1.k-{'a' * 26}", f"0.k-{'a' * 26}"])
def test_a_mail_under_an_id_at_our_host_is_not_lost(world: World, post: Post, left: str) -> None:
    found = post.mail(MARIA, "The printer is on fire.", message_id=f"{left}@{ours.host()}")
    assert (found.state, Ticket.objects.get().requester) == ("taken", world.maria)
    assert Delivery.objects.filter(topic="received", person=world.maria).exists()
    assert not ThreadReference.objects.filter(message_id=found.message_id).exists(), "nobody writes ids for our mails beforehand"


def test_an_id_at_our_host_leads_to_no_ticket_unless_we_signed_it(world: World, post: Post) -> None:
    post.mail(MARIA, message_id="first@example.org")
    ticket = Ticket.objects.get()
    root = f"ticket.{ticket.pk}@{ours.host()}"  # it stands in every mail about the ticket, and anybody can guess it
    signed = ours.message_id(ticket.pk, "k")
    answer = post.mail(MARIA, "By your mail.", subject="x", more=f"In-Reply-To: <{signed}>\nReferences: <{root}> <{signed}>\n")
    assert answer.ticket_id == ticket.pk
    for forged in (root, signed.replace(".k-", ".l-"), f"0.k-{'a' * 26}@{ours.host()}"):
        found = post.mail(MARIA, f"Forged {forged}", subject="x", proven=False, answers=forged)
        assert found.ticket_id not in (None, ticket.pk), forged
    assert Comment.objects.filter(ticket=ticket).count() == 1


def test_our_mails_that_come_back_under_another_name_end_there(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_FROM = "Desk <notices@desk.example>"
    exchange = Exchange(Post(world, unknown_senders="refuse"), monkeypatch, {})
    exchange.post.mail("Udo <udo@customer.example>", "Let me in.")
    exchange.post.mail(MARIA, "The printer is on fire.")
    for person in (world.jonas, world.julia):
        ticket = world.report(title=f"About {person.name}")
        desk.assign(ticket.pk, person=person.pk, **world.by(world.olga))
    exchange.settle()
    assert {str(mail["To"]).partition("@")[0].rpartition("<")[2] for mail in exchange.sent} >= {"udo", "maria", "jonas"}
    tickets, comments, sent = Ticket.objects.count(), Comment.objects.count(), len(exchange.sent)
    for mail in exchange.sent:
        world.forward(minutes=11)
        back = exchange.post.comes(
            exchange.post.write(MARIA, "As it was sent on.", subject=str(mail["Subject"]), message_id=_own_id(mail))
        )
        assert (back.state, back.reason) == ("ignored", "own"), mail["Subject"]
    exchange.settle()
    assert (Ticket.objects.count(), Comment.objects.count(), len(exchange.sent)) == (tickets, comments, sent)
    assert InboundMessage.objects.filter(reason="own").count() == sent


def test_an_id_about_several_tickets_is_short_enough_for_programs_that_break_lines() -> None:
    answer = EmailMessage()
    answer["In-Reply-To"] = f"<{ours.message_id(0, 'ba07214c6eed4356a79ce202002ef6ef.1234567.received.12345.email')}>"
    assert "=?" not in answer.as_string(), "Python's own library writes long ids so that nobody knows them again"
