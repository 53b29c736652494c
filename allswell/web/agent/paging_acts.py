"""The acts of paging on a ticket: answer, call somebody, say when the next word comes, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allswell.desk import paging
from allswell.kernel.errors import Invalid
from allswell.kernel.text import whole
from allswell.oncall.queries import escalations
from allswell.people import queries as people
from allswell.web.pages import PageRequest

if TYPE_CHECKING:
    from allswell.kernel.actor import Actor
    from allswell.tickets.models import Ticket


def _minutes(request: PageRequest) -> int | None:
    given = request.POST.get("minutes", "")
    found = whole(given, digits=6)
    if given and found is None:
        raise Invalid("The next word comes in 5 minutes to 24 hours.", field="minutes")
    return found


def answer(request: PageRequest, number: int) -> object:
    """Have what calls for the ticket."""
    return paging.acknowledge(number, minutes=_minutes(request), actor=request.actor, now=request.now)


def page(request: PageRequest, number: int) -> object:
    """Call a team, a policy or a person."""
    form = request.POST
    return paging.page(
        number,
        policy=whole(form.get("policy", "")),
        team=whole(form.get("team", "")),
        person=form.get("person", "").strip() or None,
        reason=form.get("reason", ""),
        actor=request.actor,
        now=request.now,
    )


def promise(request: PageRequest, number: int) -> object:
    """Say when the next word comes."""
    minutes = _minutes(request)
    if minutes is None:
        raise Invalid("The next word comes in 5 minutes to 24 hours.", field="minutes")
    return paging.promise(number, minutes=minutes, actor=request.actor, now=request.now)


def stop(request: PageRequest, number: int) -> object:
    """Call nobody any more."""
    return paging.stop(number, reason=request.POST.get("reason", ""), actor=request.actor, now=request.now)


def callable_ones(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    """Whom the form offers."""
    teams = people.teams_visible_to(actor).filter(is_active=True).order_by("line", "name")
    policies = escalations.policies_visible_to(actor).filter(is_active=True).order_by("name")
    return {"teams": list(teams.values_list("pk", "name")), "policies": list(policies.values_list("pk", "name"))}
