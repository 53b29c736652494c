"""What came by mail says so in the conversation: from whom, how far that is proven, what it quoted, and word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.desk.mail import keeping
from allswell.intake.models import InboundMessage
from allswell.people.models import EmailAddress
from allswell.tickets.models import Comment, Ticket
from tests.support.world import World

Browser = Callable[..., Client]
RAW = b"From: Maria <maria@example.org>\r\nSubject: Re: x\r\n\r\nStill down\r\n\r\n> <script>we look</script>\r\n"


def said(client: Client, ticket: Ticket) -> str:
    return client.get(f"/tickets/{ticket.pk}").content.decode()


def came(world: World, ticket: Ticket, comment: Comment | None = None, **more: Any) -> InboundMessage:
    """A mail that was taken."""
    number = keeping.keep(RAW + str(InboundMessage.objects.count()).encode(), mailbox=None, **world.by(world.ada))
    told = {"state": "taken", "ticket": ticket, "comment": comment, "sender": "maria@example.org", "mail_kind": "person", **more}
    InboundMessage.objects.filter(pk=number).update(**told)
    if comment is not None:
        Comment.objects.filter(pk=comment.pk).update(channel="email")
    return InboundMessage.objects.get(pk=number)


@pytest.fixture
def ticket(world: World) -> Ticket:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    return ticket


def by_maria(world: World, ticket: Ticket) -> Comment:
    world.forward(minutes=1)
    desk.reply(ticket.pk, body="Still down", **world.by(world.maria))
    return Comment.objects.filter(ticket=ticket).latest("pk")


def test_a_mail_says_whether_its_sender_is_proven_and_why_it_is_here(world: World, browser: Browser, ticket: Ticket) -> None:
    checked = {"is_checked": True, "is_aligned": True, "dmarc": "pass", "spf": "pass"}
    trail = [{"what": "kind", "kind": "person"}, {"what": "on_ticket", "ticket": ticket.pk, "by": "address"}, {"what": "newer"}]
    proven = came(
        world, ticket, by_maria(world, ticket), authentication=checked, trail=trail, folded="> <script>we look</script>"
    )
    page = said(browser(world.jonas), ticket)
    assert "by mail" in page
    assert "DMARC pass, SPF pass" in page
    assert "It was sent to the signed address of this ticket." in page
    assert "&gt; &lt;script&gt;we look&lt;/script&gt;" in page
    assert "Unproven sender" not in page
    assert f'href="/tickets/{ticket.pk}/mails/{proven.pk}"' in page
    came(world, ticket, by_maria(world, ticket), authentication={"is_checked": False, "is_aligned": False}, trail="nonsense")
    page = said(browser(world.jonas), ticket)
    assert "Unproven sender" in page
    assert "not checked by a trusted server" in page


def test_the_ticket_itself_may_have_come_by_mail(world: World, browser: Browser, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(channel="email")
    came(world, ticket, trail=[{"what": "opened", "ticket": ticket.pk}])
    assert "It named no ticket, so it opened this one." in said(browser(world.jonas), ticket)


def test_many_mails_cost_one_query_and_none_where_nothing_came_by_mail(world: World, browser: Browser, ticket: Ticket) -> None:
    client = browser(world.jonas)
    said(client, ticket)
    with CaptureQueriesContext(connection) as none:
        said(client, ticket)
    for _ in range(6):
        came(world, ticket, by_maria(world, ticket), folded="x")
    with CaptureQueriesContext(connection) as many:
        assert said(client, ticket).count("Quoted text and signature") == 6
    assert "intake_inboundmessage" not in str(none.captured_queries)
    assert len([one for one in many if "intake_inboundmessage" in one["sql"]]) == 1
    assert len(many) <= 15


def test_only_who_sees_the_ticket_at_the_desk_gets_it_word_for_word(world: World, browser: Browser, ticket: Ticket) -> None:
    mail = came(world, ticket, by_maria(world, ticket))
    address = f"/tickets/{ticket.pk}/mails/{mail.pk}"
    answer = browser(world.jonas).get(address)
    assert answer.content.startswith(RAW)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="mail-{mail.pk}.eml"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert browser(world.maria).get(address).status_code in (302, 403, 404)
    assert browser(world.rolf).get(address).status_code in (302, 403, 404)
    other = world.report(title="Another")
    assert browser(world.jonas).get(f"/tickets/{other.pk}/mails/{mail.pk}").status_code == 404
    Ticket.objects.filter(pk=ticket.pk).update(is_restricted=True)
    assert browser(world.amir).get(address).status_code == 404
    mail.source.delete()
    assert browser(world.jonas).get(address).status_code == 404


def test_an_address_that_fails_is_told_before_one_answers(world: World, browser: Browser, ticket: Ticket) -> None:
    assert "have not arrived" not in said(browser(world.jonas), ticket)
    EmailAddress.objects.filter(person=world.maria).update(failing_since=world.now)
    page = said(browser(world.jonas), ticket)
    assert "Mails to Maria Keller have not arrived since" in page
    assert "They read the answer when they sign in." in page
