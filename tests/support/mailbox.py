"""A mail server that keeps what it is given, and can be told to refuse."""

from __future__ import annotations

import asyncio
import email
import logging
import socket
import threading
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

logging.getLogger("mail.log").setLevel(logging.WARNING)


class Mailbox:
    """Use as a context manager. `received` are the mails in order; `refuse` maps an SMTP step ("RCPT", "DATA") to an answer."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.connections = 0
        self.refuse: dict[str, str] = {}
        self.port = port

    @property
    def url(self) -> str:
        """Its address as a setting."""
        return f"smtp+plain://127.0.0.1:{self.port}"

    def __enter__(self) -> Mailbox:
        self._loop = asyncio.new_event_loop()
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self._server = self._loop.run_until_complete(self._loop.create_server(self._protocol, sock=listening))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _protocol(self) -> SMTP:
        self.connections += 1
        return SMTP(self, enable_SMTPUTF8=True, loop=self._loop)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if "RCPT" in self.refuse:
            return self.refuse["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.received.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 kept"
