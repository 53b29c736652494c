"""How a run goes through its policy. Pure: the engine, the dry run and the coverage check go through the same steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from allswell.notifications.rules import ContactKind, Planned, Reach, Urgency

from .policies import Policy, Step, Target


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"  # it calls until somebody answers
    ACKNOWLEDGED = "acknowledged"  # somebody answered, and their promise holds
    ENDED = "ended"  # nothing is left to call for
    EXHAUSTED = "exhausted"  # it called everybody as often as it should, and nobody answered


class PageCause(StrEnum):
    """What a page is about that belongs to no run."""

    PRACTICE = "practice"  # nothing: it tries the way to somebody
    HANDOVER = "handover"  # a shift that nobody has taken


OPEN = (RunState.RUNNING, RunState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run stands: the step it takes next, in which round, when; `turn` counts the steps it took, over all rounds.

    Of an acknowledged run `next_at` is the end of the promise.
    """

    state: RunState
    position: int = 0
    round: int = 0
    turn: int = 0
    next_at: datetime | None = None
    has_reached: bool = False  # somebody, in this round

    @property
    def is_open(self) -> bool:
        """Whether it may still call somebody."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Called:
    """One that a step reaches: a person, or a room or webhook of a team; and the target that names them."""

    target: Target
    person: int | None = None
    room: int | None = None
    webhook: int | None = None


class World(Protocol):
    """What a run has to know of the world at an instant."""

    def called(self, target: Target, at: datetime) -> tuple[Called, ...]:
        """Whom a target reaches; nobody when nobody is there."""

    def is_inside(self, calendar: int, at: datetime) -> bool:
        """Whether an instant is within the hours of a calendar."""

    def reaches(self, one: Called) -> bool:
        """Whether a page gets to one that is called: there is a way, and they may know what it is about."""


class Empty(StrEnum):
    """Why a step called nobody."""

    PRIORITY = "priority"  # it is for other priorities
    HOURS = "hours"  # it is for other hours
    NOBODY = "nobody"  # nobody is there
    UNREACHABLE = "unreachable"  # somebody is, and no page gets to them


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken: whom it called, or why nobody (then it did not wait); unreachable ones are named all the same."""

    position: int
    round: int
    turn: int
    called: tuple[Called, ...]
    empty: Empty | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """What a run did when it was due, and how it stands after that."""

    taken: tuple[Taken, ...]
    run: Run
    is_promise_broken: bool = False


def advance(run: Run, policy: Policy, *, priority: int, at: datetime, world: World) -> Advance:
    """Take the step that is due at `at`, passing over those that reach nobody without waiting for them.

    The next step is due its wait after `at`, not after the instant this one should have been taken: a run that was late because
    nothing was watching does not call everybody at once. An acknowledged run whose promise is over calls again at the step that had
    been answered. A round that reaches nobody at all lasts as long as its waits, so that it meets who comes on call meanwhile.
    """
    is_promise_broken = run.state is RunState.ACKNOWLEDGED
    if is_promise_broken:
        run = resumed(run, at=at)
    taken: list[Taken] = []
    while True:
        if run.position >= len(policy.steps):
            if run.round >= policy.repeat:
                return Advance(tuple(taken), replace(run, state=RunState.EXHAUSTED, next_at=None), is_promise_broken)
            is_empty = not run.has_reached
            run = replace(run, position=0, round=run.round + 1, has_reached=False)
            if is_empty:
                wait = timedelta(seconds=sum(step.wait for step in policy.steps))
                return Advance(tuple(taken), replace(run, next_at=at + wait), is_promise_broken)
            continue
        step = policy.steps[run.position]
        empty, called = tried(step, priority=priority, at=at, world=world)
        if empty is None and not any(world.reaches(one) for one in called):
            empty = Empty.UNREACHABLE
        taken.append(Taken(run.position, run.round, run.turn, called, empty))
        run = replace(run, position=run.position + 1, turn=run.turn + 1)
        if empty is None:
            run = replace(run, next_at=at + timedelta(seconds=step.wait), has_reached=True)
            return Advance(tuple(taken), run, is_promise_broken)


def tried(step: Step, *, priority: int, at: datetime, world: World) -> tuple[Empty | None, tuple[Called, ...]]:
    """Whom a step calls at an instant, each once; or why it calls nobody."""
    if step.priorities and priority not in step.priorities:
        return Empty.PRIORITY, ()
    if step.during and world.is_inside(step.during.calendar, at) != step.during.is_inside:
        return Empty.HOURS, ()
    called: dict[tuple[int | None, int | None, int | None], Called] = {}
    for target in step.targets:
        for one in world.called(target, at):
            called.setdefault((one.person, one.room, one.webhook), one)
    return (None, tuple(called.values())) if called else (Empty.NOBODY, ())


def ways(
    one: Called, reach: Mapping[int, Reach], rooms: Mapping[int, str], urgency: Urgency, at: datetime
) -> tuple[Planned, ...]:
    """When and by what a page made at `at` goes to one that a step reaches; `rooms` are the kinds of the teams' contacts by id."""
    if one.room is not None:
        kind = rooms.get(one.room)
        return (Planned(ContactKind(kind), one.room, at),) if kind else ()
    found = reach.get(one.person or 0)
    return found.plan(urgency, at) if found else ()


def passed_over(run: Run, policy: Policy, *, at: datetime) -> Run:
    """The run after a step that could not be taken for an error: on to the next one, at once or in the next round."""
    if run.state is RunState.ACKNOWLEDGED:
        run = resumed(run, at=at)
    run = replace(run, position=run.position + 1, turn=run.turn + 1, next_at=at)
    if run.position >= len(policy.steps):
        wait = timedelta(seconds=policy.steps[-1].wait)
        if run.round >= policy.repeat:
            return replace(run, next_at=at + wait)  # there it ends as exhausted
        return replace(run, position=0, round=run.round + 1, next_at=at + wait, has_reached=False)
    return run


def acknowledged(run: Run, *, until: datetime) -> Run:
    """The run once somebody has answered: it rests until their promise is over."""
    return replace(run, state=RunState.ACKNOWLEDGED, next_at=until)


def resumed(run: Run, *, at: datetime) -> Run:
    """The run when an answer counts no more: it calls again at the step that had been answered."""
    return replace(run, state=RunState.RUNNING, position=max(0, run.position - 1), next_at=at)


def ended(run: Run) -> Run:
    """The run once there is nothing left to call for."""
    return replace(run, state=RunState.ENDED, next_at=None)
