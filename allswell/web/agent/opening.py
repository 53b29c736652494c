"""A new ticket on behalf of somebody who called, came by or wrote."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk import tickets as desk
from allswell.kernel.actor import Channel
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.tickets.rules import Kind
from allswell.web import inputs, show, words
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast

from .acting import instant, number_or_none

_CHANNELS = (Channel.PHONE, Channel.EMAIL, Channel.WALK_IN, Channel.DESK)


def _report(request: PageRequest, kind: Kind) -> desk.Report:
    form = request.POST
    return desk.Report(
        kind=kind,
        title=form.get("title", ""),
        description=form.get("description", ""),
        requester=form.get("requester_id") or form.get("requester") or None,
        service=form.get("service") or None,
        team=number_or_none(form.get("team", "")),
        impact=number_or_none(form.get("impact", "")),
        urgency=number_or_none(form.get("urgency", "")),
        people_affected=number_or_none(form.get("people_affected", "")),
        occurred_at=instant(form.get("occurred_at", ""), "occurred_at"),
        custom=inputs.own_fields(form, tickets.custom_fields(kind.value)),
    )


@desk_page
def new_ticket(request: PageRequest) -> HttpResponseBase:
    """The form and what it sends; with "look" the form of the kind chosen, as far as it was filled in."""
    kind = request.POST.get("kind") or request.GET.get("kind", "incident")
    kind = kind if kind in set(Kind) else Kind.INCIDENT.value
    errors: dict[str, str] = {}
    if request.method == "POST" and "look" not in request.POST:
        channel = request.POST.get("channel", "")
        actor = request.actor.via(Channel(channel)) if channel in set(_CHANNELS) else request.actor
        try:
            ticket = desk.report(_report(request, Kind(kind)), actor=actor, now=request.now)
        except Invalid as wrong:
            errors = field_errors(wrong)
        else:
            toast(request, _("%(ticket)s is open.") % {"ticket": show.reference(ticket.kind, ticket.pk)})
            return SeeOther(f"/tickets/{ticket.pk}")
    return page(request, "ticket/new.html", status=422 if errors else 200, errors=errors, **_choices(request, kind))


def _choices(request: PageRequest, kind: str) -> dict[str, Any]:
    actor = request.actor
    given = request.POST if request.method == "POST" else request.GET
    fields = tickets.custom_fields(kind)
    return {
        "kind": kind,
        "given": given,
        "kinds": [(value.value, words.kind(value.value)) for value in Kind],
        "services": list(services.visible_to(actor).filter(is_active=True).order_by("name").values_list("slug", "name")),
        "teams": list(people.teams_visible_to(actor).filter(is_active=True).order_by("name").values_list("pk", "name")),
        "levels": [(level, words.impact(level)) for level in range(1, 5)],
        "urgencies": [(level, words.urgency(level)) for level in range(1, 5)],
        "channels": [(channel.value, words.channel(channel.value)) for channel in _CHANNELS],
        "fields": fields,
        "kinds_differ": _asks(Kind.INCIDENT) != _asks(Kind.REQUEST),
        "custom": inputs.typed_in(given, fields),
        "here": "desk",
    }


def _asks(kind: Kind) -> list[str]:
    return [field.key for field in tickets.custom_fields(kind.value)]


@desk_page
def find_people(request: PageRequest) -> HttpResponseBase:
    """People whose name or address begins as typed, for a field that asks for one."""
    text = request.GET.get("requester", request.GET.get("q", "")).strip()[:100]
    seen = people.people_visible_to(request.actor).filter(is_active=True)
    found = seen.filter(name__icontains=text).order_by("name")[:8] if len(text) > 1 else []
    return page(request, "people_found.html", found=found, text=text)
