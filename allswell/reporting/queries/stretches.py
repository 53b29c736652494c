"""Time with teams and time of waiting, by the month in which it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, IntegerField, Q, QuerySet
from django.db.models.functions import Cast

from allswell.database.lengths import Milliseconds
from allswell.journal.queries import newest_id
from allswell.kernel.actor import Actor
from allswell.reporting.models import Place, Stretch
from allswell.reporting.rules.counting import Spread, spread

from . import scope, times
from .scope import NONE, Asked

#: report -> how its lines may be cut -> (key, name) from the stretch
CUTS = {
    "teams": {
        "team": ("team__slug", "team__name"),
        "hop": ("hop", "hop"),
        "month": ("", ""),
        "service": ("ticket__service__slug", "ticket__service__name"),
        "organization": ("ticket__organization__slug", "ticket__organization__name"),
        "priority": ("ticket__priority", "ticket__priority"),
    },
    "waiting": {
        "reason": ("reason", "reason"),
        "month": ("", ""),
        "service": ("ticket__service__slug", "ticket__service__name"),
        "team": ("ticket__team__slug", "ticket__team__name"),
        "organization": ("ticket__organization__slug", "ticket__organization__name"),
        "priority": ("ticket__priority", "ticket__priority"),
    },
}
KINDS = {"teams": "team", "waiting": "wait"}


@dataclass(slots=True)
class Gathered:
    """Stretches of a line as they are read."""

    name: str = ""
    lengths: list[int] = field(default_factory=list)
    hops: int = 0
    returns: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """The stretches of a line: how long, how many were with a later team than the first, and how many with one that had it before."""

    key: str
    name: str
    spread: Spread
    hops: int
    returns: int


@dataclass(frozen=True, slots=True)
class Stretches:
    """All of them, by month, and by what was asked."""

    total: Line
    months: tuple[Line, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch behind a number."""

    id: int
    ticket: int
    kind: str
    title: str
    team: str | None
    reason: str
    hop: int
    is_return: bool
    ended_at: datetime
    length: int


_COLUMNS = (
    "id", "ticket_id", "ticket__kind", "ticket__title", "team__name", "reason", "hop", "is_return", "ended_at", "length",
)  # fmt: skip


def is_behind() -> bool:
    """Whether the journal has entries that are not yet worked out."""
    return newest_id() > (Place.objects.filter(pk=1).values_list("entry", flat=True).first() or 0)


def _stretches(report: str, asked: Asked, *, actor: Actor) -> QuerySet[Stretch]:
    seen = times.counted(scope.narrowed(asked.narrowing, actor=actor)).values("pk")
    found = Stretch.objects.filter(scope.within("ended_at", asked.period), kind=KINDS[report], ticket__in=seen)
    return found.annotate(length=Milliseconds(F("started_at"), F("ended_at")))


def stretches(report: str, asked: Asked, *, actor: Actor) -> Stretches:
    """How long tickets were with teams, or waited, in one statement."""
    months = asked.period.months
    by_month = {one.key: Gathered(one.key) for one in months}
    by_key: dict[str, Gathered] = {}
    named = [name for name in CUTS[report][asked.by] if name]
    found = _stretches(report, asked, actor=actor).order_by()
    found = found.annotate(month=scope.month("ended_at", months), returned=Cast("is_return", IntegerField()))
    rows = found.values_list("month", "length", "hop", "returned", *named)
    for month, length, hop, returned, *keys in rows.iterator(chunk_size=5000):
        into = [by_month[month]]
        if keys:
            key = scope.key_of(keys[0])
            into.append(by_key.get(key) or by_key.setdefault(key, Gathered("" if key == NONE else str(keys[-1]))))
        for line in into:
            line.lengths.append(length if length > 0 else 0)
            line.hops += hop > 1
            line.returns += returned
    total = Gathered()
    for one in by_month.values():
        total.lengths += one.lengths
        total.hops += one.hops
        total.returns += one.returns
    ordered = tuple(_line(key, one) for key, one in by_month.items())
    if asked.by == "month":
        return Stretches(_line("", total), ordered, ordered)
    lines = [_line(key, one) for key, one in by_key.items()]
    return Stretches(_line("", total), ordered, tuple(sorted(lines, key=_place)))


def _place(line: Line) -> tuple[bool, int, str]:
    return (line.key == NONE, int(line.name) if line.name.isdigit() else 0, line.name.casefold())


def _line(key: str, one: Gathered) -> Line:
    return Line(key, one.name, spread(one.lengths), one.hops, one.returns)


def _listed(
    report: str, asked: Asked, part: str, key: str, *, actor: Actor, after: tuple[datetime, int] | None = None
) -> QuerySet[Any, Any]:
    found = _stretches(report, asked, actor=actor)
    if key and asked.by == "month":
        when = next((one for one in asked.period.months if one.key == key), None)
        found = found.filter(scope.within("ended_at", when)) if when else found.none()
    elif key:
        found = found.filter(scope.is_line(CUTS[report][asked.by][0], key))
    if part in ("hops", "returns"):
        found = found.filter(hop__gt=1) if part == "hops" else found.filter(is_return=True)
    if after is not None:
        found = found.filter(Q(ended_at__lt=after[0]) | Q(ended_at=after[0], id__lt=after[1]))
    return found.order_by("-ended_at", "-id").values_list(*_COLUMNS)


def rows(
    report: str,
    asked: Asked,
    part: str,
    key: str,
    *,
    actor: Actor,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[Row]:
    """The stretches behind a number, the latest first, after the row `after` of the page before."""
    return [Row(*row) for row in _listed(report, asked, part, key, actor=actor, after=after)[:limit]]


def every_row(report: str, asked: Asked, part: str, key: str, *, actor: Actor) -> Iterator[Row]:
    """All of them, a few hundred at a time."""
    yield from (Row(*row) for row in _listed(report, asked, part, key, actor=actor).iterator(chunk_size=500))
