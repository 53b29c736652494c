"""What an agreement says: whom it is for, and what it promises. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from allswell.calendars.rules import OffDay
from allswell.kernel import text
from allswell.kernel.errors import Invalid
from allswell.tickets.rules import Kind, WaitingOn

Json = Mapping[str, Any]
T = TypeVar("T")


class Audience(StrEnum):
    """Whom an agreement is with: a customer (SLA), or between teams (OLA)."""

    CUSTOMER = "customer"
    INTERNAL = "internal"


class Metric(StrEnum):
    """What is promised (glossary, "Metrics")."""

    ACKNOWLEDGEMENT = "acknowledgement"  # somebody owns it
    FIRST_RESPONSE = "first_response"  # the first public human message
    NEXT_UPDATE = "next_update"  # the next public message after the last
    RESTORATION = "restoration"  # the service works again
    RESOLUTION = "resolution"
    FULFILMENT = "fulfilment"
    TEAM_TIME = "team_time"  # how long one team holds it, per hop


class Stop(StrEnum):
    """Where a clock stops."""

    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    RESTORED = "restored"
    RESOLVED = "resolved"  # an incident resolved, a request fulfilled
    CLOSED = "closed"
    HANDED_OVER = "handed_over"


class Counting(StrEnum):
    """What a duration counts."""

    WORKING = "working"  # elapsed working time in a calendar
    WORKING_DAYS = "working_days"  # N working days with a cut-off hour
    CALENDAR_DAYS = "calendar_days"


#: metric -> the stops to choose from, the usual one first
STOPS: Mapping[Metric, tuple[Stop, ...]] = {
    Metric.ACKNOWLEDGEMENT: (Stop.ACKNOWLEDGED,),
    Metric.FIRST_RESPONSE: (Stop.ANSWERED,),
    Metric.NEXT_UPDATE: (Stop.ANSWERED,),
    Metric.RESTORATION: (Stop.RESTORED, Stop.RESOLVED, Stop.CLOSED),
    Metric.RESOLUTION: (Stop.RESOLVED, Stop.CLOSED),
    Metric.FULFILMENT: (Stop.RESOLVED, Stop.CLOSED),
    Metric.TEAM_TIME: (Stop.HANDED_OVER,),
}
#: metrics that only one kind of ticket knows
ONLY_FOR: Mapping[Metric, Kind] = {
    Metric.RESTORATION: Kind.INCIDENT,
    Metric.RESOLUTION: Kind.INCIDENT,
    Metric.FULFILMENT: Kind.REQUEST,
}
#: clocks that go on when a ticket is reopened; a response is given once
RESUMED_BY_REOPENING = frozenset({Metric.RESTORATION, Metric.RESOLUTION, Metric.FULFILMENT, Metric.TEAM_TIME})

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
_MOST_MINUTES = 5 * 366 * 1440
_MOST_DAYS = 5 * 366
_CALENDAR = re.compile(r"[A-Za-z0-9_-]{1,60}")
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Within:
    """How long. `amount` is in minutes for working time, else in days; `calendar` is a calendar's slug ("" for calendar days).

    `cutoff` and `opening` are minutes after local midnight: what comes at or after the cut-off counts from the next working day's
    opening. `off_day` says what a start on a day off becomes: the next working day at the "same_time", or its "opening".
    """

    counting: Counting
    amount: int
    calendar: str = ""
    cutoff: int | None = None
    opening: int | None = None
    off_day: OffDay = "same_time"

    @property
    def budget(self) -> timedelta:
        """The amount as a length of time; a day counts 24 hours."""
        return timedelta(minutes=self.amount) if self.counting is Counting.WORKING else timedelta(days=self.amount)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        given: dict[str, Any] = {"counting": self.counting.value, "amount": self.amount}
        if self.calendar:
            given["calendar"] = self.calendar
        if self.counting is Counting.WORKING_DAYS:
            given |= {"cutoff": clock_face(self.cutoff), "opening": clock_face(self.opening), "off_day": self.off_day}
        return given


@dataclass(frozen=True, slots=True)
class Warn:
    """When to warn: at a share of the time, or an amount of time (minutes of what the target counts) before it is up."""

    share: float | None = None
    minutes: int | None = None

    def spent(self, budget: timedelta) -> timedelta:
        """How much of a budget may be used up before the warning."""
        if self.share is not None:
            return timedelta(microseconds=round(budget / timedelta(microseconds=1) * self.share))
        if self.minutes is not None:
            return max(timedelta(0), budget - timedelta(minutes=self.minutes))
        return budget


@dataclass(frozen=True, slots=True)
class Target:
    """One promise. `priorities` it is for (empty: all); `pauses` are the reasons of waiting that stop the clock."""

    key: str
    metric: Metric
    within: Within
    stop: Stop
    priorities: frozenset[int] = frozenset()
    pauses: frozenset[str] = frozenset()
    warn: Warn | None = None

    def is_for(self, kind: str, priority: int) -> bool:
        """Whether it holds for such a ticket."""
        only = ONLY_FOR.get(self.metric)
        return (only is None or only == kind) and (not self.priorities or priority in self.priorities)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        given: dict[str, Any] = {
            "key": self.key,
            "metric": self.metric.value,
            "within": self.within.as_json(),
            "stop": self.stop.value,
            "priorities": sorted(self.priorities),
            "pauses": sorted(self.pauses),
        }
        if self.warn is not None:
            given["warn"] = {"share": self.warn.share} if self.warn.share is not None else {"minutes": self.warn.minutes}
        return given


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of an agreement. Empty conditions hold for all; `zone` is an IANA name, the one its days are counted in.

    `services` are keys of services.
    """

    zone: str
    targets: tuple[Target, ...]
    kinds: frozenset[str] = frozenset()
    services: frozenset[int] = frozenset()
    priorities: frozenset[int] = frozenset()
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _found: dict[tuple[Metric, str, int], Target | None] = field(
        init=False, repr=False, compare=False, default_factory=dict, hash=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", ZoneInfo(self.zone))

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone."""
        return self._zone

    def fits(self, *, kind: str, service: int | None, priority: int) -> bool:
        """Whether its conditions hold."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.services or service in self.services)
            and (not self.priorities or priority in self.priorities)
        )

    def target(self, metric: Metric, *, kind: str, priority: int) -> Target | None:
        """The promise of this metric for such a ticket: the first that names the priority, else the first for all."""
        key = (metric, kind, priority)
        if key not in self._found:
            fitting = [target for target in self.targets if target.metric is metric and target.is_for(kind, priority)]
            self._found[key] = next((target for target in fitting if target.priorities), fitting[0] if fitting else None)
        return self._found[key]

    def calendars(self) -> frozenset[str]:
        """The slugs of the calendars it counts in."""
        return frozenset(target.within.calendar for target in self.targets if target.within.calendar)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "zone": self.zone,
            "kinds": sorted(self.kinds),
            "services": sorted(self.services),
            "priorities": sorted(self.priorities),
            "targets": [target.as_json() for target in self.targets],
        }

    @classmethod
    def parse(cls, given: Json, *, audience: Audience) -> Terms:
        """Terms from JSON. Raises Invalid naming the field ("targets.2.within.amount")."""
        known = {"zone", "kinds", "services", "priorities", "targets"}
        _only(given, known, "")
        zone = given.get("zone")
        if not isinstance(zone, str) or zone not in _zones():
            raise Invalid("There is no such time zone; write a name such as Europe/Paris.", field="zone")
        rows = given.get("targets")
        if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
            raise Invalid("An agreement promises at least one thing.", field="targets")
        if len(rows) > 100:
            raise Invalid("An agreement has at most 100 targets.", field="targets")
        targets = tuple(_target(row, f"targets.{place}", audience) for place, row in enumerate(rows))
        keys = [target.key for target in targets]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise Invalid("Two targets have this key.", field=f"targets.{place}.key")
        _no_doubt(targets)
        return cls(
            zone=zone,
            targets=targets,
            kinds=_set(given, "kinds", lambda value: Kind(value).value, ""),
            services=_set(given, "services", _positive, ""),
            priorities=_set(given, "priorities", _priority, ""),
        )


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def clock_face(minutes: int | None) -> str | None:
    """Minutes after midnight as "17:00"."""
    return None if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


def minutes_of(face: Any, *, field: str) -> int | None:
    """ "17:00" as minutes after midnight; None for nothing. Raises Invalid."""
    if face is None or face == "":
        return None
    matched = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", face) if isinstance(face, str) else None
    if matched is None:
        raise Invalid("Write a time of day such as 17:00.", field=field)
    return int(matched[1]) * 60 + int(matched[2])


def _only(given: Any, known: set[str], where: str) -> None:
    if not isinstance(given, Mapping):
        raise Invalid("This is no set of fields.", field=where or "terms")
    if unknown := given.keys() - known:
        name = min(str(one) for one in unknown)
        raise Invalid("There is no such field.", field=f"{where}.{name}" if where else name or "terms")


def _set(given: Json, name: str, convert: Callable[[Any], T], where: str) -> frozenset[T]:
    place = f"{where}.{name}" if where else name
    values = given.get(name) or ()
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) > 1000:
        raise Invalid("This is no list.", field=place)
    try:
        return frozenset(convert(value) for value in values)
    except (ValueError, TypeError):
        raise Invalid("Choose from the list.", field=place) from None


def _positive(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise ValueError
    return value


def _priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
        raise ValueError
    return value


def _choice(given: Json, name: str, options: type[StrEnum], where: str, default: Any = None) -> Any:
    try:
        return options(given.get(name, default))
    except ValueError:
        raise Invalid("Choose one of the list.", field=f"{where}.{name}") from None


def _target(given: Any, where: str, audience: Audience) -> Target:
    _only(given, {"key", "metric", "within", "stop", "priorities", "pauses", "warn"}, where)
    metric: Metric = _choice(given, "metric", Metric, where)
    if (metric is Metric.TEAM_TIME) != (audience is Audience.INTERNAL):
        raise Invalid(
            "Between teams, the time a team holds a ticket is agreed; the other targets are promises to customers.",
            field=f"{where}.metric",
        )
    stop: Stop = _choice(given, "stop", Stop, where, STOPS[metric][0].value)
    if stop not in STOPS[metric]:
        raise Invalid("This clock cannot stop there.", field=f"{where}.stop")
    key = given.get("key", metric.value)
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise Invalid("Use small letters, digits, - and _ (40 at most).", field=f"{where}.key")
    within = _within(given.get("within"), f"{where}.within")
    return Target(
        key=key,
        metric=metric,
        within=within,
        stop=stop,
        priorities=_set(given, "priorities", _priority, where),
        pauses=_set(given, "pauses", lambda value: WaitingOn(value).value, where),
        warn=_warn(given.get("warn"), within, f"{where}.warn"),
    )


def _within(given: Any, where: str) -> Within:
    _only(given, {"counting", "amount", "calendar", "cutoff", "opening", "off_day"}, where)
    counting: Counting = _choice(given, "counting", Counting, where)
    amount = given.get("amount")
    most = _MOST_MINUTES if counting is Counting.WORKING else _MOST_DAYS
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= most:
        if counting is Counting.WORKING:
            raise Invalid("Give a whole number of minutes, from 1 to %(most)s.", field=f"{where}.amount", most=most)
        raise Invalid("Give a whole number of days, from 1 to %(most)s.", field=f"{where}.amount", most=most)
    calendar = given.get("calendar") or ""
    if counting is Counting.CALENDAR_DAYS:
        calendar = ""
    elif not isinstance(calendar, str) or not _CALENDAR.fullmatch(calendar):
        raise Invalid("Choose the calendar this time is counted in.", field=f"{where}.calendar")
    cutoff = minutes_of(given.get("cutoff"), field=f"{where}.cutoff")
    opening = minutes_of(given.get("opening"), field=f"{where}.opening")
    if counting is not Counting.WORKING_DAYS and (cutoff is not None or opening is not None):
        raise Invalid("Only working days have a cut-off hour.", field=f"{where}.cutoff")
    if (cutoff is None) != (opening is None):
        missing = "opening" if opening is None else "cutoff"
        raise Invalid("A cut-off hour and the opening of the next working day belong together.", field=f"{where}.{missing}")
    asked = given.get("off_day") or "same_time"
    if asked not in ("same_time", "opening"):
        raise Invalid("Choose one of the list.", field=f"{where}.off_day")
    off_day: OffDay = "opening" if asked == "opening" else "same_time"
    if off_day == "opening" and opening is None:
        raise Invalid("Say when a working day opens.", field=f"{where}.opening")
    return Within(counting, amount, calendar, cutoff, opening, off_day)


def _warn(given: Any, within: Within, where: str) -> Warn | None:
    if given is None:
        return None
    _only(given, {"share", "minutes"}, where)
    share, minutes = given.get("share"), given.get("minutes")
    if (share is None) == (minutes is None):
        raise Invalid("Say when to warn: at a share of the time, or so many minutes before.", field=where)
    if share is not None:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise Invalid("A share lies between 0 and 1, such as 0.8.", field=f"{where}.share")
        return Warn(share=float(share))
    if isinstance(minutes, bool) or not isinstance(minutes, int) or minutes <= 0:
        raise Invalid("Give a whole number of minutes.", field=f"{where}.minutes")
    if minutes >= within.budget / MINUTE:
        raise Invalid("This warning would come before the clock starts.", field=f"{where}.minutes")
    return Warn(minutes=minutes)


def _no_doubt(targets: Sequence[Target]) -> None:
    """Two targets of one metric may not both name a priority, nor both be for the rest."""
    seen: set[tuple[Metric, int]] = set()
    for place, target in enumerate(targets):
        for priority in target.priorities or (0,):
            if (target.metric, priority) in seen:
                raise Invalid("Another target promises this for the same priority.", field=f"targets.{place}.priorities")
            seen.add((target.metric, priority))


def chosen_name(name: Any) -> str:
    """The name of an agreement. Raises Invalid."""
    return text.line(name, field="name", limit=80)
