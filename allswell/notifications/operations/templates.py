"""Writing the words that organizations chose for their mails, each change with its entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.notifications.models import MailTemplate

_ABOUT = "mail_template"


def create_template(*, actor: Actor, now: datetime, **values: Any) -> MailTemplate:
    """Write a new template. Raises Conflict where there is one already."""
    row = MailTemplate(created_at=now, changed_at=now, **values)
    journal.create(row, about=_ABOUT, actor=actor, now=now)
    return row


def change_template(row: MailTemplate, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Write what differs of a template."""
    if any(getattr(row, name) != value for name, value in values.items()):
        journal.change(row, {**values, "changed_at": now}, about=_ABOUT, actor=actor, now=now)


def forget_template(row: MailTemplate, *, actor: Actor, now: datetime) -> None:
    """Back to the words of those above, or the built-in ones."""
    kept = {"organization": row.organization_id, "kind": row.kind}
    journal.record(Verb.REMOVED, about=(_ABOUT, row.pk), actor=actor, now=now, data=kept)
    row.delete()
