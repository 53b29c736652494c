"""Promises in days: "within three working days", "by the same time tomorrow". By the clock on the wall, whose days have 23 or 25 hours."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal

from allswell.kernel.errors import Invalid

from .calendar import Calendar
from .local import PATIENCE_YEARS, first_instant, local_time, micros, never, zone_named

OffDay = Literal["same_time", "opening"]

_ONE_DAY = timedelta(days=1)
_HORIZONS = (1, 2, 4, 8, 16, 32, PATIENCE_YEARS)


def add_days(
    calendar: Calendar | None,
    start: datetime,
    days: int | timedelta,
    *,
    zone: str,
    cutoff: int | None = None,
    opening: int | None = None,
    off_day: OffDay = "same_time",
    pauses: Sequence[tuple[datetime, datetime]] = (),
) -> datetime:
    """The instant `days` working days after `start`, at the same local time of day; without a calendar every day is a working day.

    A start on a day off moves to the next working day, at the same time of day or at its opening. Then, at or after `cutoff` (minutes after
    midnight), it moves to the opening of the following working day. `opening` overrides when a day opens. Pauses that began before the due
    instant move it by what they took of working days, each counted as 24 hours. Raises NeverOpen beyond fifty years.
    """
    budget = days if isinstance(days, timedelta) else days * _ONE_DAY
    if budget < timedelta(0):
        raise Invalid("A number of days is not negative.", field="amount")
    micros(start)
    place = zone_named(zone)
    line = _Line(calendar, start.year)
    began = line.begin(local_time(place, start), cutoff=cutoff, opening=opening, off_day=off_day)
    position = line.position(began)
    due = line.local(position + budget)
    for since, until in sorted(pauses) if budget else ():
        if since >= first_instant(place, due):
            break
        # Taken from where the last pause ended, so that two that overlap count once.
        from_here, to_here = (max(position, line.position(local_time(place, instant))) for instant in (since, until))
        if to_here > from_here:
            due = line.local(line.position(due) + (to_here - from_here))
            position = to_here
    return first_instant(place, due)


def days_begin(
    calendar: Calendar | None,
    start: datetime,
    *,
    zone: str,
    cutoff: int | None = None,
    opening: int | None = None,
    off_day: OffDay = "same_time",
) -> datetime:
    """The instant from which `add_days` counts: `start` itself, or where a day off or the cut-off hour moves it."""
    micros(start)
    place, line = zone_named(zone), _Line(calendar, start.year)
    return first_instant(place, line.begin(local_time(place, start), cutoff=cutoff, opening=opening, off_day=off_day))


def day_time(calendar: Calendar | None, start: datetime, end: datetime, *, zone: str) -> timedelta:
    """How much of working days lies between two instants, each day counted as 24 hours; without a calendar every day is one."""
    place, line = zone_named(zone), _Line(calendar, start.year)
    return max(timedelta(0), line.position(local_time(place, end)) - line.position(local_time(place, start)))


class _Line:
    """Working days laid end to end, each 24 hours long: where a local time lies on it, and which local time lies at a place of it.

    A time on a day off lies where the next working day begins.
    """

    def __init__(self, calendar: Calendar | None, year: int) -> None:
        self.calendar = calendar
        self.year = year
        self.origin = date(year, 1, 1).toordinal()

    def is_working(self, day: date) -> bool:
        return self.calendar is None or bool(self.calendar.hours_on(day))

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        if self.calendar is None:
            return day + _ONE_DAY
        for days in self._further(day.year):
            following = bisect_right(days, day.toordinal())
            if following < len(days):
                return date.fromordinal(days[following])
        raise never()

    def begin(self, local: datetime, *, cutoff: int | None, opening: int | None, off_day: OffDay) -> datetime:
        """Where the counting begins for what came in at `local`."""
        if not self.is_working(local.date()):
            day = self.next_working_day(local.date())
            local = datetime.combine(day, local.time()) if off_day == "same_time" else self.opens(day, opening)
        if cutoff is not None and local - _midnight(local) >= timedelta(minutes=cutoff):
            local = self.opens(self.next_working_day(local.date()), opening)
        return local

    def opens(self, day: date, opening: int | None) -> datetime:
        """When a working day opens."""
        if opening is None:
            opening = self.calendar.hours_on(day)[0][0] if self.calendar else 0
        return datetime.combine(day, time()) + timedelta(minutes=opening)

    def position(self, local: datetime) -> timedelta:
        """How far along the line a local time lies."""
        since_midnight = local - _midnight(local)
        day = local.date().toordinal()
        if self.calendar is None:
            return timedelta(days=day - self.origin) + since_midnight
        days = self.calendar.table(self.year - 1, local.year + 1).working_days
        passed = bisect_left(days, day) - bisect_left(days, self.origin)
        return timedelta(days=passed) + (since_midnight if self.is_working(local.date()) else timedelta())

    def local(self, position: timedelta) -> datetime:
        """The local time that lies at a place of the line. Raises NeverOpen when it is more than fifty years away."""
        rest = position - timedelta(days=position.days)
        if self.calendar is None:
            if position.days > 366 * PATIENCE_YEARS:
                raise never()
            return datetime.combine(date.fromordinal(self.origin + position.days), time()) + rest
        for days in self._further(self.year):
            index = bisect_left(days, self.origin) + position.days
            if index < len(days):
                return datetime.combine(date.fromordinal(days[index]), time()) + rest
        raise never()

    def _further(self, year: int) -> Iterator[list[int]]:
        """The working days up to a year after `year`, two, four and so on up to fifty."""
        assert self.calendar is not None
        for years in _HORIZONS:
            yield self.calendar.table(self.year - 1, year + years).working_days


def _midnight(local: datetime) -> datetime:
    return datetime.combine(local.date(), time())
