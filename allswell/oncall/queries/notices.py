"""When leads are told of what is not covered."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from allswell.oncall.models import CoverageNotice
from allswell.people import queries as people


def due_notices(now: datetime) -> QuerySet[CoverageNotice]:
    """The leads whose services are to be looked at, who waits longest first."""
    return CoverageNotice.objects.filter(next_at__lte=now).order_by("next_at", "person")


def unplanned_leads() -> dict[int, str]:
    """The leads for whom no instant is planned yet, with their time zones."""
    planned = CoverageNotice.objects.filter(person=OuterRef("lead"))
    rows = people.led_teams().filter(~Exists(planned)).order_by()
    return dict(rows.values_list("lead_id", "lead__time_zone").distinct())
