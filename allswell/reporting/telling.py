"""A report in one shape, whatever it counts: columns, lines, months and a sum; what pages, the API, files and mails show of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound

from .queries import attainment, stretches, times
from .queries.scope import Asked

Value = int | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a count, a share in percent as text, or a length of time in milliseconds. With a `part` each number opens its rows."""

    key: str
    what: str = "count"
    part: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of a line by column."""

    key: str
    name: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it was counted. `drawn` are the columns that are drawn by month; `is_empty` when there was nothing to count."""

    name: str
    asked: Asked
    columns: tuple[Column, ...]
    total: Line
    months: tuple[Line, ...]
    lines: tuple[Line, ...]
    drawn: tuple[str, ...]
    is_empty: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket behind a number: `what` is counted of it, `at` the instant that puts it into the period, `value` as its column.

    `id` and `at` say where the next page begins.
    """

    id: int
    ticket: int
    kind: str
    title: str
    what: str
    outcome: str
    at: datetime
    value: int | None
    until: datetime | None = None


After = tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """One report: how its lines may be cut (the first unless asked), the filters it knows, what counts it and what lists its rows."""

    cuts: tuple[str, ...]
    filters: tuple[str, ...]
    columns: tuple[Column, ...]
    count: Callable[[Asked, Actor, datetime], Report]
    rows: Callable[[Asked, str, str, Actor, datetime, After, int], list[Row]]
    every_row: Callable[[Asked, str, str, Actor, datetime], Iterator[Row]]


_TICKET_FILTERS = ("organization", "service", "team", "priority", "kind")

# -- service levels kept -------------------------------------------------------------------------------------------------------

_KEPT = (
    Column("share", "share"),
    *(Column(part, "count", part) for part in attainment.PARTS),
)


def _kept_line(line: attainment.Line) -> Line:
    numbers: dict[str, Value] = {part: getattr(line, part) for part in attainment.PARTS}
    return Line(line.key, line.name, {"share": line.share or None, **numbers})


def _kept(asked: Asked, actor: Actor, now: datetime) -> Report:
    found = attainment.attainment(asked, actor=actor, now=now)
    return Report(
        "attainment",
        asked,
        _KEPT,
        _kept_line(found.total),
        tuple(_kept_line(line) for line in found.months),
        tuple(_kept_line(line) for line in found.lines),
        ("kept", "broken", "open"),
        is_empty=not (found.total.completed or found.total.open),
    )


def _clock_row(row: attainment.Row) -> Row:
    if row.state == "completed":
        outcome = "kept" if row.breached_at is None else "rerated" if row.is_rerated else "broken"
    else:
        outcome = "open"
    value = row.working // 1000 if row.state == "completed" else None
    return Row(row.id, row.ticket, row.kind, row.title, row.metric, outcome, row.due_at, value, row.stopped_at)


def _clock_rows(asked: Asked, part: str, key: str, actor: Actor, now: datetime, after: After, limit: int) -> list[Row]:
    found = attainment.rows(asked, part, key, actor=actor, now=now, after=after, limit=limit)
    return [_clock_row(row) for row in found]


def _every_clock(asked: Asked, part: str, key: str, actor: Actor, now: datetime) -> Iterator[Row]:
    return (_clock_row(row) for row in attainment.every_row(asked, part, key, actor=actor, now=now))


# -- how long it took ----------------------------------------------------------------------------------------------------------

_SPREAD = (Column("median", "time"), Column("mean", "time"), Column("p90", "time"), Column("n", "count", "n"))


def _spread_line(line: times.Line) -> Line:
    found = line.spread
    return Line(line.key, line.name, {"median": found.median, "mean": found.mean, "p90": found.p90, "n": found.n})


def _times(name: str) -> Kind:
    def count(asked: Asked, actor: Actor, now: datetime) -> Report:
        found = times.times(name, asked, actor=actor)
        return Report(
            name,
            asked,
            _SPREAD,
            _spread_line(found.total),
            tuple(_spread_line(line) for line in found.months),
            tuple(_spread_line(line) for line in found.lines),
            ("median", "p90"),
            is_empty=not found.total.spread.n,
        )

    def shown(row: times.Row) -> Row:
        return Row(row.id, row.id, row.kind, row.title, name, "", row.at, row.length)

    def rows(asked: Asked, part: str, key: str, actor: Actor, now: datetime, after: After, limit: int) -> list[Row]:
        return [shown(row) for row in times.rows(name, asked, key, actor=actor, after=after, limit=limit)]

    def every_row(asked: Asked, part: str, key: str, actor: Actor, now: datetime) -> Iterator[Row]:
        return (shown(row) for row in times.every_row(name, asked, key, actor=actor))

    return Kind(times.CUTS, _TICKET_FILTERS, _SPREAD, count, rows, every_row)


# -- time with teams, time of waiting ------------------------------------------------------------------------------------------

_LENGTHS = (Column("total", "time"), *(column for column in _SPREAD if column.key != "n"))
_STAYS = (*_LENGTHS, Column("stays", "count", "stays"), Column("hops", "count", "hops"), Column("returns", "count", "returns"))
_WAITS = (*_LENGTHS, Column("waits", "count", "waits"))


def _stretch_line(line: stretches.Line) -> Line:
    found = line.spread
    lengths: dict[str, Value] = {"total": found.total, "median": found.median, "mean": found.mean, "p90": found.p90}
    return Line(line.key, line.name, {**lengths, "stays": found.n, "waits": found.n, "hops": line.hops, "returns": line.returns})


def _stretches(name: str, columns: tuple[Column, ...]) -> Kind:
    def count(asked: Asked, actor: Actor, now: datetime) -> Report:
        found = stretches.stretches(name, asked, actor=actor)
        return Report(
            name,
            asked,
            columns,
            _stretch_line(found.total),
            tuple(_stretch_line(line) for line in found.months),
            tuple(_stretch_line(line) for line in found.lines),
            ("median", "p90"),
            is_empty=not found.total.spread.n,
        )

    def shown(row: stretches.Row) -> Row:
        what = (row.team or "-") if name == "teams" else row.reason
        outcome = "return" if row.is_return else ""
        return Row(row.id, row.ticket, row.kind, row.title, what, outcome, row.ended_at, row.length)

    def rows(asked: Asked, part: str, key: str, actor: Actor, now: datetime, after: After, limit: int) -> list[Row]:
        return [shown(row) for row in stretches.rows(name, asked, part, key, actor=actor, after=after, limit=limit)]

    def every_row(asked: Asked, part: str, key: str, actor: Actor, now: datetime) -> Iterator[Row]:
        return (shown(row) for row in stretches.every_row(name, asked, part, key, actor=actor))

    return Kind(tuple(stretches.CUTS[name]), _TICKET_FILTERS, columns, count, rows, every_row)


KINDS: Mapping[str, Kind] = {
    "attainment": Kind(
        tuple(attainment.CUTS), (*_TICKET_FILTERS, "agreement", "metric"), _KEPT, _kept, _clock_rows, _every_clock
    ),
    **{name: _times(name) for name in times.MEASURES},
    "teams": _stretches("teams", _STAYS),
    "waiting": _stretches("waiting", _WAITS),
}


def kind(name: str) -> Kind:
    """A report by its name. Raises NotFound."""
    if name not in KINDS:
        raise NotFound("There is no such report.")
    return KINDS[name]


def asked(name: str, given: Mapping[str, str], *, zone: str, now: datetime) -> Asked:
    """What an address asks of a report; filters it does not know are left out. Raises NotFound, Invalid."""
    known = kind(name)
    kept = {key: value for key, value in given.items() if key in known.filters or key in ("period", "from", "to", "by")}
    return Asked.parse(kept, cuts=known.cuts, zone=zone, now=now)


def tell(name: str, asked: Asked, *, actor: Actor, now: datetime) -> Report:
    """Count a report for somebody: only what they see at the desk. Raises NotFound."""
    return kind(name).count(asked, actor, now)


def rows(
    name: str, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime, after: After = None, limit: int = 50
) -> list[Row]:
    """The tickets behind a number, newest first. Raises NotFound."""
    return kind(name).rows(asked, part, key, actor, now, after, limit)


def every_row(name: str, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> Iterator[Row]:
    """All of them. Raises NotFound."""
    return kind(name).every_row(asked, part, key, actor, now)
