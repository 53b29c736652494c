"""Instants that never run backwards, whatever happens to the clock on the wall. Pure.

A wall clock set back by an hour must not delay a page by an hour: the instants go on from where they were. They then go a little
slower than the wall until it has caught up, so that what is promised by the wall clock is not for ever an hour early. A wall clock
set forward is followed at once. Set back by more than `HELD`, it is followed too: nobody can work in a future that far away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: a clock that moved by less is not worth a word
NOTICED = timedelta(seconds=30)
#: a wall clock set back by more than this is followed
HELD = timedelta(hours=6)
#: how fast instants go while they are ahead of the wall
PACE = 0.9


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read together: the instant told, the wall clock, and the seconds lived since the machine started."""

    at: datetime
    wall: datetime
    lived: float


@dataclass(frozen=True, slots=True)
class Move:
    """A clock that moved by itself: where instants stood, where the wall stands now, and by how much it moved (back: negative)."""

    was_at: datetime
    is_at: datetime
    by: timedelta

    @property
    def is_back(self) -> bool:
        """Whether it was set back."""
        return self.by < timedelta()


def follow(last: Reading, *, wall: datetime, lived: float) -> tuple[Reading, Move | None]:
    """The reading after `last`, and how the wall clock moved between the two if it did."""
    elapsed = timedelta(seconds=max(lived - last.lived, 0))
    by = wall - last.wall - elapsed
    pace = PACE if last.at > last.wall else 1.0
    held = last.at + elapsed * pace
    at = wall if held - wall > HELD else max(wall, held)
    moved = Move(last.at, wall, by) if abs(by) > NOTICED else None
    return Reading(at, wall, lived), moved
