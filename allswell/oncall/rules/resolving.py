"""Who is on call when: layers by rank, leave, support hours and overrides, worked out into slots that leave nothing out.

All spans are half-open and in UTC.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from allswell.calendars.rules import Calendar, open_spans

from .definition import Definition
from .layers import Layer, OnLeave, Span, turns, whose, windows


class Why(StrEnum):
    """Why nobody is on call; the first two are gaps, the others are meant."""

    GAP = "gap"  # no layer holds
    ON_LEAVE = "on_leave"  # everybody who would be is on leave
    OFF_HOURS = "off_hours"  # outside support hours
    NOBODY = "nobody"  # an override says so


GAPS = frozenset({Why.GAP, Why.ON_LEAVE})

Leave = Mapping[int, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Version:
    """What a rota says from an instant on; a greater number outweighs a smaller one from its instant on."""

    number: int
    effective_at: datetime
    definition: Definition


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody instead of whoever would be (None: nobody, on purpose); with `instead_of` only where that person would be.

    A greater `key` outweighs a smaller one.
    """

    key: int
    level: int
    starts_at: datetime
    ends_at: datetime
    person: int | None
    instead_of: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A time in which one person is on call at a level, or nobody and `why`.

    `turn` is when the turn began, `stands_for` who would have been on call.
    """

    level: int
    starts_at: datetime
    ends_at: datetime
    person: int | None = None
    why: Why | None = None
    layer: int | None = None
    turn: datetime | None = None
    override: int | None = None
    stands_for: int | None = None

    @property
    def is_gap(self) -> bool:
        """Whether somebody should be on call and nobody is."""
        return self.why in GAPS

    def continues(self, other: Slot) -> bool:
        """Whether this is the same duty as the one before, going on."""
        return other.ends_at == self.starts_at and _duty(other) == _duty(self)


def _duty(slot: Slot) -> tuple[object, ...]:
    return slot.level, slot.person, slot.why, slot.layer, slot.turn, slot.override, slot.stands_for


def resolve(
    versions: Sequence[Version],
    since: datetime,
    until: datetime,
    *,
    overrides: Sequence[Override] = (),
    leave: Leave | None = None,
    calendars: Mapping[int, Calendar] | None = None,
) -> tuple[Slot, ...]:
    """Every level from `since` to `until`, without a hole: by level, then by time.

    Before the first version there is nothing, not even a gap.
    """
    slots: list[Slot] = []
    for starts_at, ends_at, definition in ruling(versions, since, until):
        calendar = (calendars or {}).get(definition.calendar) if definition.calendar is not None else None
        for level in range(1, definition.levels + 1):
            base = _level(definition, level, starts_at, ends_at, leave or {}, calendar)
            slots += _overridden(base, level, overrides)
    return merged(sorted(slots, key=lambda slot: (slot.level, slot.starts_at)))


def ruling(versions: Sequence[Version], since: datetime, until: datetime) -> list[tuple[datetime, datetime, Definition]]:
    """Which definition holds when, in order."""
    found: list[tuple[datetime, datetime, Definition]] = []
    newest_first = sorted(versions, key=lambda version: -version.number)
    ends_at = until
    for version in newest_first:  # a newer one holds to the end from its instant on; an older one up to there
        starts_at = max(since, version.effective_at)
        if starts_at < ends_at:
            found.append((starts_at, ends_at, version.definition))
            ends_at = starts_at
    return found[::-1]


def merged(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """The slots, sorted, with those that only continue the one before made one."""
    found: list[Slot] = []
    for slot in slots:
        if found and slot.continues(found[-1]):
            found[-1] = replace(found[-1], ends_at=slot.ends_at)
        else:
            found.append(slot)
    return tuple(found)


def joined(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """The slots, sorted by level and time, as people read them: who hands over to themselves is on call once."""
    found: list[Slot] = []
    for slot in slots:
        if found and found[-1].ends_at == slot.starts_at and _as_read(found[-1]) == _as_read(slot):
            found[-1] = replace(found[-1], ends_at=slot.ends_at)
        else:
            found.append(slot)
    return tuple(found)


def _as_read(slot: Slot) -> tuple[object, ...]:
    return slot.level, slot.person, slot.why, slot.override is not None, slot.stands_for


def _level(
    definition: Definition, level: int, since: datetime, until: datetime, leave: Leave, calendar: Calendar | None
) -> list[Slot]:
    """One level without overrides."""
    layers = [layer for layer in definition.layers if layer.level == level]
    held: list[Slot] = []
    left: list[list[Slot]] = []
    for layer in sorted(layers, key=lambda layer: (-layer.rank, layer.key)):
        taken, missing = _held(layer, definition.zone_of(layer), since, until, leave)
        held = _on_top(held, taken)
        left.append(missing)
    for lower in [*left, [Slot(level, since, until, why=Why.GAP)]]:
        held = _on_top(held, lower)
    if calendar is None:
        return held
    closed: list[Slot] = []
    end = since
    for opens, closes in [*open_spans(calendar, since, until), (until, until)]:
        if end < opens:
            closed.append(Slot(level, end, opens, why=Why.OFF_HOURS))
        end = closes
    return _on_top(closed, held)


def _on_top(upper: Sequence[Slot], lower: Sequence[Slot]) -> list[Slot]:
    """Both, sorted; of the lower what the upper leaves free. Each is sorted and does not overlap itself."""
    if not upper:
        return list(lower)
    ends = [slot.ends_at for slot in upper]
    found = list(upper)
    for slot in lower:
        starts_at = slot.starts_at
        place = bisect_right(ends, starts_at)
        while starts_at < slot.ends_at:
            over = upper[place] if place < len(upper) else None
            ends_at = min(slot.ends_at, over.starts_at) if over else slot.ends_at
            if starts_at < ends_at:
                found.append(replace(slot, starts_at=starts_at, ends_at=ends_at))
            if over is None:
                break
            starts_at, place = over.ends_at, place + 1
    return sorted(found, key=lambda slot: slot.starts_at)


def _held(layer: Layer, zone: str, since: datetime, until: datetime, leave: Leave) -> tuple[list[Slot], list[Slot]]:
    """Where a layer has somebody, and where it has nobody because of leave."""
    spans = windows(layer, zone, since, until)
    edges = sorted({edge for person in set(layer.people) for span in leave.get(person, ()) for edge in span})
    held: list[Slot] = []
    missing: list[Slot] = []
    first = 0
    for turn in turns(layer, zone, since, until):
        while first < len(spans) and spans[first][1] <= turn.starts_at:
            first += 1
        for opens, closes in spans[first:]:
            if opens >= turn.ends_at:
                break
            starts_at, ends_at = max(opens, turn.starts_at, since), min(closes, turn.ends_at, until)
            if starts_at < ends_at:
                for cut_at, cut_until in _cut(starts_at, ends_at, edges):
                    slot = _taken(layer, turn.number, turn.starts_at, cut_at, cut_until, leave)
                    (missing if slot.person is None else held).append(slot)
    return held, missing


def _cut(starts_at: datetime, ends_at: datetime, edges: Sequence[datetime]) -> list[Span]:
    first, last = bisect_right(edges, starts_at), bisect_right(edges, ends_at)
    points = [starts_at, *(edge for edge in edges[first:last] if edge < ends_at), ends_at]
    return list(itertools.pairwise(points))


def is_on_leave(leave: Leave, person: int, at: datetime) -> bool:
    """Whether somebody is on leave at an instant."""
    return any(starts_at <= at < ends_at for starts_at, ends_at in leave.get(person, ()))


def _taken(layer: Layer, number: int, turn: datetime, starts_at: datetime, ends_at: datetime, leave: Leave) -> Slot:
    """Who takes a piece of a turn in which nobody's leave begins or ends."""
    meant = whose(layer, number)
    tries = len(layer.people) if layer.on_leave is OnLeave.NEXT else 1
    for further in range(tries):
        person = whose(layer, number + further)
        if not is_on_leave(leave, person, starts_at):
            stands_for = meant if person != meant else None
            return Slot(layer.level, starts_at, ends_at, person, None, layer.key, turn, None, stands_for)
    return Slot(layer.level, starts_at, ends_at, None, Why.ON_LEAVE, layer.key, turn, None, meant)


def _overridden(slots: Sequence[Slot], level: int, overrides: Sequence[Override]) -> list[Slot]:
    """A level with its overrides, later ones over earlier ones."""
    found = list(slots)
    if not found:
        return found
    since, until = found[0].starts_at, found[-1].ends_at
    for override in sorted(overrides, key=lambda override: override.key):
        if override.level != level or override.ends_at <= since or until <= override.starts_at:
            continue
        found = [piece for slot in found for piece in _replaced(slot, override)]
    return found


def _replaced(slot: Slot, override: Override) -> list[Slot]:
    starts_at, ends_at = max(slot.starts_at, override.starts_at), min(slot.ends_at, override.ends_at)
    if starts_at >= ends_at or (override.instead_of is not None and slot.person != override.instead_of):
        return [slot]
    why = Why.NOBODY if override.person is None else None
    meant = slot.person if slot.person is not None else slot.stands_for
    stands_for = meant if meant != override.person else None
    middle = Slot(slot.level, starts_at, ends_at, override.person, why, slot.layer, slot.turn, override.key, stands_for)
    before = [replace(slot, ends_at=starts_at)] if slot.starts_at < starts_at else []
    after = [replace(slot, starts_at=ends_at)] if ends_at < slot.ends_at else []
    return [*before, middle, *after]
