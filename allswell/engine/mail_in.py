"""Mail that came in: read in a process that may be killed, then taken, in the order in which it came. A bad one stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError

from allswell.desk.mail import ours, reading, taking
from allswell.desk.mail.reading import Reader
from allswell.intake.apart import Apart
from allswell.intake.queries import mail as queries
from allswell.kernel.actor import engine as engine_actor

from . import steady
from .loop import NOTHING, Work, described

log = logging.getLogger("allswell.engine")

#: a mail at which the database fails so often in a row, though it answers to everything else, is put aside
MOST_FAILURES = 10


class MailIn:
    """The module that takes mail. One engine does at a time; another one goes on where it stopped."""

    name, idle, limit = "mail in", 0.5, 120.0
    batch = 50

    def __init__(self, now: Callable[[], datetime] = steady.now, reader: Reader | None = None) -> None:
        self.now = now
        self._apart = Apart() if reader is None else None
        self._reader = reader
        self._failing, self._failures = 0, 0

    def is_due(self, now: datetime) -> bool:
        """Whether a mail waits to be read."""
        return queries.is_waiting()

    def tick(self, now: datetime) -> Work:
        """Take a batch, mail by mail."""
        waiting = queries.waiting(self.batch)
        if not waiting:
            return NOTHING
        own = ours.own()
        done = 0
        for message in waiting:
            if not self._take(message.pk, reading.read(message, own, self._understand)):
                break
            done += 1
        return Work(done, is_more=done == len(waiting))

    def finish(self) -> None:
        """End the process that reads."""
        if self._apart is not None:
            self._apart.close()

    @property
    def _understand(self) -> Reader:
        if self._reader is not None:
            return self._reader
        assert self._apart is not None
        return self._apart.understand

    def _take(self, message: int, read: reading.Read) -> bool:
        """Whether the next one may follow: this one is settled. False: another engine is at it, or it is tried again."""
        try:
            return taking.take(read, actor=engine_actor(), now=self.now()) is not None
        except OperationalError as error:
            # the database, not the mail, unless it is always this mail
            self._failures = self._failures + 1 if self._failing == message else 1
            self._failing = message
            if self._failures < MOST_FAILURES:
                raise
            return taking.give_up(message, error=described(error), is_final=True, actor=engine_actor(), now=self.now())
        except Exception as error:
            log.exception("mail %s could not be taken", message)
            return taking.give_up(message, error=described(error), actor=engine_actor(), now=self.now())
