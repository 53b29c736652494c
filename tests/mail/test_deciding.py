"""What waits is released by a person, and why a mail became what it became can be read."""

from __future__ import annotations

import pytest

from allswell.desk.mail import deciding
from allswell.intake.models import InboundMessage, Mailbox, MailRule, MessageSource
from allswell.intake.rules.mail_rules import Rule
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, Invalid, NotAllowed
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.support.post import Post
from tests.support.world import World


@pytest.fixture
def post(world: World) -> Post:
    return Post(world, unknown_senders="hold")


def test_a_held_mail_is_taken_once_somebody_decides_so(world: World, post: Post) -> None:
    held = post.mail("Eva <eva@customer.example>", "#resolve\nHello", message_id="h@x.example")
    assert (held.state, Ticket.objects.count()) == ("held", 0)
    with pytest.raises(NotAllowed):
        deciding.release(held.pk, **world.by(world.jonas))
    with pytest.raises(Invalid):
        deciding.release(held.pk, person="nobody@nowhere.example", **world.by(world.ada))
    deciding.release(held.pk, person="maria@example.org", **world.by(world.ada))
    post.take()
    held.refresh_from_db()
    assert (held.state, Ticket.objects.get().requester) == ("taken", world.maria)
    assert not Person.objects.filter(name="Eva").exists()
    assert Entry.objects.filter(about_kind="mail", about_id=held.pk, person=world.ada).exists()
    with pytest.raises(Conflict):
        deciding.release(held.pk, **world.by(world.ada))
    other = post.mail("Eva <eva@customer.example>", "Something else")
    deciding.release(other.pk, **world.by(world.ada))
    post.take()
    assert Ticket.objects.latest("pk").requester == Person.objects.get(name="Eva")


def test_a_mail_held_for_its_rate_is_released_too(world: World, post: Post) -> None:
    for number in range(11):
        last = post.mail("Maria <maria@example.org>", f"Matter {'abcdefghijk'[number]}")
    assert last.reason == "sender_rate"
    deciding.release(last.pk, **world.by(world.ada))
    post.take()
    last.refresh_from_db()
    assert last.state == "taken"


def test_rules_say_what_a_mail_becomes(world: World, post: Post) -> None:
    def rule(position: int, **definition: object) -> MailRule:
        checked = Rule.parse(definition).as_json()
        return MailRule.objects.create(
            name=f"Rule {position}", position=position, definition=checked, created_at=world.now, changed_at=world.now
        )

    Mailbox.objects.update(unknown_senders="create")
    rule(1, senders=["spam.example"], act="ignore")
    rule(2, words=["ledger"], service=world.ledger.pk, kind="incident", impact=1, urgency=1)
    rule(3, plus="hr", kind="request", team=world.dba_team.pk)
    assert post.mail("x@mail.spam.example").reason == "rule"
    post.mail("Maria <maria@example.org>", "It is slow", subject="The LEDGER is slow")
    ticket = Ticket.objects.get()
    assert (ticket.service, ticket.team, ticket.impact, ticket.urgency) == (world.ledger, world.dba_team, 1, 1)
    post.mail("Maria <maria@example.org>", "A new chair", subject="Chair", to="support+hr@desk.example")
    assert (Ticket.objects.latest("pk").kind, Ticket.objects.latest("pk").team) == ("request", world.dba_team)
    found = deciding.dry_run([Rule(number=9, words=("chair",))], actor=world.actor(world.audrey))
    assert [one.rule.number if one.rule else None for one in found] == [9, None, None]
    assert MailRule.objects.get(position=2).fits_count == 1


@pytest.mark.parametrize(
    "definition",
    [{"act": "delete"}, {"impact": 5}, {"words": "ledger"}, {"kind": "problem"}, {"other": 1}, {"words": ["x" * 500]}],
)
def test_a_rule_that_makes_no_sense_is_refused(definition: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Rule.parse(definition)


def test_words_are_forgotten_a_month_after_and_those_that_wait_never(world: World, post: Post) -> None:
    held = post.mail("Eva <eva@customer.example>")
    post.mail("Maria <maria@example.org>")
    world.forward(days=31)
    assert deciding.forget_handled(actor=engine(), now=world.now) == 1
    assert list(MessageSource.objects.values_list("pk", flat=True)) == [held.pk]
    assert InboundMessage.objects.count() == 2
