"""How an answer came about, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from .calendar import Calendar
from .hours import Hours
from .local import at_local, local_time
from .working_time import open_spans, working_time

_ONE_DAY = timedelta(days=1)
FIRST_LINES, LAST_LINES = 30, 7


class DayKind(StrEnum):
    """What a day is, next to the week it is in."""

    OPEN = "open"  # as every such weekday
    CLOSED = "closed"  # as every such weekday
    HOLIDAY = "holiday"  # closed, though the weekday is open or named
    SHORT = "short"  # other hours than the weekday's
    EXTRA = "extra"  # open, though the weekday is closed


@dataclass(frozen=True, slots=True)
class Line:
    """A day (or, with another `until`, many) on the way from one instant to another: what was counted on it, and what by then."""

    on: date
    until: date
    kind: DayKind
    name: str
    spans: tuple[tuple[datetime, datetime], ...]
    counted: timedelta
    total: timedelta


def kind_of(calendar: Calendar, on: date) -> tuple[DayKind, str, Hours]:
    """What a day is, its name ("" when it has none), its hours."""
    definition = calendar.version_on(on).definition
    usual = definition.week[on.weekday()]
    day = definition.days.get(on)
    if day is None:
        return (DayKind.OPEN if usual else DayKind.CLOSED), "", usual
    if not day.hours:
        return DayKind.HOLIDAY, day.name, ()
    return (DayKind.EXTRA if not usual else DayKind.OPEN if day.hours == usual else DayKind.SHORT), day.name, day.hours


def holidays(calendar: Calendar, first: date, last: date) -> frozenset[date]:
    """The days between two, both included, on which a calendar is closed though the weekday is open or named."""
    days = (first + number * _ONE_DAY for number in range((last - first).days + 1))
    return frozenset(on for on in days if kind_of(calendar, on)[0] is DayKind.HOLIDAY)


def lines(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Line]:
    """The days from `start` until `end` by the clocks of the calendar's place. In the middle of very many, one line stands for them."""
    first, last = local_time(calendar.place, start).date(), local_time(calendar.place, end).date()
    total = timedelta()
    day = first
    while day <= last:
        until = day
        if (day - first).days == FIRST_LINES and (last - day).days > LAST_LINES:
            until = last - LAST_LINES * _ONE_DAY
        begin = max(start, at_local(calendar.place, day))
        close = min(end, at_local(calendar.place, until + _ONE_DAY))
        counted = working_time(calendar, begin, close)
        total += counted
        kind, name, _ = kind_of(calendar, day)
        spans = tuple(open_spans(calendar, begin, close)) if until == day else ()
        if day == first or counted or close > begin:
            yield Line(day, until, kind, name, spans, counted, total)
        day = until + _ONE_DAY
