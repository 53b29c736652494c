"""Why is it due then? Every clock of a ticket, explained line by line."""

from __future__ import annotations

from collections.abc import Sequence

from django.http.response import HttpResponseBase
from django.utils import timezone

from allswell.calendars import queries as calendars
from allswell.sla import explaining, telling, wording
from allswell.sla import queries as sla
from allswell.web.agent.ticket import seen_at_the_desk
from allswell.web.pages import PageRequest, desk_page, page

#: no more of the open clocks are unfolded; the others say how they stand and open with a click
UNFOLDED = 3


@desk_page
def why_page(request: PageRequest, number: int) -> HttpResponseBase:
    """The clocks of a ticket with what made them; what is due next first."""
    ticket = seen_at_the_desk(number, request.actor)
    clocks = sorted(sla.shown(number), key=telling.in_order)
    names = calendars.names()
    book = sla.book()
    explained = [telling.telling(clock, book, now=request.now) for clock in clocks[:60]]
    zones = {one.terms.zone for one in explained}
    return page(
        request,
        "ticket/why.html",
        ticket=ticket,
        explained=explained,
        unfolded=_unfolded(explained),
        zone=zones.pop() if len(zones) == 1 else "",
        own_zone=timezone.get_current_timezone_name(),
        left_out=len(clocks) - len(explained),
        names=names,
        wording=wording,
        explaining=explaining,
        here="desk",
    )


def _unfolded(explained: Sequence[telling.Telling]) -> frozenset[int]:
    """Which clocks are unfolded: those still open; where none is, the first that came too late; else the first."""
    if still_open := [place for place, one in enumerate(explained) if one.is_open]:
        return frozenset(still_open[:UNFOLDED])
    return frozenset([next((place for place, one in enumerate(explained) if one.is_late), 0)])
