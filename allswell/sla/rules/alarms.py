"""When a clock makes itself heard: its warning, then its breach. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

#: what fires later than this after its instant passed while no engine ran; it is gathered into one notice per person
LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A clock whose instant has come. `at` is the instant it was to be looked at; `due_at` when its time is up."""

    clock: int
    ticket: int
    agreement: int
    metric: str
    target: str
    number: int
    at: datetime
    due_at: datetime
    is_rerated: bool

    def is_breach(self, now: datetime) -> bool:
        """Whether its time is up; a warning that would come after that is left out. Kept at the due instant is kept in time."""
        return self.due_at < now

    def rang_at(self, now: datetime) -> datetime:
        """The instant it is told of: a warning nobody gave is passed over once the time is up."""
        return max(self.at, self.due_at) if self.is_breach(now) else self.at

    def is_late(self, now: datetime) -> bool:
        """Whether it passed while no engine ran."""
        return now - self.rang_at(now) > LATE

    def noted(self, now: datetime) -> dict[str, Any]:
        """What the journal keeps of it."""
        kept: dict[str, Any] = {
            "clock": self.clock,
            "agreement": self.agreement,
            "metric": self.metric,
            "target": self.target,
            "number": self.number,
            "due_at": self.due_at.isoformat(),
        }
        if self.is_breach(now) and self.is_rerated:
            kept["is_rerated"] = True
        if self.is_late(now):
            kept["is_late"] = True
        return kept
