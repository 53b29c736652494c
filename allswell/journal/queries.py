"""Reading the journal."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from allswell.database.rows import Prepared, PreparedModel

from . import rules
from .models import Entry
from .rules import Verb


def of_ticket(number: int) -> QuerySet[Entry]:
    """Everything that happened to a ticket, oldest first."""
    return Entry.objects.filter(ticket_id=number).order_by("happened_at", "id")


_STORY = PreparedModel(Entry, of_ticket, related=("person",))


def story(number: int) -> list[Entry]:
    """The same, read, with who did it."""
    return _STORY.records(number)


_TOLD_COLUMNS = ("id", "verb", "happened_at", "recorded_at", "person_id", "action", "data")
_TOLD = Prepared(lambda number: of_ticket(number).values_list(*_TOLD_COLUMNS))


def told(number: int) -> list[tuple[Any, ...]]:
    """What happened to a ticket, oldest first, without records: (id, verb, happened_at, recorded_at, person, action, data)."""
    return _TOLD.rows(number)


def told_of(numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """What happened to tickets, oldest first for each: (ticket, id, verb, happened_at, recorded_at, person, action, data)."""
    for start in range(0, len(numbers), 900):
        rows = Entry.objects.filter(ticket_id__in=numbers[start : start + 900]).order_by("ticket_id", "happened_at", "id")
        yield from rows.values_list("ticket_id", *_TOLD_COLUMNS)


def about(kind: str, record_id: int) -> QuerySet[Entry]:
    """Everything that happened to a record that is no ticket, newest first."""
    return Entry.objects.filter(ticket__isnull=True, about_kind=kind, about_id=record_id).order_by("-id")


def values(number: int, verb: Verb, name: str) -> set[Any]:
    """What `data[name]` was in a ticket's entries with this verb."""
    return {entry.data.get(name) for entry in Entry.objects.filter(ticket_id=number, verb=verb.value)}


@dataclass(frozen=True, slots=True)
class Lately:
    """An entry about a ticket; `is_shown`: it changed what the requester's side sees of it."""

    entry: int
    ticket: int
    recorded_at: datetime
    is_shown: bool


def lately_on_tickets(since: datetime, *, limit: int) -> list[Lately]:
    """The newest entries about tickets recorded since then, newest first.

    For nudging live screens only. A slow transaction commits entries with an older `recorded_at`, so readers overlap their windows.
    """
    entries = Entry.objects.filter(recorded_at__gte=since, ticket__isnull=False).order_by("-recorded_at", "-id")
    rows = list(entries.values_list("id", "ticket_id", "recorded_at", "verb")[:limit])
    unclear = [row[0] for row in rows if row[3] in rules.DEPENDS]
    kept = dict(Entry.objects.filter(pk__in=unclear).values_list("id", "data")) if unclear else {}
    return [Lately(entry, ticket, at, rules.is_shown(verb, kept.get(entry, {}))) for entry, ticket, at, verb in rows]


def of_action(number: int, action: uuid.UUID) -> list[Entry]:
    """What one user action did to a ticket, in order."""
    return list(Entry.objects.filter(ticket_id=number, action=action).order_by("id"))


def latest(number: int, verb: Verb) -> Entry | None:
    """The last entry of a ticket with this verb."""
    return Entry.objects.filter(ticket_id=number, verb=verb.value).order_by("-id").first()


def since(number: int, entry: int) -> list[Entry]:
    """What was written about a ticket after an entry, in order."""
    return list(Entry.objects.filter(ticket_id=number, id__gt=entry).order_by("id"))


def newest_id() -> int:
    """The id of the newest entry that can be seen; 0 when there is none."""
    return Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def fields_since(action: uuid.UUID, *, after: int) -> list[str]:
    """Names of the fields one user action changed since an entry, within its own transaction; "teams" for memberships."""
    found: set[str] = set()
    for entry in Entry.objects.filter(id__gt=after, action=action):
        found |= {"teams"} if entry.verb == Verb.JOINED_TEAM.value else set(entry.data.get("fields", ()))
    return sorted(name.removesuffix("_id") for name in found)
