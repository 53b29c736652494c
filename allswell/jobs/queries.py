"""Reading jobs and heartbeats."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from .models import BlindTime, Heartbeat, Job, Vigil, Watcher


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


def last_watched() -> datetime | None:
    """When an engine last said that it watches, by the clock of its machine; None before the first one ran."""
    return Vigil.objects.order_by("pk").values_list(Coalesce("wall_at", "seen_at"), flat=True).first()


def blind_times(since: datetime, until: datetime) -> QuerySet[BlindTime]:
    """The times between two instants in which nothing was watching or a clock moved, the newest first."""
    return BlindTime.objects.filter(until_at__gt=since, from_at__lt=until).order_by("-until_at", "-id")


def was_blind(at_from: datetime, at_until: datetime) -> list[BlindTime]:
    """Why something due at the first instant was done at the second: the blind times in between, oldest first.

    A clock that was set back skipped nothing and makes nothing late.
    """
    found = blind_times(at_from, at_until).filter(moved_seconds__gte=0)
    return list(found.order_by("from_at", "id"))


def blind_time(blind_time_id: int) -> BlindTime | None:
    """A blind time."""
    return BlindTime.objects.filter(pk=blind_time_id).first()


def watchers() -> QuerySet[Watcher]:
    """The watchers that looked in the last weeks, by name."""
    return Watcher.objects.order_by("name")
