"""Writing when leads are told of what is not covered, inside the desk's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from allswell.oncall.models import CoverageNotice


def plan_notices(next_at: Mapping[int, datetime]) -> None:
    """Look for these leads at their instants; whoever is planned already stays as they are."""
    rows = [CoverageNotice(person_id=person, next_at=at) for person, at in next_at.items()]
    CoverageNotice.objects.bulk_create(rows, ignore_conflicts=True)


def move_notice(person: int, *, seen: datetime, next_at: datetime) -> bool:
    """Look for a lead again then; False when somebody else has done so since it was `seen`."""
    return CoverageNotice.objects.filter(person=person, next_at=seen).update(next_at=next_at) == 1


def forget_notice(person: int) -> None:
    """They lead nothing any more."""
    CoverageNotice.objects.filter(person=person).delete()
