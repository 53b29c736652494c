"""Why a clock says what it says: its due instant line by line, as shapes a page, the API and the command line put into words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from allswell.calendars import rules as calendars
from allswell.calendars.rules import Calendar

from . import queries
from .rules.shapes import ZERO, Passage, Segment
from .rules.spending import Course, counts_since
from .rules.terms import Counting, Target, Terms

if TYPE_CHECKING:
    from .models import Clock
    from .queries import AgreementBook

#: of a long row of days only so many lines are told at each end
_ENDS = 3
#: no more pieces are drawn one by one
_MOST_DRAWN = 300
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A line: what the clock did from one instant to another, what of it counted and what was used up then.

    `what` is running, closed (outside the hours), paused, stopped, or more (several lines told as one, `lines` of them); `entry` is
    the journal entry that began it, None inside a segment, and `event` what that entry did (a key of `explaining.EVENTS`); `why` is what
    a pause waits on, or why what is closed does not count yet; `is_ahead` when it lies in the future.
    """

    what: str
    starts_at: datetime
    ends_at: datetime
    counted: timedelta
    used: timedelta
    entry: int | None = None
    why: str = ""
    is_ahead: bool = False
    lines: int = 1
    event: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of the drawn strip, in thousandths of its width."""

    what: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Telling:
    """A clock explained. `began_at` is from when it counts (a cut-off or a day off may move it); `until` is its stop, or now.

    `left` is what is left of the budget at `until`, negative when it is overdrawn.
    """

    clock: Clock
    agreement: str
    in_force_from: datetime
    terms: Terms
    target: Target
    calendar: Calendar | None
    began_at: datetime
    until: datetime
    stretches: tuple[Stretch, ...]
    drawn: tuple[Stretch, ...]
    left: timedelta
    is_running: bool

    @property
    def is_open(self) -> bool:
        """Whether the promise is still to be kept."""
        return self.clock.stopped_at is None

    @property
    def is_late(self) -> bool:
        """Whether the due instant passed before it stopped."""
        due = self.clock.due_at
        return due is not None and due < self.until and self.clock.state not in ("cancelled", "merged")

    @property
    def share(self) -> int:
        """How much of the budget is used up, in percent, rounded down so that 99.9 is not yet all of it."""
        budget = self.target.within.budget
        return max(0, min(100, int((budget - self.left) / budget * 100)))

    @property
    def drawn_until(self) -> datetime:
        """Where the drawn strip ends: now or the stop, the due instant, or the last stretch, whichever is last."""
        return max([self.until, self.clock.due_at or self.until, *(one.ends_at for one in self.stretches)])

    @property
    def kinds_drawn(self) -> set[str]:
        """What there is to see in the strip; its legend names no more."""
        return {"running" if one.what == "more" else one.what for one in self.drawn}

    def strip(self) -> list[Mark]:
        """The drawn strip: every stretch, then where it is due, then where it stands now."""
        first, last = self.clock.started_at, self.drawn_until
        whole = max(last - first, timedelta(minutes=1))

        def at(instant: datetime) -> float:
            return round(min(1000.0, max(0.0, (instant - first) / whole * 1000)), 1)

        marks = [
            Mark(("ahead-" if one.is_ahead else "") + one.what, at(one.starts_at), round(at(one.ends_at) - at(one.starts_at), 1))
            for one in self.drawn
        ]
        if self.clock.due_at is not None:
            marks.append(Mark("due", at(self.clock.due_at), 0))
        marks.append(Mark("now" if self.is_open else "end", at(self.until), 0))
        return marks


def in_order(clock: Clock) -> tuple[bool, datetime, int]:
    """A key to sort clocks by: first the open ones by what is due next, then those that pause, then the others as they began."""
    is_done = clock.stopped_at is not None
    return is_done, (clock.started_at if is_done else clock.due_at or _NEVER), clock.pk


def telling(clock: Clock, book: AgreementBook, *, now: datetime) -> Telling:
    """Explain one clock as it was last written; `now` only says how far a running one is."""
    in_force_from, terms = book.said(clock.agreement_id, clock.version)
    target = next(one for one in terms.targets if one.key == clock.target)
    calendar = None
    if clock.calendar and clock.calendar_version:
        calendar = book.calendar(clock.calendar, clock.calendar_version).in_zone(terms.zone)
    until = clock.stopped_at or max(now, clock.started_at)
    lines = [] if clock.problem else list(_lines(clock, target, terms, calendar, until))
    used = max((one.used for one in lines if not one.is_ahead), default=ZERO)
    return Telling(
        clock=clock,
        agreement=clock.agreement.name,
        in_force_from=in_force_from,
        terms=terms,
        target=target,
        calendar=calendar,
        began_at=_began_at(clock, target, terms, calendar),
        until=until,
        stretches=(short := tuple(_in_short(lines, clock.due_at))),
        drawn=tuple(lines) if len(lines) <= _MOST_DRAWN else short,
        left=target.within.budget - used,
        is_running=clock.state == "running",
    )


def _began_at(clock: Clock, target: Target, terms: Terms, calendar: Calendar | None) -> datetime:
    """From when it counts: for working days the start after the cut-off and days off, else the start itself."""
    if target.within.counting is not Counting.WORKING_DAYS or clock.problem:
        return clock.started_at
    return counts_since(Course(target.within, terms.zone, clock.started_at, clock.stopped_at), calendar)


def _lines(clock: Clock, target: Target, terms: Terms, calendar: Calendar | None, until: datetime) -> Iterator[Stretch]:
    """Every stretch, past and (up to the due instant) to come."""
    used, since = ZERO, _began_at(clock, target, terms, calendar)
    segments = queries.segments(clock)
    early = _why_not_yet(clock, terms, calendar, since)
    before: Segment | None = None
    horizon = max(until, clock.due_at or until) if clock.stopped_at is None else until
    for segment in segments:
        end = min(segment.ends_at or horizon, horizon)
        if segment.ends_at is None and segment.passage is Passage.PAUSED:
            end = until
        event, before = _event(segment, before, clock.metric), segment
        pieces = _pieces(segment, end, target, terms, calendar, since)
        for place, (what, start, stop, counted) in enumerate(pieces):
            for first, last, is_ahead in _parted(start, stop, until, clock.due_at if what == "running" else None):
                share = counted if (first, last) == (start, stop) else _counted(what, first, last, target, terms, calendar)
                used += share
                begins = place == 0 and first == start
                why = early if what == "closed" and last <= since else segment.why
                yield Stretch(
                    what,
                    first,
                    last,
                    share,
                    used,
                    segment.entry if begins else None,
                    why,
                    is_ahead,
                    event=event if begins else "",
                )


def _event(segment: Segment, before: Segment | None, metric: str) -> str:
    """What the entry that began a segment did, told by what the clock did before it."""
    if before is None:
        return {"team_time": "came", "next_update": "updated"}.get(metric, "opened")
    if segment.passage is Passage.STOPPED:
        return "done"
    if before.passage is Passage.STOPPED:
        return "reopened"
    if segment.passage is Passage.PAUSED:
        return "held"
    return "resumed" if before.passage is Passage.PAUSED else "changed"


def _why_not_yet(clock: Clock, terms: Terms, calendar: Calendar | None, since: datetime) -> str:
    """Why working days are counted from later than the start: it came in on a day off, or after the cut-off."""
    if since == clock.started_at or calendar is None:
        return ""
    day = calendars.local_time(calendars.zone_named(terms.zone), clock.started_at).date()
    return "cutoff" if calendars.is_working_day(calendar, day) else "day_off"


def _parted(start: datetime, stop: datetime, until: datetime, due: datetime | None) -> list[tuple[datetime, datetime, bool]]:
    """A piece in what is past and what is to come, and in what came before the due instant and after it."""
    cuts = sorted({at for at in (until, due) if at is not None and start < at < stop})
    return [(first, last, first >= until) for first, last in pairwise([start, *cuts, stop])]


def _counted(what: str, start: datetime, stop: datetime, target: Target, terms: Terms, calendar: Calendar | None) -> timedelta:
    if what != "running":
        return ZERO
    if target.within.counting is Counting.WORKING and calendar is not None:
        return calendars.working_time(calendar, start, stop)
    return calendars.day_time(calendar, start, stop, zone=terms.zone)


def _pieces(
    segment: Segment, end: datetime, target: Target, terms: Terms, calendar: Calendar | None, since: datetime
) -> list[tuple[str, datetime, datetime, timedelta]]:
    """A segment cut at the hours of the calendar, or at its working days: (what, from, to, what of it counted)."""
    start = segment.starts_at
    if end <= start:
        return []
    if segment.passage is not Passage.RUNNING:
        return [(segment.passage.value, start, end, ZERO)]
    if target.within.counting is Counting.WORKING_DAYS and calendar is not None:
        return _days(start, end, calendar, zone=terms.zone, since=since)
    if target.within.counting is not Counting.WORKING or calendar is None:
        return [("running", start, end, _counted("running", start, end, target, terms, calendar))]
    found: list[tuple[str, datetime, datetime, timedelta]] = []
    at = start
    for opens, closes in calendars.open_spans(calendar, start, end):
        if opens > at:
            found.append(("closed", at, opens, ZERO))
        found.append(("running", opens, closes, closes - opens))
        at = closes
    if at < end:
        found.append(("closed", at, end, ZERO))
    return found


def _days(
    start: datetime, end: datetime, calendar: Calendar, *, zone: str, since: datetime
) -> list[tuple[str, datetime, datetime, timedelta]]:
    """A stretch cut into working days and days off, each row of them one piece; before `since` nothing counts."""
    found: list[tuple[str, datetime, datetime, timedelta]] = []
    at = min(max(start, since), end)
    if at > start:
        found.append(("closed", start, at, ZERO))
    while at < end:
        day = calendars.local_time(calendars.zone_named(zone), at).date()
        is_working = calendars.is_working_day(calendar, day)
        while True:
            day += timedelta(days=1)
            midnight = calendars.at_local(zone, day, 0)
            if midnight >= end or calendars.is_working_day(calendar, day) is not is_working:
                break
        stop = min(midnight, end)
        counted = calendars.day_time(calendar, at, stop, zone=zone) if is_working else ZERO
        found.append(("running" if is_working else "closed", at, stop, counted))
        at = stop
    return found


def _in_short(lines: Sequence[Stretch], due: datetime | None) -> Iterator[Stretch]:
    """Long rows of days and nights within one segment are told by their ends, before the due instant and after it."""
    start = 0
    while start < len(lines):
        stop = start + 1
        while stop < len(lines) and lines[stop].entry is None and lines[stop].starts_at != due:
            stop += 1
        row = lines[start:stop]
        if len(row) <= 3 * _ENDS:
            yield from row
        else:
            yield from row[:_ENDS]
            inner = row[_ENDS:-_ENDS]
            yield replace(
                inner[0],
                what="more",
                ends_at=inner[-1].ends_at,
                counted=sum((one.counted for one in inner), ZERO),
                used=inner[-1].used,
                lines=len(inner),
            )
            yield from row[-_ENDS:]
        start = stop
