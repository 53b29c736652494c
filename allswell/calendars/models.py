"""Calendars, and the versions of each, which are never changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Calendar(models.Model):
    """Open hours by the clocks of one place. `number` is that of the newest version; the zone is kept for ever."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    zone = models.CharField(max_length=60)
    number = models.PositiveIntegerField(default=1)
    is_active = models.BooleanField(default=True)


class CalendarVersion(models.Model):
    """What a calendar says from a local day on, until a version with a greater number says otherwise.

    `definition` is all of it, every holiday a date, so that nothing outside changes the past. `own_days` is what was written by hand (by
    date, or by month and day for every year); its other days are the holidays of `country` and `subdivision` but those whose names are in
    `left_out`, known until `holidays_until`. `fingerprint` tells this version and all before it from any other.
    """

    calendar = models.ForeignKey(Calendar, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_on = models.DateField()
    definition = models.JSONField()
    own_days = models.JSONField(default=dict)
    country = models.CharField(max_length=2, default="", blank=True)
    subdivision = models.CharField(max_length=20, default="", blank=True)
    left_out = models.JSONField(default=list)
    holidays_until = models.DateField(null=True)
    note = models.CharField(max_length=200, default="", blank=True)
    fingerprint = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "number"], name="calendar_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="calendar_version_from_1"),
        ]
