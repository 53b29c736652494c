"""Leads hear every Monday of what is not covered."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import coverage_notices
from allswell.kernel.actor import engine as engine_actor

from .loop import Work


class Coverage:
    """The module that proves the coverage of the leads' services once a week and tells of gaps."""

    name, idle, limit = "coverage", 60.0, 60.0
    batch = 5

    def is_due(self, now: datetime) -> bool:
        """Whether it is a lead's Monday, or a lead is new."""
        return coverage_notices.is_due(now)

    def tick(self, now: datetime) -> Work:
        """A few leads, each looked at outside and told in a transaction of its own."""
        actor = engine_actor()
        done = coverage_notices.plan_leads(actor=actor, now=now)
        found = coverage_notices.look(limit=self.batch, now=now)
        done += sum(coverage_notices.tell(one, actor=actor, now=now) for one in found)
        return Work(done, is_more=len(found) >= self.batch)
