"""An instant as its reader knows it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import localedata
from babel.dates import format_datetime

from allswell.kernel.instants import clock_at


def when(at: datetime, *, locale: str, zone: str) -> str:
    """An instant as the recipient reads it, their zone named: "23 Nov 2026, 14:05 (Europe/Zurich)".

    In the hour that the clocks show twice it says which of the two: "25 Oct 2026, 02:30 CET (Europe/Zurich)".
    """
    return _when(at.astimezone(UTC).replace(second=0, microsecond=0), locale, zone)


@lru_cache(maxsize=1024)
def _when(at: datetime, locale: str, zone: str) -> str:
    """The pages of a storm name the same few minutes; writing one out takes longer than the rest of a page."""
    try:
        there: tzinfo = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        there, zone = UTC, "UTC"
    language = locale.partition("-")[0]
    local = at.astimezone(there)
    day = format_datetime(local, "d MMM y", locale=language if localedata.exists(language) else "en")
    return f"{day}, {clock_at(local)} ({zone})"


def span(starts_at: str, ends_at: str, *, locale: str, zone: str) -> str:
    """From when to when (ISO texts), the zone named once."""
    first = when(datetime.fromisoformat(starts_at), locale=locale, zone=zone).rpartition(" (")[0]
    return f"{first} – {when(datetime.fromisoformat(ends_at), locale=locale, zone=zone)}"
