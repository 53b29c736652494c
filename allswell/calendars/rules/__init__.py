"""Pure rules of calendars: what is open when, how much working time lies between two instants, which instant comes after so much of it."""

from __future__ import annotations

from .calendar import ALWAYS, Calendar, Version
from .days import OffDay, add_days, day_time, days_begin
from .hours import ALL_DAY, WEEKDAYS, Day, Definition, Hours, clock_time, hours_as_json, minute_of, parse_hours, show_hours
from .local import NeverOpen, at_local, local_time, zone_named
from .own import OwnDays, changes, checked_own, own_as_json, own_from_json, parse_own, show_own, spread, years_known
from .telling import DayKind, Line, holidays, kind_of, lines
from .working_time import (
    NeverCloses,
    add_working_time,
    is_open,
    is_working_day,
    next_close,
    next_open,
    open_spans,
    working_time,
)

__all__ = [
    "ALL_DAY",
    "ALWAYS",
    "WEEKDAYS",
    "Calendar",
    "Day",
    "DayKind",
    "Definition",
    "Hours",
    "Line",
    "NeverCloses",
    "NeverOpen",
    "OffDay",
    "OwnDays",
    "Version",
    "add_days",
    "add_working_time",
    "at_local",
    "changes",
    "checked_own",
    "clock_time",
    "day_time",
    "days_begin",
    "holidays",
    "hours_as_json",
    "is_open",
    "is_working_day",
    "kind_of",
    "lines",
    "local_time",
    "minute_of",
    "next_close",
    "next_open",
    "open_spans",
    "own_as_json",
    "own_from_json",
    "parse_hours",
    "parse_own",
    "show_hours",
    "show_own",
    "spread",
    "working_time",
    "years_known",
    "zone_named",
]
