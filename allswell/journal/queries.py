"""Reading the journal."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from .models import Entry
from .rules import Verb


def of_ticket(number: int) -> QuerySet[Entry]:
    """Everything that happened to a ticket, oldest first."""
    return Entry.objects.filter(ticket_id=number).order_by("happened_at", "id")


def about(kind: str, record_id: int) -> QuerySet[Entry]:
    """Everything that happened to a record that is no ticket, newest first."""
    return Entry.objects.filter(ticket__isnull=True, about_kind=kind, about_id=record_id).order_by("-id")


def values(number: int, verb: Verb, name: str) -> set[Any]:
    """What `data[name]` was in a ticket's entries with this verb."""
    return {entry.data.get(name) for entry in Entry.objects.filter(ticket_id=number, verb=verb.value)}
