"""Shifts are handed over: drafted in time, and never left lying."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import handovers
from allswell.kernel.actor import engine as engine_actor

from .loop import Work


class Handovers:
    """The module that drafts handovers before shifts change, reminds, escalates what nobody accepts, and ends what is over."""

    name, idle, limit = "handovers", 5.0, 30.0
    batch, drafts = 200, 20

    def is_due(self, now: datetime) -> bool:
        """Whether a shift changes soon without a handover, or the time of one is up."""
        return handovers.is_due(now)

    def tick(self, now: datetime) -> Work:
        """First those whose time is up, then a few drafts, each in a transaction of its own."""
        done = handovers.settle(limit=self.batch, actor=engine_actor(), now=now)
        is_more, failed = done >= self.batch, None
        for turnover in handovers.wanted(now, limit=self.drafts):
            try:
                done += handovers.draft(turnover, actor=engine_actor(), now=now)
            except Exception as error:  # noqa: BLE001 - one that cannot be drafted does not hold up the others
                failed = error
        if failed is not None:
            raise failed
        return Work(done, is_more=is_more)
