"""Mailboxes of the tests, and mails that come to them."""

from __future__ import annotations

import struct
import zlib
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


def a_picture(width: int = 640, height: int = 480, *, marked: bytes = b"") -> bytes:
    """A PNG of a size; with other marks, another picture."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"tEXt", b"Comment\0" + marked)]
    parts += [(b"IDAT", zlib.compress((b"\0" + b"\x80" * width) * height)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(said)) + name + said + struct.pack(">I", zlib.crc32(name + said)) for name, said in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


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
