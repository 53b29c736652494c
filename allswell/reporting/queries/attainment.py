"""Service levels kept: clocks completed in time of all that were completed, by the month in which they were due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, When
from django.db.models.functions import Coalesce

from allswell.kernel.actor import Actor
from allswell.reporting.rules.counting import share
from allswell.sla.models import Clock

from . import scope
from .scope import NONE, Asked

OPEN = ("running", "paused")
#: how lines may be cut -> (key, name) from the clock
CUTS = {
    "month": ("", ""),
    "agreement": ("agreement__slug", "agreement__name"),
    "metric": ("metric", "metric"),
    "service": ("ticket__service__slug", "ticket__service__name"),
    "team": ("held_by", "held_by_name"),
    "organization": ("ticket__organization__slug", "ticket__organization__name"),
    "priority": ("ticket__priority", "ticket__priority"),
}
#: which clocks a number counts, and opens
PARTS = ("completed", "kept", "broken", "rerated", "open")


@dataclass(frozen=True, slots=True)
class Line:
    """Clocks counted. `broken` were completed late, `rerated` of them only because of another priority; `open` are late and still run."""

    key: str
    name: str
    completed: int = 0
    kept: int = 0
    broken: int = 0
    rerated: int = 0
    open: int = 0

    @property
    def share(self) -> str:
        """How many percent of the completed were kept, rounded down; "" of none."""
        return share(self.kept, self.completed)


@dataclass(frozen=True, slots=True)
class Attainment:
    """The whole, by month, and by what was asked."""

    total: Line
    months: tuple[Line, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A clock behind a number."""

    id: int
    ticket: int
    kind: str
    title: str
    agreement: str
    metric: str
    number: int
    state: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None
    breached_at: datetime | None
    is_rerated: bool
    working: int


_COLUMNS = (
    "id", "ticket_id", "ticket__kind", "ticket__title", "agreement__name", "metric", "number", "state", "started_at", "due_at",
    "stopped_at", "breached_at", "is_rerated", "working",
)  # fmt: skip


def _part(part: str, now: datetime) -> Q:
    completed = Q(state="completed")
    return {
        "completed": completed,
        "kept": completed & Q(breached_at__isnull=True),
        "broken": completed & Q(breached_at__isnull=False),
        "rerated": completed & Q(breached_at__isnull=False, is_rerated=True),
        "open": Q(state__in=OPEN, due_at__lt=now),
    }[part]


def _clocks(asked: Asked, *, actor: Actor, now: datetime) -> QuerySet[Clock]:
    """The clocks due in the period that were completed, or are late and still run."""
    narrowing = asked.narrowing
    seen = scope.narrowed(narrowing, actor=actor).values("pk")
    found = Clock.objects.filter(
        scope.within("due_at", asked.period), _part("completed", now) | _part("open", now), ticket__in=seen
    )
    if narrowing.agreement:
        found = found.filter(agreement__slug=narrowing.agreement)
    return found.filter(metric=narrowing.metric) if narrowing.metric else found


def _team(name: str) -> Case | Coalesce:
    """The team a clock is put to: the one it counts for, else the one that has the ticket."""
    return Case(When(team__isnull=False, then=F(f"team__{name}")), default=F(f"ticket__team__{name}"), output_field=CharField())


def _keyed(found: QuerySet[Clock], by: str) -> QuerySet[Clock]:
    return found.annotate(held_by=_team("slug"), held_by_name=_team("name")) if by == "team" else found


def attainment(asked: Asked, *, actor: Actor, now: datetime) -> Attainment:
    """How many clocks were kept, in one statement."""
    months = asked.period.months
    found = _keyed(_clocks(asked, actor=actor, now=now), asked.by).annotate(month=scope.month("due_at", months))
    names = ["month", *dict.fromkeys(name for name in CUTS[asked.by] if name)]
    counted = {f"n_{part}": Count("pk", filter=_part(part, now)) for part in PARTS}
    by_month: dict[str, Line] = {one.key: Line(one.key, one.key) for one in months}
    by_key: dict[str, Line] = {}
    total = Line("", "")
    for row in found.order_by().values_list(*names).annotate(**counted):
        numbers = row[len(names) :]
        total = _plus(total, numbers)
        by_month[row[0]] = _plus(by_month[row[0]], numbers)
        if asked.by != "month":
            key = scope.key_of(row[1])
            by_key[key] = _plus(by_key.get(key) or Line(key, "" if key == NONE else str(row[len(names) - 1])), numbers)
    lines = sorted(by_key.values(), key=lambda line: (line.key == NONE, line.name.casefold()))
    ordered = tuple(by_month.values())
    return Attainment(total, ordered, ordered if asked.by == "month" else tuple(lines))


def _plus(line: Line, numbers: tuple[int, ...]) -> Line:
    was = (line.completed, line.kept, line.broken, line.rerated, line.open)
    return Line(line.key, line.name, *(a + b for a, b in zip(was, numbers, strict=True)))


def _behind(asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> QuerySet[Clock]:
    """The clocks behind a number: of a part, in the line `key` ("": of all)."""
    found = _keyed(_clocks(asked, actor=actor, now=now), asked.by).filter(_part(part if part in PARTS else "completed", now))
    if key and asked.by == "month":
        when = next((one for one in asked.period.months if one.key == key), None)
        return found.filter(scope.within("due_at", when)) if when else found.none()
    return found.filter(scope.is_line(CUTS[asked.by][0], key)) if key else found


def rows(
    asked: Asked, part: str, key: str, *, actor: Actor, now: datetime, after: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Row]:
    """The clocks behind a number, the one due last first, after the row `after` of the page before."""
    found = _behind(asked, part, key, actor=actor, now=now)
    if after is not None:
        found = found.filter(Q(due_at__lt=after[0]) | Q(due_at=after[0], id__lt=after[1]))
    return [Row(*row) for row in found.order_by("-due_at", "-id").values_list(*_COLUMNS)[:limit]]


def every_row(asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> Iterator[Row]:
    """All clocks behind a number, a few hundred at a time."""
    found: Any = _behind(asked, part, key, actor=actor, now=now).order_by("-due_at", "-id").values_list(*_COLUMNS)
    yield from (Row(*row) for row in found.iterator(chunk_size=500))
