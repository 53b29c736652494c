"""How a clock spends its budget: over its running segments, within the hours of its calendar or in days. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allswell.calendars import rules as calendars
from allswell.calendars.rules import Calendar

from .shapes import ZERO, Passage, Segment
from .terms import Counting, Warn, Within


@dataclass(frozen=True, slots=True)
class Course:
    """What the arithmetic needs of a clock: what it counts, in which zone its days are, when it started and (if so) stopped."""

    within: Within
    zone: str
    started_at: datetime
    stopped_at: datetime | None


def with_gap(
    segments: Sequence[Segment], starts_at: datetime, ends_at: datetime | None, stopped: int, resumed: int
) -> list[Segment]:
    """The segments with a stretch taken out of them."""
    found: list[Segment] = []
    is_in = False
    for segment in segments:
        end = segment.ends_at
        if segment.starts_at < starts_at:
            found.append(replace(segment, ends_at=starts_at if end is None or end > starts_at else end))
        if not is_in and (end is None or end > starts_at):
            found.append(Segment(Passage.STOPPED, starts_at, ends_at, stopped))
            is_in = True
        if ends_at is not None and (end is None or end > ends_at):
            late = segment.starts_at < ends_at
            found.append(replace(segment, starts_at=ends_at, entry=resumed) if late else segment)
    return found


def cut(segments: Sequence[Segment], at: datetime) -> list[Segment]:
    """The segments up to an instant."""
    found = [segment for segment in segments if segment.starts_at < at]
    if found and (found[-1].ends_at is None or found[-1].ends_at > at):
        found[-1] = replace(found[-1], ends_at=at)
    return found


def used_up(clock: Course, segments: Sequence[Segment], calendar: Calendar | None, budget: timedelta) -> datetime | None:
    """When the running segments use up a budget; None while the clock is paused with time left.

    A clock that stopped before is answered as though it had run on.
    """
    within = clock.within
    if within.counting is not Counting.WORKING or calendar is None:
        return _after_days(clock, segments, calendar, budget)
    left = budget
    last: datetime | None = None
    for segment in segments:
        if segment.passage is not Passage.RUNNING:
            continue
        if segment.ends_at is None:
            return calendars.add_working_time(calendar, segment.starts_at, left)
        spent = calendars.working_time(calendar, segment.starts_at, segment.ends_at)
        if spent >= left:
            return calendars.add_working_time(calendar, segment.starts_at, left)
        left -= spent
        last = segment.ends_at
    if clock.stopped_at is None:
        return None if segments else calendars.add_working_time(calendar, clock.started_at, left)
    return calendars.add_working_time(calendar, max(last or clock.started_at, clock.stopped_at), left)


def _after_days(clock: Course, segments: Sequence[Segment], calendar: Calendar | None, budget: timedelta) -> datetime | None:
    within = clock.within
    pauses = [
        (segment.starts_at, segment.ends_at) for segment in segments if segment.passage is not Passage.RUNNING and segment.ends_at
    ]
    due = calendars.add_days(
        calendar,
        clock.started_at,
        budget,
        zone=clock.zone,
        cutoff=within.cutoff,
        opening=within.opening,
        off_day=within.off_day,
        pauses=pauses,
    )
    pending = segments[-1] if segments and segments[-1].ends_at is None else None
    if pending is not None and pending.passage is Passage.PAUSED and pending.starts_at < due:
        return None
    return due


def worked(clock: Course, spans: Sequence[tuple[datetime, datetime]], calendar: Calendar | None) -> timedelta:
    """What of these stretches counted. In days: since the start counts, which may be the next opening."""
    if clock.within.counting is Counting.WORKING and calendar is not None:
        return sum((calendars.working_time(calendar, start, end) for start, end in spans), ZERO)
    zone, since = clock.zone, counts_since(clock, calendar)
    counted = [(max(start, since), end) for start, end in spans if end > since]
    return sum((calendars.day_time(calendar, start, end, zone=zone) for start, end in counted), ZERO)


def counts_since(clock: Course, calendar: Calendar | None) -> datetime:
    """The instant from which days are counted: the start, or where the cut-off hour or a day off moves it."""
    within = clock.within
    return calendars.days_begin(
        calendar,
        clock.started_at,
        zone=clock.zone,
        cutoff=within.cutoff,
        opening=within.opening,
        off_day=within.off_day,
    )


def _warns(
    clock: Course, segments: Sequence[Segment], calendar: Calendar | None, warn: Warn, due: datetime | None
) -> datetime | None:
    """When to warn: after a share of the time, or so much before it is up. Working days are warned of in working time, within hours."""
    within = clock.within
    if within.counting is not Counting.WORKING_DAYS or calendar is None:
        return used_up(clock, segments, calendar, warn.spent(within.budget))
    if due is None:
        return None
    since = counts_since(clock, calendar)
    running = [(one.starts_at, min(due, one.ends_at or due)) for one in segments if one.passage is Passage.RUNNING]
    if clock.stopped_at is not None and clock.stopped_at < due:
        running.append((clock.stopped_at, due))  # as though it had run on
    spans = [(max(start, since), end) for start, end in running if end > max(start, since)]
    whole = sum((calendars.working_time(calendar, start, end) for start, end in spans), ZERO)
    left = warn.spent(whole)
    for start, end in spans:
        spent = calendars.working_time(calendar, start, end)
        if spent >= left:
            return min(due, calendars.add_working_time(calendar, start, left))
        left -= spent
    return due


@dataclass(frozen=True, slots=True)
class Figures:
    """What a clock comes to. `wall` is the time without what was stopped, `working` what of it counted."""

    due: datetime | None
    warn: datetime | None
    wall: timedelta
    working: timedelta


def figures_of(
    clock: Course, segments: Sequence[Segment], calendar: Calendar | None, warn: Warn | None, *, until: datetime
) -> Figures:
    """Due, warning and time spent `until` it stopped or now. Raises DeskError when the calendar cannot say."""
    due = used_up(clock, segments, calendar, clock.within.budget)
    running = [(start, end) for kind, start, end in _spans(segments, until) if kind is Passage.RUNNING]
    return Figures(
        due=due,
        warn=_warns(clock, segments, calendar, warn, due) if warn else None,
        wall=wall_of(segments, until),
        working=worked(clock, running, calendar),
    )


def wall_of(segments: Sequence[Segment], until: datetime) -> timedelta:
    """The time until an instant without what was stopped."""
    return sum((end - start for kind, start, end in _spans(segments, until) if kind is not Passage.STOPPED), ZERO)


def _spans(segments: Sequence[Segment], until: datetime) -> list[tuple[Passage, datetime, datetime]]:
    return [(one.passage, one.starts_at, min(until, one.ends_at or until)) for one in segments if one.starts_at < until]
