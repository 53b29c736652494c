"""Sending the codes and tests that show whether people are reached. A person waits for them, so they are never behind mails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from cryptography.fernet import InvalidToken
from django.conf import settings

from allswell.desk import contact_messages as messages
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.channels.registry import CHANNELS, Sender
from allswell.notifications.rules import Answer, Claim, Outcome

from .loop import Work, described

log = logging.getLogger("allswell.engine")


class Contacts:
    """The module that sends codes and tests, a few at a time."""

    name, idle, limit = "contacts", 0.2, 60.0
    batch = 8

    def __init__(
        self,
        channels: Mapping[str, Sender] = CHANNELS,
        allow: Sequence[str] | None = None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.channels = channels
        self.allowed = Allowed.parse(settings.OUTGOING_ALLOW if allow is None else allow)
        self.now = now

    def is_due(self, now: datetime) -> bool:
        """Whether a code or a test waits to be sent."""
        return messages.is_due(now)

    def tick(self, now: datetime) -> Work:
        """Send a batch, each at once."""
        claims = messages.claim(self.batch, actor=engine_actor(), now=now)
        if not claims:
            return Work(0)
        begun = [(claim, self._begun(claim)) for claim in claims]
        with ThreadPoolExecutor(len(claims), thread_name_prefix="engine-contact") as pool:
            running = [(claim, end if isinstance(end, Answer) else pool.submit(end)) for claim, end in begun]
            for claim, end in running:
                answer = end if isinstance(end, Answer) else end.result()
                messages.settle(claim, answer, actor=engine_actor(), now=self.now())
        return Work(len(claims), is_more=len(claims) >= self.batch)

    def _begun(self, claim: Claim) -> Answer | Callable[[], Answer]:
        """The call to make, or what came of it already. Looks things up here: the threads have no database."""
        at = self.now()
        sender = self.channels.get(claim.channel)
        if sender is None:
            return Answer(Outcome.FAILED, at, at, detail="Nothing here sends that way.")
        try:
            found = messages.written(claim, now=at)
        except InvalidToken:
            detail = "Its address cannot be read: the secret key of this installation has changed."
            return Answer(Outcome.FAILED, at, at, detail=detail)
        if isinstance(found, Outcome):
            return Answer(found, at, at)
        message, way = found

        def call() -> Answer:
            try:
                return sender(message, way, allowed=self.allowed, started_at=at, now=self.now)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is noted with this message, and the others go out
                what = described(error)
                log.error("message %s cannot be sent: %s", claim.key, what)
                return Answer(Outcome.RETRY, at, self.now(), detail=f"It cannot be sent: {what}")

        return call
