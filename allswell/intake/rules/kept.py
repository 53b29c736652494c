"""What is kept of a request before it is answered, and of what changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Raw:
    """A request as it is kept: of which source, when it came, its head, its bytes, and what made-up keys of it come from."""

    source: int
    received_at: datetime
    head: Mapping[str, Any]
    body: bytes
    nonce: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Something that a source says was changed; the columns of `SystemChange`. `service` is None where it is of none we know."""

    source: int
    service: int | None
    title: str
    text: str
    labels: Mapping[str, str]
    links: tuple[tuple[str, str], ...]
    happened_at: datetime
    seen_at: datetime
