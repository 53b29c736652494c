"""Handing over a shift: what the next one must know, signed by one and accepted by the other."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Handover(models.Model):
    """The change of a shift at a level of a rota from `outgoing` to `incoming` at `changes_at`.

    `draft` names tickets by section, by number alone: what they say is looked up for whoever reads. At `due_at` the
    incoming is called, later their lead and the outgoing. The
    outgoing stays on call beside the incoming from `changes_at` to `held_until` (null: goes by the clock). `next_at` is its timer.
    """

    rota = models.ForeignKey("oncall.Rota", models.CASCADE, related_name="handovers", db_index=False)
    level = models.PositiveSmallIntegerField()
    changes_at = models.DateTimeField()
    begun_at = models.DateTimeField()  # the shift that ends
    until = models.DateTimeField()  # the shift that begins
    outgoing = models.ForeignKey("people.Person", models.PROTECT, related_name="+")
    incoming = models.ForeignKey("people.Person", models.PROTECT, related_name="+")
    draft = models.JSONField(default=dict)
    notes = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default="drafted")
    drafted_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    escalated_at = models.DateTimeField(null=True)
    escalated_to = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    passed_on_at = models.DateTimeField(null=True)  # the lead and the outgoing were called
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rota", "level", "changes_at"], name="handover_once"),
            models.CheckConstraint(condition=~Q(outgoing=F("incoming")), name="handover_of_two"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="handover_next"),
            models.Index(fields=["held_until"], condition=Q(held_until__isnull=False), name="handover_held"),
            models.Index(fields=["rota", "-changes_at"], name="handover_of_rota"),
        ]
