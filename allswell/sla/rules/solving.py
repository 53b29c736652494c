"""The clocks of a ticket, solved from its steps. Pure.

A clock is a list of segments: running, paused, or stopped (after it was met, until a reopening). Its due instant is where its budget
is used up in the running segments, solved again after each step; what lies outside the hours of the calendar costs nothing. Order
per step: stop, reset, cancel, pause, resume (glossary, "Clock semantics").
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from allswell.calendars.rules import Calendar
from allswell.kernel.errors import DeskError
from allswell.tickets.rules import RESOLVED_STATES, State

from .shapes import ZERO, Book, Chosen, ClockState, Key, Passage, Segment, Solved, problem_of
from .spending import Course, Figures, cut, figures_of, used_up, wall_of, with_gap
from .story import Facts, Step
from .terms import RESUMED_BY_REOPENING, Counting, Metric, Stop, Target

_Promise = tuple[Chosen, Target]


@dataclass(slots=True)
class _Running:
    """A clock while the steps are read. `gaps` are the stretches after it was met, until reopened."""

    key: Key
    chosen: Chosen
    target: Target
    team: int | None
    started_at: datetime
    first: int  # the place of the step it starts with
    gaps: list[tuple[datetime, datetime | None, int, int]] = field(default_factory=list)  # from, to, entries of both
    stopped_at: datetime | None = None
    state: ClockState | None = None  # None: open
    last: int | None = None  # the place of the step that ended it
    is_dropped: bool = False  # cancelled because nothing promises it any more, not with its ticket
    is_rerated: bool = False  # late since another target holds, and was in time before
    was_late: bool = False  # late before another target held
    before: _Promise | None = None  # what held until it was re-rated

    stretches: dict[frozenset[str], tuple[int, list[Segment]]] = field(default_factory=dict)  # as far as they are known

    @property
    def as_written(self) -> tuple[Key, str, datetime, datetime | None]:
        """What tells whether it ended as it did before."""
        return self.key, (self.state or ClockState.RUNNING).value, self.started_at, self.stopped_at

    @property
    def course(self) -> Course:
        """What the arithmetic needs."""
        return Course(self.target.within, self.chosen.terms.zone, self.started_at, self.stopped_at)


def solve(
    steps: Sequence[Step],
    book: Book,
    *,
    now: datetime,
    pins: Mapping[Key, tuple[datetime, int]] | None = None,
    written: Container[tuple[Key, str, datetime, datetime | None]] = frozenset(),
) -> list[Solved]:
    """Every clock the ticket has or had, in the order of their starts.

    `pins` are clocks that ended: when, and the version of the calendar they keep. A clock that cannot be counted says why in
    `problem`; nothing is raised for it. `written` are clocks that ended (key, state, start, stop) of which nobody asks what they came
    to: those that end so again are answered without figures and segments.
    """
    if not steps:
        return []
    solver = _Solver(steps, book, now, pins or {})
    for place in range(len(steps)):
        solver.take(place)
    return [solver.in_short(clock) if clock.as_written in written else solver.solved(clock) for clock in solver.clocks]


class _Solver:
    def __init__(self, steps: Sequence[Step], book: Book, now: datetime, pins: Mapping[Key, tuple[datetime, int]]) -> None:
        self.steps, self.book, self.pins = steps, book, pins
        self.opened_at = steps[0].at
        self.now = max(now, steps[-1].at)
        self.clocks: list[_Running] = []
        self._latest: dict[Metric, _Running] = {}
        self._numbers: dict[tuple[int, Metric], int] = {}
        self._customer: Chosen | None = None
        self._known: tuple[object, ...] | None = None  # what agreements ask of a ticket, at the step before
        self._internal: Chosen | None = None
        self._promised: dict[Metric, _Promise | None] = {}
        self._hop = 0  # the place since which the team has it
        self._spoken: int | None = None  # the place since which the requester waits for the next word

    def take(self, place: int) -> None:
        """Bring every clock over one step."""
        self._look(place)
        for metric in Metric:
            clock = self._latest.get(metric)
            if clock is None and self._promised[metric] is None:
                continue
            if clock is not None and clock.state is None:
                self._over(clock, place)
            elif clock is not None and (held := self._held(clock)) and self._is_reopened(clock, place):
                self._go_on(clock, place)
                self._rate(clock, held, place)
            self._begin(metric, place)

    def _look(self, place: int) -> None:
        step, facts = self.steps[place], self.steps[place].facts
        asked = (facts.kind, facts.service, facts.priority, facts.organization, facts.team)
        if asked != self._known:
            self._customer = self.book.customer(facts, self.opened_at)
            self._internal = self.book.internal(facts, self.opened_at) if facts.team is not None else None
            self._known = asked
            self._promised = {metric: self._asked(metric, facts) for metric in Metric}
        if place == 0:
            return
        was = self.steps[place - 1].facts
        if facts.team != was.team:
            self._hop = place
        if facts.is_done:
            self._spoken = None
        elif step.is_answer or was.is_done:
            self._spoken = place

    def _asked(self, metric: Metric, facts: Facts) -> _Promise | None:
        chosen = self._internal if metric is Metric.TEAM_TIME else self._customer
        target = chosen.terms.target(metric, kind=facts.kind, priority=facts.priority) if chosen else None
        return (chosen, target) if chosen and target else None

    def _held(self, clock: _Running) -> _Promise | None:
        """What the agreement of a clock promises as the ticket stands after the step that is looked at."""
        promise = self._promised[clock.key.metric]
        return promise if promise is not None and promise[0].agreement == clock.key.agreement else None

    # -- one clock over one step -----------------------------------------------------------------------------------------------

    def _over(self, clock: _Running, place: int) -> None:
        step, held = self.steps[place], self._held(clock)
        stopped_at = self._stop(clock, held[1] if held else clock.target, place)
        if stopped_at is not None:
            if held is not None:
                self._rate(clock, held, place)
            self._end(clock, ClockState.COMPLETED, stopped_at, place)
        elif not self._is_cancelled(clock, place):
            if held is not None:
                self._rate(clock, held, place)
            else:
                clock.is_dropped = True
                self._end(clock, ClockState.CANCELLED, step.at, place)

    def _stop(self, clock: _Running, target: Target, place: int) -> datetime | None:
        """When the step stops the clock; None when it does not."""
        step, facts = self.steps[place], self.steps[place].facts
        is_over = facts.state in RESOLVED_STATES or facts.state == State.CLOSED
        match target.stop:
            case Stop.ACKNOWLEDGED:
                hit = facts.state not in (State.NEW, State.APPROVING, State.CANCELLED, State.REJECTED)
            case Stop.ANSWERED:
                hit = step.is_answer or is_over
            case Stop.RESTORED:
                if facts.restored_at is not None:
                    return max(clock.started_at, min(facts.restored_at, step.at))
                hit = is_over
            case Stop.RESOLVED:
                hit = is_over
            case Stop.CLOSED:
                hit = facts.state == State.CLOSED
            case Stop.HANDED_OVER:
                hit = is_over or facts.team != clock.team
        return step.at if hit else None

    def _is_cancelled(self, clock: _Running, place: int) -> bool:
        """Whether the step ends the clock with its ticket, unkept; it has then."""
        step, facts = self.steps[place], self.steps[place].facts
        if facts.merged_into is None and facts.state not in (State.CANCELLED, State.REJECTED):
            return False
        is_merged = facts.merged_into is not None or _is_merged_here(self.steps, place)
        self._end(clock, ClockState.MERGED if is_merged else ClockState.CANCELLED, step.at, place)
        return True

    def _end(self, clock: _Running, state: ClockState, at: datetime, place: int) -> None:
        clock.state, clock.stopped_at, clock.last = state, at, place

    def _rate(self, clock: _Running, promise: _Promise, place: int) -> None:
        """The target in force for the facts now; a breach that only the new one makes is marked."""
        chosen, target = promise
        if target == clock.target:
            clock.chosen = chosen
            return
        at, held = self.steps[place].at, (clock.chosen, clock.target)
        old = self._due(clock, upto=place)
        clock.was_late = clock.was_late or (old is not None and old < at and not clock.is_rerated)
        clock.chosen, clock.target = chosen, target
        self._mark(clock, held, at, upto=place)

    def _mark(self, clock: _Running, held: _Promise | None, at: datetime, *, upto: int) -> None:
        """Whether it is late at once, by what holds now, and was in time by what held."""
        due = self._due(clock, upto=upto)
        is_late = due is not None and due < at and not clock.was_late
        if is_late and not clock.is_rerated:
            clock.before = held
        clock.is_rerated = is_late

    def _is_reopened(self, clock: _Running, place: int) -> bool:
        """Whether the step takes up a ticket that was done, and this clock with it."""
        if place == 0 or clock.state is None or clock.is_dropped or clock.state is ClockState.MERGED:
            return False
        if clock.state is ClockState.COMPLETED and clock.key.metric not in RESUMED_BY_REOPENING:
            return False
        facts = self.steps[place].facts
        if clock.key.metric is Metric.NEXT_UPDATE or (clock.key.metric is Metric.TEAM_TIME and facts.team != clock.team):
            return False
        return self.steps[place - 1].facts.is_done and not facts.is_done

    def _go_on(self, clock: _Running, place: int) -> None:
        """The clock runs again; the time since it stopped is a gap."""
        assert clock.stopped_at is not None
        assert clock.last is not None
        step = self.steps[place]
        clock.gaps.append((clock.stopped_at, step.at, self.steps[clock.last].entry, step.entry))
        clock.state = clock.stopped_at = clock.last = None

    def _begin(self, metric: Metric, place: int) -> None:
        """Start the clock of a metric at this step, if the ticket is promised one and has none."""
        facts, clock = self.steps[place].facts, self._latest.get(metric)
        if (clock is not None and clock.state is None) or facts.merged_into is not None or (facts.is_done and place > 0):
            return
        promise = self._promised[metric]
        first = self._first(metric, clock, place) if promise is not None else None
        if promise is not None and first is not None:
            self._attach(metric, promise, place, first)

    def _first(self, metric: Metric, clock: _Running | None, place: int) -> int | None:
        """The place of the step as from which a clock of this metric would count now; None when there is to be none."""
        if metric is Metric.NEXT_UPDATE:
            return self._spoken
        is_free = clock is None or clock.is_dropped or self._is_reopened(clock, place)
        if metric is Metric.TEAM_TIME:
            is_other = clock is not None and (clock.team != self.steps[place].facts.team or clock.first < self._hop)
            hop = self._hop if self._hop == 0 or not self.steps[self._hop].facts.is_done else place
            return hop if is_free or is_other else None
        if not is_free or (clock is not None and clock.is_dropped and self._was_kept(metric)):
            return None
        return 0

    def _was_kept(self, metric: Metric) -> bool:
        """Whether the promise was kept already, under whichever agreement."""
        return any(clock.key.metric is metric and clock.state is ClockState.COMPLETED for clock in self.clocks)

    def _attach(self, metric: Metric, promise: _Promise, place: int, first: int) -> None:
        """A new clock, as from the step `first`: what happened since is gone through, so that pauses count."""
        chosen, target = promise
        number = self._numbers.get((chosen.agreement, metric), 0) + 1
        self._numbers[chosen.agreement, metric] = number
        former = self._latest.get(metric)
        clock = _Running(
            key=Key(chosen.agreement, metric, number),
            chosen=chosen,
            target=target,
            team=self.steps[place].facts.team if metric is Metric.TEAM_TIME else None,
            started_at=self.steps[first].at,
            first=first,
        )
        self.clocks.append(clock)
        self._latest[metric] = clock
        for earlier in range(first + 1 if metric is Metric.NEXT_UPDATE else first, place + 1):
            stopped_at = self._stop(clock, target, earlier) if clock.state is None else None
            if stopped_at is not None:
                self._end(clock, ClockState.COMPLETED, stopped_at, earlier)
            elif clock.state is None:
                self._is_cancelled(clock, earlier)
            elif self._is_reopened(clock, earlier):
                self._go_on(clock, earlier)
        if first < place:
            self._inherit(clock, former, place)

    def _inherit(self, clock: _Running, former: _Running | None, place: int) -> None:
        """A clock that begins in the past, because another promise holds: late only for that, or late before."""
        at = self.steps[place].at
        if former is not None and former.is_dropped and former.last == place:
            old = self._due(former, upto=place)
            clock.was_late = former.was_late or (old is not None and old < at and not former.is_rerated)
            held: _Promise | None = (former.chosen, former.target)
        else:
            held = None
        self._mark(clock, held, clock.stopped_at or at, upto=place)

    # -- what a clock comes to -------------------------------------------------------------------------------------------------

    def _segments(self, clock: _Running, *, upto: int, pauses: frozenset[str]) -> list[Segment]:
        """The stretches of a clock from its start to its stop, or to the step `upto` and on; `pauses` are reasons to wait for."""
        found = self._stretches(clock, upto=upto, pauses=pauses)
        for starts_at, ends_at, stopped, resumed in clock.gaps:
            found = with_gap(found, starts_at, ends_at, stopped, resumed)
        if clock.stopped_at is not None:
            found = cut(found, clock.stopped_at)
        return [segment for segment in found if segment.ends_at is None or segment.ends_at > segment.starts_at]

    def _stretches(self, clock: _Running, *, upto: int, pauses: frozenset[str]) -> list[Segment]:
        """Running and paused from its start on. Those of the steps before are kept: each rating asks for them again."""
        since, found = clock.stretches.get(pauses, (clock.first, []))
        if since > upto + 1:
            since, found = clock.first, []
        for place in range(since, upto + 1):
            step = self.steps[place]
            is_paused = step.facts.state == State.WAITING and step.facts.waiting_on in pauses
            passage = Passage.PAUSED if is_paused else Passage.RUNNING
            why = step.facts.waiting_on if is_paused else ""
            at = clock.started_at if place == clock.first else step.at
            if found and (found[-1].passage, found[-1].why) == (passage, why):
                continue
            if found:
                found[-1] = replace(found[-1], ends_at=at)
            found.append(Segment(passage, at, None, step.entry, why))
        clock.stretches[pauses] = upto + 1, found
        return list(found)

    def _due(self, clock: _Running, *, upto: int, promise: _Promise | None = None) -> datetime | None:
        """When the budget is used up, by this promise or the one that holds; None too when it cannot be counted."""
        chosen, target = promise or (clock.chosen, clock.target)
        course = replace(clock.course, within=target.within, zone=chosen.terms.zone)
        segments = self._segments(clock, upto=upto, pauses=target.pauses)
        try:
            return used_up(course, segments, self._calendar(clock, promise)[0], target.within.budget)
        except DeskError:
            return None

    def _calendar(self, clock: _Running, promise: _Promise | None = None) -> tuple[Calendar | None, int]:
        """The calendar it counts in, by the clocks of the agreement's zone, and the version of it; what ended keeps its version."""
        chosen, target = promise or (clock.chosen, clock.target)
        if target.within.counting is Counting.CALENDAR_DAYS:
            return None, 0
        pinned = self.pins.get(clock.key)
        keeps = pinned is not None and (clock.state is None or pinned[0] == clock.stopped_at)
        calendar = self.book.calendar(target.within.calendar, pinned[1] if pinned is not None and keeps else None)
        return calendar.in_zone(chosen.terms.zone), calendar.number

    def _is_only_rerated(self, clock: _Running, until: datetime, *, upto: int) -> bool:
        """Whether what held before would not have been broken by now."""
        if not clock.is_rerated or clock.before is None:
            return clock.is_rerated
        due = self._due(clock, upto=upto, promise=clock.before)
        return due is None or due >= until

    def in_short(self, clock: _Running) -> Solved:
        """A clock that ended as it is written: without what it came to."""
        assert clock.state is not None
        return Solved(
            key=clock.key,
            version=clock.chosen.version,
            target=clock.target,
            team=clock.team,
            state=clock.state,
            started_at=clock.started_at,
            due_at=None,
            warn_at=None,
            stopped_at=clock.stopped_at,
            breached_at=None,
            is_rerated=False,
            wall=ZERO,
            working=ZERO,
            calendar_number=0,
            segments=(),
        )

    def solved(self, clock: _Running) -> Solved:
        """The clock as it stands now."""
        upto = len(self.steps) - 1 if clock.last is None else clock.last
        if clock.state is None:
            self.pins = {key: pin for key, pin in self.pins.items() if key != clock.key}  # it has not ended after all
        segments = self._segments(clock, upto=upto, pauses=clock.target.pauses)
        state = clock.state
        if state is None:
            state = ClockState.PAUSED if segments and segments[-1].passage is Passage.PAUSED else ClockState.RUNNING
        until = clock.stopped_at or self.now
        try:
            calendar, number = self._calendar(clock)
            figures, problem = figures_of(clock.course, segments, calendar, clock.target.warn, until=until), ""
        except DeskError as error:
            figures, number, problem = Figures(None, None, wall_of(segments, until), ZERO), 0, problem_of(error)
        counts = state in (ClockState.RUNNING, ClockState.PAUSED, ClockState.COMPLETED)
        breached = figures.due is not None and figures.due < until and counts
        return Solved(
            key=clock.key,
            version=clock.chosen.version,
            target=clock.target,
            team=clock.team,
            state=state,
            started_at=clock.started_at,
            due_at=figures.due,
            warn_at=figures.warn,
            stopped_at=clock.stopped_at,
            breached_at=figures.due if breached else None,
            is_rerated=breached and self._is_only_rerated(clock, until, upto=upto),
            wall=figures.wall,
            working=figures.working,
            calendar_number=number,
            segments=tuple(segments),
            zone=clock.chosen.terms.zone,
            why=clock.chosen.why,
            problem=problem,
        )


def _is_merged_here(steps: Sequence[Step], place: int) -> bool:
    """A merge first cancels the ticket, then says into which it went, in the same instant."""
    return place + 1 < len(steps) and steps[place + 1].facts.merged_into is not None and steps[place + 1].at == steps[place].at
