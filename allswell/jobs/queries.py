"""Reading jobs and heartbeats."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from .models import Heartbeat, Job


@dataclass(frozen=True, slots=True)
class Pulse:
    """A module of the engine on one node, as it last reported."""

    node: str
    module: str
    version: str
    beat_at: datetime
    worked_at: datetime | None
    took_ms: int
    error: str
    failed_at: datetime | None


def pulses() -> list[Pulse]:
    """Every module that ever reported and was not forgotten, the newest beat first."""
    rows = Heartbeat.objects.order_by("-beat_at", "module").values_list(*Pulse.__slots__)
    return [Pulse(*row) for row in rows]


def job(job_id: int) -> Job | None:
    """A job."""
    return Job.objects.filter(pk=job_id).first()


def not_begun(action: uuid.UUID, *, kind: str) -> Job | None:
    """The job of a kind that this user action asked for, if no engine has looked at it yet."""
    return Job.objects.filter(action=action, kind=kind, started_at__isnull=True, finished_at__isnull=True).first()


def of_person(person: int | None, *, kind: str) -> QuerySet[Job]:
    """The jobs of a kind that somebody started."""
    return Job.objects.filter(person=person, kind=kind) if person is not None else Job.objects.none()


def unfinished() -> QuerySet[Job]:
    """Jobs still to be done, oldest first."""
    return Job.objects.filter(finished_at__isnull=True).order_by("created_at", "id")


def is_anything_due(now: datetime) -> bool:
    """Whether a job waits for an engine; cheap, takes no lock."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    return Job.objects.filter(free, finished_at__isnull=True).exists()
