"""Correcting a ticket: its words and facts, its priority, its kind."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.incidents import operations as incidents
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import rules
from allswell.tickets.rules import Kind, State

from .reporting import category_named, level, service_named

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

EDITABLE = ("title", "description", "service", "category", "impact", "urgency", "occurred_at", "custom")


def _columns(ticket: Ticket, changes: dict[str, Any], *, actor: Actor, now: datetime) -> dict[str, Any]:
    """What an edit writes: column -> value, only what differs. Raises Invalid naming the field."""
    if unknown := changes.keys() - set(EDITABLE):
        raise Invalid("This cannot be edited.", field=min(unknown))
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "title":
            values[name] = text.line(value, field=name, limit=200)
        elif name == "description":
            values[name] = text.prose(value, field=name)
        elif name == "service":
            service = service_named(value, actor=actor)
            values["service_id"] = service.pk if service else None
        elif name == "category":
            values["category_id"] = category_named(value)
        elif name == "occurred_at":
            values[name] = rules.past(value, now=now, field=name)
        elif name == "custom":
            merged = {key: kept for key, kept in {**ticket.custom, **value}.items() if kept is not None and kept != ""}
            values[name] = steps.custom_values(ticket.kind, merged)
        else:
            if value is None:
                raise Invalid("This is needed.", field=name)
            level(value, name)
            values[name] = value
    return {name: value for name, value in values.items() if getattr(ticket, name) != value}


@use_case
def edit(
    number: int,
    *,
    changes: dict[str, Any],
    keeps_override: bool = False,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """Correct what `EDITABLE` names (a custom field set to None is emptied); the priority is worked out again.

    A priority set by hand falls when impact or urgency change, unless `keeps_override` says that it still holds.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    values = _columns(ticket, changes, actor=actor, now=now)
    if not values:
        return ticket
    rated = bool({"impact", "urgency"} & values.keys())
    if rated and not (ticket.priority_reason and keeps_override):
        values["priority_reason"] = ""
        values["priority"] = steps.matrix_for(ticket.organization).priority(
            values.get("impact", ticket.impact), values.get("urgency", ticket.urgency)
        )
    was, had_override = ticket.priority, bool(ticket.priority_reason)
    former = tickets.change(ticket, now=now, guard={"version": ticket.version}, **values)
    fields = sorted({name.removesuffix("_id") for name in values} - {"priority", "priority_reason"})
    after = {name: values[name] for name in former}
    tickets.record(Verb.EDITED, ticket, actor=actor, now=now, data={"fields": fields, "from": former, "to": after})
    if {"title", "description"} & values.keys():
        tickets.index(ticket)
    if ticket.priority != was or (had_override and not ticket.priority_reason):
        kept = {"from": was, "to": ticket.priority, "is_override_dropped": had_override and not ticket.priority_reason}
        tickets.record(Verb.PRIORITY_SET, ticket, actor=actor, now=now, data=kept)
    return ticket


@use_case
def override_priority(
    number: int,
    *,
    priority: int | None,
    reason: str = "",
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """Set the priority by hand, with a reason that everybody at the desk sees; None lets it be worked out again."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    was = ticket.priority
    if priority is None:
        computed = steps.matrix_for(ticket.organization).priority(ticket.impact, ticket.urgency)
        tickets.change(ticket, now=now, guard={"version": ticket.version}, priority=computed, priority_reason="")
        kept = {"from": was, "to": computed, "is_override_dropped": True}
        tickets.record(Verb.PRIORITY_SET, ticket, actor=actor, now=now, data=kept)
        return ticket
    if not 1 <= priority <= 5:
        raise Invalid("Priorities are whole numbers from 1 to 5.", field="priority")
    reason = text.line(reason, field="reason", limit=200)
    tickets.change(ticket, now=now, guard={"version": ticket.version}, priority=priority, priority_reason=reason)
    tickets.record(Verb.PRIORITY_OVERRIDDEN, ticket, actor=actor, now=now, data={"from": was, "to": priority})
    return ticket


_SAME_STATE = {State.RESOLVED: State.FULFILLED, State.FULFILLED: State.RESOLVED, State.APPROVING: State.IN_PROGRESS}


@use_case
def refile(number: int, *, kind: Kind, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """It was reported as the wrong kind: an incident becomes a request or the other way round, and keeps everything."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    before = Kind(ticket.kind)
    if before is kind:
        raise Conflict("It is of this kind already.")
    state = _SAME_STATE.get(State(ticket.state), State(ticket.state))
    former = tickets.change(ticket, now=now, guard={"version": ticket.version}, kind=kind.value, state=state.value)
    if kind is Kind.INCIDENT:
        incidents.ensure_incident(ticket)
    kept = {"from": before.value, "to": kind.value, "before": former}
    tickets.record(Verb.REFILED, ticket, actor=actor, now=now, data=kept)
    return ticket
