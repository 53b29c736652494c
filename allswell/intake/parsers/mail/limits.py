"""How much of one mail is read. More than this is no letter, and goes to quarantine unread."""

from __future__ import annotations

from dataclasses import dataclass


class TooMuch(Exception):
    """A mail beyond the limits; `reason` says which: "size", "headers", "parts", "nesting" or "boundaries"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """The sizes up to which a mail is read. The first group refuses the mail, the second one cuts and notes a defect."""

    size: int = 25 * 1024 * 1024
    header_bytes: int = 256 * 1024
    header_fields: int = 1_000
    parts: int = 200
    nesting: int = 20
    false_boundaries: int = 20_000

    kept_headers: int = 200
    encoded_words: int = 300
    recipients: int = 500
    references: int = 200
    text: int = 300_000
    html: int = 1_000_000
    html_depth: int = 200
    report: int = 200_000


USUAL = Limits()
