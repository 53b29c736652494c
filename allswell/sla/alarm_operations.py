"""Alarms of clocks, claimed and marked as told in many rows at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, F, Q, When

from .models import Clock
from .rules.alarms import LATE, Alarm
from .rules.shapes import ClockState

_COLUMNS = ("id", "ticket_id", "agreement_id", "metric", "target", "number", "alarm_at", "due_at", "is_rerated")


def claim(*, now: datetime, limit: int, with_late: bool) -> list[Alarm]:
    """The alarms whose instant has passed, oldest first, held until this transaction ends.

    Of many engines each gets others (PostgreSQL skips rows that are held; on SQLite one writes at a time). A clock that somebody
    changes at this moment is left to the next look. `with_late` False leaves those to another engine that passed long ago.
    """
    rows = Clock.objects.select_for_update(skip_locked=True).filter(alarm_at__isnull=False, alarm_at__lt=now)
    if not with_late:
        rows = rows.filter(alarm_at__gte=now - LATE)
    found = rows.order_by("alarm_at", "id").values_list(*_COLUMNS)[:limit]
    return [Alarm(*row) for row in found if row[7] is not None]


def mark_warned(clocks: Iterable[int], *, now: datetime) -> None:
    """These have given their warning; they are looked at again when their time is up."""
    if keys := list(clocks):
        Clock.objects.filter(pk__in=keys).update(warned_at=now, alarm_at=F("due_at"))


def mark_breached(clocks: Iterable[int]) -> None:
    """These have said that their time is up; they are not looked at again. One that was cancelled since has broken no promise."""
    if keys := list(clocks):
        is_off = Q(state__in=[ClockState.CANCELLED.value, ClockState.MERGED.value])
        breached_at = Case(When(is_off, then=F("breached_at")), default=F("due_at"))
        Clock.objects.filter(pk__in=keys).update(is_breach_told=True, breached_at=breached_at, alarm_at=None)
