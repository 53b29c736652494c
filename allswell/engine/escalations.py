"""Runs go on: the steps that are due are taken."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import calling
from allswell.kernel.actor import engine as engine_actor

from .loop import NOTHING, Work


class Escalations:
    """The module that takes the steps of runs. All deadlines are in the database; any number of engines share them."""

    name, idle, limit = "escalations", 0.1, 30.0
    batch = 50

    def is_due(self, now: datetime) -> bool:
        """Whether a run has something to do."""
        return calling.is_due(now)

    def tick(self, now: datetime) -> Work:
        """Take the steps that are due."""
        done = calling.take_steps(limit=self.batch, actor=engine_actor(), now=now)
        return Work(done, is_more=done >= self.batch) if done else NOTHING
