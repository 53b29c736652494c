"""The desk's side of announcing: tell the world about an incident, write an update, end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allswell.desk import announcements as desk
from allswell.incidents import queries as incidents
from allswell.kernel.errors import DeskError, NotFound
from allswell.kernel.text import whole
from allswell.people.rules import Act, may
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast

if TYPE_CHECKING:
    from allswell.kernel.actor import Actor
    from allswell.people.models import Organization
    from allswell.tickets.models import Ticket


def _ticket(number: int, actor: Actor) -> Ticket:
    found = tickets.at_the_desk(actor).select_related("service", "organization").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such ticket, or you may not see it.")
    return found


@require_safe
@desk_page
def announcements(request: PageRequest) -> HttpResponse:
    """What the world is told now."""
    rows = list(incidents.announcements_at_the_desk(request.actor)[:100])
    return page(
        request, "agent/announcements.html", rows=rows, affected=incidents.people_affected([row.ticket_id for row in rows])
    )


def _show(request: PageRequest, number: int, *, status: int = 200, **context: Any) -> HttpResponse:
    ticket = _ticket(number, request.actor)
    row = incidents.open_announcement(number)
    may_tell_all, organizations = desk.reachable_audience(ticket, request.actor)
    return page(
        request,
        "agent/announce.html",
        status,
        ticket=ticket,
        announcement=row,
        told=incidents.audience(row.pk) if row else [],
        affected=incidents.people_affected([number]).get(number),
        may_announce=may(request.actor, Act.WORK, tickets.facts(ticket, person=request.actor.person)),
        may_tell_all=may_tell_all,
        organizations=organizations,
        services=list(services.visible_to(request.actor).filter(is_active=True).order_by("name").values_list("pk", "name")),
        **{"errors": {}, "values": _first_words(ticket, organizations, may_tell_all=may_tell_all), **context},
    )


def _first_words(ticket: Ticket, organizations: list[Organization], *, may_tell_all: bool) -> dict[str, Any]:
    """What stands in the empty form. Where several customers share an installation, one hears nothing of the other unasked."""
    roots = {row.pk for row in organizations if row.parent_id is None}
    lineage = {int(part) for part in ticket.organization.path.strip("/").split("/")} if ticket.organization else set()
    return {
        "title": ticket.title,
        "service": ticket.service_id or "",
        "is_for_all": may_tell_all and (len(roots) <= 1 or ticket.organization is None),
        "audience": (roots & lineage) or {ticket.organization_id},
    }


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def announce(request: PageRequest, number: int) -> HttpResponse:
    """Announce an incident; where it is announced already, the page shows the announcement with its next words."""
    if request.method != "POST":
        return _show(request, number)
    _ticket(number, request.actor)
    sent = request.POST
    values: dict[str, Any] = {
        "title": sent.get("title", ""),
        "body": sent.get("body", ""),
        "service": sent.get("service", ""),
        "next_update_at": sent.get("next_update_at", ""),
        "is_for_all": sent.get("audience") == "all",
        "audience": {key for sent_key in sent.getlist("organization") if (key := whole(sent_key)) is not None},
    }
    try:
        desk.announce(
            number,
            title=values["title"],
            body=values["body"],
            is_for_all=values["is_for_all"],
            audience=tuple(values["audience"]),
            service=values["service"] or None,
            next_update_at=inputs.instant(sent, "next_update_at"),
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        return _show(request, number, status=error.http, errors=field_errors(error), values=values)
    toast(request, _("Announced."))
    return SeeOther(f"/tickets/{number}/announce")


@require_POST
@desk_page
def update(request: PageRequest, number: int) -> HttpResponse:
    """One more word, told to everybody who follows; or the last one."""
    _ticket(number, request.actor)
    row = incidents.open_announcement(number)
    if row is None:
        raise NotFound("This is no longer announced.")
    body = request.POST.get("body", "")
    is_last = "end" in request.POST
    try:
        if is_last:
            desk.end(row.pk, body=body, actor=request.actor, now=request.now)
        else:
            until = inputs.instant(request.POST, "next_update_at")
            desk.update(row.pk, body=body, next_update_at=until, actor=request.actor, now=request.now)
    except DeskError as error:
        values = {"body": body, "next_update_at": request.POST.get("next_update_at", "")}
        return _show(request, number, status=error.http, errors=field_errors(error), values=values)
    toast(request, _("The announcement has ended.") if is_last else _("Everybody who follows it is told."))
    return SeeOther("/announcements" if is_last else f"/tickets/{number}/announce")


urlpatterns = [
    path("announcements", announcements, name="announcements"),
    path("tickets/<int:number>/announce", announce, name="announce"),
    path("tickets/<int:number>/announce/update", update, name="announce_update"),
]
