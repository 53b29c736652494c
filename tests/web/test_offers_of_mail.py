"""What a mail leaves to the desk is offered beside it: to open again what somebody only gave thanks for, and who asked first."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk import tickets as desk
from allswell.people.models import EmailAddress
from allswell.tickets.models import Ticket
from tests.support.post import Post
from tests.support.world import World

Browser = Callable[..., Client]
MARIA, JONAS = "Maria Keller <maria@example.org>", "Jonas Berg <jonas@example.org>"
PASSED_ON = (
    "Please look.\n\n---------- Forwarded message ---------\nFrom: Rolf Meier <{address}>\nDate: Mon, 23 Nov 2026 at 09:00\n"
    "Subject: No dial tone\nTo: Jonas Berg <jonas@example.org>\n\nMy telephone is silent.\n"
)


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


def said(client: Client, ticket: Ticket) -> str:
    return client.get(f"/tickets/{ticket.pk}").content.decode()


def offer(client: Client, ticket: Ticket, act: str) -> dict[str, str] | None:
    """The form of an offer as a browser would send it; None where there is none."""
    found = re.search(
        rf'<form class="callout" method="post" action="/tickets/{ticket.pk}/{act}">(.*?)</form>', said(client, ticket), re.S
    )
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found.group(1))) if found else None


def test_thanks_open_nothing_and_one_button_does_and_takes_back(world: World, post: Post, browser: Browser) -> None:
    post.mail(MARIA, message_id="first@example.org")
    ticket = Ticket.objects.get()
    desk.resolve(ticket.pk, resolution="New paper.", **world.by(world.jonas))
    assert offer(browser(world.jonas), ticket, "reopen") is None
    world.forward(minutes=5)
    post.mail(MARIA, "Thank you!", answers="first@example.org")
    ticket.refresh_from_db()
    assert ticket.state == "resolved"
    client = browser(world.jonas)
    form = offer(client, ticket, "reopen")
    assert form is not None
    answered = client.post(f"/tickets/{ticket.pk}/reopen", form, follow=True).content.decode()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopened_count) == ("in_progress", 1)
    assert offer(client, ticket, "reopen") is None
    (address,) = set(re.findall(rf"/tickets/{ticket.pk}/undo/[0-9a-f-]+", answered))
    client.post(address)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopened_count, ticket.resolution) == ("resolved", 0, "New paper.")
    assert offer(browser(world.audrey), ticket, "reopen") is None, "who may only read is offered nothing"


def test_who_wrote_first_is_offered_as_requester(world: World, post: Post, browser: Browser) -> None:
    # no server proves that Jonas passed it on, so nobody is made the requester by it
    post.mail(JONAS, PASSED_ON.format(address="rolf@example.org"), subject="Fwd: No dial tone", proven=False)
    ticket = Ticket.objects.get()
    assert ticket.requester == world.jonas
    client = browser(world.jonas)
    form = offer(client, ticket, "requester")
    assert form is not None
    assert form["requester"] == "rolf@example.org"
    client.post(f"/tickets/{ticket.pk}/requester", form)
    ticket.refresh_from_db()
    assert (ticket.requester, ticket.organization) == (world.rolf, world.branch)
    assert offer(client, ticket, "requester") is None


def test_a_stranger_who_wrote_first_is_told_of_and_becomes_nobody(world: World, post: Post, browser: Browser) -> None:
    post.mail(JONAS, PASSED_ON.format(address="udo@customer.example"), subject="Fwd: No dial tone")
    ticket = Ticket.objects.get()
    client = browser(world.jonas)
    form = offer(client, ticket, "requester")
    assert form is not None
    answer = client.post(f"/tickets/{ticket.pk}/requester", form)
    assert answer.status_code == 422
    assert "Nobody is known by this name or address." in html.unescape(answer.content.decode())
    ticket.refresh_from_db()
    assert ticket.requester == world.jonas
    assert not EmailAddress.objects.filter(address="udo@customer.example").exists()
