"""Days written by hand: on one date ("2026-12-24") or every year ("12-24"), and the lines in which people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from allswell.kernel import text
from allswell.kernel.errors import Invalid

from .hours import MOST_DAYS, WEEKDAYS, Day, Definition, Hours, day_from_json, hours_as_json, ordered, parse_hours, show_hours

# By "2026-12-24" or "12-24"; the date outweighs the day of every year.
OwnDays = Mapping[str, Day]

FIRST_HOLIDAYS, HOLIDAYS_AHEAD = 1990, 10
LONGEST_SPELL = 366
LONGEST_LINE, MOST_LINES = 1_000, 5_000

_ONE_DAY = timedelta(days=1)
_SPACE = re.compile(r"\s+")
_KEY = re.compile(r"(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2}", re.ASCII)
_PERIOD = r"[0-9]{1,2}[:.][0-9]{2}\s*[-–—]\s*[0-9]{1,2}[:.][0-9]{2}"
_LINE = re.compile(
    rf"(?P<first>{_KEY.pattern})"
    rf"(?:\s*(?:\.\.|/|–|\s-\s|\sto\s|\sbis\s)\s*(?P<last>{_KEY.pattern}))?"
    rf"(?:\s*[:;,]?\s+(?P<hours>{_PERIOD}(?:\s*[,;]?\s*{_PERIOD})*))?"
    r"[\s,;:]*(?P<name>.*)",
    re.ASCII,
)


def years_known(year: int) -> range:
    """The years for which holidays and days of every year become dates when a calendar is written down in `year`."""
    return range(FIRST_HOLIDAYS, year + HOLIDAYS_AHEAD + 1)


def spread(own: OwnDays, years: range) -> dict[date, Day]:
    """The dates of days written by hand; a 29 February of every year is there in leap years."""
    yearly = {key: day for key, day in own.items() if len(key) == 5}
    dates = {on: day for year in years for key, day in yearly.items() if (on := _date_or_none(f"{year}-{key}"))}
    return dates | {_dated(key): day for key, day in own.items() if len(key) != 5}


def checked_own(own: OwnDays) -> dict[str, Day]:
    """The same, sorted, names folded and hours in order. Raises Invalid on "days"."""
    if len(own) > MOST_DAYS:
        raise Invalid("Use at most %(limit)s days that differ.", field="days", limit=MOST_DAYS)
    made = {}
    for key, day in sorted(own.items()):
        if not _KEY.fullmatch(key) or (len(key) == 5 and not _date_or_none(f"2024-{key}")):
            raise _no_date(key)
        if len(key) != 5:
            _dated(key)
        made[key] = Day(text.line(day.name, field="days", limit=120), ordered(day.hours, field="days"))
    return made


def parse_own(said: str) -> dict[str, Day]:
    """Days as people write them, one a line: "2026-12-24 09:00–12:00 Christmas Eve", "12-31 Stock-taking" (every year, closed),
    "2026-07-20..2026-07-31 Summer break". Raises Invalid on "days" with the line that is wrong."""
    found: dict[str, Day] = {}
    lines = text.clean(said).splitlines()
    if len(lines) > MOST_LINES:
        raise Invalid("Use at most %(limit)s days that differ.", field="days", limit=MOST_LINES)
    for raw in lines:
        line = _SPACE.sub(" ", raw[: LONGEST_LINE + 1]).strip()
        if len(raw) > LONGEST_LINE:
            raise Invalid("“%(line)s”: use at most %(limit)s characters.", field="days", line=line[:40], limit=LONGEST_LINE)
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Invalid(
                "“%(line)s” begins with no date. Write 2026-12-24 09:00–12:00 Christmas Eve.", field="days", line=line[:40]
            )
        hours = parse_hours(match["hours"] or "", field="days")
        if not match["name"].strip():
            raise Invalid("“%(line)s” has no name. Write 2026-12-24 09:00–12:00 Christmas Eve.", field="days", line=line[:40])
        found |= dict.fromkeys(_keys(match["first"], match["last"] or match["first"], line), Day(match["name"], hours))
    return checked_own(found)


def show_own(own: OwnDays) -> str:
    """The lines people write, those of every year first; a spell of like days is one line."""
    lines = []
    for first, last, day in _spells(own):
        when = first if first == last else f"{first}..{last}"
        lines.append(" ".join(filter(None, (when, show_hours(day.hours), day.name))))
    return "\n".join(lines)


def own_as_json(own: OwnDays) -> dict[str, Any]:
    """As they are stored and as the API shows them."""
    return {key: {"name": day.name, "hours": hours_as_json(day.hours)} for key, day in own.items()}


def own_from_json(raw: Any) -> dict[str, Day]:
    """From JSON as `own_as_json` gives it. Raises Invalid on "days"."""
    if not isinstance(raw, dict):
        raise Invalid("A day that differs has a name and hours.", field="days")
    return checked_own({str(key): day_from_json(day) for key, day in raw.items()})


def changes(
    before: Definition, after: Definition
) -> tuple[list[tuple[str, Hours, Hours]], list[tuple[date, Day | None, Day | None]]]:
    """What another version says differently: (weekday, hours before, hours after), and (date, day before, day after)."""
    week = [(name, old, new) for name, old, new in zip(WEEKDAYS, before.week, after.week, strict=True) if old != new]
    dates = sorted(before.days.keys() | after.days.keys())
    days = [(on, before.days.get(on), after.days.get(on)) for on in dates if before.days.get(on) != after.days.get(on)]
    return week, days


def _spells(own: OwnDays) -> Iterator[tuple[str, str, Day]]:
    """(first, last, day) of days that follow each other and are alike."""
    spell: tuple[str, str, Day] | None = None
    for key, day in sorted(own.items(), key=lambda item: (len(item[0]), item[0])):
        if spell and len(key) != 5 and len(spell[1]) != 5 and spell[2] == day and _dated(spell[1]) + _ONE_DAY == _dated(key):
            spell = (spell[0], key, day)
            continue
        if spell:
            yield spell
        spell = (key, key, day)
    if spell:
        yield spell


def _keys(first: str, last: str, line: str) -> list[str]:
    if first == last:
        return [first]
    if len(first) == 5 or len(last) == 5:
        raise Invalid("“%(line)s”: a spell needs the year on both ends.", field="days", line=line[:40])
    begin, end = _dated(first), _dated(last)
    if not timedelta() < end - begin < timedelta(days=LONGEST_SPELL):
        raise Invalid("“%(line)s”: a spell ends after it begins, within a year.", field="days", line=line[:40])
    return [(begin + n * _ONE_DAY).isoformat() for n in range((end - begin).days + 1)]


def _date_or_none(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _dated(key: str) -> date:
    found = _date_or_none(key)
    if found is None or not 1970 <= found.year < 2200:
        raise _no_date(key)
    return found


def _no_date(key: str) -> Invalid:
    return Invalid("%(date)s is no date. Write dates as 2026-12-25, or 12-25 for every year.", field="days", date=key[:20] or "-")
