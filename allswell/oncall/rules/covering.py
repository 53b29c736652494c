"""Whether somebody would be reached: for every instant of a time, by the steps a run takes. Pure.

The answer is constant between the instants at which anything changes that was looked at; so only those are looked at, and nothing is
missed between them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from allswell.notifications.rules import DEFAULT_AFTER, ContactKind, Planned, Reach, Urgency

from .escalating import Empty, Run, RunState, Taken, advance
from .knowing import MEANT, Absent, Known, quiet_edges
from .policies import Policy

#: ways that fail together count as one: they use one number and one carrier
_FAMILY = {ContactKind.SMS: "telephone", ContactKind.VOICE: "telephone"}
#: how many of them make a person sure to be reached
ENOUGH = 2
_FAR = timedelta(days=36500)


class Lack(StrEnum):
    """What is missing where nobody would surely be reached, the worst first."""

    NO_POLICY = "no_policy"
    NEVER_STARTS = "never_starts"  # the policy starts for no priority
    NOBODY = "nobody"  # no step reaches anybody in time
    NO_PERSON = "no_person"  # only rooms and webhooks
    NO_CONTACT = "no_contact"  # only people without any way that is verified and works
    LATE = "late"  # only people whose quiet hours or own rules delay it beyond the time
    ONE_WAY = "one_way"  # only people with one way


@dataclass(frozen=True, slots=True)
class Missing:
    """A target of a step that reaches nobody, and why; `absent` None: the step is for other priorities."""

    step: int
    target: int
    absent: Absent | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds at an instant: `lack` None is fine; `is_off`: nobody is called, and it is meant. `persons` are called, not enough."""

    lack: Lack | None = None
    is_off: bool = False
    persons: tuple[int, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether somebody is surely reached."""
        return self.lack is None and not self.is_off


FINE = Verdict()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the same holds, half-open, for incidents of these priorities."""

    starts_at: datetime
    ends_at: datetime
    verdict: Verdict
    priorities: tuple[int, ...] = ()


def families(ways: Iterable[Planned], reach: Reach, *, until: datetime) -> frozenset[str]:
    """By which independent ways a page goes out by an instant: verified ones that work; the alarm of an open page is none."""
    good = {method.contact for method in reach.methods if method.is_verified and not method.is_failing}
    return frozenset(
        _FAMILY.get(way.channel, way.channel.value)
        for way in ways
        if way.channel is not ContactKind.DESK and way.contact in good and way.due_at <= until
    )


class Proof:
    """The answers for policies in one world; quiet hours of people are worked out once."""

    def __init__(self, world: Known, reach: Mapping[int, Reach], *, within: timedelta) -> None:
        self._world, self._reach, self._within = world, reach, within
        self._quiet: dict[tuple[object, str], list[datetime]] = {}

    def stretches(self, policy: Policy, since: datetime, until: datetime) -> tuple[Stretch, ...]:
        """The whole time in stretches, for every group of priorities that goes the same way; by group, then by time."""
        if not policy.starts:
            return (Stretch(since, until, Verdict(Lack.NEVER_STARTS)),)
        found: list[Stretch] = []
        for priorities in alike(policy):
            found += self._of_priority(policy, priorities, since, until)
        return tuple(found)

    def _of_priority(self, policy: Policy, priorities: tuple[int, ...], since: datetime, until: datetime) -> list[Stretch]:
        found: list[Stretch] = []
        at = since
        while at < until:
            verdict, holds = self.look(policy, priorities[0], at)
            ends_at = min(until, at + holds)
            if found and found[-1].verdict == verdict:
                found[-1] = replace(found[-1], ends_at=ends_at)
            else:
                found.append(Stretch(at, ends_at, verdict, priorities))
            at = ends_at
        return found

    def look(self, policy: Policy, priority: int, at: datetime) -> tuple[Verdict, timedelta]:
        """What holds for an incident that begins at `at`, and for how long it surely goes on to."""
        deadline, urgency = at + self._within, policy.urgency(priority)
        run, holds = Run(RunState.RUNNING, next_at=at), _FAR
        ways: dict[int, list[Planned]] = {}
        taken: list[tuple[datetime, Taken]] = []
        while run.next_at is not None and run.next_at <= deadline:
            now = run.next_at
            came = advance(run, policy, priority=priority, at=now, world=self._world)
            for step in came.taken:
                taken.append((now, step))
                if step.empty is not Empty.PRIORITY:
                    holds = min(holds, self._world.holds_until(policy.steps[step.position], now) - now)
                for person in (one.person for one in step.called if one.person is not None):
                    if (reach := self._reach.get(person)) is None:
                        ways.setdefault(person, [])
                        continue
                    planned = reach.plan(urgency, now)
                    ways.setdefault(person, []).extend(planned)
                    if urgency is Urgency.NORMAL and reach.quiet is not None:
                        holds = min(holds, self._quiet_holds(reach, now), *_until_in_time(planned, deadline))
            if any(
                len(families(found, self._reach.get(person, Reach()), until=deadline)) >= ENOUGH for person, found in ways.items()
            ):
                return FINE, holds
            run = came.run
        return self._lacking(policy, ways, taken), holds

    def _lacking(self, policy: Policy, ways: Mapping[int, Sequence[Planned]], taken: Sequence[tuple[datetime, Taken]]) -> Verdict:
        persons = tuple(ways)
        if ways:
            ever = [len(families(found, self._reach.get(person, Reach()), until=self._never)) for person, found in ways.items()]
            lack = Lack.LATE if max(ever) >= ENOUGH else Lack.ONE_WAY if max(ever) else Lack.NO_CONTACT
            return Verdict(lack, persons=persons)
        if any(step.called for _, step in taken):
            return Verdict(Lack.NO_PERSON)
        missing = tuple(dict.fromkeys(one for now, step in taken for one in self._missing(policy, step, now)))
        is_meant = any(step.empty is not Empty.PRIORITY for _, step in taken) and all(one.absent in MEANT for one in missing)
        return Verdict(is_off=True) if is_meant else Verdict(Lack.NOBODY, missing=missing)

    @property
    def _never(self) -> datetime:
        return self._world.until + _FAR

    def _missing(self, policy: Policy, step: Taken, now: datetime) -> list[Missing]:
        """Why a step reached nobody; that it is for other hours is meant, and that it is for other priorities counts only alone."""
        if step.empty is not Empty.NOBODY:
            return []
        targets = policy.steps[step.position].targets
        return [Missing(step.position, place, self._world.why_not(target, now)) for place, target in enumerate(targets)]

    def _quiet_holds(self, reach: Reach, now: datetime) -> timedelta:
        """For how long a page made later goes the same way through somebody's quiet hours."""
        assert reach.quiet is not None
        key = (reach.quiet, reach.zone)
        if key not in self._quiet:
            margin = timedelta(days=2)
            self._quiet[key] = quiet_edges(reach.quiet, reach.zone, self._world.since - margin, self._world.until + margin)
        edges = self._quiet[key]
        after = {rule.after for rule in reach.rules if rule.urgency is Urgency.NORMAL} | {
            0,
            *DEFAULT_AFTER[Urgency.NORMAL].values(),
        }
        found = [_FAR]
        for seconds in after:
            at = now + timedelta(seconds=seconds)
            place = bisect_right(edges, at)
            found += [edges[place] - at] if place < len(edges) else []
        return min(found)


def _until_in_time(planned: Iterable[Planned], deadline: datetime) -> list[timedelta]:
    """After how long ways that wait for the end of quiet hours come in time for an incident that begins later."""
    return [way.due_at - deadline for way in planned if way.due_at > deadline]


def alike(policy: Policy) -> list[tuple[int, ...]]:
    """The priorities that start a policy, those that go the same way through it together."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for priority in policy.starts:
        way = (policy.urgency(priority), *(not step.priorities or priority in step.priorities for step in policy.steps))
        groups.setdefault(way, []).append(priority)
    return [tuple(found) for found in groups.values()]
