"""How much a source told lately: reports by the minute, for an hour. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

#: for so many minutes counts are kept
MINUTES = 60


def minute_of(at: datetime) -> int:
    """The minute an instant lies in, counted since 1970."""
    return int(at.timestamp()) // 60


def counted(recent: Mapping[str, int], count: int, *, at: datetime) -> dict[str, int]:
    """The counts with `count` reports more in the minute of `at`; what is older than an hour before it is dropped."""
    minute = minute_of(at)
    kept = {key: value for key, value in recent.items() if int(key) > minute - MINUTES}
    kept[str(minute)] = kept.get(str(minute), 0) + count
    return kept


def last_hour(recent: Mapping[str, int], *, now: datetime) -> list[int]:
    """Reports in each of the last 60 minutes, the present one last."""
    present = minute_of(now)
    return [recent.get(str(minute), 0) for minute in range(present - MINUTES + 1, present + 1)]
