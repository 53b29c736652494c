"""What is kept of a request before it is answered. Pure."""

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
