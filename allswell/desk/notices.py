"""What a person is told in the app, and that they read it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor
from allswell.notifications import operations as notifications
from allswell.notifications import queries

from . import outbox
from .door import use_case

if TYPE_CHECKING:
    from allswell.notifications.letters import Matter, Said
    from allswell.notifications.models import Delivery


def inbox(
    actor: Actor, *, before: int | None, limit: int, now: datetime
) -> tuple[list[tuple[Delivery, Matter | None, Said]], int | None]:
    """Up to `limit` notices of the actor, newest first, below the id `before`; and the id to go on from, None at the end.

    What the actor may no longer see, or what was taken back, is left out.
    """
    if actor.person is None:
        return [], None
    rows = queries.inbox(actor.person).filter(due_at__lte=now).select_related("entry", "entry__person")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return list(outbox.told(shown, actor)), shown[-1].pk if len(found) > limit else None


@use_case
def read(up_to: int, *, actor: Actor, now: datetime) -> int:
    """The actor read their notices up to this one; answers how many were new."""
    return notifications.mark_read(actor.person, up_to=up_to, now=now) if actor.person is not None else 0
