"""A report in one shape, whatever it counts; what pages, the API, files and mails show of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.tickets import queries as tickets

from .queries import attainment, kinds, stretches, times
from .queries.kinds import Kind, Measured
from .queries.scope import Asked
from .rules.shapes import After, Column, Line, Row, Value

__all__ = ["KINDS", "After", "Asked", "Column", "Kind", "Line", "Measured", "Report", "Row", "Value"]


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


KINDS: Mapping[str, Kind] = {**attainment.KINDS, **times.KINDS, **stretches.KINDS}


def kind(name: str) -> Kind:
    """A report by its name. Raises NotFound."""
    if name not in KINDS:
        raise NotFound("There is no such report.")
    return KINDS[name]


def asked(name: str, given: Mapping[str, str], *, zone: str, now: datetime) -> Asked:
    """What an address asks of a report; filters it does not know are left out. Raises NotFound, Invalid."""
    known = kind(name)
    kept = {key: value for key, value in given.items() if key in known.filters or key in ("period", "from", "to", "by")}
    return Asked.parse(kept, cuts=tuple(known.cuts), zone=zone, now=now)


#: more months and more tickets than these are counted after the page has answered
LONG_MONTHS, LONG_TICKETS = 6, 20_000


def takes_long(asked: Asked) -> bool:
    """Whether counting may take so long that a page had better answer first."""
    return (
        len(asked.period.months) > LONG_MONTHS
        and (tickets.all_tickets().order_by("-pk").values_list("pk", flat=True).first() or 0) > LONG_TICKETS
    )


def tell(name: str, asked: Asked, *, actor: Actor, now: datetime) -> Report:
    """Count a report for somebody: only what they see at the desk. Raises NotFound."""
    known = kind(name)
    found = kinds.count(known, asked, actor=actor, now=now)
    return Report(name, asked, known.columns, found.total, found.months, found.lines, known.drawn, is_empty=not found.n)


def total(name: str, asked: Asked, key: str, *, actor: Actor, now: datetime) -> Mapping[str, Value]:
    """The numbers of one line (none: of all) by column. Raises NotFound."""
    return kinds.total(kind(name), asked, key, actor=actor, now=now)


def rows(
    name: str,
    asked: Asked,
    part: str,
    key: str,
    *,
    actor: Actor,
    now: datetime,
    after: After = None,
    limit: int = 50,
) -> list[Row]:
    """The rows behind a number, the latest or the longest first, after the row `after`. Raises NotFound."""
    return kinds.rows(kind(name), asked, part, key, actor=actor, now=now, after=after, limit=limit)


def every_row(name: str, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> Iterator[Row]:
    """All of them. Raises NotFound."""
    return kinds.every_row(kind(name), asked, part, key, actor=actor, now=now)


def measured(
    name: str, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime, start: int | None, limit: int = 50
) -> Measured:
    """A page of what the line `key` was measured of, the longest first; without a `start` that on which the number lies."""
    return kinds.measured(kind(name), asked, key, actor=actor, now=now, start=start, at=part, limit=limit)


def name_of(name: str, asked: Asked, key: str) -> str:
    """What a line of a report is called. Raises NotFound."""
    return kinds.name_of(kind(name), asked, key)
