"""The use cases of alert rules: which alerts open, join or are only shown, and where they belong. The first that fits decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import rule_order
from allswell.desk.door import use_case
from allswell.intake.operations import rules as writing
from allswell.intake.queries import alerts as queries
from allswell.intake.rules.routing import Rule
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.oncall.queries import escalations
from allswell.people.rules import INSTALLATION, Act, require

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import AlertRule

MOST = rule_order.MOST
version = rule_order.version


def all_rules(actor: Actor) -> QuerySet[AlertRule]:
    """Every rule in their order, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.all_rules()


def one(rule: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> AlertRule:
    """A rule, for who may see the set-up. Raises NotAllowed, NotFound."""
    return rule_order.one(queries.all_rules(), rule, actor=actor, act=act)


def said_by(row: AlertRule) -> Rule:
    """What a rule says."""
    return Rule.parse(row.definition, number=row.pk, name=row.name)


def _judged(definition: Mapping[str, Any], *, before: Rule | None = None, actor: Actor) -> dict[str, Any]:
    """A definition that can be followed. What it named before may be out of use by now. Raises Invalid."""
    rule = Rule.parse(definition)
    was = before or Rule()
    if rule.source not in (None, was.source) and not queries.sources().filter(pk=rule.source).exists():
        raise Invalid("There is no such source.", field="source")
    rule_order.check_place(rule, before=was, actor=actor)
    if rule.policy not in (None, was.policy):
        follows = escalations.policies_visible_to(actor).filter(is_active=True)
        if not follows.filter(pk=rule.policy).exists():
            raise Invalid("There is no such policy.", field="policy")
    return rule.as_json()


@use_case
def create(*, name: str, definition: Mapping[str, Any], actor: Actor, now: datetime) -> AlertRule:
    """A new rule, asked after all others. Raises Invalid, NotAllowed."""
    position = rule_order.last_position(writing.alert_rules, actor=actor)
    name = text.line(name, field="name", limit=80)
    judged = _judged(definition, actor=actor)
    return writing.create_alert_rule(name=name, definition=judged, position=position, actor=actor, now=now)


@use_case
def change(
    rule: int,
    *,
    name: str | None = None,
    definition: Mapping[str, Any] | None = None,
    seen: str = "",
    actor: Actor,
    now: datetime,
) -> AlertRule:
    """Change what is not None. `seen` is what `version` said when the rule was read. Raises Invalid, NotFound, Stale."""
    row = rule_order.to_change(writing.alert_rules, rule, seen=seen, actor=actor)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = text.line(name, field="name", limit=80)
    if definition is not None:
        values["definition"] = _judged(definition, before=said_by(row), actor=actor)
    writing.change(row, values, actor=actor, now=now)
    return row


@use_case
def switch(rule: int, *, is_active: bool, actor: Actor, now: datetime) -> AlertRule:
    """Ask it, or leave it out; it keeps its place."""
    return rule_order.switch(writing.alert_rules, rule, is_active=is_active, actor=actor, now=now)


@use_case
def move(rule: int, *, by: int, actor: Actor, now: datetime) -> AlertRule:
    """Ask it `by` places later (negative: earlier); at an end it stays there."""
    return rule_order.move(writing.alert_rules, rule, by=by, actor=actor, now=now)


@use_case
def reorder(order: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Ask all rules in this order. Raises Invalid when it does not name each of them once."""
    rule_order.reorder(writing.alert_rules, order, actor=actor, now=now)


@use_case
def remove(rule: int, *, actor: Actor, now: datetime) -> None:
    """Forget it. Alerts it decided about stay as they are."""
    rule_order.remove(writing.alert_rules, rule, actor=actor, now=now)
