"""The instants of this engine: every module gets its `now` here, so that none runs backwards while the process lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from allswell.kernel import clock
from allswell.kernel.steady import Move, Reading, follow

log = logging.getLogger("allswell.engine")


class Steady:
    """Reads the clocks of the machine and keeps what they did until somebody writes it down."""

    def __init__(self, wall: Callable[[], datetime] = clock.now, lived: Callable[[], float] = clock.lived) -> None:
        self._wall, self._lived = wall, lived
        self._lock = threading.Lock()
        self._last: Reading | None = None
        self._moves: list[Move] = []

    def now(self) -> datetime:
        """This instant, never before one told earlier unless the wall clock was set back by hours."""
        with self._lock:
            wall, lived = self._wall(), self._lived()
            if self._last is None:
                self._last = Reading(wall, wall, lived)
                return wall
            self._last, moved = follow(self._last, wall=wall, lived=lived)
            if moved is not None:
                self._moves.append(moved)
                log.warning("the clock of this machine moved by %+.0f s to %s", moved.by.total_seconds(), wall.isoformat())
            return self._last.at

    def wall(self) -> datetime:
        """What the clock of the machine says."""
        return self._wall()

    def moves(self) -> tuple[Move, ...]:
        """How the wall clock moved since this was last settled, oldest first."""
        with self._lock:
            return tuple(self._moves)

    def settle(self, moves: tuple[Move, ...]) -> None:
        """These are written down."""
        with self._lock:
            del self._moves[: len(moves)]


_shared = Steady()


def now() -> datetime:
    """This instant, for everything the engine does."""
    return _shared.now()


def shared() -> Steady:
    """The clock of this process."""
    return _shared
