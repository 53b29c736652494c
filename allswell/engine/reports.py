"""What reports are counted from, kept up to date, and reports by mail."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import report_mails, reports
from allswell.kernel.actor import engine as engine_actor
from allswell.reporting.queries import stretches, subscriptions

from .loop import Work


class Reports:
    """The module that works out where tickets were and what they waited for, and sends reports to who asked for them."""

    name, idle, limit = "reports", 60.0, 60.0
    batch, mails = 100, 100

    def is_due(self, now: datetime) -> bool:
        """Whether something happened since, or a report is to be sent."""
        return subscriptions.is_due(now) or stretches.is_behind()

    def tick(self, now: datetime) -> Work:
        """A batch of tickets; the last look finds none and says up to where all is done."""
        actor = engine_actor()
        done = reports.count_stretches(limit=self.batch, actor=actor, now=now)
        if done:
            return Work(done, is_more=True)  # a report that is sent counts all of it
        return Work(report_mails.send_due(limit=self.mails, actor=engine_actor(), now=now))
