"""A calendar with all its versions, and the tables that make counting in it fast."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from .hours import ALL_DAY, Definition, Hours
from .local import DAY, FIRST_YEAR, LAST_YEAR, MINUTE, first_instant, micros_of, zone_named

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Version:
    """What a calendar says from a local day on; a greater number outweighs a smaller one from its day on."""

    number: int
    effective_on: date
    definition: Definition


@dataclass(frozen=True, slots=True)
class Table:
    """The open spans of whole local years in microseconds, with the working time up to the end of each; and the working days as ordinals.

    Never changed: a wider table takes its place, so that threads can share a calendar.
    """

    first_year: int
    last_year: int
    until: int
    starts: list[int]
    ends: list[int]
    sums: list[int]
    working_days: list[int]

    def worked(self, at: int) -> int:
        """Working microseconds from the beginning of the table until `at`."""
        span = bisect_right(self.starts, at) - 1
        if span < 0:
            return 0
        left = self.ends[span] - at
        return self.sums[span] - left if left > 0 else self.sums[span]


@dataclass(frozen=True, eq=False)
class Calendar:
    """Open hours in a time zone over all time. Compared by identity: each keeps the tables made for it."""

    zone: str
    versions: tuple[Version, ...] = field(repr=False)
    slug: str = ""
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def number(self) -> int:
        """The number of the newest version."""
        return max(version.number for version in self.versions)

    @property
    def place(self) -> ZoneInfo:
        """The time zone."""
        return zone_named(self.zone)

    def upto(self, number: int) -> Calendar:
        """This calendar as it was known when version `number` was the newest."""
        if number >= self.number:
            return self
        key = ("upto", number)
        if key not in self._kept:
            known = tuple(version for version in self.versions if version.number <= number)
            self._kept[key] = Calendar(self.zone, known or (min(self.versions, key=lambda version: version.number),), self.slug)
        kept: Calendar = self._kept[key]
        return kept

    def in_zone(self, zone: str) -> Calendar:
        """The same hours by the clocks of another place."""
        if zone in ("", self.zone):
            return self
        key = ("in", zone)
        if key not in self._kept:
            self._kept[key] = Calendar(zone_named(zone).key, self.versions, self.slug)
        kept: Calendar = self._kept[key]
        return kept

    def version_on(self, day: date) -> Version:
        """The version that says the hours of a local day."""
        days, ruling = self._ruling()
        return ruling[bisect_right(days, day)]

    def hours_on(self, day: date) -> Hours:
        """The open hours of a local day."""
        return self.version_on(day).definition.on(day)

    def _ruling(self) -> tuple[list[date], list[Version]]:
        """The days on which another version begins to rule, and which one rules before the first, after it, and so on."""
        if "ruling" not in self._kept:
            ruling = [min(self.versions, key=lambda version: version.number)]
            days: list[date] = []
            newest = 0
            for version in sorted(self.versions, key=lambda version: (version.effective_on, version.number)):
                if version.number > newest:
                    newest = version.number
                    days.append(version.effective_on)
                    ruling.append(version)
            self._kept["ruling"] = (days, ruling)
        kept: tuple[list[date], list[Version]] = self._kept["ruling"]
        return kept

    def table(self, first_year: int, last_year: int) -> Table:
        """A table that holds at least these years."""
        first_year, last_year = max(first_year, FIRST_YEAR), min(last_year, LAST_YEAR)
        table: Table | None = self._kept.get("table")
        if table and table.first_year <= first_year and last_year <= table.last_year:
            return table
        if table:
            first_year, last_year = min(first_year, table.first_year), max(last_year, table.last_year)
        self._kept["table"] = table = _drawn(self, first_year, last_year, table)
        return table

    def around(self, start: datetime, end: datetime) -> Table:
        """A table that holds all that lies between two instants, and a year to each side."""
        table: Table | None = self._kept.get("table")
        if table and table.first_year < start.year and end.year < table.last_year:
            return table
        return self.table(start.year - 1, end.year + 1)


def _drawn(calendar: Calendar, first_year: int, last_year: int, known: Table | None) -> Table:
    starts: list[int] = []
    ends: list[int] = []
    days: list[int] = []
    year = first_year
    while year <= last_year:
        if known and year == known.first_year:
            _join(starts, ends, known.starts, known.ends)
            days += known.working_days
            year = known.last_year + 1
            continue
        spans, working = _year(calendar, year)
        _join(starts, ends, [start for start, _ in spans], [end for _, end in spans])
        days += working
        year += 1
    sums = list(accumulate(end - start for start, end in zip(starts, ends, strict=True)))
    until = _micros_at(calendar.place, date(last_year + 1, 1, 1), 0)
    return Table(first_year, last_year, until, starts, ends, sums, days)


def _join(starts: list[int], ends: list[int], more_starts: list[int], more_ends: list[int]) -> None:
    """Put spans after others; the two that touch become one."""
    if ends and more_starts and more_starts[0] <= ends[-1]:
        ends[-1:] = more_ends
        starts += more_starts[1:]
    else:
        ends += more_ends
        starts += more_starts


def _micros_at(zone: ZoneInfo, day: date, minute: int) -> int:
    """The instant of a local time of day, in microseconds."""
    return micros_of(first_instant(zone, datetime.combine(day, time()) + timedelta(minutes=minute)))


def _year(calendar: Calendar, year: int) -> tuple[list[tuple[int, int]], list[int]]:
    """The open spans of a local year, those that touch made one, and its working days."""
    zone = calendar.place
    spans: list[tuple[int, int]] = []
    working: list[int] = []
    for day, midnight, following in _midnights(zone, year):
        hours = calendar.hours_on(day)
        if not hours or midnight == following:  # a day that the place left out has no hours
            continue
        working.append(day.toordinal())
        even = following - midnight == DAY
        for start, end in hours:
            # On a day of 24 hours the clocks were not changed: nowhere have they ever been changed twice within two days.
            since = midnight + start * MINUTE if even else _micros_at(zone, day, start)
            until = midnight + end * MINUTE if even else _micros_at(zone, day, end)
            if spans and spans[-1][1] >= since:
                spans[-1] = (spans[-1][0], until)
            elif since < until:
                spans.append((since, until))
    return spans, working


def _midnights(zone: ZoneInfo, year: int) -> Iterator[tuple[date, int, int]]:
    """Each day of a year with the instants at which it begins and at which the next one does."""
    day = date(year, 1, 1)
    midnight = _micros_at(zone, day, 0)
    while day.year == year:
        after = day + _ONE_DAY
        following = _micros_at(zone, after, 0)
        yield day, midnight, following
        day, midnight = after, following


ALWAYS = Calendar("UTC", (Version(1, date(1970, 1, 1), Definition((ALL_DAY,) * 7)),), "always")
