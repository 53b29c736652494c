"""The clocks of a ticket, solved from its steps. Pure.

A clock is a list of segments: running, paused, or stopped (after it was met, until a reopening). Its due instant is where its budget
is used up in the running segments, solved again after each step; what lies outside the hours of the calendar costs nothing. Order
per step: stop, reset, cancel, pause, resume (glossary, "Clock semantics").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from allswell.calendars.rules import Calendar
from allswell.tickets.rules import RESOLVED_STATES, State

from .shapes import ZERO, Book, Chosen, ClockState, Key, Passage, Segment, Solved
from .spending import Course, cut, used_up, with_gap, worked
from .story import Facts, Step
from .terms import RESUMED_BY_REOPENING, Counting, Metric, Stop, Target


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
    is_rerated: bool = False
    last: int | None = None  # the place of the step that ended it

    @property
    def course(self) -> Course:
        """What the arithmetic needs."""
        return Course(self.target.within, self.chosen.terms.zone, self.started_at, self.stopped_at)


def solve(
    steps: Sequence[Step], book: Book, *, now: datetime, pins: Mapping[Key, tuple[datetime, int]] | None = None
) -> list[Solved]:
    """Every clock the ticket has or had, in the order of their starts.

    `pins` are completed clocks: when they stopped and the version of the calendar they keep.
    """
    if not steps:
        return []
    solver = _Solver(steps, book, now, pins or {})
    for place in range(len(steps)):
        solver.take(place)
    return [solver.solved(clock) for clock in solver.clocks]


class _Solver:
    def __init__(self, steps: Sequence[Step], book: Book, now: datetime, pins: Mapping[Key, tuple[datetime, int]]) -> None:
        self.steps, self.book, self.pins = steps, book, pins
        self.opened_at = steps[0].at
        self.now = max(now, steps[-1].at)
        self.clocks: list[_Running] = []
        self._open: dict[Metric, _Running] = {}
        self._numbers: dict[tuple[int, Metric], int] = {}
        self._customer: Chosen | None = None
        self._known: Facts | None = None
        self._internal: Chosen | None = None

    def take(self, place: int) -> None:
        """Bring every clock over one step."""
        step = self.steps[place]
        self._choose(step.facts)
        for metric in Metric:
            clock = self._open.get(metric)
            if clock is not None and clock.state is None:
                self._over(clock, place)
            elif clock is not None and self._is_reopened(clock, place):
                self._resume(clock, place)
            self._begin(metric, place)

    def _choose(self, facts: Facts) -> None:
        if facts != self._known:
            self._customer = self.book.customer(facts, self.opened_at)
            self._internal = self.book.internal(facts, self.opened_at) if facts.team is not None else None
            self._known = facts

    def _promise(self, metric: Metric, facts: Facts) -> tuple[Chosen, Target] | None:
        chosen = self._internal if metric is Metric.TEAM_TIME else self._customer
        target = chosen.terms.target(metric, kind=facts.kind, priority=facts.priority) if chosen else None
        return (chosen, target) if chosen and target else None

    # -- one clock over one step -----------------------------------------------------------------------------------------------

    def _over(self, clock: _Running, place: int) -> None:
        step = self.steps[place]
        promise = self._promise(clock.key.metric, step.facts)
        stopped_at = self._stop(clock, clock.target if promise is None else promise[1], place)
        if stopped_at is not None:
            if promise is not None and promise[0].agreement == clock.key.agreement:
                self._rate(clock, promise, place)
            self._end(clock, ClockState.COMPLETED, stopped_at, place)
        elif step.facts.merged_into is not None:
            self._end(clock, ClockState.MERGED, step.at, place)
        elif step.facts.state in (State.CANCELLED, State.REJECTED):
            state = ClockState.MERGED if _is_merged_here(self.steps, place) else ClockState.CANCELLED
            self._end(clock, state, step.at, place)
        elif promise is None or promise[0].agreement != clock.key.agreement:
            self._end(clock, ClockState.CANCELLED, step.at, place)
        else:
            self._rate(clock, promise, place)

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

    def _end(self, clock: _Running, state: ClockState, at: datetime, place: int) -> None:
        clock.state, clock.stopped_at, clock.last = state, at, place

    def _rate(self, clock: _Running, promise: tuple[Chosen, Target], place: int) -> None:
        """The target in force for the facts now; a breach that only the new one makes is marked."""
        chosen, target = promise
        if target == clock.target:
            clock.chosen = chosen
            return
        at = self.steps[place].at
        old = self._due(clock, upto=place)
        clock.chosen, clock.target = chosen, target
        new = self._due(clock, upto=place)
        clock.is_rerated = new is not None and new < at and (old is None or old >= at or clock.is_rerated)

    def _is_reopened(self, clock: _Running, place: int) -> bool:
        if clock.state is not ClockState.COMPLETED or clock.key.metric not in RESUMED_BY_REOPENING:
            return False
        facts = self.steps[place].facts
        if clock.key.metric is Metric.TEAM_TIME and facts.team != clock.team:
            return False
        was = self.steps[place - 1].facts
        return was.is_done and not facts.is_done

    def _resume(self, clock: _Running, place: int) -> None:
        promise = self._promise(clock.key.metric, self.steps[place].facts)
        if promise is not None and promise[0].agreement == clock.key.agreement:
            self._go_on(clock, place)
            self._rate(clock, promise, place)

    def _go_on(self, clock: _Running, place: int) -> None:
        """The clock runs again; the time since it stopped is a gap."""
        assert clock.stopped_at is not None
        assert clock.last is not None
        step = self.steps[place]
        clock.gaps.append((clock.stopped_at, step.at, self.steps[clock.last].entry, step.entry))
        clock.state = clock.stopped_at = clock.last = None

    def _begin(self, metric: Metric, place: int) -> None:
        """Start the clock of a metric at this step, if the ticket is promised one and has none."""
        step, facts = self.steps[place], self.steps[place].facts
        clock = self._open.get(metric)
        if clock is not None and clock.state is None:
            return
        promise = self._promise(metric, facts)
        if promise is None or (facts.is_done and place > 0) or facts.merged_into is not None:
            return
        if metric is Metric.NEXT_UPDATE:
            if place == 0 or not self._is_update_awaited(step, place):
                return
            first = place
        elif metric is Metric.TEAM_TIME:
            if clock is not None and clock.last is not None and self.steps[clock.last].facts.team == clock.team == facts.team:
                return  # it ended with the work, not by a hand-over
            first = place
        else:
            if clock is not None and (clock.state is not ClockState.CANCELLED or self._was_kept(metric)):
                return
            first = 0
        self._attach(metric, promise, place, first)

    def _is_update_awaited(self, step: Step, place: int) -> bool:
        reopened = self.steps[place - 1].facts.is_done and not step.facts.is_done
        return (step.is_answer or reopened) and not step.facts.is_done

    def _was_kept(self, metric: Metric) -> bool:
        """Whether the promise was kept already, under whichever agreement."""
        return any(clock.key.metric is metric and clock.state is ClockState.COMPLETED for clock in self.clocks)

    def _attach(self, metric: Metric, promise: tuple[Chosen, Target], place: int, first: int) -> None:
        """A new clock, as from the step `first`: what happened since is gone through, so that pauses count."""
        chosen, target = promise
        number = self._numbers.get((chosen.agreement, metric), 0) + 1
        self._numbers[chosen.agreement, metric] = number
        facts = self.steps[place].facts
        clock = _Running(
            key=Key(chosen.agreement, metric, number),
            chosen=chosen,
            target=target,
            team=facts.team if metric is Metric.TEAM_TIME else None,
            started_at=self.steps[first].at,
            first=first,
        )
        self.clocks.append(clock)
        self._open[metric] = clock
        if metric in (Metric.NEXT_UPDATE, Metric.TEAM_TIME) and not facts.is_done:
            return
        for earlier in range(first, place + 1):
            stopped_at = self._stop(clock, target, earlier) if clock.state is None else None
            if stopped_at is not None:
                self._end(clock, ClockState.COMPLETED, stopped_at, earlier)
            elif clock.state is None and self.steps[earlier].facts.state in (State.CANCELLED, State.REJECTED):
                self._end(clock, ClockState.CANCELLED, self.steps[earlier].at, earlier)
            elif self._is_reopened(clock, earlier):
                self._go_on(clock, earlier)

    # -- what a clock comes to -------------------------------------------------------------------------------------------------

    def _segments(self, clock: _Running, *, upto: int) -> list[Segment]:
        """The stretches of a clock from its start to its stop, or to the step `upto` and on."""
        found: list[Segment] = []
        for place in range(clock.first, upto + 1):
            step = self.steps[place]
            is_paused = step.facts.state == State.WAITING and step.facts.waiting_on in clock.target.pauses
            passage = Passage.PAUSED if is_paused else Passage.RUNNING
            why = step.facts.waiting_on if is_paused else ""
            at = clock.started_at if place == clock.first else step.at
            if found and (found[-1].passage, found[-1].why) == (passage, why):
                continue
            if found:
                found[-1] = replace(found[-1], ends_at=at)
            found.append(Segment(passage, at, None, step.entry, why))
        for starts_at, ends_at, stopped, resumed in clock.gaps:
            found = with_gap(found, starts_at, ends_at, stopped, resumed)
        if clock.stopped_at is not None:
            found = cut(found, clock.stopped_at)
        return [segment for segment in found if segment.ends_at is None or segment.ends_at > segment.starts_at]

    def _due(self, clock: _Running, *, upto: int) -> datetime | None:
        calendar, _ = self._calendar(clock)
        return used_up(clock.course, self._segments(clock, upto=upto), calendar, clock.target.within.budget)

    def _calendar(self, clock: _Running) -> tuple[Calendar | None, int]:
        within = clock.target.within
        if within.counting is Counting.CALENDAR_DAYS:
            return None, 0
        pinned = self.pins.get(clock.key)
        keeps = pinned is not None and clock.state is ClockState.COMPLETED and pinned[0] == clock.stopped_at
        calendar = self.book.calendar(within.calendar, pinned[1] if pinned is not None and keeps else None)
        return calendar, calendar.number

    def solved(self, clock: _Running) -> Solved:
        """The clock as it stands now."""
        segments = self._segments(clock, upto=len(self.steps) - 1 if clock.last is None else clock.last)
        calendar, number = self._calendar(clock)
        budget = clock.target.within.budget
        due = used_up(clock.course, segments, calendar, budget)
        until = clock.stopped_at or self.now
        state = clock.state
        if state is None:
            is_paused = bool(segments) and segments[-1].passage is Passage.PAUSED
            state = ClockState.PAUSED if is_paused else ClockState.RUNNING
        counts = state in (ClockState.RUNNING, ClockState.PAUSED, ClockState.COMPLETED)
        breached = due is not None and due < until and counts
        warn = clock.target.warn
        warn_at = used_up(clock.course, segments, calendar, warn.spent(budget)) if warn else None
        spans = [
            (segment.passage, segment.starts_at, min(until, segment.ends_at or until))
            for segment in segments
            if segment.starts_at < until
        ]
        return Solved(
            key=clock.key,
            version=clock.chosen.version,
            target=clock.target,
            team=clock.team,
            state=state,
            started_at=clock.started_at,
            due_at=due,
            warn_at=warn_at,
            stopped_at=clock.stopped_at,
            breached_at=due if breached else None,
            is_rerated=clock.is_rerated and breached,
            wall=sum((end - start for kind, start, end in spans if kind is not Passage.STOPPED), ZERO),
            working=worked(clock.course, [(start, end) for kind, start, end in spans if kind is Passage.RUNNING], calendar),
            calendar_number=number,
            segments=tuple(segments),
            zone=clock.chosen.terms.zone,
            why=clock.chosen.why,
        )


def _is_merged_here(steps: Sequence[Step], place: int) -> bool:
    """A merge first cancels the ticket, then says into which it went, in the same instant."""
    return place + 1 < len(steps) and steps[place + 1].facts.merged_into is not None and steps[place + 1].at == steps[place].at
