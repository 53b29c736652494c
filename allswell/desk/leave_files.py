"""Leave out of an iCalendar file: what in it is an absence, what that changes, and the use case that writes it.

Everything is looked at before anything is written: `preview_leave` says what `read_leave` would do.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings

from allswell.calendars.rules import at_local, zone_named
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.people import queries as people

from . import planning
from .calendar_files import BROKEN, SECONDS, check_end, events_in, libraries, name_of
from .door import use_case_after
from .shifts import require_leave

if TYPE_CHECKING:
    from allswell.oncall.models import Leave

#: how far ahead a file is read, how many absences it may come to, how long one may be
AHEAD = timedelta(days=366)
MOST = 500
LONGEST = timedelta(days=366)
#: what marks leave that was read from a calendar
MARK = "ics:"
_ONE_DAY = timedelta(days=1)
_TOO_OFTEN = {"HOURLY", "MINUTELY", "SECONDLY"}
_WITHIN_THE_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND"}


class Which(StrEnum):
    """Which events of a file are absences."""

    ALL = "all"  # a calendar of absences alone
    BUSY = "busy"  # those not shown as free
    AWAY = "away"  # those marked as out of office


@dataclass(frozen=True, slots=True)
class Absence:
    """When somebody is not there by a file; `source` tells the event from all others, also when it is read again."""

    source: str
    starts_at: datetime
    ends_at: datetime
    name: str = ""

    @property
    def key(self) -> tuple[str, datetime]:
        """What it is found by among the leave that was read before."""
        return self.source, self.starts_at


@dataclass(frozen=True, slots=True)
class FoundLeave:
    """The absences of a file from now on, and how many of its events are none."""

    absences: tuple[Absence, ...]
    passed_over: int


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a file comes to; `outcome` is added, changed, unchanged or cancelled. `before` is when a changed one ended."""

    outcome: str
    starts_at: datetime
    ends_at: datetime
    name: str
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeaveRead:
    """What a file comes to, line by line in order of time, and how many of its events are no absences."""

    lines: tuple[Line, ...]
    passed_over: int

    def count(self, outcome: str) -> int:
        """How many lines have an outcome."""
        return sum(line.outcome == outcome for line in self.lines)


# what a file says


def absences_in(raw: bytes, *, which: Which, zone: str, since: datetime, until: datetime) -> FoundLeave:
    """The absences of a file that touch a time; whole days and times without a zone are those of `zone`.

    Raises Invalid on "file": too large, not iCalendar, too many events, or repeating within the day.
    """
    events = events_in(raw)
    try:
        found = list(_absences(events, which, zone, since, until))
    except BROKEN as error:
        raise Invalid("This is not an iCalendar file.", field="file") from error
    numbers = {number for number, _ in found}
    kept = {absence.key: absence for _, absence in found}
    return FoundLeave(tuple(sorted(kept.values(), key=lambda one: (one.starts_at, one.source))), len(events) - len(numbers))


def _absences(
    events: list[Any], which: Which, zone: str, since: datetime, until: datetime
) -> Iterator[tuple[int | str, Absence]]:
    """(which series, absence), one series after the other, so that no single one takes long."""
    icalendar, recurring = libraries()
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(events):
        series.setdefault(str(event.get("UID", f"#{number}")), []).append(event)
    began, count = time.monotonic(), 0
    for uid, together in series.items():
        if time.monotonic() - began > SECONDS:
            raise Invalid("The days of this file take too long to work out: too many of them repeat.", field="file")
        if not any(_is_absence(event, which) for event in together):
            continue
        for event in together:
            _check_repeats(event)
            check_end(event)
        alone = icalendar.Calendar()
        for event in together:
            alone.add_component(event)
        for found in recurring.of(alone).between(since - _ONE_DAY, until + _ONE_DAY):
            absence = _absence(found, uid, zone) if _is_absence(found, which) else None
            if absence is None or absence.ends_at <= since or absence.starts_at >= until:
                continue
            count += 1
            if count > MOST:
                raise Invalid("This file holds more than %(limit)s absences.", field="file", limit=MOST)
            yield uid, absence


def _is_absence(event: Any, which: Which) -> bool:
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or "DTSTART" not in event:
        return False
    shown = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()
    if which is Which.AWAY:
        return shown == "OOF"
    if which is Which.BUSY:
        return shown in ("", "BUSY", "OOF") and str(event.get("TRANSP", "")).upper() != "TRANSPARENT"
    return True


def _check_repeats(event: Any) -> None:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        is_within = any(str(part).upper() in _WITHIN_THE_DAY for part in rule)
        if is_within or {str(said).upper() for said in rule.get("FREQ", [])} & _TOO_OFTEN:
            raise Invalid("“%(name)s” repeats within a day.", field="file", name=name_of(event))


def _absence(event: Any, uid: str, zone: str) -> Absence | None:
    """An occurrence as leave; None when it takes no time."""
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else None
    if end is None or (not isinstance(start, datetime) and end == start):
        end = end or start
        end = end if isinstance(start, datetime) else start + _ONE_DAY
    starts_at, ends_at = _instant(start, zone), _instant(end, zone)
    if ends_at <= starts_at:
        return None
    if ends_at - starts_at > LONGEST:
        raise Invalid("“%(name)s” is longer than a year.", field="file", name=name_of(event))
    return Absence(MARK + _marked(uid), starts_at, ends_at, name_of(event))


def _instant(said: date | datetime, zone: str) -> datetime:
    if not isinstance(said, datetime):
        return at_local(zone_named(zone), said)
    if said.tzinfo is not None:
        return said.astimezone(UTC).replace(microsecond=0)
    wall = said.hour * 60 + said.minute
    return at_local(zone_named(zone), said.date(), wall) + timedelta(seconds=said.second)


def _marked(uid: str) -> str:
    """A UID as it is kept: its digest, since programs write addresses and texts of any length into them."""
    return hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()


# what it changes


@dataclass(frozen=True, slots=True)
class _Step:
    """A line, the leave it ends, and the absence it writes."""

    line: Line
    ends: Leave | None = None
    writes: Absence | None = None


def _steps(found: FoundLeave, known: Collection[Leave], *, is_whole: bool) -> list[_Step]:
    """What it takes to make of the leave read before what a file says. With `is_whole`, what is not in the file is over."""
    left = {(row.source, row.starts_at): row for row in known}
    steps = []
    for absence in found.absences:
        row = left.pop(absence.key, None)
        if row is None:
            steps.append(_Step(Line("added", absence.starts_at, absence.ends_at, absence.name), None, absence))
        elif row.ends_at == absence.ends_at:
            steps.append(_Step(Line("unchanged", row.starts_at, row.ends_at, absence.name)))
        else:
            steps.append(_Step(Line("changed", row.starts_at, absence.ends_at, absence.name, row.ends_at), row, absence))
    if is_whole:
        steps += [_Step(Line("cancelled", row.starts_at, row.ends_at, row.note), row) for row in left.values()]
    return sorted(steps, key=lambda step: (step.line.starts_at, step.line.outcome))


def _known(person: int, *, now: datetime) -> list[Leave]:
    """The leave of somebody that was read from a calendar and is not over, as far as a file is read."""
    rows = queries.leaves([person], since=now, until=now + AHEAD)
    return list(rows.filter(source__startswith=MARK))


def _look(person: int, raw: bytes, *, actor: Actor, now: datetime, which: str = Which.ALL, **asked: Any) -> FoundLeave:
    require_leave(person, actor=actor)
    if which not in set(Which):
        raise Invalid("Choose one of the list.", field="which")
    row = people.any_person(person)
    zone = row.time_zone if row is not None and row.time_zone else settings.DEFAULT_TIME_ZONE
    return absences_in(raw, which=Which(which), zone=zone, since=now, until=now + AHEAD)


def preview_leave(
    person: int, raw: bytes, *, actor: Actor, now: datetime, which: str = Which.ALL, is_whole: bool = True
) -> LeaveRead:
    """What `read_leave` would do. Writes nothing. Raises Invalid, NotFound, NotAllowed."""
    found = _look(person, raw, which=which, actor=actor, now=now)
    steps = _steps(found, _known(person, now=now), is_whole=is_whole)
    return LeaveRead(tuple(step.line for step in steps), found.passed_over)


def _looked(
    person: int,
    raw: bytes,
    *,
    actor: Actor,
    now: datetime,
    which: str = Which.ALL,
    is_whole: bool = True,
    has_names: bool = False,
) -> FoundLeave:
    return _look(person, raw, which=which, actor=actor, now=now)


@use_case_after(_looked)
def read_leave(
    found: FoundLeave,
    person: int,
    raw: bytes,
    *,
    actor: Actor,
    now: datetime,
    which: str = Which.ALL,
    is_whole: bool = True,
    has_names: bool = False,
) -> LeaveRead:
    """Write down the absences of an iCalendar file from now on as leave of somebody; read again, it follows what the file says then.

    `is_whole`: leave read before that is not in the file any more is cancelled. `has_names`: what the events are called is kept as the
    note of the leave, for those to read who may. Raises Invalid, NotFound, NotAllowed.
    """
    rotas.hold_people([person])
    steps = _steps(found, _known(person, now=now), is_whole=is_whole)
    for step in steps:
        if step.ends is not None:
            rotas.cancel_leave(step.ends, actor=actor, now=now)
    for step in steps:
        if step.writes is not None:
            rotas.add_leave(
                person,
                starts_at=step.writes.starts_at,
                ends_at=step.writes.ends_at,
                note=text.line(step.writes.name, field="file", limit=200, required=False) if has_names else "",
                source=step.writes.source,
                actor=actor,
                now=now,
            )
    if any(step.line.outcome != "unchanged" for step in steps):
        planning.people_changed([person], actor=actor, now=now)
    return LeaveRead(tuple(step.line for step in steps), found.passed_over)
