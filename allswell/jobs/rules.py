"""When an engine counts as alive, when nothing was watching, and how long a job is held. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from allswell.kernel.steady import NOTICED, Move

#: how often a node writes its heartbeats, at most
BEAT_EVERY = timedelta(seconds=5)
#: a module whose last beat is older is not running
SILENT_AFTER = timedelta(seconds=60)
#: the clocks of two machines may be so far apart
AHEAD = timedelta(minutes=5)
#: rows of nodes that are gone are forgotten after this
FORGOTTEN_AFTER = timedelta(days=1)
#: a batch must be done within this, or another engine takes the job over
LEASE = timedelta(seconds=60)
#: reasons kept per job; the rest is counted
PROBLEMS_KEPT = 500


def is_alive(beat_at: datetime, *, now: datetime) -> bool:
    """Whether what last beat at `beat_at` is running. A beat far in the future is from before a clock was set back: it says nothing."""
    return -AHEAD <= now - beat_at <= SILENT_AFTER


#: nothing was watching when no engine said so for longer than this; an upgrade is shorter
BLIND_AFTER = timedelta(seconds=30)
#: a beat that could not be written is not tried again by every module at once
TRIES_AGAIN_AFTER = timedelta(seconds=1)
#: administrators are told of a blindness longer than this
TOLD_AFTER = timedelta(minutes=5)
#: blind times are kept this long
BLIND_TIMES_KEPT = timedelta(days=400)
#: the modules without which nobody is warned or paged: an engine in which one of them stands still does not watch
WATCHING = frozenset({"clocks", "escalations", "pages"})
#: a watcher that looks every 15 seconds and was not seen for this long is missed
WATCHER_MISSED_AFTER = timedelta(minutes=5)
#: a name and an instant of a watcher are forgotten after this
WATCHER_FORGOTTEN_AFTER = timedelta(days=30)


class Why(StrEnum):
    """Why nothing was watching."""

    STOPPED = "stopped"  # the last engine ended in good order
    SILENT = "silent"  # killed, or held still
    DATABASE_AWAY = "database_away"  # engines ran and could not reach the database
    CLOCK_MOVED = "clock_moved"  # the clock of the machine was set


@dataclass(frozen=True, slots=True)
class Glance:
    """What an engine that beats knows of itself.

    `own_at` is when its last beat was written, None when this is its first; `is_watching` is False while a module that has to watch
    stands still; `could_not_write` says that it tried since and the database was away; `wall_at` is what the clock of its machine says,
    where that is not the instant of the engine; `moves` is what that clock did since.
    """

    node: str
    own_at: datetime | None = None
    is_watching: bool = True
    could_not_write: bool = False
    wall_at: datetime | None = None
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Blind:
    """A blindness found: from when until when, and why. `moved` is by how much a clock was set (back: negative)."""

    from_at: datetime
    until_at: datetime
    why: Why
    moved: timedelta = timedelta()

    @property
    def length(self) -> timedelta:
        """How long it was."""
        return self.until_at - self.from_at


def blindness(seen_at: datetime, left_at: datetime | None, glance: Glance, *, now: datetime) -> list[Blind]:
    """What an engine finds when it beats: the time nobody watched since `seen_at`, and what its clock skipped or had twice.

    A clock that was set forward has left a gap that nobody could watch: it is told as that, not as a silence too.
    """
    found = [_moved(move) for move in glance.moves]
    if glance.own_at is None and seen_at - now > NOTICED:
        found.append(Blind(now, seen_at, Why.CLOCK_MOVED, now - seen_at))
    since = max(seen_at, glance.own_at) if glance.own_at else seen_at
    skipped = sum((move.by for move in glance.moves if not move.is_back), timedelta())
    if now - since - skipped <= BLIND_AFTER:
        return found
    if glance.could_not_write:
        why = Why.DATABASE_AWAY
    else:
        why = Why.STOPPED if left_at is not None and left_at >= seen_at else Why.SILENT
    return [*found, Blind(since, now, why)]


def _moved(move: Move) -> Blind:
    first, last = sorted((move.was_at, move.is_at))
    return Blind(first, last, Why.CLOCK_MOVED, move.by)


def is_same_move(blind: Blind, node: str, *, others: Sequence[tuple[str, datetime, int]]) -> bool:
    """Whether an engine beside this one has written the same move of their clock down: (node, from_at, moved_seconds) of each."""
    machine, seconds = node.rpartition("/")[0], blind.moved.total_seconds()
    return any(
        other.rpartition("/")[0] == machine and abs(from_at - blind.from_at) < timedelta(minutes=1) and abs(moved - seconds) < 60
        for other, from_at, moved in others
    )
