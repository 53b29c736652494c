"""Counting working time: exact to the microsecond, half-open, whatever the clocks of the place do.

Every answer is in UTC. An instant at which a period begins is open, the one at which it ends is not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta

from allswell.kernel.errors import Invalid

from .calendar import Calendar, Table
from .local import EPOCH, LAST_YEAR, PATIENCE_YEARS, NeverOpen, instant_of, micros, never

_MICROSECOND = timedelta(microseconds=1)


class NeverCloses(Invalid):
    """It stays open for the next fifty years."""

    code = "never-closes"


def working_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """The working time from `start` until `end`; none when `end` is not after `start`."""
    since, until = micros(start), micros(end)
    if until <= since:
        return timedelta()
    table = calendar.around(start, end)
    return timedelta(microseconds=table.worked(until) - table.worked(since))


def add_working_time(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The first instant at which `amount` of working time has passed since `start`: 8 h from Friday 09:00 in a day of 09:00–17:00 is
    Friday 17:00, not Monday 09:00. None at all is `start` itself. Raises NeverOpen when no instant within fifty years is it."""
    if amount < timedelta():
        raise Invalid("An amount of working time is not negative.", field="amount")
    since = micros(start)
    if not amount:
        return instant_of(since)
    wanted = amount // _MICROSECOND
    table = calendar.around(start, start)
    goal = table.worked(since) + wanted
    while table.sums[-1:] < [goal]:
        table = _wider(calendar, table, start)
        goal = table.worked(since) + wanted
    span = bisect_left(table.sums, goal)
    return _within_patience(table.ends[span] - (table.sums[span] - goal), start)


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """The first open instant, `at` itself when it is one. Raises NeverOpen when there is none within fifty years."""
    since = micros(at)
    table = calendar.around(at, at)
    while (span := bisect_right(table.ends, since)) == len(table.ends):
        table = _wider(calendar, table, at)
    return _within_patience(max(since, table.starts[span]), at)


def next_close(calendar: Calendar, at: datetime) -> datetime:
    """The first closed instant, `at` itself when it is one. Raises NeverCloses when it stays open for fifty years."""
    since = micros(at)
    table = calendar.around(at, at)
    while True:
        span = bisect_right(table.ends, since)
        if span == len(table.ends) or table.starts[span] > since:
            return instant_of(since)
        if table.ends[span] < table.until:
            return instant_of(table.ends[span])
        try:
            table = _wider(calendar, table, at)
        except NeverOpen as error:
            raise NeverCloses("This calendar never closes.") from error


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether work is done at this instant."""
    since = micros(at)
    table = calendar.around(at, at)
    span = bisect_right(table.starts, since) - 1
    return span >= 0 and since < table.ends[span]


def open_spans(calendar: Calendar, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The open spans between two instants, in order, cut off at both; periods that touch, as over midnight, are one."""
    since, until = micros(start), micros(end)
    if until <= since:
        return []
    table = calendar.around(start, end)
    first, last = bisect_right(table.ends, since), bisect_left(table.starts, until)
    return [(instant_of(max(since, table.starts[i])), instant_of(min(until, table.ends[i]))) for i in range(first, last)]


def is_working_day(calendar: Calendar, on: date) -> bool:
    """Whether a local day has open hours."""
    return bool(calendar.hours_on(on))


def _wider(calendar: Calendar, table: Table, start: datetime) -> Table:
    """A table twice as far into the future, up to fifty years after `start`; raises NeverOpen when this one went there already."""
    last = min(start.year + PATIENCE_YEARS, LAST_YEAR)
    if table.last_year >= last:
        raise never()
    return calendar.table(table.first_year, min(last, table.last_year + max(1, table.last_year - start.year)))


def _within_patience(micros_since: int, start: datetime) -> datetime:
    """The answer, whichever years the table happens to hold by now."""
    answer = EPOCH + timedelta(microseconds=micros_since)
    if answer.year > start.year + PATIENCE_YEARS:
        raise never()
    return answer
