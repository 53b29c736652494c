"""Why is it due then? Every clock of a ticket, explained line by line."""

from __future__ import annotations

from django.http.response import HttpResponseBase

from allswell.calendars import queries as calendars
from allswell.sla import queries as sla
from allswell.sla import telling, wording
from allswell.web.agent.ticket import seen_at_the_desk
from allswell.web.pages import PageRequest, desk_page, page


@desk_page
def why_page(request: PageRequest, number: int) -> HttpResponseBase:
    """The clocks of a ticket with what made them; those that still run first."""
    ticket = seen_at_the_desk(number, request.actor)
    clocks = sorted(sla.shown(number), key=lambda clock: (clock.stopped_at is not None, clock.started_at, clock.pk))
    names = calendars.names()
    book = sla.book()
    explained = [telling.telling(clock, book, now=request.now) for clock in clocks[:60]]
    return page(
        request,
        "ticket/why.html",
        ticket=ticket,
        explained=explained,
        left_out=len(clocks) - len(explained),
        names=names,
        wording=wording,
        here="desk",
    )
