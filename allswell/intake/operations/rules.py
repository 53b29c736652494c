"""Writing the rules of what comes in, those of alerts and those of mail: each in its place, each change with its entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from allswell.intake.models import AlertRule, MailRule
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor

Row: TypeAlias = AlertRule | MailRule
_ABOUT: dict[type[Row], str] = {AlertRule: "alert_rule", MailRule: "mail_rule"}


def alert_rules() -> list[AlertRule]:
    """All rules of alerts in their order, held until the transaction ends: places are given one after the other."""
    return list(AlertRule.objects.select_for_update().order_by("position", "id"))


def mail_rules() -> list[MailRule]:
    """All rules of mail in their order, held until the transaction ends."""
    return list(MailRule.objects.select_for_update().order_by("position", "id"))


def create_alert_rule(*, actor: Actor, now: datetime, **values: Any) -> AlertRule:
    """Write a new rule of alerts."""
    row = AlertRule(created_at=now, changed_at=now, **values)
    journal.create(row, about=_ABOUT[AlertRule], actor=actor, now=now)
    return row


def create_mail_rule(*, actor: Actor, now: datetime, **values: Any) -> MailRule:
    """Write a new rule of mail."""
    row = MailRule(created_at=now, changed_at=now, **values)
    journal.create(row, about=_ABOUT[MailRule], actor=actor, now=now)
    return row


def change(row: Row, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Write what differs of what a rule says."""
    if any(getattr(row, name) != value for name, value in values.items()):
        journal.change(row, {**values, "changed_at": now}, about=_ABOUT[type(row)], actor=actor, now=now)


def switch(row: Row, *, is_active: bool, actor: Actor, now: datetime) -> None:
    """Take it into use, or out of it."""
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    journal.change(row, {"is_active": is_active}, about=_ABOUT[type(row)], actor=actor, now=now, verb=verb)


def place(rows: Sequence[Row], *, actor: Actor, now: datetime) -> None:
    """Ask them in this order from now on."""
    for position, row in enumerate(rows):
        journal.change(row, {"position": position}, about=_ABOUT[type(row)], actor=actor, now=now)


def remove(row: Row, *, actor: Actor, now: datetime) -> None:
    """Forget a rule. What it decided about stays as it is."""
    journal.record(Verb.REMOVED, about=(_ABOUT[type(row)], row.pk), actor=actor, now=now)
    row.delete()
