"""The portal's first page and what is announced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allswell.desk import announcements as desk
from allswell.desk import writing
from allswell.incidents import queries as incidents
from allswell.services import queries as services
from allswell.web.pages import PageRequest, SeeOther, back_to, page, signed_in, toast

from . import words
from .mine import newest

if TYPE_CHECKING:
    from allswell.incidents.models import Announcement
    from allswell.kernel.actor import Actor

MINE_SHOWN = 5
SERVICES_SHOWN = 6
ENDED_SHOWN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """A service and, where something is announced about it, what."""

    name: str
    announcement: Announcement | None


def service_lines(actor: Actor, announced: Iterable[Announcement]) -> list[ServiceLine]:
    """The services of the business the actor's organization uses: what is announced first, the others by name.

    A service nobody announced anything about may be broken all the same; we say only that no problem is known.
    """
    about = {row.service_id: row for row in announced if row.service_id}
    used = services.visible_to(actor).filter(kind="business_service", is_active=True).order_by("name", "id")
    names = used.values_list("id", "name")
    lines = [ServiceLine(name, about.get(key)) for key, name in names]
    return sorted(lines, key=lambda line: line.announcement is None)


@require_safe
@signed_in
def home(request: PageRequest) -> HttpResponse:
    """What is going on: announced outages first, then what one can do, one's own tickets, what works."""
    actor = request.actor
    announced = list(incidents.visible_announcements(actor)[:10])
    lines = service_lines(actor, announced)
    return page(
        request,
        "portal/home.html",
        portal=words,
        greeting=words.greeting(timezone.localtime(request.now).hour),
        announced=announced,
        joined=incidents.joined(actor, announced),
        mine=newest(actor, limit=MINE_SHOWN),
        lines=lines[:SERVICES_SHOWN],
        line_count=len(lines),
    )


@require_safe
@signed_in
def status(request: PageRequest) -> HttpResponse:
    """Everything announced now, with every update, what ended in the last days, and every service."""
    announced = list(incidents.visible_announcements(request.actor)[:50])
    return page(
        request,
        "portal/status.html",
        announced=announced,
        joined=incidents.joined(request.actor, announced),
        ended=list(incidents.ended_announcements(request.actor, since=request.now - ENDED_SHOWN_FOR)[:20]),
        lines=service_lines(request.actor, announced),
    )


@require_POST
@signed_in
def same_for_me(request: PageRequest, announcement: int) -> HttpResponse:
    """One click: it is broken here too."""
    found = desk.same_for_me(announcement, actor=request.actor, now=request.now)
    if "kind" in request.POST:  # they were about to report it: what they had written is settled with it
        writing.drop_draft(place="new", actor=request.actor, now=request.now)
    toast(request, _("Noted. We tell you when there is news, and when it works again."))
    return SeeOther(back_to(request, f"/#a-{found.pk}"))
