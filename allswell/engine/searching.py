"""Search documents of an older form are written anew in the background."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import searching
from allswell.kernel.actor import engine as engine_actor

from .loop import Work


class Searching:
    """The module that writes them anew; it has nothing to do but after some upgrades."""

    name, idle, limit = "searching", 15.0, 60.0
    batch = 100

    def is_due(self, now: datetime) -> bool:
        """Whether there are documents of an older form."""
        return searching.is_anything_due()

    def tick(self, now: datetime) -> Work:
        """Write a batch anew."""
        done = searching.renew(limit=self.batch, actor=engine_actor(), now=now)
        return Work(done, is_more=done > 0)
