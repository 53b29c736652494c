"""The card of monitoring beside a ticket: its alerts, what is silenced of them, and what was changed before it began."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from allswell.desk.alerts import quiet, silences
from allswell.desk.alerts.changes import BEFORE
from allswell.intake.queries import alerts as queries
from allswell.intake.queries import changes
from allswell.people.rules import Act, may
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.tickets.rules import Kind
from allswell.web.pages import PageRequest, desk_page, is_fragment, page

from .alerts import SEVERITIES
from .ticket import seen_at_the_desk

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import Alert, Silence, SystemChange
    from allswell.tickets.models import Ticket

#: so many alerts and changes are shown, and alerts counted
ALERTS, CHANGES, MOST_COUNTED = 5, 5, 1_000


@dataclass(frozen=True, slots=True)
class Count:
    """How many alerts of a ticket there are, and how many of them fire (`MOST_COUNTED` + 1: more than that)."""

    all: int
    firing: int


@require_GET
@desk_page
def alerts_of_ticket(request: PageRequest, number: int) -> HttpResponseBase:
    """The alerts of a ticket; with HX-Request the card beside it, which is empty where there is nothing to say."""
    ticket = seen_at_the_desk(number, request.actor)
    if not is_fragment(request):
        return HttpResponseRedirect(f"/alerts/?ticket={number}&state=")
    rows = queries.visible_to(request.actor).filter(ticket=number)
    shown = list(queries.after(rows.filter(state="firing"), None)[:ALERTS])
    if len(shown) < ALERTS:
        shown += list(queries.after(rows.exclude(state="firing"), None)[: ALERTS - len(shown)])
    told = _changed(request, ticket, {row.service_id for row in shown if row.service_id})
    facts = tickets.facts(ticket, person=request.actor.person)
    return page(
        request,
        "ticket/_monitoring.html",
        ticket=ticket,
        alerts=shown,
        count=_counted(rows, shown),
        silences=list(_silences(request, number)) if shown else [],
        changed=told,
        hours=int(BEFORE.total_seconds() // 3600),
        severities=SEVERITIES,
        may_silence=may(request.actor, Act.WORK, facts) and ticket.done_at is None and quiet.works(request.actor),
    )


def _counted(rows: QuerySet[Alert], shown: list[Alert]) -> Count:
    if len(shown) < ALERTS:
        return Count(len(shown), sum(row.state == "firing" for row in shown))
    return Count(*queries.counted(rows, most=MOST_COUNTED))


def _silences(request: PageRequest, number: int) -> QuerySet[Silence]:
    """The silences of the alerts of a ticket that run or are to come, those that end first."""
    known = silences.visible_to(request.actor)
    return known.filter(ticket=number, is_over=False, ends_at__gt=request.now).order_by("ends_at", "id")[:3]


def _changed(request: PageRequest, ticket: Ticket, of_alerts: Collection[int]) -> list[SystemChange]:
    """What was changed of its service, of what that needs, and of its alerts' services in the hours before an incident began."""
    if ticket.kind != Kind.INCIDENT:
        return []
    about = {*of_alerts, *([ticket.service_id] if ticket.service_id else ())}
    about |= set(services.needed_at_once(about))
    began = ticket.occurred_at or ticket.opened_at
    return changes.between(request.actor, about, since=began - BEFORE, until=max(began, ticket.opened_at), limit=CHANGES)
