"""What a report consists of, whatever it counts: columns, lines of numbers, and the rows a number is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .counting import Spread, spread

Value = int | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a count, a share in percent as text, or a length of time in milliseconds.

    Its key opens the rows each of its numbers is made of: those of a length, a mean or a percentile the longest first.
    """

    key: str
    what: Literal["count", "share", "time"] = "count"

    @property
    def is_by_length(self) -> bool:
        """Whether its rows are in the order of their lengths."""
        return self.what == "time"


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of a line by column."""

    key: str
    name: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was counted: all of it, by month, and by what was asked; `n` is how many rows that were."""

    total: Line
    months: tuple[Line, ...]
    lines: tuple[Line, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket behind a number: `what` is counted of it, `at` the instant that puts it into the period, `value` its length.

    `id` with `at`, or with `value` where the order is that of lengths, says where the next page begins.
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


#: the last row of the page before: its instant or its length, and its id
After = tuple[datetime | int, int] | None

#: what is told of lengths of time
LENGTHS = (Column("median", "time"), Column("mean", "time"), Column("p90", "time"))


def lengths(values: Iterable[int]) -> tuple[Spread, dict[str, Value]]:
    """Lengths of time in milliseconds, and what the columns say of them."""
    found = spread(values)
    return found, {"median": found.median, "mean": found.mean, "p90": found.p90}
