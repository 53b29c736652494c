"""Sending pages: claimed in one transaction, sent outside any, many at once, settled as soon as they are answered.

Pages have an outbox of their own and never wait behind mails. What is on its way is remembered from tick to tick, so that a channel
that hangs holds up only the places it takes.
"""

from __future__ import annotations

import logging
import queue
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.conf import settings

from allswell.desk import page_sending
from allswell.desk.page_sending import Done, Group, Parcel, Unsent
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.channels.registry import CHANNELS
from allswell.notifications.rules import Answer, Outcome
from allswell.oncall.rules import sending

from . import steady
from .loop import Work, described

log = logging.getLogger("allswell.engine")


class Pages:
    """The module that sends pages."""

    name, idle, limit = "pages", 0.1, 60.0
    #: how many are on their way at once, and how long a tick waits for one of them (seconds)
    at_once, patience = 64, 0.05

    def __init__(self, allow: Sequence[str] | None = None, now: Callable[[], datetime] = steady.now) -> None:
        self.allowed = Allowed.parse(settings.OUTGOING_ALLOW if allow is None else allow)
        self.now = now
        self._pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="engine-page")
        self._under_way = 0
        self._answered: queue.SimpleQueue[Done] = queue.SimpleQueue()

    def is_due(self, now: datetime) -> bool:
        """Whether a page waits to be sent, or is on its way."""
        return bool(self._under_way) or page_sending.is_due(now)

    def tick(self, now: datetime) -> Work:
        """Begin with what is due as far as there is room, and settle what has been answered."""
        begun = self._begin(now)
        done = self._settle(self.patience)
        return Work(begun + done, is_more=bool(begun or self._under_way))

    def finish(self) -> None:
        """Wait for what is on its way, and settle it: what is not settled goes out twice."""
        while self._under_way:
            self._settle(sending.SENDS_WITHIN.total_seconds())
        self._pool.shutdown()

    def _begin(self, now: datetime) -> int:
        room = self.at_once - self._under_way
        if not room or not page_sending.is_due(now):  # a look takes no turn from those who write
            return 0
        groups = page_sending.claim(limit=room, actor=engine_actor(), now=now)
        if not groups:
            return 0
        made = self._written(groups)
        for one in made:
            if isinstance(one, Parcel):
                self._under_way += 1
                self._pool.submit(self._deliver, one)
        unsent = [one for one in made if isinstance(one, Unsent)]
        if unsent:
            page_sending.drop(unsent, actor=engine_actor(), now=self.now())
        return len(groups)

    def _settle(self, patience: float) -> int:
        """Write down what has been answered; waits up to `patience` seconds for one.

        When all places are taken, until half of them are free: a few at a time cost each page several times the work.
        """
        wanted = self._under_way // 2 if self._under_way >= self.at_once else 1
        until = clock.monotonic() + patience
        done: list[Done] = []
        while len(done) < self._under_way:
            try:
                done.append(self._answered.get(block=len(done) < wanted, timeout=max(0.0, until - clock.monotonic())))
            except queue.Empty:
                break
        if done:
            self._under_way -= len(done)
            self._write_down(done)
        return len(done)

    def _write_down(self, done: list[Done]) -> None:
        """What came of tries. One that cannot be written down must not have the others sent again, and is not itself for ever."""
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        try:
            page_sending.settle(done, chance=chance, actor=engine_actor(), now=self.now())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted, and the others are settled
            if len(done) > 1:
                for one in done:
                    self._write_down([one])
                return
            log.error("page %s could not be settled: %s", done[0].parcel.message.key, described(error))
            page_sending.settle_barely(done[0], actor=engine_actor(), now=self.now())

    def _written(self, groups: list[Group]) -> list[Parcel | Unsent]:
        """The messages. One that cannot be written must not stop the others."""
        try:
            return page_sending.parcels(groups, now=self.now())
        except Exception:
            if len(groups) == 1:
                log.exception("page %s cannot be written", groups[0].head.key)
                return [Unsent(groups[0], Outcome.RETRY, "It cannot be written; the log says why.")]
            return [one for group in groups for one in self._written([group])]

    def _deliver(self, parcel: Parcel) -> None:
        self._answered.put(Done(parcel, self._send(parcel)))

    def _send(self, parcel: Parcel) -> Answer:
        """One attempt. A channel does not raise; should one do so all the same, that is an answer, too."""
        started = self.now()
        send = CHANNELS.get(parcel.way.kind)
        if send is None:
            return Answer(Outcome.FAILED, started, started, detail="This installation has no such channel.")
        try:
            return send(parcel.message, parcel.way, allowed=self.allowed, started_at=started, now=self.now)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted with this page, and the others go out
            what = described(error)
            log.error("page %s could not be sent: %s", parcel.message.key, what)
            return Answer(Outcome.RETRY, started, self.now(), detail=f"It could not be sent: {what}", is_certain=False)
