"""The use cases of alert rules: which alerts open, join or are only shown, and where they belong. The first that fits decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.intake.operations import rules as writing
from allswell.intake.queries import alerts as queries
from allswell.intake.rules.routing import Rule
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotFound, Stale
from allswell.oncall.queries import escalations
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import AlertRule

#: every alert that fires is compared with each of them
MOST = 500


def all_rules(actor: Actor) -> QuerySet[AlertRule]:
    """Every rule in their order, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.all_rules()


def one(rule: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> AlertRule:
    """A rule, for who may see the set-up. Raises NotAllowed, NotFound."""
    require(actor, act, INSTALLATION)
    found = queries.all_rules().filter(pk=rule).first()
    if found is None:
        raise NotFound("There is no such rule.")
    return found


def said_by(row: AlertRule) -> Rule:
    """What a rule says."""
    return Rule.parse(row.definition, number=row.pk, name=row.name)


def _judged(definition: Mapping[str, Any], *, before: Rule | None = None, actor: Actor) -> dict[str, Any]:
    """A definition that can be followed. What it named before may be out of use by now. Raises Invalid."""
    rule = Rule.parse(definition)
    was = before or Rule()
    if rule.source not in (None, was.source) and not queries.sources().filter(pk=rule.source).exists():
        raise Invalid("There is no such source.", field="source")
    if rule.service not in (None, was.service):
        known = services.visible_to(actor).filter(is_active=True)
        if not known.filter(pk=rule.service).exists():
            raise Invalid("There is no such service.", field="service")
    if rule.team is not None and rule.team != was.team:
        steps.team_within_reach(rule.team, actor=actor)
    if rule.policy not in (None, was.policy):
        follows = escalations.policies_visible_to(actor).filter(is_active=True)
        if not follows.filter(pk=rule.policy).exists():
            raise Invalid("There is no such policy.", field="policy")
    return rule.as_json()


def _held(rule: int, *, actor: Actor) -> tuple[list[AlertRule], AlertRule]:
    """All rules, held for this act, and the one that is meant. Raises NotAllowed, NotFound."""
    require(actor, Act.SET_UP, INSTALLATION)
    rows = writing.alert_rules()
    found = next((row for row in rows if row.pk == rule), None)
    if found is None:
        raise NotFound("There is no such rule.")
    return rows, found


@use_case
def create(*, name: str, definition: Mapping[str, Any], actor: Actor, now: datetime) -> AlertRule:
    """A new rule, asked after all others. Raises Invalid, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    rows = writing.alert_rules()
    if len(rows) >= MOST:
        raise Invalid("There are too many rules.")
    name = text.line(name, field="name", limit=80)
    position = rows[-1].position + 1 if rows else 0
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
    _rows, row = _held(rule, actor=actor)
    if seen and seen != version(row):
        raise Stale("Somebody else changed this rule in the meantime. Look again, and change it once more.")
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = text.line(name, field="name", limit=80)
    if definition is not None:
        values["definition"] = _judged(definition, before=said_by(row), actor=actor)
    writing.change(row, values, actor=actor, now=now)
    return row


def version(row: AlertRule) -> str:
    """What tells whether a rule says something else by now."""
    return row.changed_at.isoformat()


@use_case
def switch(rule: int, *, is_active: bool, actor: Actor, now: datetime) -> AlertRule:
    """Ask it, or leave it out; it keeps its place."""
    _rows, row = _held(rule, actor=actor)
    writing.switch(row, is_active=is_active, actor=actor, now=now)
    return row


@use_case
def move(rule: int, *, by: int, actor: Actor, now: datetime) -> AlertRule:
    """Ask it `by` places later (negative: earlier); at an end it stays there."""
    rows, row = _held(rule, actor=actor)
    place = rows.index(row)
    rows.insert(min(max(0, place + by), len(rows) - 1), rows.pop(place))
    writing.place(rows, actor=actor, now=now)
    return row


@use_case
def reorder(order: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Ask all rules in this order. Raises Invalid when it does not name each of them once."""
    require(actor, Act.SET_UP, INSTALLATION)
    rows = {row.pk: row for row in writing.alert_rules()}
    if sorted(order) != sorted(rows):
        raise Invalid("Name every rule once.", field="order")
    writing.place([rows[number] for number in order], actor=actor, now=now)


@use_case
def remove(rule: int, *, actor: Actor, now: datetime) -> None:
    """Forget it. Alerts it decided about stay as they are."""
    _rows, row = _held(rule, actor=actor)
    writing.remove(row, actor=actor, now=now)
