"""How long it took: acknowledgement, first response, restoring, resolving; each by the month in which it was reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from allswell.database.lengths import Milliseconds
from allswell.kernel.actor import Actor
from allswell.reporting.rules.counting import Spread, spread
from allswell.sla.models import Clock
from allswell.tickets.models import Link, Ticket
from allswell.tickets.rules import LinkKind

from . import scope
from .scope import NONE, Asked

#: how lines may be cut
CUTS = ("month", *scope.CUTS)


@dataclass(frozen=True, slots=True)
class Measure:
    """From when to when; `agreed` is the metric whose clock counts where there is one, `kind` the only kind of ticket that has it."""

    since: str
    until: str
    agreed: str = ""
    kind: str = ""


MEASURES: Mapping[str, Measure] = {
    "acknowledgement": Measure("opened_at", "acknowledged_at", agreed="acknowledgement"),
    "first-response": Measure("opened_at", "first_response_at"),
    "restore": Measure("occurred_at", "restored_at", kind="incident"),
    "resolve": Measure("opened_at", "resolved_at"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """The times of some tickets."""

    key: str
    name: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class Times:
    """All of them, by month, and by what was asked."""

    total: Line
    months: tuple[Line, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket behind a number, and how long it took."""

    id: int
    kind: str
    title: str
    at: datetime
    length: int


def counted(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Without what counts nowhere: cancelled and merged tickets, duplicates, and children, whose parent counts."""
    others = Link.objects.filter(kind__in=[LinkKind.CHILD_OF.value, LinkKind.DUPLICATE_OF.value]).values("source")
    return found.exclude(state__in=["cancelled", "rejected"]).filter(merged_into__isnull=True).exclude(pk__in=others)


def _length(measure: Measure) -> Combinable:
    since = Coalesce("occurred_at", "opened_at") if measure.since == "occurred_at" else F(measure.since)
    wall = Milliseconds(since, F(measure.until))
    if not measure.agreed:
        return wall
    clocks = Clock.objects.filter(ticket=OuterRef("pk"), metric=measure.agreed, state="completed", agreement__audience="customer")
    agreed = Subquery(clocks.order_by("-id").values("working")[:1], output_field=BigIntegerField())
    return Coalesce(agreed / 1000, wall, output_field=BigIntegerField())


def _tickets(measure: Measure, asked: Asked, *, actor: Actor) -> QuerySet[Ticket]:
    found = counted(scope.narrowed(asked.narrowing, actor=actor)).filter(scope.within(measure.until, asked.period))
    if measure.kind:
        found = found.filter(kind=measure.kind)
    return found.annotate(length=_length(measure))


def times(name: str, asked: Asked, *, actor: Actor) -> Times:
    """How long it took, in one statement."""
    measure, months = MEASURES[name], asked.period.months
    found = _tickets(measure, asked, actor=actor).annotate(month=scope.month(measure.until, months)).order_by()
    names = [] if asked.by == "month" else [*scope.CUTS[asked.by]]
    return gathered(found.values_list("month", "length", *names), asked)


def gathered(rows: Any, asked: Asked) -> Times:
    """(month, milliseconds, key, name) of everything counted, as means and percentiles."""
    by_month: dict[str, list[int]] = {one.key: [] for one in asked.period.months}
    by_key: dict[str, list[int]] = {}
    called: dict[str, str] = {}
    for month, length, *named in rows.iterator(chunk_size=5000):
        length = max(0, length)
        by_month[month].append(length)
        if named:
            key = scope.key_of(named[0])
            by_key.setdefault(key, []).append(length)
            called[key] = "" if key == NONE else str(named[-1])
    total = Line("", "", spread(value for values in by_month.values() for value in values))
    by_months = tuple(Line(key, key, spread(values)) for key, values in by_month.items())
    if asked.by == "month":
        return Times(total, by_months, by_months)
    lines = [Line(key, called[key], spread(values)) for key, values in by_key.items()]
    return Times(total, by_months, tuple(sorted(lines, key=lambda line: (line.key == NONE, line.name.casefold()))))


def _behind(name: str, asked: Asked, key: str, *, actor: Actor) -> QuerySet[Ticket]:
    measure = MEASURES[name]
    found = _tickets(measure, asked, actor=actor)
    if key and asked.by == "month":
        when = next((one for one in asked.period.months if one.key == key), None)
        return found.filter(scope.within(measure.until, when)) if when else found.none()
    return found.filter(scope.is_line(scope.CUTS[asked.by][0], key)) if key else found


def _listed(name: str, asked: Asked, key: str, *, actor: Actor, after: tuple[datetime, int] | None = None) -> Any:
    until = MEASURES[name].until
    found = _behind(name, asked, key, actor=actor)
    if after is not None:
        found = found.filter(Q(**{f"{until}__lt": after[0]}) | Q(**{until: after[0], "pk__lt": after[1]}))
    return found.order_by(f"-{until}", "-pk").values_list("pk", "kind", "title", until, "length")


def rows(
    name: str, asked: Asked, key: str, *, actor: Actor, after: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Row]:
    """The tickets behind a number, the latest first, after the row `after` of the page before."""
    return [Row(*row) for row in _listed(name, asked, key, actor=actor, after=after)[:limit]]


def every_row(name: str, asked: Asked, key: str, *, actor: Actor) -> Iterator[Row]:
    """All of them, a few hundred at a time."""
    yield from (Row(*row) for row in _listed(name, asked, key, actor=actor).iterator(chunk_size=500))
