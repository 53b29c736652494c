"""What happens to tickets when their time has come: resolved ones close, waiting ones go on."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import closing
from allswell.kernel.actor import engine as engine_actor

from .loop import Work


class Closing:
    """The module that closes and resumes."""

    name, idle, limit = "closing", 1.0, 30.0
    batch = 50

    def is_due(self, now: datetime) -> bool:
        """Whether a ticket's time is up."""
        return closing.is_anything_due(now)

    def tick(self, now: datetime) -> Work:
        """Close and resume a batch each."""
        closed = closing.close_due(limit=self.batch, actor=engine_actor(), now=now)
        resumed = closing.resume_due(limit=self.batch, actor=engine_actor(), now=now)
        return Work(closed + resumed, is_more=max(closed, resumed) >= self.batch)
