"""The way of a ticket through its life: wait, resume, resolve, reopen, close, cancel."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.desk.practices import lifecycle
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import rules
from allswell.tickets.rules import Move, WaitingOn

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

DEFAULT_CLOSES_AFTER_DAYS = 5


@use_case
def wait(
    number: int,
    *,
    on: WaitingOn,
    until: datetime | None = None,
    reason: str = "",
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """It cannot go on: it waits for the requester, a supplier or a change, at most until `until` (aware, in the future)."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if until is not None and until <= now:
        raise Invalid("This is in the past.", field="until")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.WAIT,
        actor=actor,
        now=now,
        data={
            "on": on.value,
            "until": until.isoformat() if until else None,
            "reason": text.line(reason, field="reason", limit=500, required=False),
        },
        waiting_on=on.value,
        waiting_until=until,
    )
    if on is WaitingOn.REQUESTER:
        steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    return ticket


@use_case
def resume(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Go on with a waiting ticket."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
    return ticket


@use_case
def resolve(
    number: int, *, code: str = "fixed", resolution: str = "", actor: Actor, now: datetime, version: int | None = None
) -> Ticket:
    """Resolve an incident or fulfil a request; everybody who asked is told. It closes by itself after some days."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if code not in rules.CODES:
        raise Invalid("Choose how it was resolved.", field="code")
    days = people.inherited(ticket.organization, "closes_after_days")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.RESOLVE,
        actor=actor,
        now=now,
        data={"code": code},
        resolution_code=code,
        resolution=text.prose(resolution, field="resolution"),
        restored_at=ticket.restored_at or now,
        closing_at=tickets.closing_at(now, DEFAULT_CLOSES_AFTER_DAYS if days is None else days),
    )
    steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    steps.works_again(ticket, entry=entry, actor=actor, now=now)
    return ticket


@use_case
def reopen(number: int, *, reason: str = "", actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """It is not solved after all. A closed ticket never reopens; it gets a follow-up."""
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version)
    entry = tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.REOPEN, actor=actor, now=now, asked_at=now)
    if reason := text.prose(reason, field="reason"):
        tickets.comment(ticket, body=reason, is_public=True, actor=actor, now=now)
    steps.tell(
        entry,
        topic=Topic.STATE,
        persons=steps.desk_audience(ticket) | steps.public_audience(ticket),
        actor=actor,
        now=now,
    )
    return ticket


@use_case
def close(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Close a resolved ticket for good."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.CLOSE, actor=actor, now=now)
    return ticket


@use_case
def cancel(number: int, *, reason: str, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """End a ticket that should not be worked: a duplicate, withdrawn, a mistake, not ours."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if reason not in rules.CANCEL_REASONS:
        raise Invalid("Choose why it is cancelled.", field="reason")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.CANCEL,
        actor=actor,
        now=now,
        data={"reason": reason},
        resolution_code=reason,
    )
    steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    steps.withdraw_announcement(ticket, actor=actor, now=now)
    return ticket
