"""Which practice a ticket belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allswell.incidents import rules as incident_rules
from allswell.service_requests import rules as request_rules
from allswell.tickets.rules import Kind, Lifecycle

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

LIFECYCLES: dict[Kind, Lifecycle] = {
    Kind.INCIDENT: incident_rules.LIFECYCLE,
    Kind.REQUEST: request_rules.LIFECYCLE,
}


def lifecycle(ticket: Ticket) -> Lifecycle:
    """The lifecycle of a ticket's kind."""
    return LIFECYCLES[Kind(ticket.kind)]
