"""The shifts of rotas, written ahead and told in time."""

from __future__ import annotations

from datetime import datetime

from allswell.desk import watch
from allswell.kernel.actor import engine as engine_actor

from .loop import Work


class Rotas:
    """The module that writes shifts ahead every day, tells who is on call soon, and lets old requests expire."""

    name, idle, limit = "rotas", 5.0, 30.0
    batch, rotas = 200, 20

    def is_due(self, now: datetime) -> bool:
        """Whether a rota lacks shifts, a shift begins soon, or a request is over."""
        return watch.is_due(now)

    def tick(self, now: datetime) -> Work:
        """First what is told, then a few rotas, each in a transaction of its own."""
        done = watch.tell_starts(limit=self.batch, actor=engine_actor(), now=now)
        done += watch.expire_requests(limit=self.batch, actor=engine_actor(), now=now)
        for _ in range(self.rotas):
            if not watch.extend(actor=engine_actor(), now=now):
                return Work(done, is_more=done >= self.batch)
            done += 1
        return Work(done, is_more=True)
