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
from allswell.people import queries as people
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import rules
from allswell.tickets.rules import Kind, State

from .reporting import affected, category_named, level, service_named

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

#: what only incidents have
OF_INCIDENTS = ("people_affected", "workaround")
EDITABLE = (
    "title",
    "description",
    "requester",
    "service",
    "category",
    "impact",
    "urgency",
    "occurred_at",
    "custom",
    *OF_INCIDENTS,
)


def _columns(ticket: Ticket, changes: dict[str, Any], *, actor: Actor, now: datetime) -> dict[str, Any]:
    """What an edit writes: column -> value, only what differs. Raises Invalid naming the field."""
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name in OF_INCIDENTS:
            continue
        if name == "title":
            values[name] = text.line(value, field=name, limit=200)
        elif name == "description":
            values[name] = text.prose(value, field=name)
        elif name == "requester":
            person = steps.person_within_reach(value, actor=actor, field=name)
            values["requester_id"], values["organization_id"] = person.pk, person.organization_id
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


def _of_incident(ticket: Ticket, changes: dict[str, Any]) -> dict[str, Any]:
    """What an edit writes of an incident's own facts. Raises Invalid naming the field."""
    if unknown := changes.keys() - set(EDITABLE):
        raise Invalid("This cannot be edited.", field=min(unknown))
    own = {name: changes[name] for name in OF_INCIDENTS if name in changes}
    if own and ticket.kind != Kind.INCIDENT:
        raise Invalid("Only incidents have this.", field=min(own))
    if "people_affected" in own:
        affected(own["people_affected"])
    if "workaround" in own:
        own["workaround"] = text.prose(own["workaround"], field="workaround", limit=20_000)
    return own


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
    own = _of_incident(ticket, changes)
    values = _columns(ticket, changes, actor=actor, now=now)
    if own and not incidents.change_incident(ticket, own):
        own = {}
    if not values and not own:
        return ticket
    _rate(ticket, values, keeps_override=keeps_override)
    was, had_override = ticket.priority, bool(ticket.priority_reason)
    former = tickets.change(ticket, now=now, guard={"version": ticket.version}, **values)
    edited = {name.removesuffix("_id") for name in values} - {"priority", "priority_reason", "organization"}
    fields = sorted(edited | own.keys())
    after = {name: values[name] for name in former}
    tickets.record(Verb.EDITED, ticket, actor=actor, now=now, data={"fields": fields, "from": former, "to": after})
    if {"title", "description"} & values.keys():
        tickets.index(ticket)
    if ticket.priority != was or (had_override and not ticket.priority_reason):
        kept = {"from": was, "to": ticket.priority, "is_override_dropped": had_override and not ticket.priority_reason}
        tickets.record(Verb.PRIORITY_SET, ticket, actor=actor, now=now, data=kept)
    return ticket


def _rate(ticket: Ticket, values: dict[str, Any], *, keeps_override: bool) -> None:
    """Work the priority out again, into `values`, where impact, urgency or the organization (with its matrix) change."""
    rated = bool({"impact", "urgency"} & values.keys())
    if ticket.priority_reason and (keeps_override or not rated):
        return
    if rated or "organization_id" in values:
        organization = people.organization(values.get("organization_id", ticket.organization_id))
        impact, urgency = values.get("impact", ticket.impact), values.get("urgency", ticket.urgency)
        values["priority_reason"] = ""
        values["priority"] = steps.matrix_for(organization).priority(impact, urgency)


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
