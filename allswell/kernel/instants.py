"""Every instant from outside that is not known to be recent passes here once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload

from .errors import Invalid

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


def clock_at(local: datetime) -> str:
    """What the clocks of a place show: 14:05; in the hour they show twice which of the two it is, too: 02:30 CEST."""
    other = local.replace(fold=1 - local.fold)
    said = f"{local:%H:%M}"
    return said if other.utcoffset() == local.utcoffset() else f"{said} {local.tzname()}"


@overload
def sensible(instant: datetime, *, field: str) -> datetime: ...
@overload
def sensible(instant: datetime | None, *, field: str) -> datetime | None: ...
def sensible(instant: datetime | None, *, field: str) -> datetime | None:
    """An instant of our age. Raises Invalid: those near year 1 or 9999 cannot be shown, or stored, in every time zone."""
    if instant is not None and not _FIRST <= instant < _LAST:
        raise Invalid("This is not a date and time.", field=field)
    return instant
