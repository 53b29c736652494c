"""Writing what is set up about alerts: rules, silences, maintenance windows and heartbeats, each change with its entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from allswell.intake.models import AlertRule
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor

# rules


def all_rules() -> list[AlertRule]:
    """All rules in their order, held until the transaction ends: places are given one after the other."""
    return list(AlertRule.objects.select_for_update().order_by("position", "id"))


def create_rule(name: str, definition: dict[str, Any], *, position: int, actor: Actor, now: datetime) -> AlertRule:
    """Write a new rule."""
    row = AlertRule(name=name, definition=definition, position=position, created_at=now, changed_at=now)
    journal.create(row, about="alert_rule", actor=actor, now=now)
    return row


def change_rule(row: AlertRule, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Write what differs of what a rule says."""
    if any(getattr(row, name) != value for name, value in values.items()):
        journal.change(row, {**values, "changed_at": now}, about="alert_rule", actor=actor, now=now)


def switch_rule(row: AlertRule, *, is_active: bool, actor: Actor, now: datetime) -> None:
    """Take it into use, or out of it."""
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    journal.change(row, {"is_active": is_active}, about="alert_rule", actor=actor, now=now, verb=verb)


def place_rules(rows: Sequence[AlertRule], *, actor: Actor, now: datetime) -> None:
    """Ask them in this order from now on."""
    for position, row in enumerate(rows):
        journal.change(row, {"position": position}, about="alert_rule", actor=actor, now=now)


def remove_rule(row: AlertRule, *, actor: Actor, now: datetime) -> None:
    """Forget a rule. Alerts that it decided about stay as they are, and say no rule."""
    journal.record(Verb.REMOVED, about=("alert_rule", row.pk), actor=actor, now=now)
    row.delete()
