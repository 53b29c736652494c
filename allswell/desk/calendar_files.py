"""Days off out of an iCalendar file, as companies and schools publish them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import ModuleType
from typing import Any

from allswell.calendars.rules import Day
from allswell.kernel import text
from allswell.kernel.errors import Invalid

LARGEST = 1_000_000
MOST_EVENTS = 2_000
MOST_DAYS = 5_000
LONGEST = timedelta(days=366)
SECONDS = 2.0
REPEATS = {"YEARLY", "MONTHLY", "WEEKLY"}
#: parts of a rule that repeat within the day, each many times over
WITHIN_THE_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND"}

_ONE_DAY = timedelta(days=1)
BROKEN = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class FoundDays:
    """What a file says: its days by date, and how many of its events were not days."""

    days: dict[str, Day]
    passed_over: int


def libraries() -> tuple[ModuleType, ModuleType]:
    """icalendar and recurring_ical_events."""
    import icalendar  # noqa: PLC0415 - a tenth of a second, needed when a file is read only
    import recurring_ical_events  # noqa: PLC0415 - as above

    return icalendar, recurring_ical_events


def events_in(raw: bytes) -> list[Any]:
    """The events of a file. Raises Invalid on "file": too large, not iCalendar, too many of them."""
    if len(raw) > LARGEST:
        raise Invalid("This file is larger than 1 MB.", field="file")
    icalendar, _ = libraries()
    try:
        calendar = icalendar.Calendar.from_ical(raw.decode("utf-8-sig"))
        events = list(calendar.walk("VEVENT"))
    except BROKEN as error:
        raise Invalid("This is not an iCalendar file.", field="file") from error
    if len(events) > MOST_EVENTS:
        raise Invalid("This file holds more than %(limit)s events.", field="file", limit=MOST_EVENTS)
    return events


def days_in(raw: bytes, *, first: date, last: date) -> FoundDays:
    """The whole-day events between two days, those that repeat too; each is a closed day. Events with a time of day and cancelled ones are
    passed over. Raises Invalid on "file": too large, not iCalendar, too many days, or repeating in a way no holiday does."""
    events = events_in(raw)
    try:
        return FoundDays(_days(events, first=first, last=last), sum(not _is_whole_day(event) for event in events))
    except BROKEN as error:
        raise Invalid("This is not an iCalendar file.", field="file") from error


def _days(events: list[Any], *, first: date, last: date) -> dict[str, Day]:
    days: dict[str, Day] = {}
    for on, name in _occurrences(events, first=first, last=last):
        days.setdefault(on.isoformat(), Day(name))
        if len(days) > MOST_DAYS:
            raise Invalid("This file holds more than %(limit)s days.", field="file", limit=MOST_DAYS)
    return dict(sorted(days.items()))


def _is_whole_day(event: Any) -> bool:
    start = event.get("DTSTART")
    is_date = isinstance(getattr(start, "dt", None), date) and not isinstance(start.dt, datetime)
    return is_date and str(event.get("STATUS", "")).upper() != "CANCELLED"


def _occurrences(events: list[Any], *, first: date, last: date) -> Iterator[tuple[date, str]]:
    """(day, name), one series after the other, so that no single one takes long."""
    icalendar, recurring = libraries()
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(events):
        series.setdefault(str(event.get("UID", number)), []).append(event)
    began = time.monotonic()
    for together in series.values():
        if not any(_is_whole_day(event) for event in together):
            continue
        if time.monotonic() - began > SECONDS:  # also of those that come to no day at all
            raise Invalid("The days of this file take too long to work out: too many of them repeat.", field="file")
        for event in together:
            _check_repeats(event)
            check_end(event)
        alone = icalendar.Calendar()
        for event in together:
            alone.add_component(event)
        # one that was cancelled or moved has to be there while the series is told: it takes the place of what repeats
        for found in recurring.of(alone).between(first, last + _ONE_DAY):
            if _is_whole_day(found):
                yield from _each_day(found, first=first, last=last)


def _check_repeats(event: Any) -> None:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        is_within = any(str(part).upper() in WITHIN_THE_DAY for part in rule)
        if is_within or not {str(said).upper() for said in rule.get("FREQ", [])} <= REPEATS:
            raise Invalid(
                "“%(name)s” repeats every day or more often. Write it as hours of the week.", field="file", name=name_of(event)
            )


def check_end(event: Any) -> None:
    """An end before the beginning is read backwards by some, and would close a calendar for as long."""
    start, end = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    length = event["DURATION"].dt if "DURATION" in event else timedelta()
    if length < timedelta() or (end is not None and end < start):
        raise Invalid("“%(name)s” ends before it begins.", field="file", name=name_of(event))


def _each_day(event: Any, *, first: date, last: date) -> Iterator[tuple[date, str]]:
    start, end = event["DTSTART"].dt, event["DTEND"].dt if "DTEND" in event else None
    end = max(end or start + _ONE_DAY, start + _ONE_DAY)
    if end - start > LONGEST:
        raise Invalid("“%(name)s” is longer than a year.", field="file", name=name_of(event))
    for number in range((end - start).days):
        on = start + number * _ONE_DAY
        if first <= on <= last:
            yield on, name_of(event)


def name_of(event: Any) -> str:
    """What an event is called; "?" when it is not."""
    return text.line(str(event.get("SUMMARY", ""))[:120], field="file", limit=120, required=False) or "?"
