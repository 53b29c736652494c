"""The way of a ticket through its life: wait, resume, restore, resolve, confirm, rate, reopen, close, cancel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.desk.practices import lifecycle
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed
from allswell.kernel.instants import sensible
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import queries, rules
from allswell.tickets.rules import Kind, Move, State, WaitingOn

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket


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
    """It cannot go on: it waits for the requester, a supplier or a change, at most until `until` (aware, in the future).

    A reason becomes an internal note.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    until = sensible(until, field="until")
    if until is not None and until <= now:
        raise Invalid("This is in the past.", field="until")
    kept: dict[str, object] = {"on": on.value, "until": until.isoformat() if until else None}
    if reason := text.prose(reason, field="reason", limit=4000):
        said, _ = tickets.comment(ticket, body=reason, is_public=False, actor=actor, now=now, data={"of": "waited"})
        kept["comment"] = said.pk
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.WAIT,
        actor=actor,
        now=now,
        data=kept,
        waiting_on=on.value,
        waiting_until=until,
    )
    if on is WaitingOn.REQUESTER:
        steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now, is_held=True)
    return ticket


@use_case
def resume(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Go on with a waiting ticket."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
    return ticket


@use_case
def restore(
    number: int, *, restored_at: datetime | None = None, actor: Actor, now: datetime, version: int | None = None
) -> Ticket:
    """The service works again (since `restored_at`), though the incident is not resolved yet; its children are restored with it.

    Raises Conflict when it was restored before, or is no incident.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    since = rules.past(restored_at, now=now, field="restored_at") or now
    if since < (ticket.occurred_at or ticket.opened_at):
        raise Invalid("This is before the incident began.", field="restored_at")
    _restore(ticket, since=since, actor=actor, now=now)
    for child in queries.open_children(ticket.pk):
        if child.restored_at is None and child.kind == Kind.INCIDENT:
            _restore(child, since=since, actor=actor, now=now, parent=ticket.pk)
    return ticket


def _restore(ticket: Ticket, *, since: datetime, actor: Actor, now: datetime, parent: int | None = None) -> None:
    if ticket.kind != Kind.INCIDENT:
        raise Conflict("Only an incident interrupts a service.")
    if ticket.done_at or ticket.restored_at:
        raise Conflict("The service was restored already.")
    former = tickets.change(ticket, now=now, guard={"restored_at": None, "done_at": None}, restored_at=since)
    kept = {"restored_at": since.isoformat(), "before": former, **({"parent": parent} if parent else {})}
    entry = tickets.record(Verb.RESTORED, ticket, actor=actor, now=now, data=kept)
    audience = steps.public_audience(ticket)
    steps.tell(entry, topic=Topic.STATE, persons=audience, actor=actor, now=now, is_held=True)


@use_case
def resolve(
    number: int, *, code: str = "fixed", resolution: str = "", actor: Actor, now: datetime, version: int | None = None
) -> Ticket:
    """Resolve an incident or fulfil a request, with its open children; everybody who asked is told.

    It closes by itself after some days.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if code not in rules.CODES:
        raise Invalid("Choose how it was resolved.", field="code")
    resolution = text.prose(resolution, field="resolution")
    children = queries.open_children(ticket.pk)
    named = [child.pk for child in children]
    _resolve(ticket, code=code, resolution=resolution, actor=actor, now=now, kept={"children": named} if named else {})
    for child in children:
        _resolve(child, code=code, resolution=resolution, actor=actor, now=now, kept={"parent": ticket.pk})
    return ticket


def _resolve(ticket: Ticket, *, code: str, resolution: str, kept: dict[str, object], actor: Actor, now: datetime) -> None:
    days = people.inherited(ticket.organization, "closes_after_days")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.RESOLVE,
        actor=actor,
        now=now,
        data={"code": code, **kept},
        resolution_code=code,
        resolution=resolution,
        first_response_at=ticket.first_response_at or now,  # they are told that it is resolved
        restored_at=(ticket.restored_at or now) if ticket.kind == Kind.INCIDENT else None,
        closing_at=tickets.closing_at(now, rules.DEFAULT_CLOSES_AFTER_DAYS if days is None else days),
    )
    audience = steps.public_audience(ticket)
    steps.tell(entry, topic=Topic.STATE, persons=audience, actor=actor, now=now, is_held=True)
    steps.works_again(ticket, entry=entry, actor=actor, now=now)


def _as_requester(number: int, *, actor: Actor, version: int | None) -> Ticket:
    """The ticket, if the actor is who asked for it. Raises NotAllowed."""
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version)
    if ticket.requester_id != actor.person and not actor.is_system:
        raise NotAllowed("Only who asked for it can say this.")
    return ticket


@use_case
def confirm(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """The requester says that it is solved: it closes at once. Raises Conflict when it is not resolved."""
    ticket = _as_requester(number, actor=actor, version=version)
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.CLOSE, actor=actor, now=now)
    entry = tickets.record(Verb.CONFIRMED, ticket, actor=actor, now=now)
    steps.tell(entry, topic=Topic.WATCHED, persons=steps.desk_audience(ticket), actor=actor, now=now)
    return ticket


@use_case
def rate(number: int, *, score: int, comment: str = "", actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """The requester says how it went, 1 (bad) to 5 (well), once it is resolved; saying it again replaces it."""
    ticket = _as_requester(number, actor=actor, version=version)
    if not 1 <= score <= 5:
        raise Invalid("Use a number from 1 to 5.", field="score")
    if State(ticket.state) not in (State.RESOLVED, State.FULFILLED, State.CLOSED):
        raise Conflict("It can be rated once it is resolved.")
    comment = text.line(comment, field="comment", limit=1000, required=False)
    former = ticket.rating
    tickets.change(ticket, now=now, guard={"state": ticket.state}, rating=score, rating_comment=comment)
    entry = tickets.record(Verb.RATED, ticket, actor=actor, now=now, data={"from": former, "to": score})
    steps.tell(entry, topic=Topic.WATCHED, persons=steps.desk_audience(ticket), actor=actor, now=now)
    return ticket


@use_case
def reopen(number: int, *, reason: str = "", actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """It is not solved after all. A closed ticket never reopens, nor one resolved too long ago; they get a follow-up."""
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version)
    days = people.inherited(ticket.organization, "reopens_within_days")
    within = timedelta(days=rules.DEFAULT_REOPENS_WITHIN_DAYS if days is None else days)
    if ticket.state == State.CLOSED or (ticket.done_at and now > ticket.done_at + within):
        raise Conflict("It is too late to reopen this ticket; open a follow-up.")
    entry = tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.REOPEN, actor=actor, now=now, asked_at=now)
    if reason := text.prose(reason, field="reason"):
        tickets.comment(ticket, body=reason, is_public=True, actor=actor, now=now)
    told = steps.desk_audience(ticket) | steps.public_audience(ticket)
    steps.tell(entry, topic=Topic.STATE, persons=told, actor=actor, now=now)
    return ticket


@use_case
def close(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Close a resolved ticket for good, and tell who asked."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    entry = tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.CLOSE, actor=actor, now=now)
    steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
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
