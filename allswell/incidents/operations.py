"""Writing incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .models import Incident

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket


def open_incident(ticket: Ticket, *, people_affected: int | None, can_work: str) -> None:
    """Write the incident's own facts beside its ticket."""
    Incident.objects.create(ticket=ticket, people_affected=people_affected, can_work=can_work)
