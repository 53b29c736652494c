"""Newsletters and other mail through lists: of a stranger it waits for a person, of somebody known it is mail of theirs."""

from __future__ import annotations

import pytest

from allswell.desk.mail import deciding, rules, wording
from allswell.intake.models import Mailbox
from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.support.post import Post
from tests.support.world import World

NEWS = "Great Offers <news@shop.example>"


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


@pytest.mark.parametrize(
    "more",
    [
        "List-Id: Offers <offers.shop.example>\n",
        "List-Unsubscribe: <https://shop.example/u/1>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n",
        "Precedence: bulk\n",
        "Precedence: List\n",
        "Auto-Submitted: auto-generated\nList-Id: <builds.shop.example>\n",
        "List-Post: <mailto:offers@shop.example>\n",
    ],
)
def test_a_newsletter_makes_neither_a_person_nor_a_ticket(world: World, post: Post, more: str) -> None:
    people = Person.objects.count()
    found = post.mail(NEWS, "Buy one, get two.", subject="Offers of the week", more=more)
    assert (found.state, found.reason) == ("held", "list")
    assert (Ticket.objects.count(), Person.objects.count(), Delivery.objects.count()) == (0, people, 0)
    assert any("its header" in line for line in wording.why(found.trail))
    assert wording.reason("list") != "list"


def test_a_newsletter_from_an_address_that_takes_no_answers_waits_too(world: World, post: Post) -> None:
    found = post.mail("noreply@shop.example", "Buy one.", more="List-Unsubscribe: <mailto:u@shop.example>\n")
    assert (found.state, Ticket.objects.count()) == ("held", 0)
    notice = post.mail("noreply@vendor.example", "Your certificate ends soon.", subject="Certificate")
    assert (notice.state, Ticket.objects.get().requester) == ("taken", None)


def test_a_notice_of_a_program_opens_nothing_where_the_mailbox_takes_no_strangers(world: World, post: Post) -> None:
    Mailbox.objects.update(unknown_senders="hold")
    assert post.mail("noreply@vendor.example", "Your certificate ends soon.").reason == "unknown"
    Mailbox.objects.update(unknown_senders="refuse")
    assert post.mail("noreply@vendor.example", "Your certificate has ended.").state == "refused"
    assert not Ticket.objects.exists()
    assert not Delivery.objects.exists()


def test_a_colleague_who_writes_to_an_internal_list_gets_a_ticket(world: World, post: Post) -> None:
    by_list = "List-Id: Everybody <all.example.org>\nList-Post: <mailto:all@example.org>\nPrecedence: list\n"
    found = post.mail("Maria Keller <maria@example.org>", "The printer is on fire.", more=by_list)
    assert (found.state, Ticket.objects.get().requester) == ("taken", world.maria)
    assert not Delivery.objects.filter(topic="received").exists(), "a list is told nothing"


def test_a_group_that_is_our_own_address_is_no_list(world: World, post: Post) -> None:
    group = "List-ID: <support.desk.example>\nList-Unsubscribe: <mailto:support+u@desk.example>\nPrecedence: list\n"
    post.mail("Eva <eva@customer.example>", more=group)
    assert Ticket.objects.get().requester.name == "Eva"
    by_address = "List-Id: <x.provider.example>\nList-Post: <mailto:support@desk.example>\n"
    post.mail("Uwe <uwe@customer.example>", more=by_address)
    assert Ticket.objects.latest("pk").requester.name == "Uwe"


def test_a_rule_about_the_list_lets_its_strangers_in(world: World, post: Post) -> None:
    by_list = "List-Id: <help.provider.example>\n"
    rules.create(name="All of them", definition={"senders": ["customer.example"], "urgency": 2}, **world.by(world.ada))
    assert post.mail("Eva <eva@customer.example>", more=by_list).reason == "list"
    definition = {"header": "list-id", "header_says": "help.provider.example"}
    row = rules.create(name="Help", definition=definition, **world.by(world.ada))
    rules.move(row.pk, by=-1, **world.by(world.ada))
    assert post.mail("Eva <eva@customer.example>", "Again.", more=by_list).state == "taken"
    assert Ticket.objects.get().requester.name == "Eva"


def test_who_releases_mail_of_a_list_takes_its_sender_in(world: World, post: Post) -> None:
    held = post.mail("Eva <eva@customer.example>", more="List-Id: <help.provider.example>\n")
    deciding.release(held.pk, **world.by(world.ada))
    post.take()
    assert Ticket.objects.get().requester.name == "Eva"
