"""Mail that reaches the desk in tests: written by a hand or a program, kept, read and taken at the world's instant."""

from __future__ import annotations

import itertools
from typing import Any

from allswell.desk.mail import keeping
from allswell.engine.mail_in import MailIn
from allswell.intake import apart
from allswell.intake.models import InboundMessage, Mailbox
from allswell.kernel.actor import engine
from tests.support.world import World

SERVER = "mx.example.org"


class Post:
    """A mailbox of the desk, and the mails that come there. What `SERVER` proves is believed."""

    def __init__(self, world: World, address: str = "support@desk.example", **values: Any) -> None:
        self.world = world
        values = {"name": "Support", "authserv": SERVER, "organization": world.bank, **values}
        self.mailbox = Mailbox.objects.create(address=address, kind="pipe", created_at=world.now, **values)
        self.module = MailIn(now=lambda: world.now, reader=apart.read)
        self._numbers = itertools.count(1)

    def write(
        self,
        sender: str,
        text: str = "The printer does not print.",
        *,
        subject: str = "Printer",
        to: str = "",
        proven: bool | str = True,
        answers: str = "",
        more: str = "",
        message_id: str = "",
    ) -> bytes:
        """A mail as it comes. `proven`: what our server found out; `answers`: the Message-ID it answers to."""
        domain = sender.rpartition("@")[2].strip("> ")
        told = proven if isinstance(proven, str) else "dmarc=pass header.from=" + domain if proven else ""
        head = [f"Authentication-Results: {SERVER}; {told}"] if told else []
        head += [
            "Received: from out.example by mx.example.org; Mon, 23 Nov 2026 09:00:00 +0000",
            f"From: {sender}",
            f"To: {to or self.mailbox.address}",
            f"Subject: {subject}",
            f"Message-ID: <{message_id or f'm{next(self._numbers)}.{self.mailbox.pk}@{domain}'}>",
        ]
        head += [f"In-Reply-To: <{answers}>", f"References: <{answers}>"] if answers else []
        return ("\n".join(head) + f"\n{more}\n{text}\n").encode()

    def comes(self, raw: bytes, *, mailbox: Mailbox | None = None, **envelope: Any) -> InboundMessage:
        """A mail comes and is taken; how it stands then."""
        number = self.kept(raw, mailbox=mailbox, **envelope)
        self.take()
        return InboundMessage.objects.get(pk=number)

    def kept(self, raw: bytes, *, mailbox: Mailbox | None = None, **envelope: Any) -> int:
        """A mail comes and waits."""
        at = (mailbox or self.mailbox).pk
        number = keeping.keep(raw, mailbox=at, actor=engine(), now=self.world.now, **envelope)
        assert number is not None
        return number

    def take(self) -> None:
        """The engine takes all that waits."""
        while self.module.is_due(self.world.now):
            self.module.tick(self.world.now)

    def mail(self, sender: str, text: str = "The printer does not print.", **values: Any) -> InboundMessage:
        """Somebody writes to the desk; how their mail stands then."""
        return self.comes(self.write(sender, text, **values))
