"""Long work in the background, and the heartbeat of who does it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Heartbeat(models.Model):
    """A module of the engine on a node: when it last ran, with which code, and what went wrong last."""

    node = models.CharField(max_length=80)
    module = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    beat_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, default="")
    failed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "module"], name="heartbeat_once")]


class Job(models.Model):
    """Work on many records, done by the engine in batches. `params` says what, `position` how far, `problems` what failed and why."""

    kind = models.CharField(max_length=30)
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="jobs")
    params = models.JSONField(default=dict)
    action = models.UUIDField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    lease = models.BigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    is_cancelled = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=Q(finished_at__isnull=True), name="job_pending")]


class Vigil(models.Model):
    """When an engine last watched; one row that outlives every engine. `left_at` is set while the last word was a farewell.

    `seen_at` is an instant of the engine, `wall_at` what the clock of its machine said then: the two differ while that was set back.
    """

    seen_at = models.DateTimeField()
    wall_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    node = models.CharField(max_length=80)


class BlindTime(models.Model):
    """A time in which nothing was watching, or that a clock skipped or had twice (`moved_seconds`; negative: it was set back)."""

    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    node = models.CharField(max_length=80)
    why = models.CharField(max_length=20)
    moved_seconds = models.IntegerField(default=0)
    noted_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["until_at"], name="blind_time_until")]


class Watcher(models.Model):
    """A second process on another machine that looks whether an engine watches: when it first and last looked."""

    name = models.CharField(max_length=60, unique=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
