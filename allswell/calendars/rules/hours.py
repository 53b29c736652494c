"""What one version of a calendar says: the hours of each weekday, and the days that differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from allswell.kernel import text
from allswell.kernel.errors import Invalid

# Periods of a day in minutes after local midnight, half-open, sorted, not overlapping.
Hours = tuple[tuple[int, int], ...]

MIDNIGHT = 24 * 60
ALL_DAY: Hours = ((0, MIDNIGHT),)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_PERIODS = 24
LONGEST_HOURS = 600
MOST_DAYS = 20_000

_TIME = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})")
_PERIODS = re.compile(r"[,;\n]+|\s+(?=[0-9]{1,2}[:.][0-9]{2}\s*[-–])")
_DASH = re.compile(r"\s*[-–—]\s*")


@dataclass(frozen=True, slots=True)
class Day:
    """A day that differs from its week: a holiday (no hours), a half day, an extra open day."""

    name: str
    hours: Hours = ()


def clock_time(minute: int) -> str:
    """Minutes after midnight as people write them: 510 is "08:30", 1440 is "24:00"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def show_hours(hours: Hours) -> str:
    """Hours as they are typed and read: "08:30–12:00, 13:00–17:00"; "" when closed."""
    return ", ".join(f"{clock_time(start)}–{clock_time(end)}" for start, end in hours)


def minute_of(said: str, *, field: str) -> int:
    """The minutes after midnight of "8:30" or "24:00"; raises Invalid."""
    match = _TIME.fullmatch(said.strip())
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else MIDNIGHT + 1
    if minute > MIDNIGHT:
        raise Invalid("%(time)s is no time of day. Write hours as 08:30–12:00.", field=field, time=said.strip()[:20] or "-")
    return minute


def parse_hours(said: str, *, field: str) -> Hours:
    """Hours as people type them: "8:30-12:00, 13:00-17:00"; "" is closed. Raises Invalid with the sentence that says what is wrong."""
    if len(said) > LONGEST_HOURS:
        raise Invalid("Use at most %(limit)s characters.", field=field, limit=LONGEST_HOURS)
    periods = []
    for period in filter(None, (piece.strip() for piece in _PERIODS.split(text.clean(said)))):
        ends = _DASH.split(period)
        if len(ends) != 2:
            raise Invalid("%(period)s is no period. Write hours as 08:30–12:00.", field=field, period=period[:40])
        periods.append((minute_of(ends[0], field=field), minute_of(ends[1], field=field)))
    return ordered(periods, field=field)


def ordered(periods: Iterable[tuple[int, int]], *, field: str) -> Hours:
    """The periods of a day sorted. Raises Invalid when one ends before it begins, two overlap, or there are too many."""
    hours = tuple(sorted(periods))
    if len(hours) > MOST_PERIODS:
        raise Invalid("Use at most %(limit)s periods a day.", field=field, limit=MOST_PERIODS)
    for start, end in hours:
        if not 0 <= start <= MIDNIGHT or not 0 <= end <= MIDNIGHT:
            raise Invalid("A day goes from 00:00 to 24:00.", field=field)
        if start >= end:
            raise Invalid(
                "%(period)s ends before it begins. Write hours over midnight on both days: 22:00–24:00 and 00:00–06:00.",
                field=field,
                period=show_hours(((start, end),)),
            )
    for before, after in pairwise(hours):
        if after[0] < before[1]:
            both = {"first": show_hours((before,)), "second": show_hours((after,))}
            raise Invalid("%(first)s and %(second)s overlap. Make one period of them.", field=field, **both)
    return hours


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """What one version says. Holidays are dates here, not rules: what a library says next year never changes the past."""

    week: tuple[Hours, ...]
    days: Mapping[date, Day] = field(default_factory=lambda: MappingProxyType({}))

    def on(self, day: date) -> Hours:
        """The hours of a day."""
        differs = self.days.get(day)
        return self.week[day.weekday()] if differs is None else differs.hours

    @classmethod
    def checked(cls, week: Sequence[Iterable[tuple[int, int]]], days: Mapping[date, Day] | None = None) -> Definition:
        """A definition whose every rule holds. Raises Invalid on the weekday, on "days", or on "week" when nothing is ever open."""
        if len(week) != 7:
            raise Invalid("A week has seven days, Monday first.", field="week")
        hours = tuple(ordered(day, field=name) for name, day in zip(WEEKDAYS, week, strict=True))
        days = dict(sorted((days or {}).items()))
        if len(days) > MOST_DAYS:
            raise Invalid("Use at most %(limit)s days that differ.", field="days", limit=MOST_DAYS)
        if not any(hours):
            raise Invalid("This calendar has no open hours: no clock that counts in it would ever end.", field="week")
        kept = {
            on: Day(text.line(day.name, field="days", limit=120), ordered(day.hours, field="days")) for on, day in days.items()
        }
        return cls(hours, MappingProxyType(kept))

    @classmethod
    def parse(cls, raw: Any) -> Definition:
        """From JSON as `as_json` gives it: {"week": [["08:30-12:00"], ...], "days": {"2026-12-25": {"name": "...", "hours": []}}}."""
        if not isinstance(raw, dict) or not isinstance(raw.get("week"), list) or not isinstance(raw.get("days", {}), dict):
            raise Invalid("A calendar has a week of seven days and days that differ.", field="week")
        week = [_periods(day, field=name) for name, day in zip(WEEKDAYS, raw["week"], strict=False)]
        days = {_date(on): day_from_json(day) for on, day in raw.get("days", {}).items()}
        return cls.checked(week if len(raw["week"]) == 7 else [], days)

    def as_json(self) -> dict[str, Any]:
        """As it is stored and as the API shows it."""
        return {
            "week": [hours_as_json(hours) for hours in self.week],
            "days": {on.isoformat(): {"name": day.name, "hours": hours_as_json(day.hours)} for on, day in self.days.items()},
        }


def hours_as_json(hours: Hours) -> list[str]:
    """Hours as they are stored: ["08:30-12:00"]."""
    return [f"{clock_time(start)}-{clock_time(end)}" for start, end in hours]


def _periods(raw: Any, *, field: str) -> Hours:
    if not isinstance(raw, list) or not all(isinstance(period, str) for period in raw):
        raise Invalid('The hours of a day are a list of periods such as "08:30-12:00".', field=field)
    return parse_hours(",".join(raw), field=field)


def _date(raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise Invalid("%(date)s is no date. Write dates as 2026-12-25.", field="days", date=raw[:20] or "-") from error


def day_from_json(raw: Any) -> Day:
    """A day as it is stored. Raises Invalid on "days"."""
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise Invalid("A day that differs has a name and hours.", field="days")
    return Day(raw["name"], _periods(raw.get("hours", []), field="days"))
