"""Who gets which report by mail."""

from __future__ import annotations

from datetime import datetime

from allswell.reporting.models import Subscription


def of_person(person: int) -> list[Subscription]:
    """What a person gets, oldest first."""
    return list(Subscription.objects.filter(person=person).order_by("id"))


def subscription(number: int, *, person: int) -> Subscription | None:
    """One of a person's own."""
    return Subscription.objects.filter(pk=number, person=person).first()


def is_due(now: datetime) -> bool:
    """Whether a report is to be sent."""
    return Subscription.objects.filter(next_at__lte=now).exists()
