"""What is known of a time ahead: who is on call, there, a member, a lead. The dry run and the proof of coverage ask it.

It answers as the world answers a run, without asking the database, and says until when its answers hold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from allswell.calendars.rules import Calendar, open_spans
from allswell.notifications.rules import Quiet, Reach

from .escalating import Called
from .policies import Step, Target, TargetKind
from .resolving import Leave, Slot, Why, is_on_leave

_FAR = timedelta(days=36500)
_DAY = timedelta(days=1)


class Absent(StrEnum):
    """Why a target reaches nobody; the first two are meant."""

    OFF_HOURS = "off_hours"  # the rota is outside its support hours
    ON_PURPOSE = "on_purpose"  # an override says nobody
    GAP = "gap"  # nobody's turn
    ON_LEAVE = "on_leave"  # or out of office
    NOT_PLANNED = "not_planned"  # a rota out of use, or without this level
    NO_LEAD = "no_lead"
    NO_MEMBERS = "no_members"


MEANT = frozenset({Absent.OFF_HOURS, Absent.ON_PURPOSE})
_OF_SLOT = {Why.OFF_HOURS: Absent.OFF_HOURS, Why.NOBODY: Absent.ON_PURPOSE, Why.GAP: Absent.GAP, Why.ON_LEAVE: Absent.ON_LEAVE}


class Known:
    """The world between two instants, as it is planned now; outside of them it knows nothing."""

    def __init__(
        self,
        since: datetime,
        until: datetime,
        *,
        slots: Mapping[int, Iterable[Slot]],
        leave: Leave,
        members: Mapping[int, Sequence[int]],
        chains: Mapping[int, Sequence[int]],
        calendars: Mapping[int, Calendar],
        reach: Mapping[int, Reach] | None = None,
        rooms: Collection[int] = (),
    ) -> None:
        self._reach, self._rooms = reach, rooms
        self.since, self.until = since, until
        self._levels: dict[tuple[int, int], list[Slot]] = {}
        for rota, found in slots.items():
            for slot in found:
                self._levels.setdefault((rota, slot.level), []).append(slot)
        for held in self._levels.values():
            held.sort(key=lambda slot: slot.starts_at)
        self._starts = {key: [slot.starts_at for slot in held] for key, held in self._levels.items()}
        self._leave = leave
        self._leave_edges = {person: sorted({edge for span in spans for edge in span}) for person, spans in leave.items()}
        self._members, self._chains = members, chains
        self._hours = {
            pk: [edge for span in open_spans(calendar, since - _DAY, until + _DAY) for edge in span]
            for pk, calendar in calendars.items()
        }

    # what a run asks

    def called(self, target: Target, at: datetime) -> tuple[Called, ...]:
        """Whom a target reaches; nobody when nobody is there."""
        if target.kind is TargetKind.ROOM:
            return (Called(target, room=target.id),)
        if target.kind is TargetKind.WEBHOOK:
            return (Called(target, webhook=target.id),)
        return tuple(Called(target, person=one) for one in self._named(target, at) if not is_on_leave(self._leave, one, at))

    def is_inside(self, calendar: int, at: datetime) -> bool:
        """Whether an instant is within the hours of a calendar; of one that is gone, always."""
        edges = self._hours.get(calendar)
        return edges is None or bisect_right(edges, at) % 2 == 1

    def reaches(self, one: Called) -> bool:
        """Whether there is a way to one that is called; where nothing is known of that, there is."""
        if self._reach is None or one.webhook is not None:
            return True
        if one.room is not None:
            return one.room in self._rooms
        found = self._reach.get(one.person or 0)
        return found is not None and found.has_way

    # what a proof asks besides

    def why_not(self, target: Target, at: datetime) -> Absent:
        """Why a target reaches nobody at an instant."""
        if self._named(target, at):
            return Absent.ON_LEAVE
        match target.kind:
            case TargetKind.ROTA:
                slot = self._slot(target, at)
                return _OF_SLOT.get(slot.why, Absent.GAP) if slot is not None and slot.why else Absent.NOT_PLANNED
            case TargetKind.TEAM:
                return Absent.NO_MEMBERS
            case _:
                return Absent.NO_LEAD

    def holds_until(self, step: Step, at: datetime) -> datetime:
        """The first instant after `at` at which a step may do something else than at `at`."""
        edges = [self._next(self._hours[step.during.calendar], at)] if step.during and step.during.calendar in self._hours else []
        for target in step.targets:
            if target.kind is TargetKind.ROTA and (slot := self._slot(target, at)) is not None:
                edges.append(slot.ends_at)
            elif target.kind is TargetKind.ROTA:
                edges.append(self._next(self._starts.get((target.id, target.level), ()), at))
            edges += [self._next(self._leave_edges.get(person, ()), at) for person in self._named(target, at)]
        return min(edges, default=at + _FAR)

    def _next(self, edges: Sequence[datetime], at: datetime) -> datetime:
        place = bisect_right(edges, at)
        return edges[place] if place < len(edges) else at + _FAR

    def _named(self, target: Target, at: datetime) -> Sequence[int]:
        """Those a target names, there or not."""
        match target.kind:
            case TargetKind.PERSON:
                return (target.id,)
            case TargetKind.ROTA:
                slot = self._slot(target, at)
                return (slot.person,) if slot is not None and slot.person is not None else ()
            case TargetKind.TEAM:
                return self._members.get(target.id, ())
            case TargetKind.LEAD:
                return self._chains.get(target.id, ())[:1]
            case TargetKind.MANAGER:
                return self._chains.get(target.id, ())[target.level : target.level + 1]
            case _:
                return ()

    def _slot(self, target: Target, at: datetime) -> Slot | None:
        key = (target.id, target.level)
        place = bisect_right(self._starts.get(key, ()), at) - 1
        if place < 0:
            return None
        slot = self._levels[key][place]
        return slot if at < slot.ends_at else None


def quiet_edges(quiet: Quiet, zone: str, since: datetime, until: datetime) -> list[datetime]:
    """The instants at which quiet hours may begin or end in a time, also where the clocks of the place jump into or out of them."""
    home = ZoneInfo(zone)
    found: set[datetime] = set()
    day, last = since.astimezone(home).date() - _DAY, until.astimezone(home).date() + _DAY
    while day <= last:
        for minute in (quiet.since, quiet.until):
            for fold in (0, 1):
                local = datetime.combine(day, time(minute // 60 % 24, minute % 60), home).replace(fold=fold)
                found.add(local.astimezone(UTC))
        found |= _jump(day, home)
        day += _DAY
    return sorted(edge for edge in found if since < edge < until)


def _jump(day: date, home: ZoneInfo) -> set[datetime]:
    """The instant within a day of UTC at which the clocks of a place change, if they do."""
    low = datetime.combine(day, time(), UTC)
    high = low + _DAY
    offset = low.astimezone(home).utcoffset()
    if offset == high.astimezone(home).utcoffset():
        return set()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(home).utcoffset() == offset else (low, middle)
    return {high}
