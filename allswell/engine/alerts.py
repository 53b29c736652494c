"""Alerts: what sources told is read in the order in which it came, folded, and acted on; and what time brings about for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from allswell.desk.alerts import reading, taking
from allswell.intake.queries import alerts as queries
from allswell.kernel.actor import engine as engine_actor

from . import steady
from .amazon import Amazon
from .loop import NOTHING, Work, described

log = logging.getLogger("allswell.engine")


class Alerts:
    """The module that reads what monitoring told. One engine folds at a time; another one goes on where it stopped."""

    name, idle, limit = "alerts", 0.1, 60.0
    #: so many requests, or about so many bytes of them, are taken at once
    batch, most_bytes = 200, 2_000_000

    def __init__(self, now: Callable[[], datetime] = steady.now, amazon: Amazon | None = None) -> None:
        self.now, self.amazon = now, amazon or Amazon()

    def is_due(self, now: datetime) -> bool:
        """Whether a request waits to be read."""
        return queries.is_waiting()

    def tick(self, now: datetime) -> Work:
        """Take a batch. One that cannot be taken is taken request by request, so that a bad one stops no other."""
        rows = queries.waiting(limit=self.batch, most_bytes=self.most_bytes)
        if not rows:
            return NOTHING
        reads = reading.read(rows, amazon=self.amazon)
        try:
            done = taking.take(reads, actor=engine_actor(), now=self.now())
        except Exception as error:
            if len(reads) > 1:
                return Work(sum(self._take_one(one) for one in reads), is_more=True)
            log.exception("report %s of source %s could not be taken", reads[0].raw, reads[0].source.slug)
            done = self._give_up(reads[0], error)
        return Work(done, is_more=bool(done) and len(rows) > 1)

    def _take_one(self, one: reading.Read) -> int:
        try:
            return taking.take([one], actor=engine_actor(), now=self.now())
        except Exception as error:
            log.exception("report %s of source %s could not be taken", one.raw, one.source.slug)
            return self._give_up(one, error)

    def _give_up(self, one: reading.Read, error: Exception) -> int:
        """It is shown in the set-up, where it can be tried again; nothing behind it waits."""
        failed = reading.Read(one.raw, one.source, one.received_at, error=f"It could not be taken: {described(error)}")
        return taking.take([failed], actor=engine_actor(), now=self.now())


class AlertTimes:
    """The module for leases, silences, flapping and heartbeats that are over."""

    name, idle, limit = "alert times", 1.0, 60.0

    def __init__(self, now: Callable[[], datetime] = steady.now) -> None:
        self.now = now

    def is_due(self, now: datetime) -> bool:
        """Whether the time of something is over."""
        return queries.is_timer_due(now)

    def tick(self, now: datetime) -> Work:
        """Do what is due."""
        return Work(taking.go_on(actor=engine_actor(), now=now))
