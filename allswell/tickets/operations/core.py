"""The core of writing tickets: opening, guarded changes, moves, comments."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import F

from allswell.database.rows import insert
from allswell.journal import bulk
from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Stale
from allswell.notifications import bulk as notices
from allswell.notifications import operations as notifications
from allswell.search import operations as search
from allswell.tickets import rules
from allswell.tickets.models import Attachment, Comment, Ticket
from allswell.tickets.rules import Move, State

#: columns whose former values an entry keeps, so that an act can be undone: ids, states and instants, never texts
_REMEMBERED = frozenset(
    {
        "state", "waiting_on", "waiting_until", "acknowledged_at", "first_response_at", "asked_at", "restored_at", "resolved_at",
        "done_at", "closed_at", "closing_at", "resolution_code", "assignee_id", "team_id", "handover_count", "return_count",
        "reopened_count", "escalation_level", "impact", "urgency", "priority", "service_id", "category_id", "merged_into_id",
        "is_restricted", "kind", "requester_id", "organization_id",
    }
)  # fmt: skip
#: characters of an entry's details that a webhook is told; receivers want less than 20 KB
_DETAILS_LIMIT = 8000
#: the entry that opens a ticket of a kind
OPENED = {rules.Kind.INCIDENT: Verb.INCIDENT_REPORTED, rules.Kind.REQUEST: Verb.REQUEST_MADE}
_MOVED = {
    Move.ACKNOWLEDGE: Verb.ACKNOWLEDGED,
    Move.WAIT: Verb.WAITED,
    Move.RESUME: Verb.RESUMED,
    Move.RESOLVE: Verb.RESOLVED,
    Move.REOPEN: Verb.REOPENED,
    Move.CLOSE: Verb.CLOSED,
    Move.CANCEL: Verb.CANCELLED,
}


#: what was journaled about tickets in the use case that runs; the desk's door brings their clocks up to date with it
touched: ContextVar[list[tuple[Ticket, Entry]] | None] = ContextVar("touched", default=None)


def record(verb: Verb, ticket: Ticket, *, actor: Actor, now: datetime, data: dict[str, Any] | None = None) -> Entry:
    """A journal entry about a ticket, and pending calls of the webhooks that want to know."""
    entry = journal.record(verb, about=("ticket", ticket.pk), ticket=ticket.pk, actor=actor, now=now, data=data)
    if (noted := touched.get()) is not None:
        noted.append((ticket, entry))
    notifications.fan_out(entry, payload=lambda: payload(entry, ticket), now=now)
    return entry


def record_all(said: Sequence[tuple[Verb, Ticket, dict[str, Any]]], *, actor: Actor, now: datetime) -> list[Entry]:
    """The same of many tickets at once; the entries in the order in which it is said."""
    entries = [
        journal.entry(verb, about=("ticket", ticket.pk), ticket=ticket.pk, actor=actor, now=now, data=data)
        for verb, ticket, data in said
    ]
    journal.record_all(entries)
    told = [(ticket, entry) for (_, ticket, _), entry in zip(said, entries, strict=True)]
    if (noted := touched.get()) is not None:
        noted += told
    notices.fan_out([(entry, partial(payload, entry, ticket)) for ticket, entry in told], now=now)
    return entries


def payload(entry: Entry, ticket: Ticket) -> dict[str, Any]:
    """What a webhook is told: what happened and how the ticket stands, in ids and states; never what was written in it."""
    reference = rules.reference(ticket.kind, ticket.pk)
    facts = {name: getattr(ticket, name) for name in ("kind", "title", "state", "impact", "urgency", "priority", "version")}
    facts |= {name: getattr(ticket, f"{name}_id") for name in ("team", "assignee", "requester", "organization", "service")}
    details = {name: value for name, value in entry.data.items() if name != "before"}
    return {
        "type": entry.verb,
        "timestamp": entry.happened_at.isoformat(),
        "data": {
            "entry": entry.pk,
            "action": str(entry.action),
            "actor": {"kind": entry.actor_kind, "person": entry.person_id, "channel": entry.channel},
            "ticket": {"number": ticket.pk, "reference": reference, "url": f"{settings.PUBLIC_URL}/{reference}", **facts},
            "details": details if len(str(details)) <= _DETAILS_LIMIT else {"is_cut": True},
        },
    }


def new_ticket(*, actor: Actor, now: datetime, **values: Any) -> Ticket:
    """A ticket as it will be opened (`values` are its columns), not yet written."""
    due = values.get("next_due_at")
    rank, at = rules.queue_place(State.NEW.value, values["priority"], next_due_at=due, opened_at=now)
    return Ticket(
        state=State.NEW.value,
        reporter_id=actor.person,
        channel=actor.channel.value,
        opened_at=now,
        updated_at=now,
        asked_at=now,
        queue_rank=rank,
        queue_at=at,
        **values,
    )


def open_ticket(ticket: Ticket, *, actor: Actor, now: datetime) -> Entry:
    """Write a new ticket, its search document and its first journal entry."""
    insert(ticket)
    search.create(ticket.pk, public=f"{ticket.title}\n{ticket.description}")
    names = ("impact", "urgency", "priority", "service_id", "team_id", "requester_id", "organization_id")
    data = {name.removesuffix("_id"): getattr(ticket, name) for name in names}
    return record(OPENED[rules.Kind(ticket.kind)], ticket, actor=actor, now=now, data=data)


def change(ticket: Ticket, *, now: datetime, guard: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """Update columns of a ticket, in one guarded statement; `ticket` is brought up to date.

    `guard` names columns that must still have these values. Raises Stale when they have not. Answers what the columns were
    before, as the journal keeps it.
    """
    if {"state", "priority", "next_due_at"} & values.keys():
        state, priority = values.get("state", ticket.state), values.get("priority", ticket.priority)
        due = values.get("next_due_at", ticket.next_due_at)
        rank, at = rules.queue_place(state, priority, next_due_at=due, opened_at=ticket.opened_at)
        values |= {"queue_rank": rank, "queue_at": at}
    matched = Ticket.objects.filter(pk=ticket.pk, **(guard or {})).update(updated_at=now, version=F("version") + 1, **values)
    if not matched:
        raise Stale("Somebody else just changed this ticket. Look at it again.")
    before = {name: _plain(getattr(ticket, name)) for name in values if name in _REMEMBERED}
    for name, value in values.items():
        setattr(ticket, name, value)
    ticket.updated_at, ticket.version = now, ticket.version + 1
    return before


def promised(ticket: Ticket, *, due_at: datetime | None, metric: str, started_at: datetime | None) -> dict[str, Any]:
    """The columns that differ once a ticket says which promise is due next, its place in the queue with them."""
    rank, at = rules.queue_place(ticket.state, ticket.priority, next_due_at=due_at, opened_at=ticket.opened_at)
    values = {
        "next_due_at": due_at,
        "next_metric": metric,
        "next_started_at": started_at,
        "queue_rank": rank,
        "queue_at": at,
    }
    return {name: value for name, value in values.items() if getattr(ticket, name) != value}


def promise(ticket: Ticket, *, due_at: datetime | None, metric: str, started_at: datetime | None) -> None:
    """Write on a ticket which promise is due next, and its place in the queue. Follows from its clocks, so its version stays."""
    if changed := promised(ticket, due_at=due_at, metric=metric, started_at=started_at):
        Ticket.objects.filter(pk=ticket.pk).update(**changed)
        for name, value in changed.items():
            setattr(ticket, name, value)


def promise_many(changes: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Write the same on very many tickets: number, columns."""
    bulk.update_columns(Ticket, changes)


def former_values(entry: Entry) -> dict[str, Any]:
    """What an entry keeps of the columns before it, as values to write back."""
    return {name: _from_plain(name, value) for name, value in entry.data.get("before", {}).items()}


def _from_plain(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if value and name.endswith(("_at", "_until")) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


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
    stamps = {**_stamps(ticket, verb, now), **values}
    former = change(ticket, now=now, guard={"state": before.value}, state=after.value, **stamps)
    happened = Verb.FULFILLED if after is State.FULFILLED else _MOVED[verb]
    kept = {"from": before.value, "to": after.value, "before": former, **(data or {})}
    return record(happened, ticket, actor=actor, now=now, data=kept)


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


def index(ticket: Ticket) -> None:
    """Write the ticket's search document anew, from its words and those of its conversation."""
    public: list[str] = [ticket.title, ticket.description]
    internal: list[str] = []
    length = 0
    for body, is_public in Comment.objects.filter(ticket=ticket).order_by("id").values_list("body", "is_public").iterator():
        (public if is_public else internal).append(body)
        length += len(body)
        if length > search.LIMIT * 10:
            break
    search.replace(ticket.pk, public="\n".join(public), internal="\n".join(internal))


def comment(
    ticket: Ticket,
    *,
    body: str,
    is_public: bool,
    actor: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    is_auto: bool = False,
    message_id: str = "",
) -> tuple[Comment, Entry]:
    """Write a public reply or an internal note, index its words, and journal it. `message_id` is of the mail it came by."""
    written = Comment.objects.create(
        ticket=ticket,
        author_id=actor.person,
        is_public=is_public,
        is_auto=is_auto,
        body=body,
        channel=actor.channel.value,
        created_at=now,
        message_id=message_id[:250],
    )
    search.add(ticket.pk, **{"public" if is_public else "internal": body})
    verb = Verb.REPLIED if is_public else Verb.NOTED
    return written, record(verb, ticket, actor=actor, now=now, data={"comment": written.pk, **(data or {})})


def came_by(written: Comment, message_id: str) -> None:
    """Write down the mail that a comment came by."""
    written.message_id = message_id[:250]
    Comment.objects.filter(pk=written.pk).update(message_id=written.message_id)


def retract(ticket: Ticket, comment_id: int) -> None:
    """Take back what was just said; its files are again uploads that were not sent."""
    Attachment.objects.filter(comment=comment_id).update(ticket=None, comment=None)
    Comment.objects.filter(pk=comment_id, ticket=ticket).delete()
    index(ticket)


def closing_at(now: datetime, days: int) -> datetime:
    """When a resolved ticket closes by itself."""
    return now + timedelta(days=days)
