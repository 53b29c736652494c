"""Who sets up the rules of mail, in which order they are asked, and what is written down about it."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk.mail import mailboxes, rules
from allswell.intake.models import MailRule
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from tests.support.boxes import a_mailbox
from tests.support.post import Post
from tests.support.world import World


def rule(world: World, name: str, **definition: Any) -> MailRule:
    return rules.create(name=name, definition=definition, **world.by(world.ada))


def test_a_rule_that_is_moved_is_asked_in_its_new_place(world: World) -> None:
    first, second, third = (rule(world, name, act="hold") for name in ("A", "B", "C"))
    by = world.by(world.ada)
    rules.move(third.pk, by=-1, **by)
    rules.move(third.pk, by=-5, **by)
    assert [row.name for row in rules.all_rules(by["actor"])] == ["C", "A", "B"]
    rules.reorder([first.pk, second.pk, third.pk], **by)
    assert [row.name for row in rules.all_rules(by["actor"])] == ["A", "B", "C"]
    with pytest.raises(Invalid):
        rules.reorder([first.pk, first.pk, third.pk], **by)


def test_rules_decide_about_the_mail_that_comes(world: World) -> None:
    post = Post(world)
    row = rules.create(
        name="Wait", mailbox=post.mailbox.pk, definition={"words": ["chair"], "act": "hold"}, **world.by(world.ada)
    )
    assert post.mail("Maria <maria@example.org>", "One", subject="A chair").state == "held"
    rules.switch(row.pk, is_active=False, **world.by(world.ada))
    assert post.mail("Maria <maria@example.org>", "Two", subject="A chair").state == "taken"
    row.refresh_from_db()
    assert (row.fits_count, row.last_fit_at) == (1, world.now)
    rules.remove(row.pk, **world.by(world.ada))
    assert [one.verb for one in Entry.objects.filter(about_kind="mail_rule").order_by("id")] == [
        "record.created",
        "record.deactivated",
        "record.removed",
    ]
    with pytest.raises(NotFound):
        rules.remove(row.pk, **world.by(world.ada))


def test_what_a_rule_named_before_may_be_out_of_use_by_now(world: World) -> None:
    row = rule(world, "Ledger", service=world.lookup.pk)
    world.lookup.is_active = False
    world.lookup.save()
    rules.change(row.pk, definition={"service": world.lookup.pk, "urgency": 2}, **world.by(world.ada))
    with pytest.raises(Invalid):
        rule(world, "Another", service=world.lookup.pk)


def test_what_is_not_said_stays_and_who_came_first_is_not_overwritten(world: World) -> None:
    box = a_mailbox(world)[0]
    row = rules.create(name="A", mailbox=box.pk, definition={"urgency": 2}, **world.by(world.ada))
    seen = rules.version(row)
    world.forward(minutes=1)
    rules.change(row.pk, name="B", seen=seen, **world.by(world.ada))
    with pytest.raises(Stale):
        rules.change(row.pk, definition={"urgency": 4}, seen=seen, **world.by(world.ada))
    row.refresh_from_db()
    assert (row.name, row.mailbox, row.definition) == ("B", box, {"act": "take", "urgency": 2})
    rules.change(row.pk, mailbox=None, **world.by(world.ada))
    row.refresh_from_db()
    assert (row.name, row.mailbox, row.definition) == ("B", None, {"act": "take", "urgency": 2})


def test_a_mailbox_that_a_rule_names_is_not_deleted(world: World) -> None:
    box = a_mailbox(world)[0]
    row = rules.create(name="A", mailbox=box.pk, definition={}, **world.by(world.ada))
    with pytest.raises(Conflict):
        mailboxes.remove(box.pk, **world.by(world.ada))
    rules.remove(row.pk, **world.by(world.ada))
    mailboxes.remove(box.pk, **world.by(world.ada))


def test_the_journal_holds_no_words_of_a_rule(world: World) -> None:
    row = rule(world, "Kestrel", senders=["merlin@example.org"], words=["secret"])
    rules.change(row.pk, name="Osprey", definition={"words": ["Harrier"]}, **world.by(world.ada))
    kept = str(list(Entry.objects.filter(about_kind="mail_rule").values_list("data", flat=True))).lower()
    assert not [word for word in ("kestrel", "merlin", "osprey", "harrier", "secret") if word in kept]


def test_agents_set_up_no_rules(world: World) -> None:
    row = rule(world, "A")
    for act in (
        lambda: rules.create(name="B", definition={}, **world.by(world.jonas)),
        lambda: rules.change(row.pk, name="B", **world.by(world.lena)),
        lambda: rules.remove(row.pk, **world.by(world.audrey)),
        lambda: rules.try_out(None, definition={}, actor=world.actor(world.jonas)),
    ):
        with pytest.raises(NotAllowed):
            act()
