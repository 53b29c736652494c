"""The only reader of the system clock. Entry points call it once and pass the instant on."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """This instant, in UTC, with microseconds."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def monotonic() -> float:
    """Seconds on a clock that never steps back; for measuring durations only."""
    return time.monotonic()


def lived() -> float:
    """Seconds since the machine started, those it slept included where the system counts them."""
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    except (AttributeError, OSError):  # not Linux
        return time.monotonic()
