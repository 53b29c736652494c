"""Acknowledging by mail: who is of the desk, and proven, answers what pages for a ticket."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk import tickets as desk
from allswell.desk.mail import ours
from allswell.journal.models import Entry
from allswell.notifications import page_mail
from allswell.oncall.models import Escalation
from allswell.tickets.models import Comment, Ticket
from tests.desk.test_page_sending import send
from tests.desk.test_paging import dba_policy, down, run, watch
from tests.support.post import Post
from tests.support.world import World

AMIR, PRIYA, MARIA = "Amir Haddad <amir@example.org>", "Priya Nair <priya@example.org>", "Maria Keller <maria@example.org>"


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


def to(post: Post, ticket: Ticket) -> str:
    return ours.reply_address(ticket.pk, post.mailbox.address)


def notes(ticket: Ticket) -> str:
    return "\n".join(Comment.objects.filter(ticket=ticket, is_public=False).values_list("body", flat=True))


def test_ack_answers_what_pages_and_the_next_is_not_called(world: World, post: Post) -> None:
    dba_policy(world)
    ticket = down(world)
    assert watch(world) == ["Amir Haddad"]
    post.mail(AMIR, "#ack", to=to(post, ticket))
    ticket.refresh_from_db()
    assert (run(ticket).state, run(ticket).acknowledged_by, ticket.assignee) == ("acknowledged", world.amir, world.amir)
    assert Entry.objects.get(ticket=ticket.pk, verb="paging.acknowledged").channel == "email"
    world.forward(minutes=10)
    assert watch(world) == []


def test_ack_answers_also_where_somebody_else_has_the_ticket_and_leaves_it_with_them(world: World, post: Post) -> None:
    dba_policy(world)
    ticket = down(world)
    desk.assign(ticket.pk, person=world.amir.pk, **world.by(world.lena))
    post.mail(PRIYA, "#ack\n#note\nOn my way.", to=to(post, ticket))
    ticket.refresh_from_db()
    assert not Escalation.objects.filter(ticket=ticket, state="running").exists()
    assert run(ticket).acknowledged_by == world.priya
    assert ticket.assignee == world.amir
    assert notes(ticket) == "On my way."


def test_ack_takes_a_ticket_for_which_nothing_pages(world: World, post: Post) -> None:
    ticket = world.report()
    post.mail("Jonas Berg <jonas@example.org>", "#ack", to=to(post, ticket))
    ticket.refresh_from_db()
    assert ticket.assignee == world.jonas
    assert notes(ticket) == ""
    post.mail("Julia Roth <julia@example.org>", "#ack", to=to(post, ticket))
    ticket.refresh_from_db()
    assert ticket.assignee == world.jonas
    assert "#ack” was not done" in notes(ticket)


@pytest.mark.parametrize(("sender", "proven"), [(AMIR, False), (MARIA, True)], ids=["nobody proved", "who asked"])
def test_nobody_else_ends_a_page_by_mail(world: World, post: Post, sender: str, proven: bool) -> None:
    dba_policy(world)
    ticket = down(world, requester=world.maria.pk)
    watch(world)
    found = post.mail(sender, "#ack", to=to(post, ticket), proven=proven)
    assert found.ticket_id == ticket.pk
    assert run(ticket).state == "running"
    world.forward(minutes=6)
    assert watch(world) == ["Priya Nair"]


def test_an_answer_to_the_mail_of_a_page_finds_its_ticket_and_acknowledges(world: World, post: Post, settings: Any) -> None:
    settings.PUBLIC_URL = "https://desk.example"
    dba_policy(world)
    ticket = down(world)
    watch(world)
    (parcel,) = send(world)
    assert parcel.message.takes_ack
    page = page_mail.write(
        parcel.message, sender="Desk <desk@desk.example>", to=parcel.way.address, public_url=settings.PUBLIC_URL, now=world.now
    )
    assert ours.ticket_of(str(page["Message-ID"]).strip("<>")) == ticket.pk
    assert "#ack" in page.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    post.mail(AMIR, "I am away until Monday.", to=str(page["Reply-To"]), more="Auto-Submitted: auto-replied\n", subject="Away")
    assert run(ticket).state == "running", "a program acknowledges nothing"
    post.mail(AMIR, "#ack", to=str(page["Reply-To"]), subject=f"Re: {page['Subject']}")
    assert (run(ticket).state, run(ticket).acknowledged_by) == ("acknowledged", world.amir)


def test_a_page_does_not_promise_what_no_server_can_prove(world: World, post: Post) -> None:
    post.mailbox.authserv = ""
    post.mailbox.save()
    dba_policy(world)
    down(world)
    watch(world)
    (parcel,) = send(world)
    assert parcel.message.answers_to
    assert not parcel.message.takes_ack
