"""The listener: a mail server of the installation hands mail over by LMTP or SMTP. "250" means that it is committed.

It is made for a mail server, not for the open internet: it relays nothing, knows no sign-in, and takes mail for its mailboxes only.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from allswell.desk.mail import brought
from allswell.desk.mail.brought import Place as Target
from allswell.desk.mail.mailboxes import MOST_BYTES
from allswell.intake.rules.listening import Place
from allswell.kernel.actor import engine as engine_actor

from . import steady
from .loop import NOTHING, Work, described

log = logging.getLogger("allswell.engine")

#: connections at a time: each may hold a mail in memory; recipients of a mail; seconds of silence
CONNECTIONS, RECIPIENTS, SILENCE = 10, 100, 300.0
#: commands a connection may send in all, of each kind; mail servers keep connections for a while
COMMANDS = 2000
_NULL_PATH = "<>"
_LATER = "451 4.3.0 Not now. Try again."
_TOO_LARGE = "552 5.3.4 The mail is too large."


class Takes:
    """What is answered, as aiosmtpd asks for it."""

    def __init__(self, now: Callable[[], datetime], pool: ThreadPoolExecutor, *, is_lmtp: bool) -> None:
        self._now, self._pool, self._is_lmtp = now, pool, is_lmtp

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str | None, mail_options: list[str]
    ) -> str:
        """The sender, or the null path of programs; aiosmtpd takes an empty one for none."""
        envelope.mail_from = address or _NULL_PATH
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]) -> str:
        """A recipient: a mailbox of ours, with or without what follows a plus sign."""
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 Too many recipients. Send the others with another mail."
        try:
            found = await self._apart(lambda: brought.places([address]))
        except DatabaseError as error:
            log.warning("listener: %s", described(error))
            return _LATER
        if address not in found:
            return "550 5.1.1 There is no such mailbox here."
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        session.__dict__.setdefault("targets", {})[address] = found[address]
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The mail itself: kept for every recipient at once; LMTP wants an answer for each."""
        raw = envelope.original_content or b""
        known: dict[str, Target] = session.__dict__.get("targets", {})
        places = [(known[one].mailbox, one) for one in envelope.rcpt_tos]
        sender = "" if envelope.mail_from in (None, _NULL_PATH) else envelope.mail_from
        try:
            await self._apart(
                lambda: brought.keep_for_all(raw, places=places, envelope_from=sender, actor=engine_actor(), now=self._now())
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail server keeps the mail and tries again
            log.error("listener: %s", described(error))
            return self.for_all(_LATER, envelope)
        return self.for_all("250 2.0.0 It is kept.", envelope)

    def for_all(self, answer: str, envelope: Envelope | None) -> str:
        """One answer, or by LMTP one for each recipient (RFC 2033 section 4.2)."""
        count = len(envelope.rcpt_tos) if self._is_lmtp and envelope is not None else 1
        return "\r\n".join([answer] * max(1, count))

    async def _apart(self, work: Callable[[], Any]) -> Any:
        def done() -> Any:
            try:
                return work()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._pool, done)


class _Bounded:
    """What both protocols have in common here: so many connections, and an answer for each recipient."""

    takes: Takes
    count: dict[str, int]
    is_counted = False
    #: what others let through is no reason to send it back
    line_length_limit = 1_000_000

    def connection_made(self, transport: Any) -> None:
        if self.count["open"] >= CONNECTIONS:
            transport.write(b"421 4.3.2 Too many connections. Try again.\r\n")
            transport.close()
            return
        self.count["open"] += 1
        self.is_counted = True
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        if self.is_counted:
            self.is_counted = False
            self.count["open"] -= 1
            super().connection_lost(error)  # type: ignore[misc]

    def eof_received(self) -> bool | None:
        return super().eof_received() if self.is_counted else None  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        if self.is_counted:
            super().data_received(data)  # type: ignore[misc]

    async def push(self, status: Any) -> None:
        """Say something. What the protocol itself says of a mail is said for each recipient, too."""
        text = status.decode("ascii", "replace") if isinstance(status, bytes) else str(status)
        if text.startswith("552 Error: Too much mail data"):
            status = self.takes.for_all(_TOO_LARGE, self.envelope)  # type: ignore[attr-defined]
        elif text.startswith("500 Line too long"):
            status = self.takes.for_all("500 5.5.2 A line is too long.", self.envelope)  # type: ignore[attr-defined]
        await super().push(status)  # type: ignore[misc]


class _Smtp(_Bounded, SMTP):
    pass


class _Lmtp(_Bounded, LMTP):
    pass


class Listening:
    """The open port, served by a thread of its own."""

    def __init__(self, place: Place, now: Callable[[], datetime]) -> None:
        self._place, self._now = place, now
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="listener")
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def open(self) -> None:
        """Listen. Raises OSError when the port cannot be had."""
        takes = Takes(self._now, self._pool, is_lmtp=self._place.protocol == "lmtp")
        count = {"open": 0}
        made = _Lmtp if self._place.protocol == "lmtp" else _Smtp

        def protocol() -> SMTP:
            one = made(
                takes,
                data_size_limit=MOST_BYTES,
                enable_SMTPUTF8=True,
                hostname="allswell",
                ident="Allswell",
                timeout=SILENCE,
                command_call_limit=COMMANDS,
                loop=self._loop,
            )
            one.takes, one.count = takes, count
            return one

        try:
            self._server = self._loop.run_until_complete(
                self._loop.create_server(protocol, self._place.host, self._place.port, reuse_address=True)
            )
        except OSError:
            self.close()
            raise
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def close(self) -> None:
        """Close the port; who is connected tries again later."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._closed(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        self._pool.shutdown()
        self._loop.close()

    async def _closed(self) -> None:
        assert self._server is not None
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class Listener:
    """The module that keeps the port open. Where another engine on this machine has it, that one serves."""

    name, idle, limit = "listener", 5.0, 30.0

    def __init__(self, now: Callable[[], datetime] = steady.now, url: str | None = None) -> None:
        self.now = now
        said = settings.MAIL_LISTEN if url is None else url
        self.place = Place.parse(said) if said else None
        self.listening: Listening | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it should listen and does not."""
        return self.place is not None and (self.listening is None or not self.listening.is_alive)

    def tick(self, now: datetime) -> Work:
        """Listen."""
        assert self.place is not None
        fresh = Listening(self.place, self.now)
        fresh.open()
        self.listening = fresh
        log.info("mail is taken at %s://%s:%s", self.place.protocol, self.place.host, self.place.port)
        return NOTHING

    def finish(self) -> None:
        """The engine stops."""
        if self.listening is not None:
            self.listening.close()
            self.listening = None
