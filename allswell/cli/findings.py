"""What the doctor says of one thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, NOTE, BAD = "good", "note", "bad"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `state` is good, note (worth knowing) or bad; `advice` says what to do."""

    about: str
    state: str
    found: str
    advice: str = ""
