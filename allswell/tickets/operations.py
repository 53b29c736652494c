"""Writing tickets: guarded updates and a journal entry, inside the desk's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from allswell.database.rows import insert
from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Stale
from allswell.search import operations as search

from . import rules
from .models import Comment, Ticket, Watcher
from .rules import Move, State, WatcherKind

_OPENED = {rules.Kind.INCIDENT: Verb.INCIDENT_REPORTED, rules.Kind.REQUEST: Verb.REQUEST_MADE}
_MOVED = {
    Move.ACKNOWLEDGE: Verb.ACKNOWLEDGED,
    Move.WAIT: Verb.WAITED,
    Move.RESUME: Verb.RESUMED,
    Move.RESOLVE: Verb.RESOLVED,
    Move.REOPEN: Verb.REOPENED,
    Move.CLOSE: Verb.CLOSED,
    Move.CANCEL: Verb.CANCELLED,
}


def record(verb: Verb, ticket: Ticket, *, actor: Actor, now: datetime, data: dict[str, Any] | None = None) -> Entry:
    """A journal entry about a ticket."""
    return journal.record(verb, about=("ticket", ticket.pk), ticket=ticket.pk, actor=actor, now=now, data=data)


def open_ticket(*, actor: Actor, now: datetime, **values: Any) -> tuple[Ticket, Entry]:
    """Write a new ticket (`values` are its columns), its search document and its first journal entry."""
    ticket = Ticket(
        state=State.NEW.value,
        reporter_id=actor.person,
        channel=actor.channel.value,
        opened_at=now,
        updated_at=now,
        asked_at=now,
        queue_rank=rules.queue_rank(State.NEW, values["priority"]),
        **values,
    )
    insert(ticket)
    search.create(ticket.pk, public=f"{ticket.title}\n{ticket.description}")
    names = ("impact", "urgency", "priority", "service_id", "team_id", "requester_id")
    data = {name.removesuffix("_id"): getattr(ticket, name) for name in names}
    return ticket, record(_OPENED[rules.Kind(ticket.kind)], ticket, actor=actor, now=now, data=data)


def change(ticket: Ticket, *, now: datetime, guard: dict[str, Any] | None = None, **values: Any) -> None:
    """Update columns of a ticket, in one guarded statement; `ticket` is brought up to date.

    `guard` names columns that must still have these values. Raises Stale when they have not.
    """
    if {"state", "priority"} & values.keys():
        values["queue_rank"] = rules.queue_rank(values.get("state", ticket.state), values.get("priority", ticket.priority))
    matched = Ticket.objects.filter(pk=ticket.pk, **(guard or {})).update(updated_at=now, version=F("version") + 1, **values)
    if not matched:
        raise Stale("Somebody else just changed this ticket. Look at it again.")
    for name, value in values.items():
        setattr(ticket, name, value)
    ticket.updated_at, ticket.version = now, ticket.version + 1


def move(
    ticket: Ticket,
    *,
    lifecycle: rules.Lifecycle,
    verb: Move,
    actor: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> Entry:
    """Take the ticket one step along its lifecycle, unless someone else just did. Raises Conflict, Stale."""
    before = State(ticket.state)
    after = lifecycle.after(before, verb)
    if before is State.WAITING:
        values = {"waiting_on": "", "waiting_until": None, **values}
    change(ticket, now=now, guard={"state": before.value}, state=after.value, **_stamps(ticket, verb, now), **values)
    return record(_MOVED[verb], ticket, actor=actor, now=now, data={"from": before.value, "to": after.value, **(data or {})})


def _stamps(ticket: Ticket, verb: Move, now: datetime) -> dict[str, Any]:
    """The instants a move sets or clears. The first acknowledgement stays; reopening clears what was done."""
    if verb in (Move.ACKNOWLEDGE, Move.WAIT):
        return {} if ticket.acknowledged_at else {"acknowledged_at": now}
    if verb is Move.RESOLVE:
        stamps: dict[str, Any] = {"resolved_at": now, "done_at": now, "asked_at": None}
        if not ticket.acknowledged_at:
            stamps["acknowledged_at"] = now
        return stamps
    if verb is Move.REOPEN:
        return {
            "resolved_at": None,
            "done_at": None,
            "restored_at": None,
            "closing_at": None,
            "reopened_count": ticket.reopened_count + 1,
        }
    if verb is Move.CLOSE:
        return {"closed_at": now, "closing_at": None}
    if verb is Move.CANCEL:
        return {"done_at": now, "asked_at": None}
    return {}


def comment(
    ticket: Ticket, *, body: str, is_public: bool, actor: Actor, now: datetime, data: dict[str, Any] | None = None
) -> tuple[Comment, Entry]:
    """Write a public reply or an internal note, index its words, and journal it."""
    written = Comment.objects.create(
        ticket=ticket,
        author_id=actor.person,
        is_public=is_public,
        body=body,
        channel=actor.channel.value,
        created_at=now,
    )
    search.add(ticket.pk, **{"public" if is_public else "internal": body})
    verb = Verb.REPLIED if is_public else Verb.NOTED
    return written, record(verb, ticket, actor=actor, now=now, data={"comment": written.pk, **(data or {})})


def watch(ticket: Ticket, *, person: int, kind: WatcherKind, now: datetime) -> bool:
    """Make a person a watcher of a kind; False when they are one already."""
    return Watcher.objects.get_or_create(ticket=ticket, person_id=person, kind=kind.value, defaults={"since": now})[1]


def closing_at(now: datetime, days: int) -> datetime:
    """When a resolved ticket closes by itself."""
    return now + timedelta(days=days)
