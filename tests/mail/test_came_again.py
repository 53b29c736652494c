"""The same mail that comes again counts once; another one that only reads like it, or has the same id, is never lost."""

from __future__ import annotations

import pytest

from allswell.desk.mail import keeping
from allswell.intake.models import Alert, InboundMessage, Mailbox
from allswell.kernel.actor import engine
from allswell.tickets.models import Ticket
from tests.mail.test_alerting import Tool
from tests.support.post import Post
from tests.support.world import World

MARIA = "Maria Keller <maria@example.org>"
ORDER = "Please order {} toners for room {}."


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, service=world.printing)


@pytest.fixture
def other(world: World) -> Mailbox:
    return Mailbox.objects.create(name="Sales", address="sales@desk.example", kind="pipe", created_at=world.now)


def test_two_orders_that_differ_in_their_numbers_are_two(world: World, post: Post) -> None:
    for number, message_id in ((3, "order.1@example.org"), (4, "order.2@example.org"), (5, "order.2@example.org")):
        found = post.mail(MARIA, ORDER.format(number, 410), subject="Order", message_id=message_id)
        assert (found.state, found.reason) == ("taken", "")
    assert sorted(Ticket.objects.values_list("description", flat=True)) == [ORDER.format(number, 410) for number in (3, 4, 5)]


def test_a_tool_that_writes_one_id_for_all_its_mails_is_heard_each_time(world: World) -> None:
    tool = Tool(world)
    for number in (1, 2):
        found = tool.mails(f"[FAILED] db{number}: backup", f"Job: {number}", message_id="alert@localhost")
        assert (found.state, found.reason) == ("taken", "alert")
    assert sorted(alert.labels["host"] for alert in Alert.objects.all()) == ["db1", "db2"]
    again = [f"{at}\n" for at in ("Date: Mon, 23 Nov 2026 09:00:00 +0000", "Date: Tue, 24 Nov 2026 09:00:00 +0000")]
    states = [tool.mails("[FAILED] db9: backup", "Job: 9", message_id="alert@localhost", more=more).reason for more in again]
    assert states == ["alert", "alert"], "the same of another day"


def test_the_same_mail_by_two_mailboxes_is_one_also_without_an_id(world: World, post: Post, other: Mailbox) -> None:
    raw = b"From: Maria Keller <maria@example.org>\nSubject: Order\nDate: Mon, 23 Nov 2026 09:00:00 +0000\n\nThree toners, please.\n"
    first = post.comes(raw)
    again = post.comes(b"Received: by other.example; Mon, 23 Nov 2026 09:01:00 +0000\n" + raw, mailbox=other)
    assert (again.reason, again.ticket_id) == ("duplicate", first.ticket_id)
    four = post.comes(raw.replace(b"Three", b"Four"), mailbox=other)
    later = post.comes(raw.replace(b"23 Nov", b"24 Nov"), mailbox=other)
    assert (four.state, later.state, Ticket.objects.count()) == ("taken", "taken", 3)


def test_the_same_words_with_another_file_are_another_mail(world: World, post: Post) -> None:
    head = f"From: {MARIA}\nTo: {post.mailbox.address}\nSubject: Scan\nMessage-ID: <scan@example.org>\nMIME-Version: 1.0\n"
    body = 'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nFrom your scanner.\n--b\nContent-Type: text/plain\n'
    for page in ("one", "two"):
        file = f'Content-Disposition: attachment; filename="scan.txt"\n\nPage {page}\n--b--\n'
        assert post.comes((head + body + file).encode()).reason == ""
    assert Ticket.objects.count() == 2


def test_bytes_that_tell_no_time_are_the_same_mail_for_a_while_only(world: World, post: Post) -> None:
    raw = b"From: ups@tools.example\nSubject: On battery\n\nThe UPS runs on battery.\n\nDate: of the text\n"

    def kept() -> int | None:
        return keeping.keep(raw, mailbox=post.mailbox.pk, actor=engine(), now=world.now)

    assert kept() is not None
    world.forward(minutes=20)
    assert kept() is None, "its server was not sure that we have it"
    world.forward(hours=3)
    assert kept() is not None, "the power went off again"
    post.take()
    assert [row.reason for row in InboundMessage.objects.all()] == ["", ""]
    dated = b"Date: Mon, 23 Nov 2026 09:00:00 +0000\n" + raw
    assert keeping.keep(dated, mailbox=post.mailbox.pk, actor=engine(), now=world.now) is not None
    world.forward(days=400)
    assert keeping.keep(dated, mailbox=post.mailbox.pk, actor=engine(), now=world.now) is None
