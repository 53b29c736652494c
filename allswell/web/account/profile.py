"""One's own profile: who one is, how the pages look, when one is away, what one is told."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk import people as desk
from allswell.desk import preferences
from allswell.kernel.errors import DeskError
from allswell.notifications import queries as notifications
from allswell.people import queries as people
from allswell.web import inputs
from allswell.web.oncall import sure
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, signed_in, toast

TOPICS = {
    "received": N_("We have received what you reported"),
    "replied": N_("Somebody answers you"),
    "state": N_("It waits, is solved, is closed or opened again"),
    "announced": N_("News of something that affects you"),
    "assigned": N_("A ticket becomes yours"),
    "team": N_("A ticket comes to your team"),
    "mentioned": N_("A note names you"),
    "escalated": N_("Something is escalated to you"),
    "watched": N_("Something happens on a ticket you watch"),
    "warned": N_("The time of a promise is nearly up"),
    "breached": N_("The time of a promise has passed"),
    "digest": N_("What passed of both while nobody could be told"),
    "shift_starts": N_("You are on call soon"),
    "shift_moved": N_("Your shifts have moved"),
    "shift_asked": N_("Somebody asks you to take a shift, or answers you"),
    "handover": N_("A shift is handed over, or waits to be taken"),
    "uncovered": N_("Every Monday, if services of a team you lead are not covered at all times"),
    "job": N_("Long work you started is done"),
}


@cache
def zones() -> tuple[str, ...]:
    """The time zones to choose from."""
    return tuple(sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone or zone == "UTC"))


def _show(request: PageRequest, *, status: int = 200, errors: dict[str, str] | None = None) -> HttpResponse:
    wanted = notifications.wanted(request.person.pk, is_agent=request.actor.is_agent)
    sent = request.POST if errors else {}
    me = request.person
    values: dict[str, Any] = {
        "mine": {name: sent.get(name, getattr(me, name)) for name in ("phone", "location", "locale", "time_zone", "theme")},
        "away": {"from": me.away_from, "until": me.away_until, "stands_in": me.stands_in},
        "topics": [(topic.value, _(TOPICS[topic.value]), channels) for topic, channels in wanted.items()],
        "colleagues": colleagues(request),
        "addresses": people.addresses(me.pk),
        "languages": settings.LANGUAGES,
        "zones": zones(),
        "teams": [row.team for row in people.memberships(me.pk)],
    }
    return page(request, "account/profile.html", status=status, errors=errors, sent=sent, here="profile", **values)


def colleagues(request: PageRequest) -> list[str]:
    """Whom a form may suggest: "Name <address>"."""
    if not request.actor.is_agent:
        return []
    rows = people.people_visible_to(request.actor).filter(is_active=True, addresses__is_primary=True)
    pairs = rows.exclude(grants=None).order_by("name", "id").values_list("name", "addresses__address").distinct()
    return [f"{name} <{address}>" for name, address in pairs[:300]]


@require_http_methods(["GET", "POST"])
@signed_in
def profile(request: PageRequest) -> HttpResponse:
    """Who one is and how the pages look."""
    if request.method == "GET":
        return _show(request)
    try:
        desk.edit_profile(
            phone=request.POST.get("phone", ""),
            location=request.POST.get("location", ""),
            locale=request.POST.get("locale", ""),
            time_zone=request.POST.get("time_zone", ""),
            theme=request.POST.get("theme", ""),
            has_single_keys=bool(request.POST.get("has_single_keys")),
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        return _show(request, status=error.http, errors=field_errors(error))
    toast(request, _("Your profile is saved."))
    return SeeOther("/profile")


@require_POST
@signed_in
@sure.asks_first
def away(request: PageRequest) -> HttpResponse:
    """Out of office, or back."""
    is_back = "back" in request.POST
    try:
        since = None if is_back else inputs.instant(request.POST, "away_from")
        until = None if is_back else inputs.instant(request.POST, "away_until")
        stands_in = None if is_back else inputs.person(request.POST, "stands_in", actor=request.actor)
        with sure.watching(request, people=(request.person.pk,), since=since, until=until):
            desk.set_away(
                request.person.pk, away_from=since, away_until=until, stands_in=stands_in, actor=request.actor, now=request.now
            )
    except DeskError as error:
        return _show(request, status=error.http, errors=field_errors(error))
    toast(request, _("You are back.") if is_back else _("Your absence is noted."))
    return SeeOther("/profile")


@require_POST
@signed_in
def told(request: PageRequest) -> HttpResponse:
    """What one is told, and how."""
    sent = set(request.POST.getlist("wanted"))
    asked = notifications.wanted(request.person.pk, is_agent=request.actor.is_agent)
    wanted = {(topic.value, way): f"{topic.value}.{way}" in sent for topic in asked for way in ("app", "email")}
    preferences.prefer(wanted, actor=request.actor, now=request.now)
    toast(request, _("Your choice is saved."))
    return SeeOther("/profile")


@require_GET
@signed_in
def more(request: PageRequest) -> HttpResponse:
    """Everything the rail holds, for small screens."""
    return page(request, "account/more.html", here="more")
