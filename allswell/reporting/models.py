"""What reports keep: the stretches of tickets, worked out of the journal, and who gets which report by mail."""

from __future__ import annotations

from django.db import models


class Stretch(models.Model):
    """A time a ticket was with a team ("team") or waited ("wait"), from the journal; only what is over.

    `hop` is the how manieth team it was, `is_return` that this team had it before; `reason` what it waited on.
    """

    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=4)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="+", db_index=False)
    hop = models.PositiveSmallIntegerField(default=0)
    is_return = models.BooleanField(default=False)
    reason = models.CharField(max_length=20, default="", blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["ticket"], name="stretch_of_ticket"),
            models.Index(fields=["kind", "ended_at"], name="stretch_ended"),
        ]


class Counted(models.Model):
    """Up to which entry of the journal the stretches of a ticket are worked out."""

    ticket = models.OneToOneField("tickets.Ticket", models.CASCADE, primary_key=True, related_name="+")
    entry = models.BigIntegerField()


class Subscription(models.Model):
    """A report a person gets by mail, every week or month; `asked` are its filters and cut as an address names them."""

    EVERY = [("week", "week"), ("month", "month")]

    person = models.ForeignKey("people.Person", models.CASCADE, related_name="+", db_index=False)
    report = models.CharField(max_length=20)
    asked = models.JSONField(default=dict)
    every = models.CharField(max_length=5, choices=EVERY)
    next_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="subscription_due"),
            models.Index(fields=["person", "id"], name="subscription_of_person"),
        ]


class Place(models.Model):
    """One row: up to which entry of the journal all stretches are worked out."""

    entry = models.BigIntegerField(default=0)
