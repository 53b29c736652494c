"""What an edit moves: who has which hours before, and who has them after."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .resolving import Slot, Why


@dataclass(frozen=True, slots=True)
class Moved:
    """A time at a level that goes from one to another; None: from, or to, nobody (`why`)."""

    level: int
    starts_at: datetime
    ends_at: datetime
    before: int | None
    after: int | None
    why: Why | None = None

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.ends_at - self.starts_at


@dataclass(frozen=True, slots=True)
class Change:
    """What moves for one person."""

    person: int
    gained: tuple[Moved, ...] = ()
    lost: tuple[Moved, ...] = ()

    @property
    def gains(self) -> timedelta:
        """Hours they have more, without those they lose."""
        return sum((moved.length for moved in self.gained), timedelta())

    @property
    def loses(self) -> timedelta:
        """Hours taken from them."""
        return sum((moved.length for moved in self.lost), timedelta())


def difference(before: Sequence[Slot], after: Sequence[Slot]) -> tuple[Moved, ...]:
    """Where two plans of the same time differ in who is on call, by level and time. What one of them does not say is nobody's."""
    found: list[Moved] = []
    for level in sorted({slot.level for slot in (*before, *after)}):
        olds = _of(level, before)
        news = _of(level, after)
        points = sorted({edge for slot in (*olds, *news) for edge in (slot.starts_at, slot.ends_at)})
        old, new = _Reader(olds), _Reader(news)
        for starts_at, ends_at in itertools.pairwise(points):
            was, will = old.at(starts_at), new.at(starts_at)
            moved = Moved(
                level,
                starts_at,
                ends_at,
                was.person if was else None,
                will.person if will else None,
                will.why if will else Why.GAP,
            )
            if moved.before == moved.after and not _opens(was, will):
                continue
            _add(found, moved)
    return tuple(found)


def _of(level: int, slots: Iterable[Slot]) -> list[Slot]:
    return sorted((slot for slot in slots if slot.level == level), key=lambda slot: slot.starts_at)


def _opens(was: Slot | None, will: Slot | None) -> bool:
    """Whether a time nobody was meant to hold becomes a gap, or a gap becomes meant."""
    return bool(was and will and was.person is None and was.is_gap != will.is_gap)


def _add(found: list[Moved], moved: Moved) -> None:
    last = found[-1] if found else None
    if last and last.ends_at == moved.starts_at and replace(last, starts_at=moved.starts_at, ends_at=moved.ends_at) == moved:
        found[-1] = replace(last, ends_at=moved.ends_at)
    else:
        found.append(moved)


@dataclass(slots=True)
class _Reader:
    """Slots read from left to right."""

    slots: list[Slot]
    place: int = field(default=0)

    def at(self, instant: datetime) -> Slot | None:
        while self.place < len(self.slots) and self.slots[self.place].ends_at <= instant:
            self.place += 1
        if self.place < len(self.slots) and self.slots[self.place].starts_at <= instant:
            return self.slots[self.place]
        return None


def by_person(moves: Iterable[Moved]) -> dict[int, Change]:
    """What moves for each person it moves anything for."""
    gained: dict[int, list[Moved]] = {}
    lost: dict[int, list[Moved]] = {}
    for moved in moves:
        if moved.before == moved.after:
            continue
        if moved.after is not None:
            gained.setdefault(moved.after, []).append(moved)
        if moved.before is not None:
            lost.setdefault(moved.before, []).append(moved)
    return {
        person: Change(person, tuple(gained.get(person, ())), tuple(lost.get(person, ())))
        for person in sorted(gained.keys() | lost.keys())
    }
