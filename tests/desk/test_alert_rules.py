"""The first rule that fits an alert decides: what is opened, where it belongs, what belongs together, and what is only shown."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk.alerts import rules
from allswell.intake.models import AlertRule
from allswell.journal.models import Entry
from allswell.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from allswell.oncall.models import Escalation
from allswell.tickets.models import Ticket
from tests.desk.test_paging import dba_policy
from tests.support.monitoring import Monitoring
from tests.support.world import World


def condition(label: str, value: str, operator: str = "=") -> dict[str, str]:
    return {"label": label, "operator": operator, "value": value}


def rule(world: World, name: str, **definition: Any) -> AlertRule:
    return rules.create(name=name, definition=definition, **world.by(world.ada))


def test_the_first_that_fits_decides(world: World) -> None:
    am = Monitoring(world)
    quiet = rule(world, "Test machines", matchers=[condition("host", "test.*", "=~")], act="record")
    loud = rule(world, "The rest", service=world.lookup.pk, urgency=1)
    am.send(am.fires("Full", host="test1"), am.fires("Full", host="web1"))
    ticket = Ticket.objects.get()
    assert (ticket.service, ticket.urgency) == (world.lookup, 1)
    assert (am.alert("Full", host="test1").ticket, am.alert("Full", host="web1").ticket) == (None, ticket)
    quiet.refresh_from_db()
    loud.refresh_from_db()
    assert (quiet.fits_count, loud.fits_count, quiet.last_fit_at) == (1, 1, world.now)


def test_a_rule_that_is_moved_is_asked_in_its_new_place(world: World) -> None:
    first, second, third = (rule(world, name, act="record") for name in ("A", "B", "C"))
    by = world.by(world.ada)
    rules.move(third.pk, by=-1, **by)
    rules.move(third.pk, by=-5, **by)
    assert [row.name for row in rules.all_rules(by["actor"])] == ["C", "A", "B"]
    rules.reorder([first.pk, second.pk, third.pk], **by)
    assert [row.name for row in rules.all_rules(by["actor"])] == ["A", "B", "C"]
    with pytest.raises(Invalid):
        rules.reorder([first.pk, first.pk, third.pk], **by)


def test_a_rule_out_of_use_or_forgotten_fits_nothing(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    row = rule(world, "Nothing matters", act="record")
    am.send(am.fires("A"))
    assert not Ticket.objects.exists()
    rules.switch(row.pk, is_active=False, **world.by(world.ada))
    am.send(am.fires("B"), group="g2")
    assert Ticket.objects.count() == 1
    rules.remove(row.pk, **world.by(world.ada))
    assert am.alert("A").rule is None
    assert [one.verb for one in Entry.objects.filter(about_kind="alert_rule").order_by("id")] == [
        "record.created",
        "record.deactivated",
        "record.removed",
    ]
    with pytest.raises(NotFound):
        rules.remove(row.pk, **world.by(world.ada))


def test_what_is_alike_in_the_labels_of_the_rule_belongs_together(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    rule(world, "By place", group_by=["place"])
    am.send(am.fires("A", place="north"), am.fires("B", place="north"), am.fires("C", place="south"))
    assert am.alert("A").ticket == am.alert("B").ticket != am.alert("C").ticket


def test_the_policy_of_a_rule_calls(world: World) -> None:
    policy = dba_policy(world)
    am = Monitoring(world)
    rule(world, "Ledger", service=world.lookup.pk, policy=policy.pk)
    am.send(am.fires())
    assert Escalation.objects.filter(ticket=Ticket.objects.get(), policy=policy).exists()


def test_what_a_rule_names_must_be_there(world: World) -> None:
    for field in ("source", "service", "team", "policy"):
        with pytest.raises(Invalid) as refused:
            rule(world, "X", **{field: 999_999_999})
        assert refused.value.field == field
    with pytest.raises(Invalid) as refused:
        rule(world, "X", matchers=[condition("host", "(", "=~")])
    assert refused.value.field == "value"
    assert not AlertRule.objects.exists()


def test_what_a_rule_named_before_may_be_out_of_use_by_now(world: World) -> None:
    row = rule(world, "Ledger", service=world.lookup.pk)
    world.lookup.is_active = False
    world.lookup.save()
    rules.change(row.pk, definition={"service": world.lookup.pk, "urgency": 2}, **world.by(world.ada))
    with pytest.raises(Invalid):
        rule(world, "Another", service=world.lookup.pk)


def test_who_changed_it_meanwhile_is_not_overwritten(world: World) -> None:
    row = rule(world, "A", urgency=2)
    seen = rules.version(row)
    world.forward(minutes=1)
    rules.change(row.pk, definition={"urgency": 3}, seen=seen, **world.by(world.ada))
    with pytest.raises(Stale):
        rules.change(row.pk, definition={"urgency": 4}, seen=seen, **world.by(world.ada))
    row.refresh_from_db()
    assert row.definition["urgency"] == 3


def test_the_journal_holds_no_words_of_a_rule(world: World) -> None:
    row = rule(world, "Kestrel", matchers=[condition("secret", "Merlin")])
    rules.change(row.pk, name="Osprey", definition={"matchers": [condition("secret", "Harrier")]}, **world.by(world.ada))
    kept = str(list(Entry.objects.filter(about_kind="alert_rule").values_list("data", flat=True)))
    assert not [word for word in ("Kestrel", "Merlin", "Osprey", "Harrier", "secret") if word in kept]


def test_agents_set_up_no_rules(world: World) -> None:
    row = rule(world, "A")
    for act in (
        lambda: rules.create(name="B", definition={}, **world.by(world.jonas)),
        lambda: rules.change(row.pk, name="B", **world.by(world.lena)),
        lambda: rules.remove(row.pk, **world.by(world.audrey)),
    ):
        with pytest.raises(NotAllowed):
            act()
