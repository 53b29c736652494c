"""Whether it is fair, and whether it is too much: hours, nights, weekends, holidays; rest between duties, load of a week."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise

from allswell.calendars.rules import at_local, local_time, zone_named

from .layers import Span
from .resolving import Leave

NIGHT_ENDS, NIGHT_BEGINS = 6 * 60, 22 * 60
_NOTHING = timedelta()
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """A person on call in a rota."""

    rota: int
    level: int
    person: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Load:
    """What a person carries: all hours; of them those by night (22:00 to 06:00 on their wall), on Saturdays and Sundays, on holidays."""

    person: int
    total: timedelta = _NOTHING
    nights: timedelta = _NOTHING
    weekends: timedelta = _NOTHING
    holidays: timedelta = _NOTHING
    shifts: int = 0


@dataclass(frozen=True, slots=True)
class Fairness:
    """The load of each person, the heaviest first, and the mean."""

    loads: tuple[Load, ...]
    mean: timedelta

    def share(self, load: Load) -> float | None:
        """A load as a multiple of the mean; None when there is none."""
        return load.total / self.mean if self.mean else None


def fairness(
    duties: Iterable[Duty],
    people: Collection[int],
    *,
    zones: Mapping[int, str],
    zone: str,
    holidays: Mapping[str, Collection[date]] | None = None,
) -> Fairness:
    """How the load lies on `people` and whoever else has duties; `zones` are where they live, `zone` where nothing is said.

    `holidays` are the free days by time zone.
    """
    parts: dict[int, list[timedelta]] = {person: [_NOTHING] * 4 for person in people}
    shifts: dict[int, int] = defaultdict(int)
    for duty in duties:
        found = parts.setdefault(duty.person, [_NOTHING] * 4)
        lives = zones.get(duty.person) or zone
        for place, more in enumerate(_weighed(duty, lives, (holidays or {}).get(lives, ()))):
            found[place] += more
        shifts[duty.person] += 1
    loads = [
        Load(person, total, nights, weekends, holiday, shifts[person])
        for person, (total, nights, weekends, holiday) in parts.items()
    ]
    loads.sort(key=lambda load: (-load.total, load.person))
    mean = sum((load.total for load in loads), _NOTHING) / len(loads) if loads else _NOTHING
    return Fairness(tuple(loads), mean)


def _weighed(duty: Duty, zone: str, holidays: Collection[date]) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """Total, nights, weekends, holidays of one duty."""
    place = zone_named(zone)
    nights = weekends = free = _NOTHING
    day = local_time(place, duty.starts_at).date() - _DAY
    while (begins := at_local(place, day)) < duty.ends_at:
        ends = at_local(place, day, 1440)
        morning, evening = at_local(place, day, NIGHT_ENDS), at_local(place, day, NIGHT_BEGINS)
        inside = _common(duty, begins, ends)
        nights += _common(duty, begins, morning) + _common(duty, evening, ends)
        weekends += inside if day.weekday() >= 5 else _NOTHING
        free += inside if day in holidays else _NOTHING
        day += _DAY
    return duty.ends_at - duty.starts_at, nights, weekends, free


def _common(duty: Duty, since: datetime, until: datetime) -> timedelta:
    return max(_NOTHING, min(duty.ends_at, until) - max(duty.starts_at, since))


class Trouble(StrEnum):
    """What a plan is warned of."""

    SHORT_REST = "short_rest"  # too little time between two duties
    LONG_WEEK = "long_week"  # too many hours within seven days
    TWICE = "twice"  # on call at two levels of one rota at once: no backup
    ON_LEAVE = "on_leave"  # on call while on leave


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rota warns of."""

    minimum_rest: timedelta | None = None
    maximum_week: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Caution:
    """Something about a plan that is not good: when first, how many times, and the worst of them.

    `rota` is where it ends up: that of the duty that begins too soon, of the greater part of a week.
    """

    trouble: Trouble
    person: int
    rota: int
    starts_at: datetime
    ends_at: datetime
    worst: timedelta
    times: int = 1


def cautions(duties: Sequence[Duty], *, limits: Mapping[int, Limits], leave: Leave | None = None) -> tuple[Caution, ...]:
    """What is not good about the duties of people over all rotas; each kind once per person and rota, the first one's time."""
    found: list[Caution] = []
    by_person: dict[int, list[Duty]] = defaultdict(list)
    for duty in sorted(duties, key=lambda duty: (duty.starts_at, duty.ends_at, duty.rota, duty.level)):
        by_person[duty.person].append(duty)
    for person, held in by_person.items():
        found += _short_rests(person, held, limits)
        found += _long_weeks(person, held, limits)
        found += _twice(person, held)
        found += _while_on_leave(person, held, (leave or {}).get(person, ()))
    return _gathered(found)


def _gathered(found: Iterable[Caution]) -> tuple[Caution, ...]:
    kept: dict[tuple[Trouble, int, int], Caution] = {}
    for one in sorted(found, key=lambda one: one.starts_at):
        key = (one.trouble, one.person, one.rota)
        if before := kept.get(key):
            worse = min if one.trouble is Trouble.SHORT_REST else max
            worst, times = worse(before.worst, one.worst), before.times + 1
            one = Caution(before.trouble, one.person, one.rota, before.starts_at, before.ends_at, worst, times)
        kept[key] = one
    return tuple(sorted(kept.values(), key=lambda one: (one.starts_at, one.person, one.trouble)))


def _blocks(held: Sequence[Duty]) -> list[Span]:
    """The duties of a person as times without a pause."""
    blocks: list[Span] = []
    for duty in held:
        if blocks and duty.starts_at <= blocks[-1][1]:
            blocks[-1] = (blocks[-1][0], max(blocks[-1][1], duty.ends_at))
        else:
            blocks.append((duty.starts_at, duty.ends_at))
    return blocks


def _short_rests(person: int, held: Sequence[Duty], limits: Mapping[int, Limits]) -> list[Caution]:
    found = []
    blocks = _blocks(held)
    beginning = {duty.starts_at: duty.rota for duty in reversed(held)}
    for before, after in pairwise(blocks):
        rota, rest = beginning[after[0]], after[0] - before[1]
        least = limits.get(rota, Limits()).minimum_rest
        if least is not None and rest < least:
            found.append(Caution(Trouble.SHORT_REST, person, rota, before[1], after[0], rest))
    return found


def _long_weeks(person: int, held: Sequence[Duty], limits: Mapping[int, Limits]) -> list[Caution]:
    """The first week over the limit in each rota that has one, and how long the longest is. Its days are any seven."""
    most = {rota: limit.maximum_week for rota, limit in limits.items() if limit.maximum_week is not None}
    mine = {duty.rota for duty in held} & most.keys()
    if not mine:
        return []
    blocks = _blocks(held)
    starts, ends = [block[0] for block in blocks], [block[1] for block in blocks]
    sums = list(accumulate((block[1] - block[0] for block in blocks), initial=_NOTHING))

    def worked(at: datetime) -> timedelta:
        place = bisect_right(starts, at)
        return sums[place] - max(_NOTHING, ends[place - 1] - at) if place else _NOTHING

    # The fullest week begins where a block begins, or ends where one ends.
    weeks = sorted({*starts, *(end - _WEEK for end in ends)})
    found = []
    for rota in sorted(mine):
        over = [(week, length) for week in weeks if (length := worked(week + _WEEK) - worked(week)) > most[rota]]
        if over:
            first = max(over[0][0], starts[max(0, bisect_left(ends, over[0][0]))])
            longest = max(length for _, length in over)
            found.append(Caution(Trouble.LONG_WEEK, person, rota, first, over[0][0] + _WEEK, longest))
    return found


def _twice(person: int, held: Sequence[Duty]) -> list[Caution]:
    found = []
    running: list[Duty] = []
    for duty in held:
        running = [other for other in running if other.ends_at > duty.starts_at]
        for other in running:
            if other.rota == duty.rota and other.level != duty.level:
                ends_at = min(other.ends_at, duty.ends_at)
                found.append(Caution(Trouble.TWICE, person, duty.rota, duty.starts_at, ends_at, ends_at - duty.starts_at))
        running.append(duty)
    return found


def _while_on_leave(person: int, held: Sequence[Duty], away: Sequence[Span]) -> list[Caution]:
    found = []
    for duty in held:
        for since, until in away:
            starts_at, ends_at = max(duty.starts_at, since), min(duty.ends_at, until)
            if starts_at < ends_at:
                found.append(Caution(Trouble.ON_LEAVE, person, duty.rota, starts_at, ends_at, ends_at - starts_at))
    return found
