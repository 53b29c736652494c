"""Where mail is handed to us, as it is written in the settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Place:
    """A protocol ("lmtp" or "smtp"), a host and a port to listen at."""

    protocol: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Place:
        """From lmtp://host:port or smtp://host:port. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("lmtp", "smtp") or not parts.hostname or not parts.port:
            raise ValueError("no place to listen at")
        if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("more than a place to listen at")
        return cls(parts.scheme, parts.hostname, parts.port)
