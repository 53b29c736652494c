"""Reading what says why something was, or would be, done about alerts."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from allswell.intake.models import Alert, AlertEpisode, MaintenanceWindow, RawReport, Silence
from allswell.intake.rules.routing import Quiet

#: so many of the newest requests, of all sources, are looked through for one of a source
LOOKED_THROUGH = 5_000


def newest_request(source: int) -> RawReport | None:
    """The request that a source sent last, among the newest of all sources; None when none of them is of it."""
    newest = RawReport.objects.aggregate(newest=Max("pk"))["newest"]
    if newest is None:
        return None
    some = RawReport.objects.filter(pk__gt=newest - LOOKED_THROUGH).order_by("-pk").values_list("pk", "source")
    number = next((pk for pk, of in some.iterator(chunk_size=500) if of == source), None)
    return RawReport.objects.filter(pk=number).first() if number is not None else None


def has_unanswered(ticket: int) -> bool:
    """Whether an alert of a ticket fires that nobody acknowledged at its source."""
    return Alert.objects.filter(ticket=ticket, state="firing", acknowledged_at=None).exists()


def newest_outcome(alert: int) -> str:
    """What was done about the newest episode of an alert; "" where nothing was."""
    return AlertEpisode.objects.filter(alert=alert).order_by("-number").values_list("outcome", flat=True).first() or ""


def quiet_words(quiet: Quiet) -> tuple[str, datetime] | None:
    """What somebody wrote of a silence or a maintenance window, and when it ends."""
    if quiet.kind == "silence":
        return Silence.objects.filter(pk=quiet.number).values_list("reason", "ends_at").first()
    return MaintenanceWindow.objects.filter(pk=quiet.number).values_list("title", "ends_at").first()
