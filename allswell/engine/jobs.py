"""Long work somebody asked for, in batches, so that everybody else can write in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from allswell.desk import bulk, long_work
from allswell.jobs import queries
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor

from . import steady
from .loop import NOTHING, Work


class Jobs:
    """The module that does long work. A job goes on where another engine left it."""

    name, idle, limit = "jobs", 0.25, 30.0
    turn = 5.0  # seconds at one job before the others have theirs

    def __init__(self, now: Callable[[], datetime] = steady.now) -> None:
        self.now = now

    def is_due(self, now: datetime) -> bool:
        """Whether a job waits."""
        return queries.is_anything_due(now)

    def tick(self, now: datetime) -> Work:
        """Work on the oldest free job for a while."""
        actor = engine_actor()
        job = bulk.claim(actor=actor, now=now)
        if job is None:
            return NOTHING
        begun, batches = clock.monotonic(), 0
        while is_more := long_work.run_batch(job, actor=actor, now=self.now()):
            batches += 1
            if clock.monotonic() - begun > self.turn:
                break
        if is_more:
            bulk.put_back(job, actor=actor, now=self.now())
        return Work(batches + 1, is_more=True)
