"""Where the keys are that sign mail, as the operator writes it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_LONGEST = 63


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is, and the selector under which its public half is published."""

    selector: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> Place:
        """From "desk2026:/run/secrets/dkim.pem". Raises ValueError."""
        selector, _colon, path = text.partition(":")
        if not path or not is_selector(selector):
            raise ValueError("It must be SELECTOR:FILE, such as desk2026:/run/secrets/dkim.pem.")
        return cls(selector.lower(), Path(path))


def is_selector(text: str) -> bool:
    """Whether a name can stand before ._domainkey."""
    return len(text) <= _LONGEST and _SELECTOR.fullmatch(text) is not None


def domain_name(selector: str, domain: str) -> str:
    """Where the public half of a key is published."""
    return f"{selector}._domainkey.{domain}"
