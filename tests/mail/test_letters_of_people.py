"""Letters of people that read like those of programs, or that others try to pass for theirs, are not lost."""

from __future__ import annotations

import pytest

from allswell.desk.mail import deciding, looking
from allswell.intake.models import Mailbox
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
