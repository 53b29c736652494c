"""Pure rules of calendars: what is open when, how much working time lies between two instants, which instant comes after so much of it."""

from __future__ import annotations

from .calendar import ALWAYS, Calendar, Version
from .days import OffDay, add_days, day_time
from .hours import ALL_DAY, WEEKDAYS, Day, Definition, Hours, clock_time, parse_hours, show_hours
from .local import NeverOpen, at_local, local_time, zone_named
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
    "Definition",
    "Hours",
    "NeverCloses",
    "NeverOpen",
    "OffDay",
    "Version",
    "add_days",
    "add_working_time",
    "at_local",
    "clock_time",
    "day_time",
    "is_open",
    "is_working_day",
    "local_time",
    "next_close",
    "next_open",
    "open_spans",
    "parse_hours",
    "show_hours",
    "working_time",
    "zone_named",
]
