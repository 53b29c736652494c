"""Letters of people that read like those of programs, or that others try to pass for theirs, are not lost."""

from __future__ import annotations

import pytest

from allswell.desk import tickets as desk
from allswell.desk.mail import deciding, looking, ours
from allswell.intake.models import Mailbox
from allswell.notifications.models import Delivery
from allswell.tickets.models import Comment, Ticket
from tests.support.post import Post
from tests.support.world import World

MARIA, JONAS, OTTO = "Maria Keller <maria@example.org>", "Jonas Berg <jonas@example.org>", "Otto Other <otto@example.org>"


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


QUOTED = """The amount is wrong, please correct it.

On Mon, 23 Nov 2026 at 08:00, Billing <billing@shop.example> wrote:
> This is an automatically generated message.
> Please do not reply to this email.
"""


def test_what_a_program_wrote_before_does_not_make_the_answer_to_it_one(world: World, post: Post) -> None:
    found = post.mail(MARIA, QUOTED, subject="Re: Your invoice")
    assert (found.mail_kind, found.state) == ("person", "taken")
    assert Ticket.objects.get().requester == world.maria


def test_what_only_reads_like_an_automatic_reply_waits_for_a_person(world: World, post: Post) -> None:
    found = post.mail(MARIA, "My out of office cannot be switched off since Friday.", subject="Automatic reply: out of office")
    assert (found.state, found.reason, Ticket.objects.count()) == ("held", "worded", 0)
    deciding.release(found.pk, **world.by(world.ada))
    post.take()
    found.refresh_from_db()
    assert found.state == "taken"
    assert Ticket.objects.get().requester == world.maria


def test_what_says_of_itself_that_it_is_an_automatic_reply_is_let_go(world: World, post: Post) -> None:
    found = post.mail(MARIA, "I am away.", subject="Away", more="Auto-Submitted: auto-replied\n")
    assert (found.state, found.reason) == ("ignored", "auto_reply")


def test_forged_mail_does_not_silence_whom_it_names(world: World, post: Post) -> None:
    for number in range(12):
        words = "pay now, " * (number + 1)
        post.mail(MARIA, words, subject=words, proven="dmarc=fail header.from=example.org")
    assert post.mail(MARIA, "My real trouble").state == "taken"


def test_an_answer_stays_where_the_mail_it_answers_is(world: World, post: Post) -> None:
    post.mail(MARIA, message_id="first@example.org")
    hers = Ticket.objects.get()
    his = post.mail(OTTO, "I was in copy, and have the same.", answers="first@example.org")
    assert his.ticket_id != hers.pk
    found = post.mail(JONAS, "Dear Maria, this is for you.", answers="first@example.org")
    assert found.ticket_id == hers.pk
    assert not Comment.objects.filter(ticket=his.ticket_id, body__contains="Maria").exists()


def test_what_came_by_two_mailboxes_can_be_tried_again(world: World, post: Post) -> None:
    Mailbox.objects.update(unknown_senders="hold")
    other = Mailbox.objects.create(
        name="Sales", address="sales@desk.example", kind="pipe", unknown_senders="hold", created_at=world.now
    )
    raw = post.write("Ivo <ivo@customer.example>", message_id="once@customer.example")
    first = post.comes(raw)
    second = post.comes(b"Received: by other.example; Mon, 23 Nov 2026 09:01:00 +0000\n" + raw, mailbox=other)
    assert (first.state, second.reason) == ("held", "duplicate")
    Mailbox.objects.update(unknown_senders="create")
    looking.try_again(first.pk, **world.by(world.ada))
    post.take()
    first.refresh_from_db()
    assert (first.state, Ticket.objects.count()) == ("taken", 1)


def test_who_writes_by_a_list_is_a_stranger_as_anybody(world: World, post: Post) -> None:
    by_list = {"more": "List-ID: <support.desk.example>\nPrecedence: list\n"}
    post.mail("Eva <eva@customer.example>", **by_list)
    assert Ticket.objects.get().requester.name == "Eva"
    Mailbox.objects.update(unknown_senders="hold")
    assert post.mail("Uwe <uwe@customer.example>", **by_list).state == "held"


def test_who_says_each_morning_that_the_account_is_locked_is_answered_each_time(world: World, post: Post) -> None:
    for number, minutes in enumerate((3, 41, 17, 58, 8, 30)):
        world.forward(hours=20, minutes=minutes)
        found = post.mail(MARIA, f"Please unlock my account {4000 + number}.", subject="Account locked")
        assert not [step for step in found.trail if step["what"] == "repeats"]
        assert Delivery.objects.filter(ticket=found.ticket_id, topic="received", person=world.maria).exists()
    assert Ticket.objects.filter(requester=world.maria).count() == 6


def test_her_fourth_yes_of_a_week_is_a_reply(world: World, post: Post) -> None:
    ticket = world.report()
    to = ours.reply_address(ticket.pk, post.mailbox.address)
    for minutes in (4, 95, 11, 44, 23):
        desk.reply(ticket.pk, body="Does it work?", then_waits=True, **world.by(world.jonas))
        world.forward(minutes=minutes)
        post.mail(MARIA, "Yes.", subject="Re: Look-up", to=to)
        ticket.refresh_from_db()
        assert ticket.state == "in_progress"
    assert not Comment.objects.filter(ticket=ticket, is_auto=True).exists()


def test_a_program_without_headers_is_no_longer_answered_from_its_fourth_mail_on(world: World, post: Post) -> None:
    told = []
    for number in range(6):
        world.forward(hours=1)
        found = post.mail(MARIA, f"Disk {number} of db1 is full.", subject="Disk full")
        told.append(Delivery.objects.filter(ticket=found.ticket_id, topic="received").exists())
        assert ("repeats" in [step["what"] for step in found.trail]) is (number > 2)
    assert told == [True] * 3 + [False] * 3
