"""The shapes of clocks: what they are made of, and what is asked of the agreements. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from allswell.calendars.rules import Calendar
from allswell.kernel.errors import Conflict, DeskError

from .story import Facts
from .terms import Metric, Target, Terms

ZERO = timedelta(0)


class ClockState(StrEnum):
    """How a clock stands. Met and breached are told by its instants."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    MERGED = "merged"


OPEN_CLOCKS = frozenset({ClockState.RUNNING, ClockState.PAUSED})


class Passage(StrEnum):
    """What a segment is."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a clock, half-open; `ends_at` None while it lasts.

    `entry` is the journal entry that began it, `why` what it waits on.
    """

    passage: Passage
    starts_at: datetime
    ends_at: datetime | None
    entry: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """Which clock of a ticket: the agreement, what it promises, and which in order (update, hop, or attachment)."""

    agreement: int
    metric: Metric
    number: int = 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """An agreement that holds for a ticket: its key, the version in force and what that says. `why` names the condition that fits."""

    agreement: int
    version: int
    terms: Terms
    why: str = ""


#: why a clock cannot be counted: what stands in its row -> the sentence
PROBLEMS: Mapping[str, DeskError] = {
    "never-open": Conflict("In its calendar, no instant within 50 years is the one by which this is due."),
    "not-found": Conflict("The calendar in which this is counted is not there."),
    "invalid": Conflict("This lies outside the years for which calendars are known."),
}


def problem_of(error: DeskError) -> str:
    """Which of the problems it is."""
    return error.code if error.code in PROBLEMS else "invalid"


class Book(Protocol):
    """All agreements and calendars in force."""

    def customer(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The agreement with the customer that holds for such a ticket."""

    def internal(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The agreement for the team that has the ticket."""

    def calendar(self, slug: str, number: int | None) -> Calendar:
        """A calendar as known at a version (None: the newest)."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A clock as it stands. Instants are aware; `due_at` is None while it is paused with time left.

    `stopped_at` is when it was completed, cancelled or merged; `breached_at` the due instant when that passed before the clock
    stopped (as far as `now` tells). `wall` is the time from start to stop (or `now`) without what was stopped, `working` what of it
    counted. `calendar_number` is the version of the calendar used (0: none). `problem` says why it cannot be counted (`PROBLEMS`).
    """

    key: Key
    version: int
    target: Target
    team: int | None
    state: ClockState
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    stopped_at: datetime | None
    breached_at: datetime | None
    is_rerated: bool
    wall: timedelta
    working: timedelta
    calendar_number: int
    segments: tuple[Segment, ...]
    zone: str = "UTC"
    why: str = ""
    problem: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the promise is still to be kept."""
        return self.state in OPEN_CLOCKS

    @property
    def is_met(self) -> bool:
        """Whether it was kept in time."""
        return self.state is ClockState.COMPLETED and self.breached_at is None and not self.problem

    @property
    def left(self) -> timedelta:
        """What is left of its budget; negative never."""
        return max(ZERO, self.target.within.budget - self.working)
