"""Which clock makes itself heard next, and whether one should have been heard by now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allswell.database.rows import Prepared

from .models import Clock

#: overdue alarms are counted up to this
CAP = 1000

_RINGING = Clock.objects.filter(alarm_at__isnull=False).order_by("alarm_at")
_NEXT = Prepared(lambda: _RINGING.values_list("alarm_at")[:1])


def next_alarm() -> datetime | None:
    """The instant at which the engine has to look at some clock; one look at the index, no lock."""
    found = _NEXT.first()
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Overdue:
    """Alarms whose instant has passed without an engine looking: how many (at most CAP) and the oldest."""

    count: int
    oldest_at: datetime | None


def overdue(*, before: datetime) -> Overdue:
    """The alarms that were to be looked at before an instant."""
    waiting = list(_RINGING.filter(alarm_at__lt=before).values_list("alarm_at", flat=True)[:CAP])
    return Overdue(len(waiting), waiting[0] if waiting else None)
