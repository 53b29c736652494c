"""The append-only memory. Triggers refuse UPDATE and DELETE on both databases."""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """One thing that happened.

    `happened_at` is when it happened, `recorded_at` when we wrote it down (they differ for imported history).
    `data` holds ids and states, never names or texts: those stand in rows that can be erased.
    Entries of one user action share `action`.
    """

    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    verb = models.CharField(max_length=40)
    about_kind = models.CharField(max_length=30)
    about_id = models.BigIntegerField()
    ticket = models.ForeignKey("tickets.Ticket", models.PROTECT, null=True, related_name="+", db_index=False)
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    actor_kind = models.CharField(max_length=10)
    token = models.ForeignKey("people.Token", models.PROTECT, null=True, related_name="+", db_index=False)
    channel = models.CharField(max_length=12)
    action = models.UUIDField()
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(
                fields=["ticket", "happened_at", "id"], condition=models.Q(ticket__isnull=False), name="entry_of_ticket"
            ),
            models.Index(fields=["about_kind", "about_id", "id"], condition=models.Q(ticket__isnull=True), name="entry_about"),
            models.Index(fields=["recorded_at"], name="entry_recorded"),
        ]
