"""Sending what waits in the outbox. Claimed in one transaction, sent outside any, settled one by one right after."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import DatabaseError

from allswell.desk import outbox
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor
from allswell.notifications import mail, rules, signing
from allswell.notifications.channels import smtp, webhook
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.rules import Answer, Claim, Outcome

from . import steady
from .loop import Work, described

log = logging.getLogger("allswell.engine")

#: how long mails rest when the server cannot be spoken to at all
DOWN_PAUSE = timedelta(seconds=20)


class Mail:
    """The module that sends mails. Without a mail server it does nothing, and mails wait."""

    name, idle, limit = "mail", 0.1, 90.0
    batch = 20

    def __init__(self, url: str | None = None, sender: str | None = None, now: Callable[[], datetime] = steady.now) -> None:
        self.url = settings.SMTP_URL if url is None else url
        self.sender = settings.MAIL_FROM if sender is None else sender
        self.now = now
        self.signer = signing.in_use()
        if self.signer is not None:
            self.signer.look()
        self._rests_until = 0.0  # monotonic; a server that is down is not asked again for every batch that waits

    def is_due(self, now: datetime) -> bool:
        """Whether a mail waits that could be sent."""
        return bool(self.url and self.sender) and clock.monotonic() >= self._rests_until and outbox.is_mail_due(now)

    def tick(self, now: datetime) -> Work:
        """Send a batch over one connection. A server that is down is noted with the mails, and they rest."""
        server = smtp.Server.parse(self.url)
        claims = outbox.claim_mails(self.batch, actor=engine_actor(), now=now)
        begun, waiting = clock.monotonic(), list(claims)
        connection: smtp.Connection | None = None
        pause = timedelta(0)
        try:
            while waiting and clock.monotonic() - begun < rules.BEGINS_WITHIN.total_seconds():
                claim, started = waiting[0], self.now()
                message = self._written(claim, started)
                if not isinstance(message, EmailMessage):
                    self._settle(claim, message)
                    waiting.pop(0)
                    continue
                try:
                    connection = connection or smtp.Connection(server, signer=self.signer)
                    answer = self._send(connection, message, started)
                except smtp.ServerDown as error:
                    log.warning("mails wait: %s", error)
                    self._settle(claim, Answer(Outcome.RETRY, started, self.now(), detail=str(error)))
                    waiting.pop(0)
                    pause = DOWN_PAUSE
                    self._rests_until = clock.monotonic() + DOWN_PAUSE.total_seconds()
                    break
                self._settle(claim, answer)
                waiting.pop(0)
                if not answer.is_certain:
                    connection = None  # it broke; the next mail gets a new one
        finally:
            if connection is not None:
                connection.close()
            if waiting:
                outbox.put_back(waiting, pause=pause, actor=engine_actor(), now=self.now())
        return Work(len(claims), is_more=len(claims) >= self.batch and not pause)

    def _written(self, claim: Claim, now: datetime) -> EmailMessage | Outcome | Answer:
        """The message, or why there is none. A mail that cannot be written must not stop those behind it."""
        try:
            letter = outbox.letter(claim)
            if isinstance(letter, Outcome):
                return letter
            return mail.message(letter, sender=self.sender, public_url=settings.PUBLIC_URL, now=now)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is noted with this mail, and the others go out
            what = described(error)
            log.error("mail %s cannot be written: %s", claim.key, what)
            return Answer(Outcome.RETRY, now, self.now(), detail=f"It cannot be written: {what}")

    def _send(self, connection: smtp.Connection, message: EmailMessage, started: datetime) -> Answer:
        address, own_id = parseaddr(str(message["To"]))[1], str(message["Message-ID"]).strip("<>")
        try:
            said = connection.send(message)
        except smtp.NotTaken as error:
            outcome = Outcome.FAILED if error.is_final else Outcome.RETRY
            return Answer(
                outcome,
                started,
                self.now(),
                detail=str(error),
                status=error.status,
                is_bad_address=error.is_bad_address,
                address=address,
            )
        except smtp.Unsure as error:
            return Answer(Outcome.RETRY, started, self.now(), detail=str(error), is_certain=False, reference=own_id)
        return Answer(Outcome.SENT, started, self.now(), detail=said, status=250, address=address, reference=own_id)

    def _settle(self, claim: Claim, end: Answer | Outcome) -> None:
        if isinstance(end, Outcome):
            outbox.drop(claim, end, actor=engine_actor(), now=self.now())
            return
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        outbox.settle(claim, end, chance=chance, actor=engine_actor(), now=self.now())


class Calls:
    """The module that calls webhooks, a few at a time, so that a slow endpoint holds up few others."""

    name, idle, limit = "webhooks", 0.1, 90.0
    batch, at_once = 20, 4

    def __init__(self, allow: Sequence[str] | None = None, now: Callable[[], datetime] = steady.now) -> None:
        self.allowed = Allowed.parse(settings.OUTGOING_ALLOW if allow is None else allow)
        self.now = now

    def is_due(self, now: datetime) -> bool:
        """Whether a webhook waits to be called."""
        return outbox.is_call_due(now)

    def tick(self, now: datetime) -> Work:
        """Make a batch of calls, each settled as soon as it is answered."""
        claims = outbox.claim_calls(self.batch, actor=engine_actor(), now=now)
        begun, waiting = clock.monotonic(), list(claims)
        running: dict[Future[Answer], Claim] = {}
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="engine-call") as pool:
            while waiting or running:
                is_late = clock.monotonic() - begun > rules.BEGINS_WITHIN.total_seconds()
                if is_late and waiting:
                    outbox.put_back(waiting, pause=timedelta(0), actor=engine_actor(), now=self.now())
                    waiting = []
                while waiting and len(running) < self.at_once:
                    claim = waiting.pop(0)
                    if (future := self._begun(claim, pool)) is not None:
                        running[future] = claim
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self._settle(running.pop(future), future.result())
        return Work(len(claims), is_more=len(claims) >= self.batch)

    def _begun(self, claim: Claim, pool: ThreadPoolExecutor) -> Future[Answer] | None:
        """The call on its way, or None when it is not made (and settled)."""
        try:
            call = outbox.call(claim, now=self.now())
        except (InvalidToken, ValueError) as error:
            started = self.now()
            log.error("webhook call %s cannot be made: %s", claim.key, type(error).__name__)
            detail = "Its secret cannot be read: the secret key of this installation has changed."
            self._settle(claim, Answer(Outcome.RETRY, started, started, detail=detail))
            return None
        if isinstance(call, Outcome):
            outbox.drop(claim, call, actor=engine_actor(), now=self.now())
            return None
        return pool.submit(webhook.send, call, allowed=self.allowed, started_at=self.now(), now=self.now)

    def _settle(self, claim: Claim, answer: Answer) -> None:
        chance = random.random()  # noqa: S311 - spreads load, guards nothing
        outbox.settle(claim, answer, chance=chance, actor=engine_actor(), now=self.now())
