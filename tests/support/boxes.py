"""Mailboxes of the tests, and mails that come to them."""

from __future__ import annotations

from typing import Any

from allswell.desk.mail import mailboxes
from allswell.intake.models import Mailbox

from .world import World

SERVER = {"host": "imap.example.org", "user": "support"}
PASSWORD = "correct-horse-battery"


def a_mailbox(world: World, kind: str = "listener", address: str = "support@example.org", **more: Any) -> tuple[Mailbox, str]:
    """A mailbox of a kind, and its key."""
    if kind == "imap":
        more = {"connection": SERVER, "secret": {"password": PASSWORD}} | more
    return mailboxes.create(name=f"The {kind}", address=address, kind=kind, **more, **world.by(world.ada))


def mail(subject: str = "Printer on fire", to: str = "support@example.org", text: str = "It burns.", **heads: str) -> bytes:
    """A mail as it goes over the wire."""
    lines = [
        "From: Maria Keller <maria@example.org>",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: <{hash(subject + text)}@x>",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in heads.items()]
    return "\r\n".join([*lines, "", text, ""]).encode()
