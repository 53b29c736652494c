"""What a mail says, before it has words: plain facts the renderer turns into a message in the recipient's language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .rules import Topic


@dataclass(frozen=True, slots=True)
class Matter:
    """The ticket a notice is about."""

    number: int
    reference: str
    title: str


@dataclass(frozen=True, slots=True)
class Said:
    """One notice: why the person is told, what happened, who did it ("" for the program) and what they wrote (Markdown)."""

    topic: Topic
    verb: str
    who: str
    at: datetime
    body: str = ""
    facts: dict[str, Any] = field(default_factory=dict)  # the entry's data and the notice's content


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person: one or more notices, by ticket. `key` stays the same over retries and becomes the Message-ID."""

    key: str
    to_name: str
    to_address: str
    locale: str
    time_zone: str
    parts: tuple[tuple[Matter | None, tuple[Said, ...]], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a webhook: `key` is its webhook-id; every secret in force signs it."""

    key: str
    url: str
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)
