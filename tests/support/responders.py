"""Mail programs that answer by themselves, on both sides of the desk, and the post between them. No server is needed."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest

from allswell.desk import tickets as desk
from allswell.engine import outbox
from allswell.intake.models import InboundMessage
from tests.support.post import Post

#: what writes an answer to a mail: (text, more headers), None where it keeps quiet
Responder = Callable[[EmailMessage, int], "tuple[str, str] | None"]


def with_headers(mail: EmailMessage, count: int) -> tuple[str, str]:
    """A responder as the standard wants it."""
    return "I am away until Monday.", "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n"


def without_any(mail: EmailMessage, count: int) -> tuple[str, str]:
    """One that says nothing of itself, and words that nobody knows."""
    return f"Message {count} has reached the office; somebody writes back.", ""


def talkative(mail: EmailMessage, count: int) -> tuple[str, str]:
    """One that never says the same twice."""
    word = "".join("abcdefghij"[int(digit)] for digit in str(count))
    return f"Our parrot says {word} about that {word}{word}.", ""


class Exchange:
    """The mails of the desk reach people whose programs may answer them."""

    def __init__(self, post: Post, patch: pytest.MonkeyPatch, responders: dict[str, Responder]) -> None:
        self.post = post
        self.responders = responders
        self.sent: list[EmailMessage] = []
        self.answered = 0
        exchange = self

        class Connection:
            def __init__(self, *_: Any, **__: Any) -> None: ...

            def send(self, mail: EmailMessage) -> str:
                exchange.sent.append(mail)
                return "taken"

            def close(self) -> None: ...

        patch.setattr(outbox.smtp, "Connection", Connection)
        self.module = outbox.Mail(url="smtp://mail.example", sender=self.post.mailbox.address, now=lambda: self.post.world.now)

    def settle(self, *, minutes: float = 5.0, most: int = 500) -> int:
        """Let mail go to and fro until nobody says anything any more; how many rounds that took. Fails when it does not end."""
        for rounds in range(most):
            self.post.world.forward(minutes=minutes)
            before = len(self.sent)
            while self.module.is_due(self.post.world.now) and self.module.tick(self.post.world.now).is_more:
                pass
            new = self.sent[before:]
            if not new:
                return rounds
            for mail in new:
                self._answer(mail)
        raise AssertionError("it does not end")

    def _answer(self, mail: EmailMessage) -> None:
        address = parseaddr(str(mail["To"]))[1]
        responder = self.responders.get(address)
        said = responder(mail, self.answered) if responder is not None else None
        if said is None:
            return
        self.answered += 1
        to = parseaddr(str(mail["Reply-To"] or mail["From"]))[1]
        raw = self.post.write(
            address,
            said[0],
            subject=f"Re: {mail['Subject']}",
            to=to,
            answers=str(mail["Message-ID"]).strip("<>"),
            more=said[1],
        )
        self.post.comes(raw)

    def held(self) -> int:
        """How many mails wait for a person."""
        return InboundMessage.objects.filter(state="held").count()


def days(exchange: Exchange, count: int) -> int:
    """So many days at the desk: Maria writes, Jonas answers by mail, and programs say what they say. The longest exchange in rounds."""
    longest = 0
    for day in range(count):
        exchange.post.world.forward(hours=20)
        words = f"Day {day}: it hums {'again ' * (day % 7)}."
        found = exchange.post.mail("Maria Keller <maria@example.org>", words, subject=f"Hum {day}")
        if found.ticket_id is not None:
            world = exchange.post.world
            desk.take(found.ticket_id, **world.by(world.jonas))
        longest = max(longest, exchange.settle())
        if found.ticket_id is not None:
            subject = f"Re: [INC-{found.ticket_id}] Hum"
            exchange.post.mail("Jonas Berg <jonas@example.org>", f"We listen, day {day} {'so ' * (day % 5)}.", subject=subject)
            longest = max(longest, exchange.settle())
    return longest
