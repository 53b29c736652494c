"""Looking up people, teams and services at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from allswell.desk import contacts
from allswell.desk.rotas import may_edit
from allswell.incidents import queries as incidents
from allswell.intake.queries import changes as system_changes
from allswell.intake.queries import quiet
from allswell.kernel import text
from allswell.kernel.actor import Role
from allswell.kernel.errors import NotFound
from allswell.notifications import queries as notifications
from allswell.people import queries as people
from allswell.people.rules import Act, Place, may, place_of
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.tickets import queue
from allswell.web import contact_words
from allswell.web.oncall import policies
from allswell.web.pages import PageRequest, desk_page, page

from . import choices

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.kernel.actor import Actor
    from allswell.people.models import Person, Team
    from allswell.services.models import ConfigurationItem
    from allswell.tickets.models import Ticket

SHOWN = 8
#: so many of the last changes of a service are shown
CHANGES = 10
PAGE = 50


def _open(request: PageRequest, **where: Any) -> tuple[list[queue.Row], int]:
    """The first open tickets the viewer sees with these columns, and how many there are (capped)."""
    found: QuerySet[Ticket] = tickets.at_the_desk(request.actor).filter(done_at__isnull=True, **where)
    rows, following = queue.rows(found, limit=SHOWN)
    return rows, queue.counts({"all": found})["all"] if following else len(rows)


def _may_set_up(request: PageRequest, place: Place) -> bool:
    return may(request.actor, Act.SET_UP, place)


@require_GET
@desk_page
def people_page(request: PageRequest) -> HttpResponse:
    """Whom the viewer may know, by name."""
    q = text.clean(request.GET.get("q", "")).strip()[:100]
    rows = people.people_visible_to(request.actor).filter(is_active=True).select_related("organization")
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(addresses__address__icontains=q.lower())).distinct()
    name, _bar, pk = text.clean(request.GET.get("after", "")).rpartition("|")
    if pk.isascii() and pk.isdigit() and len(pk) < 19:
        rows = rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=int(pk)))
    found = list(rows.order_by("name", "id")[: PAGE + 1])
    after = f"{found[PAGE - 1].name}|{found[PAGE - 1].pk}" if len(found) > PAGE else ""
    addresses = people.primary_addresses([row.pk for row in found])
    shown = [(row, addresses.get(row.pk, "")) for row in found[:PAGE]]
    return page(request, "look_up/people.html", rows=shown, q=q, after=after, here="people")


@require_GET
@desk_page
def person_page(request: PageRequest, person: int) -> HttpResponse:
    """A person: how to reach them, what is open with them."""
    row = people.people_visible_to(request.actor).filter(pk=person).select_related("organization", "manager", "stands_in").first()
    if row is None:
        raise NotFound("There is no such person, or you may not know them.")
    asked, asked_count = _open(request, requester=row.pk)
    works = [grant for grant in people.held_by(row) if grant.role != Role.REQUESTER]
    held, held_count = _open(request, assignee=row.pk) if works else ([], 0)
    known = people.teams_visible_to(request.actor)
    may_know = bool(works) and contacts.may_know_reach(row, actor=request.actor)
    return page(
        request,
        "look_up/person.html",
        row=row,
        reach=notifications.reachable([row.pk]).get(row.pk) if may_know else None,
        contact_words=contact_words,
        addresses=[address.address for address in people.addresses(row.pk) if address.proof != "claimed"],
        teams=known.filter(memberships__person=row.pk, is_active=True).order_by("name"),
        roles=sorted({dict(choices.roles()).get(grant.role, grant.role) for grant in works}),
        asked=asked,
        asked_count=asked_count,
        held=held,
        held_count=held_count,
        is_agent=bool(works),
        can_set_up=may(request.actor, Act.SET_UP, people.person_facts(row)),
        here="people",
    )


@require_GET
@desk_page
def teams_page(request: PageRequest) -> HttpResponse:
    """The teams the viewer may know."""
    rows = list(people.teams_visible_to(request.actor).filter(is_active=True).select_related("lead").order_by("line", "name"))
    sizes = people.team_sizes()
    seen = tickets.at_the_desk(request.actor)
    counts = queue.counts({str(row.pk): seen.filter(team=row.pk) for row in rows[:100]})
    leads = people.people_visible_to(request.actor).in_bulk({row.lead_id for row in rows if row.lead_id})
    lines = [(row, leads.get(row.lead_id or 0), sizes.get(row.pk, 0), counts.get(str(row.pk), 0)) for row in rows]
    return page(request, "look_up/teams.html", rows=lines, here="teams")


@require_GET
@desk_page
def team_page(request: PageRequest, slug: str) -> HttpResponse:
    """A team: who is in it, who is away, what it looks after, what lies with it."""
    row = people.teams_visible_to(request.actor).filter(slug=slug).select_related("lead", "organization").first()
    if row is None:
        raise NotFound("There is no such team, or you may not know it.")
    found, count = _open(request, team=row.pk)
    known = people.people_visible_to(request.actor)
    chain = known.in_bulk(people.manager_chain(row))
    return page(
        request,
        "look_up/team.html",
        row=row,
        members=people.members(row.pk).filter(pk__in=known.values("pk")).select_related("stands_in"),
        is_empty=not people.members(row.pk).exists(),
        chain=[chain[pk] for pk in people.manager_chain(row) if pk in chain],
        services=services.known_inside(request.actor).filter(team=row.pk, is_active=True).order_by("name"),
        assignment=dict(choices.assignments())[row.assignment],
        open=found,
        open_count=count,
        can_set_up=_may_set_up(request, people.team_facts(row)),
        leads=may_edit(row, actor=request.actor),
        followed=policies.followed_by_team(row, actor=request.actor) if row.is_active else None,
        here="teams",
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A service as the viewer may know it: who answers for it and how critical it is, where that is theirs to know."""

    row: ConfigurationItem
    is_inside: bool
    team: Team | None
    owner: Person | None


def _known(rows: list[ConfigurationItem], *, actor: Actor) -> list[Known]:
    inside = set(services.known_inside(actor).filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [
        Known(
            row,
            True,
            row.team if row.team and people.knows_team(actor, row.team) else None,
            row.owner if row.owner and people.knows_person(actor, row.owner) else None,
        )
        if row.pk in inside
        else Known(row, False, None, None)
        for row in rows
    ]


def _attention(known: Known) -> tuple[int, str]:
    """The most critical first; what one is not told the criticality of stands at the end, by name."""
    return (known.row.criticality if known.is_inside else 9, known.row.name)


@require_GET
@desk_page
def services_page(request: PageRequest) -> HttpResponse:
    """The services the viewer may know, the most critical first."""
    rows = list(services.visible_to(request.actor).filter(is_active=True).select_related("team", "owner").order_by("name", "id"))
    lines = sorted(_known(rows, actor=request.actor), key=_attention)
    seen = tickets.at_the_desk(request.actor)
    counts = queue.counts({str(line.row.pk): seen.filter(service=line.row.pk) for line in lines[:100]})
    shown = [(line, counts.get(str(line.row.pk), 0)) for line in lines]
    return page(request, "look_up/services.html", rows=shown, here="services")


@require_GET
@desk_page
def service_page(request: PageRequest, slug: str) -> HttpResponse:
    """A service: who answers for it, what it needs, what breaks with it, what is open about it; of one that is shared with
    others, the desk of a customer sees what is public."""
    visible = services.visible_to(request.actor)
    row = visible.filter(slug=slug).select_related("organization", "team", "owner").first()
    if row is None:
        raise NotFound("There is no such service, or you may not know it.")
    (known,) = _known([row], actor=request.actor)
    found, count = _open(request, service=row.pk)
    return page(
        request,
        "look_up/service.html",
        row=row,
        known=known,
        kind=dict(choices.service_kinds())[row.kind],
        announced=list(incidents.visible_announcements(request.actor).filter(service=row.pk).prefetch_related(None)[:3]),
        open=found,
        open_count=count,
        can_set_up=_may_set_up(request, place_of(row.organization_id)),
        here="services",
        **(_around(request, row) if known.is_inside else {}),
    )


def _around(request: PageRequest, row: ConfigurationItem) -> dict[str, Any]:
    """What a service needs and what breaks with it, as far as the viewer may know."""
    around = services.around(row.pk, known=services.known_inside(request.actor))
    ailing = tickets.at_the_desk(request.actor).filter(
        done_at__isnull=True, kind="incident", priority__lte=2, service__in=[other.pk for other in around.needs]
    )
    return {
        "criticality": dict(choices.criticalities())[row.criticality],
        "needs": around.needs,
        "ailing": set(ailing.values_list("service_id", flat=True)[:200]),
        "needed_by": around.needed_by,
        "radius": around.radius,
        "followed": policies.followed_by_service(row, actor=request.actor) if row.is_active else None,
        "changed": system_changes.of_service(request.actor, row, limit=CHANGES),
        "going_on": list(quiet.running_windows(request.actor, now=request.now, service=row.pk).prefetch_related(None)[:3]),
    }
