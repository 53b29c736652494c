"""My shifts, what I asked and am asked, my leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allswell.desk import shifts
from allswell.kernel.errors import DeskError, Invalid, NotAllowed
from allswell.oncall import queries
from allswell.oncall.rules import FARTHEST
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast, words_of_error

from . import asking, lanes, sure, words

AHEAD = timedelta(weeks=13)
MOST_SHIFTS, MOST_REQUESTS, MOST_LEAVE = 60, 20, 30
#: shifts that are shown without asking for more
SHOWN = 10


def _me(request: PageRequest) -> int:
    if request.actor.person is None:
        raise NotAllowed("Your role does not allow this.")
    return request.actor.person


def _show(request: PageRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    now, me = request.now, _me(request)
    rows = queries.joined(queries.shifts_of(me, since=now, until=now + AHEAD)[:MOST_SHIFTS])
    asked = queries.requests(queries.visible_to(request.actor).values_list("pk", flat=True)).filter(asked_by=me)
    return page(
        request,
        "oncall/me.html",
        status,
        running=[shift for shift in rows if shift.starts_at <= now],
        following=next((shift for shift in rows if shift.starts_at > now), None),
        shifts=[(shift, asking.key_of(shift.level, shift.starts_at, shift.ends_at)) for shift in rows],
        shown=SHOWN,
        asked=list(asked[:MOST_REQUESTS]),
        waiting=list(queries.waiting_for(me, now=now)[:MOST_REQUESTS]),
        handovers=list(queries.handovers_of(me, now)[:MOST_REQUESTS]),
        links=list(queries.calendar_links(me)),
        rotas=list(queries.rotas_of(me).order_by("name", "id").values_list("slug", "name")),
        leave=list(queries.leaves([me], since=now, until=now + FARTHEST)[:MOST_LEAVE]),
        said=words,
        span_text=lanes.span_text,
        level_words=lanes.level_words,
        zone=lanes.zone_name(),
        here="oncall",
        **{"errors": {}, "values": {}, **context},
    )


@require_safe
@desk_page
def me(request: PageRequest) -> HttpResponse:
    """When I am on call, whom I asked, when I am not there."""
    return _show(request)


@require_POST
@desk_page
@sure.asks_first
def leave(request: PageRequest) -> HttpResponse:
    """I am not there: my turns go as each layer says."""
    sent = request.POST
    try:
        starts_at, ends_at = inputs.instant(sent, "starts_at"), inputs.instant(sent, "ends_at")
        if starts_at is None or ends_at is None:
            raise Invalid("Give a date and a time.", field="ends_at" if starts_at else "starts_at")
        me = _me(request)
        with sure.watching(request, people=(me,), since=starts_at, until=ends_at):
            row = shifts.add_leave(
                person=me,
                starts_at=starts_at,
                ends_at=ends_at,
                note=sent.get("note", ""),
                actor=request.actor,
                now=request.now,
            )
    except DeskError as error:
        if error.http in (403, 404):
            raise
        values = {name: sent.get(name, "")[:300] for name in ("starts_at", "ends_at", "note")}
        return _show(request, status=error.http, errors=field_errors(error), values=values)
    toast(request, _("Your leave is written down, your turns go to others."), undo=f"/oncall/me/leave/{row.pk}/cancel")
    return SeeOther("/oncall/me")


@require_POST
@desk_page
def leave_cancel(request: PageRequest, leave: int) -> HttpResponse:
    """I am there after all."""
    try:
        shifts.cancel_leave(leave, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        toast(request, words_of_error(error), is_bad=True)
    else:
        toast(request, _("Your leave is cancelled, your turns are yours again."))
    return SeeOther("/oncall/me")


@require_POST
@desk_page
def calendar(request: PageRequest) -> HttpResponse:
    """A new address at which a calendar program reads my shifts, or those of a rota; shown this once."""
    try:
        link, secret = shifts.make_calendar_link(rota=request.POST.get("rota") or None, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        toast(request, words_of_error(error), is_bad=True)
        return SeeOther("/oncall/me")
    address = f"{settings.PUBLIC_URL}/shifts/{secret}.ics"
    answer = page(request, "oncall/calendar_secret.html", address=address, rota=link.rota, here="oncall")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
@desk_page
def calendar_end(request: PageRequest, link: int) -> HttpResponse:
    """Nobody reads at this address any longer."""
    shifts.revoke_calendar_link(link, actor=request.actor, now=request.now)
    toast(request, _("The address is ended. Calendar programs read nothing there any more."))
    return SeeOther("/oncall/me")
