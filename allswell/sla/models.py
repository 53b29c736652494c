"""Agreements with their versions, and the clocks of tickets."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Agreement(models.Model):
    """What was promised to a customer (SLA: an organization with those below it, or everyone) or between teams (OLA).

    Of those that fit, the first by `position` holds. What it says stands in its versions. It holds for tickets opened before
    `ended_at`, the instant at which it was taken out of use.
    """

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    audience = models.CharField(max_length=10)
    organization = models.ForeignKey("people.Organization", models.PROTECT, null=True, related_name="+", db_index=False)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="+", db_index=False)
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    ended_at = models.DateTimeField(null=True)


class AgreementVersion(models.Model):
    """What an agreement says for tickets opened at or after `in_force_from`; the greatest number of those counts. Never changed.

    `definition` is `rules.terms.Terms` as JSON.
    """

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    in_force_from = models.DateTimeField()
    definition = models.JSONField()
    note = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "number"], name="agreement_version_once")]


class Revision(models.Model):
    """One row: a number that is another one whenever what clocks are solved with (agreements, calendars) has changed.

    Processes keep what they read under it; random, so that no two states ever share one, whatever is rolled back.
    """

    number = models.BigIntegerField(default=0)


class Clock(models.Model):
    """A promise about a ticket, counted. `number` tells updates and hops of one metric apart; `target` is the key in the terms.

    `due_at` is null while paused; `alarm_at` is when the engine looks at it next (warning, then breach); durations are in
    microseconds; `segments` are [passage, from, to or null, journal entry, what it waits on] with instants as microseconds since 1970.
    `problem` says why it cannot be counted (`rules.shapes.PROBLEMS`); such a clock runs and is never due.
    """

    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, related_name="+", db_index=False)
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="+", db_index=False)
    version = models.PositiveIntegerField()
    metric = models.CharField(max_length=16)
    number = models.PositiveIntegerField(default=1)
    target = models.CharField(max_length=40)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    warn_at = models.DateTimeField(null=True)
    alarm_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    is_breach_told = models.BooleanField(default=False)
    is_rerated = models.BooleanField(default=False)
    budget = models.BigIntegerField()
    wall = models.BigIntegerField(default=0)
    working = models.BigIntegerField(default=0)
    calendar = models.CharField(max_length=60, default="", blank=True)
    calendar_version = models.PositiveIntegerField(default=0)
    segments = models.JSONField(default=list)
    why = models.CharField(max_length=200, default="", blank=True)
    problem = models.CharField(max_length=20, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "agreement", "metric", "number"], name="clock_once"),
        ]
        indexes = [
            models.Index(fields=["alarm_at"], condition=Q(alarm_at__isnull=False), name="clock_alarm"),
            models.Index(fields=["due_at", "agreement"], name="clock_due"),
        ]
