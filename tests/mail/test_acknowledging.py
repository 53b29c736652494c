"""Acknowledging by mail: who is of the desk, and proven, answers what pages for a ticket."""

from __future__ import annotations

import pytest

from allswell.desk import tickets as desk
from allswell.desk.mail import ours
from allswell.journal.models import Entry
from allswell.oncall.models import Escalation
from allswell.tickets.models import Comment, Ticket
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
