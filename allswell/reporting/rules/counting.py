"""How numbers of reports are counted: periods, shares, means and percentiles. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from allswell.calendars.rules import at_local
from allswell.kernel.errors import Invalid

#: the longest period of one report, in months
LONGEST = 36
#: the month that a period without a name ends with, and how many it has
USUAL = 6
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-[qQ]([1-4])")
_LATEST = re.compile(r"(\d{1,2})m")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a period, half-open in UTC; the first and the last may be cut by the period. `key` is "2026-11"."""

    key: str
    first: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in a zone, `first` to `last`, both in. `name` is how it was asked for ("2026-11", "2026-Q4", "6m", or "" for days)."""

    first: date
    last: date
    zone: str
    name: str = ""

    @property
    def starts_at(self) -> datetime:
        """The instant it begins."""
        return _midnight(self.zone, self.first)

    @property
    def ends_at(self) -> datetime:
        """The instant it is over."""
        return _midnight(self.zone, self.last + timedelta(days=1))

    @property
    def months(self) -> tuple[Month, ...]:
        """Its months, in order."""
        found: list[Month] = []
        first = self.first.replace(day=1)
        while first <= self.last:
            following = month_after(first)
            start, end = max(first, self.first), min(following, self.last + timedelta(days=1))
            found.append(Month(f"{first:%Y-%m}", first, _midnight(self.zone, start), _midnight(self.zone, end)))
            first = following
        return tuple(found)

    def asked(self) -> dict[str, str]:
        """It as parameters of an address."""
        return {"period": self.name} if self.name else {"from": self.first.isoformat(), "to": self.last.isoformat()}


def _midnight(zone: str, on: date) -> datetime:
    return at_local(zone, on, 0)


def month_after(first: date, count: int = 1) -> date:
    """The first day of the month `count` after that of a day (before it, when negative)."""
    months = first.year * 12 + first.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def period(name: str, first: str, last: str, *, zone: str, now: datetime) -> Period:
    """A period as an address names it: "2026-11", "2026-Q4", "12m" (the last months with this one), or two days, both in.

    Nothing at all means the last six months. Raises Invalid.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    if not name and (first or last):
        return _days(first, last, zone=zone, today=today)
    name = name or f"{USUAL}m"
    if found := _MONTH.fullmatch(name):
        count, begins = 1, _first_of(int(found[1]), int(found[2]))
    elif found := _QUARTER.fullmatch(name):
        count, begins = 3, _first_of(int(found[1]), int(found[2]) * 3 - 2)
    elif (found := _LATEST.fullmatch(name)) and 1 <= int(found[1]) <= LONGEST:
        count = int(found[1])
        begins = month_after(today, 1 - count)
    else:
        raise Invalid("This is no period: use 2026-11, 2026-Q4 or 12m.", field="period")
    return Period(begins, month_after(begins, count) - timedelta(days=1), zone, name)


def _first_of(year: int, month: int) -> date:
    if not (1970 <= year <= 2200 and 1 <= month <= 12):
        raise Invalid("This is no period: use 2026-11, 2026-Q4 or 12m.", field="period")
    return date(year, month, 1)


def _days(first: str, last: str, *, zone: str, today: date) -> Period:
    ends = _day(last, "to") if last else today
    begins = _day(first, "from") if first else ends.replace(day=1)
    if begins > ends:
        raise Invalid("The period ends before it begins.", field="to")
    if month_after(begins, LONGEST) <= ends:
        raise Invalid("A report covers at most %(n)s months.", field="from", n=LONGEST)
    return Period(begins, ends, zone)


def _day(text: str, field: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Invalid("This is no day: write it as 2026-11-23.", field=field) from None
    if not 1970 <= found.year <= 2200:
        raise Invalid("This is no day: write it as 2026-11-23.", field=field)
    return found


#: the local hour at which reports are sent
SENT_AT = 7


def next_sending(every: str, *, zone: str, now: datetime) -> datetime:
    """When a report is sent next: on Monday, or on the first of the month, at seven in the zone of its reader."""
    today = now.astimezone(ZoneInfo(zone)).date()
    first = today - timedelta(days=today.weekday()) if every == "week" else today.replace(day=1)
    at = at_local(zone, first, SENT_AT * 60)
    if at > now:
        return at
    following = first + timedelta(days=7) if every == "week" else month_after(first)
    return at_local(zone, following, SENT_AT * 60)


def period_before(every: str, *, zone: str, at: datetime) -> Period:
    """What a report sent at an instant is about: the week (from Monday) or the month that is over."""
    today = at.astimezone(ZoneInfo(zone)).date()
    if every == "week":
        monday = today - timedelta(days=today.weekday())
        return Period(monday - timedelta(days=7), monday - timedelta(days=1), zone)
    first = month_after(today, -1)
    return Period(first, today.replace(day=1) - timedelta(days=1), zone, f"{first:%Y-%m}")


def month_of(at: datetime, zone: str) -> str:
    """The month of an instant in a zone: "2026-11"."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m}"


def share(part: int, whole: int) -> str:
    """A share in percent with two places, rounded down, so that 99.999 % is never told as 100; "" of nothing."""
    if whole <= 0:
        return ""
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02d}"


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean with what it hides; lengths of time in milliseconds, None of nothing."""

    n: int
    total: int
    mean: int | None
    median: int | None
    p90: int | None


def spread(values: Iterable[int]) -> Spread:
    """Mean, median and 90th percentile of some lengths of time."""
    ordered = sorted(values)
    if not ordered:
        return Spread(0, 0, None, None, None)
    total = sum(ordered)
    return Spread(len(ordered), total, total // len(ordered), median(ordered), percentile(ordered, 90))


def median(ordered: Sequence[int]) -> int:
    """The value in the middle of sorted ones, between the two there when their number is even."""
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The smallest of sorted values that at least so many percent do not exceed (nearest rank): always one that was there."""
    return ordered[-(-len(ordered) * percent // 100) - 1]
