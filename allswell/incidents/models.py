"""What only incidents have."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Incident(models.Model):
    """The incident's own facts, 1:1 with its ticket. `can_work`: no, detour, yes (the portal's question)."""

    ticket = models.OneToOneField("tickets.Ticket", models.CASCADE, primary_key=True, related_name="incident")
    people_affected = models.PositiveIntegerField(null=True)
    can_work = models.CharField(max_length=6, default="", blank=True)
    workaround = models.TextField(default="", blank=True)


class Announcement(models.Model):
    """What an agent tells the world about an incident: the only words of it that others see.

    Its audience is everybody, or the organizations in `audience` with all below them.
    """

    ticket = models.ForeignKey("tickets.Ticket", models.PROTECT, related_name="announcements")
    service = models.ForeignKey("services.ConfigurationItem", models.PROTECT, null=True, related_name="announcements")
    title = models.CharField(max_length=160)
    body = models.TextField(default="", blank=True)
    is_for_all = models.BooleanField(default=True)
    audience = models.ManyToManyField("people.Organization", related_name="+")
    next_update_at = models.DateTimeField(null=True)
    announced_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    announced_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket"], condition=Q(ended_at__isnull=True), name="one_open_announcement"),
        ]
        indexes = [models.Index(fields=["-announced_at"], condition=Q(ended_at__isnull=True), name="announcement_open")]


class AnnouncementUpdate(models.Model):
    """One more word on an announcement."""

    announcement = models.ForeignKey(Announcement, models.CASCADE, related_name="updates")
    body = models.TextField()
    author = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
