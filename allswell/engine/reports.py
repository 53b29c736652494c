"""What reports are counted from, kept up to date."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import reports
from allswell.kernel.actor import engine as engine_actor
from allswell.reporting.queries import stretches

from .loop import Work


class Reports:
    """The module that works out where tickets were and what they waited for."""

    name, idle, limit = "reports", 60.0, 60.0
    batch = 500

    def is_due(self, now: datetime) -> bool:
        """Whether something happened since."""
        return stretches.is_behind()

    def tick(self, now: datetime) -> Work:
        """A batch of tickets; the last look finds none and says up to where all is done."""
        done = reports.count_stretches(limit=self.batch, actor=engine_actor(), now=now)
        return Work(done, is_more=done > 0)
