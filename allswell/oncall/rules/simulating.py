"""What would happen: a policy walked through from an instant to its end, with the steps a run takes. Pure.

Nobody answers, or somebody answers once, and then keeps the promise or breaks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from allswell.notifications.rules import Planned, Reach

from .escalating import Called, Run, RunState, Taken, World, acknowledged, advance, ways
from .policies import Policy

#: how far ahead a policy is walked through
LONGEST = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody answers what a step asked, `after` so long; then there is word in time (`is_kept`), or none ever."""

    step: int
    after: timedelta
    is_kept: bool = True


class What(StrEnum):
    """What happens at a moment."""

    STEP = "step"
    ANSWERED = "answered"
    BROKEN = "broken"  # the promise is over without a word
    EXHAUSTED = "exhausted"  # everybody was called as often as the policy says
    GOES_ON = "goes_on"  # beyond what is walked through


@dataclass(frozen=True, slots=True)
class Call:
    """One that is called: whom a step reaches, and by which ways when."""

    called: Called
    planned: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens: of a step `taken` and its `calls`, of an answer until when it holds (`until`)."""

    at: datetime
    what: What
    taken: Taken | None = None
    calls: tuple[Call, ...] = ()
    until: datetime | None = None


def walk(
    policy: Policy,
    *,
    priority: int,
    at: datetime,
    world: World,
    reach: Mapping[int, Reach],
    rooms: Mapping[int, str],
    answer: Answer | None = None,
    until: datetime | None = None,
) -> tuple[Moment, ...]:
    """Everything that happens from `at` on, in order, until the policy ends, is answered for good, or `until`."""
    return _unsent(tuple(_walk(policy, priority, at, world, reach, rooms, answer, until or at + LONGEST)))


def _walk(
    policy: Policy,
    priority: int,
    at: datetime,
    world: World,
    reach: Mapping[int, Reach],
    rooms: Mapping[int, str],
    answer: Answer | None,
    until: datetime,
) -> Iterator[Moment]:
    run = Run(RunState.RUNNING, next_at=at)
    urgency = policy.urgency(priority)
    answer_at: datetime | None = None
    while (now := run.next_at) is not None:
        if answer is not None and answer_at is not None and answer_at <= now:
            promised = answer_at + timedelta(seconds=policy.promise)
            yield Moment(answer_at, What.ANSWERED, until=None if answer.is_kept else promised)
            if answer.is_kept:
                return
            run, answer, answer_at = acknowledged(run, until=promised), None, None
            continue
        if now > until:
            yield Moment(now, What.GOES_ON)
            return
        came = advance(run, policy, priority=priority, at=now, world=world)
        if came.is_promise_broken:
            yield Moment(now, What.BROKEN)
        for taken in came.taken:
            yield Moment(now, What.STEP, taken, tuple(Call(one, ways(one, reach, rooms, urgency, now)) for one in taken.called))
            if answer is not None and answer_at is None and taken.empty is None and taken.position == answer.step:
                answer_at = now + answer.after
        if came.run.state is RunState.EXHAUSTED:
            yield Moment(now, What.EXHAUSTED)
        run = came.run


def _unsent(moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """The moments without what an answer kept from being sent."""
    before = next((place for place, moment in enumerate(moments) if moment.what is What.ANSWERED), None)
    if before is None:
        return moments
    answered = moments[before].at

    def sent(moment: Moment) -> Moment:
        calls = (replace(call, planned=tuple(way for way in call.planned if way.due_at < answered)) for call in moment.calls)
        return replace(moment, calls=tuple(calls))

    return (*(sent(moment) for moment in moments[:before]), *moments[before:])
