"""What the engine does to tickets when their time has come."""

from __future__ import annotations

from datetime import datetime

from allswell.kernel.actor import Actor
from allswell.notifications.rules import Topic
from allswell.tickets import operations as tickets
from allswell.tickets import queries
from allswell.tickets.rules import Move

from . import steps
from .door import use_case
from .practices import lifecycle


@use_case
def close_due(*, limit: int = 100, actor: Actor, now: datetime) -> int:
    """Close resolved tickets that nobody reopened in time, and tell who asked; answers how many, at most `limit`."""
    due = queries.due_to_close(now=now, limit=limit)
    for ticket in due:
        entry = tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.CLOSE, actor=actor, now=now)
        steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    return len(due)


@use_case
def resume_due(*, limit: int = 100, actor: Actor, now: datetime) -> int:
    """Go on with tickets whose wait is over, and tell who works on them; answers how many, at most `limit`."""
    due = queries.due_to_resume(now=now, limit=limit)
    for ticket in due:
        entry = tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
        steps.tell(entry, topic=Topic.WATCHED, persons=steps.desk_audience(ticket), actor=actor, now=now)
    return len(due)


def is_anything_due(now: datetime) -> bool:
    """Whether a ticket is to be closed or resumed."""
    return queries.is_time_up(now)
