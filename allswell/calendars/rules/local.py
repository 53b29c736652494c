"""Between the clock on the wall of a place and instants.

One rule answers every doubtful case: the instant of a local time is the first at which the clock of the place shows that time or a later
one. So a time that does not exist rolls forward to the end of the gap, of an ambiguous time the first counts, and a later local time never
comes before an earlier one, whatever the clocks of the place did.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from allswell.kernel.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
FIRST_YEAR, LAST_YEAR = 1900, 2199
PATIENCE_YEARS = 50

# Names of the system, which mean another place on another machine or count leap seconds.
_NOT_PLACES = ("localtime", "posixrules", "Factory", "posix/", "right/")
_SECOND = timedelta(seconds=1)


class NeverOpen(Invalid):
    """No instant within the next fifty years meets what was asked for."""

    code = "never-open"


def never() -> NeverOpen:
    """What to raise when fifty years are not enough."""
    return NeverOpen("No instant within %(years)s years meets this in the calendar.", field="amount", years=PATIENCE_YEARS)


@lru_cache(maxsize=600)
def zone_named(name: str) -> ZoneInfo:
    """The IANA time zone of this name; raises Invalid on "zone" when there is none."""
    try:
        if not name.startswith(_NOT_PLACES):
            return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        pass
    said = name[:60] or "-"
    raise Invalid("There is no time zone %(zone)s. Names look like Europe/Zurich or America/New_York.", field="zone", zone=said)


def micros(instant: datetime) -> int:
    """Microseconds since 1970, exact. Raises Invalid for an instant too far away for a calendar to be drawn up."""
    _check_year(instant.year)
    return micros_of(instant)


def _check_year(year: int) -> None:
    if not FIRST_YEAR < year < LAST_YEAR:
        raise Invalid("Calendars are known from %(first)s to %(last)s only.", first=FIRST_YEAR + 1, last=LAST_YEAR - 1)


def micros_of(instant: datetime) -> int:
    """Microseconds since 1970 of any instant."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_of(micros_since: int) -> datetime:
    """The instant in UTC so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=micros_since)


def local_time(zone: ZoneInfo, instant: datetime) -> datetime:
    """What the clock on the wall shows, without a zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(zone: ZoneInfo, local: datetime) -> datetime:
    """The first instant, in UTC, at which the clock on the wall shows `local` (without a zone) or later."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return instant
    return _end_of_gap(zone, local, late=instant)


def _end_of_gap(zone: ZoneInfo, local: datetime, *, late: datetime) -> datetime:
    """The instant of the jump that leaves out `local`; it lies between the two readings of `local`, and offsets change on whole seconds."""
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0) - _SECOND
    after = late.astimezone(zone).utcoffset()
    late = late.replace(microsecond=0) + _SECOND
    while late - early > _SECOND:
        middle = early + timedelta(seconds=(late - early) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return late


def at_local(zone: ZoneInfo | str, on: date, minute: int = 0, *, microsecond: int = 0) -> datetime:
    """The instant of a local time: `minute` minutes (1440: the end of the day) and `microsecond` microseconds after midnight.
    Raises Invalid for a day too far away."""
    _check_year(on.year)
    zone = zone_named(zone) if isinstance(zone, str) else zone
    return first_instant(zone, datetime.combine(on, time()) + timedelta(minutes=minute, microseconds=microsecond))
