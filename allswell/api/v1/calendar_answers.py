"""What a calendar answers: when something is due, how much working time there is, what its days are."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Call, Query, operation
from allswell.calendars import queries, rules
from allswell.desk import calendars as desk
from allswell.kernel.errors import Invalid, NotFound
from allswell.people.rules import Act

from .calendars import READ, TAG
from .shapes import Instant

MOST_DAYS = 400

Minutes = Annotated[int, Meta(ge=1, le=60_000_000)]
TimeOfDay = Annotated[str, Meta(pattern="^[0-2][0-9]:[0-5][0-9]$")]
DayKind = Literal["open", "closed", "holiday", "short", "extra"]


def _known(call: Call) -> rules.Calendar:
    row = desk.calendar_for(call.path["ref"], Act.SEE_DESK, actor=call.actor)
    known = queries.by_ids([row.pk]).get(row.pk)
    if known is None:
        raise NotFound("There is no such calendar.")
    return known


class DueQuestion(Query, kw_only=True):
    """From when, and how much: one of minutes (of working time), working_days and calendar_days."""

    start: Instant
    minutes: Minutes | UnsetType = UNSET
    working_days: Minutes | UnsetType = UNSET
    calendar_days: Minutes | UnsetType = UNSET
    cutoff: TimeOfDay | UnsetType = UNSET
    opening: TimeOfDay | UnsetType = UNSET


class DueDay(Struct):
    """A day on the way (or several, up to `until`): what it is, and what of the working time is counted on it and by then."""

    on: date
    until: date
    kind: DayKind
    name: str
    counted_minutes: float
    total_minutes: float


class Due(Struct):
    """The instant, in UTC and by the clocks of the calendar; `begins_at` is from when it counts; `days` tell how, for minutes."""

    due_at: datetime
    local: str
    zone: str
    begins_at: datetime
    days: list[DueDay]


@operation(
    "GET",
    "/calendars/{ref}/due",
    id="dueInCalendar",
    summary="The instant after so much working time or so many days",
    tag=TAG,
    scope=READ,
    details="`cutoff` and `opening` are for days: what comes in at or after the cut-off counts from when the next working day opens.",
    query=DueQuestion,
    answer=Due,
)
def due(call: Call) -> Due:
    asked: DueQuestion = call.query
    calendar = _known(call)
    amounts = [name for name in ("minutes", "working_days", "calendar_days") if getattr(asked, name) is not UNSET]
    if len(amounts) != 1:
        raise Invalid("Give one of minutes, working_days and calendar_days.", field=amounts[1] if amounts else "minutes")
    if asked.minutes is not UNSET:
        at = rules.add_working_time(calendar, asked.start, timedelta(minutes=asked.minutes))
        return _due(calendar, at, asked.start, [_day(line) for line in rules.lines(calendar, asked.start, at)])
    how: dict[str, Any] = {"zone": calendar.zone, "cutoff": _minute(asked, "cutoff"), "opening": _minute(asked, "opening")}
    known, days = (calendar, asked.working_days) if asked.working_days is not UNSET else (None, asked.calendar_days)
    assert isinstance(days, int)
    return _due(calendar, rules.add_days(known, asked.start, days, **how), rules.days_begin(known, asked.start, **how), [])


def _minute(asked: DueQuestion, name: str) -> int | None:
    said = getattr(asked, name)
    return None if said is UNSET else rules.minute_of(said, field=name)


def _due(calendar: rules.Calendar, at: datetime, begins: datetime, days: list[DueDay]) -> Due:
    return Due(at, at.astimezone(calendar.place).isoformat(), calendar.zone, begins, days)


def _day(line: rules.Line) -> DueDay:
    counted, total = (length / timedelta(minutes=1) for length in (line.counted, line.total))
    return DueDay(line.on, line.until, line.kind.value, line.name, counted, total)


class Span(Query, kw_only=True):
    """Between two instants."""

    start: Instant
    end: Instant


class WorkingTime(Struct):
    """How much working time lies between two instants; `minutes` are rounded down, `microseconds` are exact."""

    minutes: int
    microseconds: int


@operation(
    "GET",
    "/calendars/{ref}/working-time",
    id="workingTimeInCalendar",
    summary="The working time between two instants",
    tag=TAG,
    scope=READ,
    query=Span,
    answer=WorkingTime,
)
def working_time(call: Call) -> WorkingTime:
    found = rules.working_time(_known(call), call.query.start, call.query.end)
    return WorkingTime(found // timedelta(minutes=1), found // timedelta(microseconds=1))


class Days(Query, kw_only=True):
    """From one day to another, at most 400."""

    first: date
    last: date


class CalendarDay(Struct):
    """What a day is: as its weekday (open, closed), a holiday, of other hours (short), or open though its weekday is closed (extra)."""

    on: date
    kind: DayKind
    name: str
    hours: list[str]


class CalendarDays(Struct):
    """Days in their order."""

    items: list[CalendarDay]


@operation(
    "GET",
    "/calendars/{ref}/days",
    id="listCalendarDays",
    summary="What the days of a calendar are",
    tag=TAG,
    scope=READ,
    query=Days,
    answer=CalendarDays,
)
def days(call: Call) -> CalendarDays:
    calendar = _known(call)
    first, last = call.query.first, call.query.last
    if not 1970 <= first.year <= last.year < 2199 or not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid("Ask for 1 to %(limit)s days, from the first to the last.", field="last", limit=MOST_DAYS)
    found = []
    for number in range((last - first).days + 1):
        kind, name, hours = rules.kind_of(calendar, on := first + timedelta(days=number))
        found.append(CalendarDay(on, kind.value, name, rules.hours_as_json(hours)))
    return CalendarDays(found)
