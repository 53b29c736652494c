"""Taking tickets out as CSV: exactly what the actor sees at the desk, streamed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotAllowed
from allswell.people.rules import INSTALLATION, Act, may
from allswell.tickets import queries
from allswell.tickets.rules import reference

from .door import use_case

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.tickets.models import Ticket

#: column -> where it comes from
COLUMNS = {
    "number": "pk",
    "kind": "kind",
    "title": "title",
    "state": "state",
    "waiting_on": "waiting_on",
    "priority": "priority",
    "impact": "impact",
    "urgency": "urgency",
    "service": "service__name",
    "category": "category__name",
    "team": "team__name",
    "assignee": "assignee__name",
    "requester": "requester__name",
    "organization": "organization__name",
    "channel": "channel",
    "occurred_at": "occurred_at",
    "opened_at": "opened_at",
    "acknowledged_at": "acknowledged_at",
    "first_response_at": "first_response_at",
    "restored_at": "restored_at",
    "resolved_at": "resolved_at",
    "closed_at": "closed_at",
    "resolution_code": "resolution_code",
    "reopened_count": "reopened_count",
    "handover_count": "handover_count",
    "rating": "rating",
}


class _Line:
    """What `csv` writes a line into."""

    def write(self, line: str) -> str:
        return line


@use_case
def _written_down(*, filters: dict[str, str], actor: Actor, now: datetime) -> None:
    about = ("person", actor.person or 0)
    journal.record(Verb.EXPORTED, about=about, actor=actor, now=now, data={"kind": "tickets", "filters": sorted(filters)})


def tickets_csv(
    tickets: QuerySet[Ticket], *, filters: dict[str, str] | None = None, actor: Actor, now: datetime
) -> Iterator[str]:
    """The lines of a CSV file of `tickets`, with a line of names first; what the actor does not see at the desk is left out.

    Instants are in the actor's zone with their offset; cells that a spreadsheet would take for a formula are made texts. That it
    was exported is journaled at once, before the first line is asked for.
    """
    return _lines(_seen(tickets, filters=filters, actor=actor, now=now), ZoneInfo(actor.time_zone))


def tickets_json(
    tickets: QuerySet[Ticket], *, filters: dict[str, str] | None = None, actor: Actor, now: datetime
) -> Iterator[str]:
    """The same as lines of JSON, one object each, with the custom fields; texts are as they are."""
    return _objects(_seen(tickets, filters=filters, actor=actor, now=now), ZoneInfo(actor.time_zone))


def _seen(tickets: QuerySet[Ticket], *, filters: dict[str, str] | None, actor: Actor, now: datetime) -> QuerySet[Ticket]:
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        raise NotAllowed("Your role does not allow this.")
    _written_down(filters=filters or {}, actor=actor, now=now)
    return tickets.filter(pk__in=queries.at_the_desk(actor).values("pk"))


def _objects(tickets: QuerySet[Ticket], zone: ZoneInfo) -> Iterator[str]:
    names = [*COLUMNS, "description", "resolution", "external_source", "external_ref", "custom"]
    paths = [COLUMNS.get(name, name) for name in names]
    for row in tickets.values_list(*paths).iterator(chunk_size=500):
        values = (value.astimezone(zone).isoformat(timespec="seconds") if isinstance(value, datetime) else value for value in row)
        found = {"reference": reference(row[1], row[0]), **dict(zip(names, values, strict=True))}
        yield json.dumps(found, ensure_ascii=False) + "\n"


def _lines(tickets: QuerySet[Ticket], zone: ZoneInfo) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    yield writer.writerow(["reference", *COLUMNS])
    for row in tickets.values_list(*COLUMNS.values()).iterator(chunk_size=500):
        yield writer.writerow([reference(row[1], row[0]), *(_cell(value, zone) for value in row)])


def _cell(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    return text.spreadsheet_cell(value) if isinstance(value, str) else value
