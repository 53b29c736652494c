"""Warnings and breaches of clocks, at their instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from allswell.desk import alarms
from allswell.kernel.actor import engine as engine_actor

from . import steady
from .loop import Work


class Clocks:
    """The module that lets clocks be heard. It sleeps until the next instant, but looks again soon: that may move nearer."""

    name, limit = "clocks", 30.0
    #: seconds between two looks: long enough that what falls due meanwhile is told in one batch, and what is new is seen in time
    shortest, longest = 0.025, 0.2
    batch = alarms.BATCH

    def __init__(self, now: Callable[[], datetime] = steady.now) -> None:
        self.now = now
        self._next: datetime | None = None

    @property
    def idle(self) -> float:
        """Until the next alarm, within bounds."""
        if self._next is None:
            return self.longest
        return min(max((self._next - self.now()).total_seconds(), self.shortest), self.longest)

    def is_due(self, now: datetime) -> bool:
        """Whether a clock's instant has passed."""
        self._next = alarms.next_alarm()
        return self._next is not None and self._next < now

    def tick(self, now: datetime) -> Work:
        """Give a batch of warnings and breaches."""
        done = alarms.fire(limit=self.batch, actor=engine_actor(), now=now)
        return Work(done, is_more=done >= self.batch)
