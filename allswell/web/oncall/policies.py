"""Escalation policies: whom they call now, what follows them, what became of their runs; taking them out of use and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allswell.desk import policies, rotas
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, NotFound
from allswell.oncall.queries import escalations
from allswell.oncall.rules.policies import Policy
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.web import show
from allswell.web.pages import PageRequest, SeeOther, desk_page, page, toast, words_of_error

from . import board, ladders, sure
from .ladders import Ladder

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation, EscalationPolicy, PolicyUse, PolicyVersion
    from allswell.people.models import Team
    from allswell.services.models import ConfigurationItem

#: policies of a list, versions and runs of a page
MOST_LISTED, MOST_VERSIONS, MOST_RUNS = 60, 20, 200
#: runs that are told one by one, and how far back they are counted
TOLD, LATELY = 12, timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Users:
    """What follows a policy, as far as the viewer may know."""

    teams: list[Team] = field(default_factory=list)
    services: list[ConfigurationItem] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.teams or self.services)


@dataclass(frozen=True, slots=True)
class Card:
    """A policy of the list."""

    row: EscalationPolicy
    ladder: Ladder
    users: Users


def users_of(uses: Iterable[PolicyUse], *, actor: Actor) -> Users:
    """What of some uses the viewer may know."""
    rows = list(uses)
    return Users(
        [use.team for use in rows if use.team is not None and people.knows_team(actor, use.team)],
        [use.service for use in rows if use.service is not None and services.surely_knows_inside(actor, use.service)],
    )


def versions_of(slug: str, *, actor: Actor, limit: int = 1) -> list[PolicyVersion]:
    """The newest versions of a policy the viewer may know, itself and its team loaded, in one look. Raises NotFound."""
    found = escalations.versions_at(escalations.policies_visible_to(actor), slug, limit=limit)
    if not found:
        raise NotFound("There is no such policy, or you may not know it.")
    return found


@require_safe
@desk_page
def policies_page(request: PageRequest) -> HttpResponse:
    """The policies the viewer may know, by team: whom they call now."""
    actor = request.actor
    seen = escalations.policies_visible_to(actor)
    found = escalations.written_policies(seen if request.GET.get("all") else seen.filter(is_active=True))
    shown = found[:MOST_LISTED]
    drawn = ladders.drawn([one.said for one in shown], request.now)
    uses: dict[int, list[PolicyUse]] = {}
    for use in escalations.policy_uses([one.row.pk for one in shown]) if shown else ():
        uses.setdefault(use.policy_id, []).append(use)
    cards = [
        Card(one.row, ladder, users_of(uses.get(one.row.pk, ()), actor=actor)) for one, ladder in zip(shown, drawn, strict=True)
    ]
    return page(
        request,
        "oncall/policies.html",
        cards=cards,
        more=len(found) - len(shown),
        has_all=bool(request.GET.get("all")),
        may_make=actor.has_role(*board.MAKERS),
        here="oncall",
    )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the runs of late that the viewer may see; `is_all` unless only the newest were counted."""

    rows: list[Escalation]
    answered: int
    unanswered: int
    median: str
    is_all: bool

    @classmethod
    def of(cls, request: PageRequest, policy: int) -> Outcomes:
        """The runs of a policy about tickets of the viewer's desk."""
        seen = tickets.at_the_desk(request.actor).values("pk")
        found = escalations.runs_of_policy(policy, since=request.now - LATELY).filter(ticket__in=seen)
        rows = list(found[: MOST_RUNS + 1])
        took = [(row.acknowledged_at - row.started_at).total_seconds() for row in rows if row.acknowledged_at is not None]
        return cls(
            rows=rows[:MOST_RUNS],
            answered=len(took),
            unanswered=sum(row.state == "exhausted" for row in rows),
            median=show.duration(median(took)) if took else "",
            is_all=len(rows) <= MOST_RUNS,
        )


@require_safe
@desk_page
def policy(request: PageRequest, slug: str) -> HttpResponse:
    """A policy: its steps with their times, who follows it, what became of its runs, its versions."""
    versions = versions_of(slug, actor=request.actor, limit=MOST_VERSIONS + 1)
    row = versions[0].policy
    (ladder,) = ladders.drawn([Policy.parse(versions[0].definition)], request.now)
    return page(
        request,
        "oncall/policy.html",
        row=row,
        ladder=ladder,
        users=users_of(escalations.policy_uses([row.pk]), actor=request.actor),
        outcomes=Outcomes.of(request, row.pk),
        told=TOLD,
        versions=versions[:MOST_VERSIONS],
        has_more_versions=len(versions) > MOST_VERSIONS,
        outcome_words=outcome_words,
        may_edit=rotas.may_edit(row.team, actor=request.actor),
        here="oncall",
    )


def outcome_words(row: Escalation) -> str:
    """What became of a run: "Amir Haddad answered at step 2 after 6 min"."""
    if row.acknowledged_at is not None:
        values = {"step": max(row.position, 1), "length": show.duration(row.acknowledged_at - row.started_at)}
        if row.acknowledged_by is None:
            return _("answered at step %(step)s after %(length)s") % values
        return _("%(name)s answered at step %(step)s after %(length)s") % {"name": row.acknowledged_by.name, **values}
    if row.state == "exhausted":
        return _("nobody answered")
    if row.ended_at is None:
        return _("is running, at step %(step)s") % {"step": max(row.position, 1)}
    ended = {
        "stopped": _("was stopped by hand"),
        "handed_over": _("ended: another team has it"),
        "undone": _("ended: what began it was taken back"),
    }
    return ended.get(row.end_reason, _("ended before anybody answered: it was done"))


# in use or not


@require_POST
@desk_page
@sure.asks_first
def deactivate(request: PageRequest, slug: str) -> HttpResponse:
    """Take a policy out of use; one click undoes it."""
    named = escalations.policy_by_ref(slug)
    with sure.watching(request, policies=(named.pk if named else None,)):
        row = policies.set_policy_active(slug, is_active=False, actor=request.actor, now=request.now)
    said = _("%(name)s is out of use. Nothing starts it any more; what runs goes on.") % {"name": row.name}
    toast(request, said, undo=f"/oncall/policies/{row.slug}/activate")
    return SeeOther(f"/oncall/policies/{row.slug}/")


@require_POST
@desk_page
def activate(request: PageRequest, slug: str) -> HttpResponse:
    """Take a policy back into use."""
    row = policies.set_policy_active(slug, is_active=True, actor=request.actor, now=request.now)
    toast(request, _("%(name)s is in use again.") % {"name": row.name})
    return SeeOther(f"/oncall/policies/{row.slug}/")


# what follows it


@dataclass(frozen=True, slots=True)
class Followed:
    """What the tickets of a team or a service follow, for its page: its own policy, else that of its team."""

    own: EscalationPolicy | None
    inherited: EscalationPolicy | None
    may_choose: bool
    choices: list[tuple[str, str]]

    @property
    def in_force(self) -> EscalationPolicy | None:
        """The one that pages."""
        return next((row for row in (self.own, self.inherited) if row is not None and row.is_active), None)


def _choices(actor: Actor, own: EscalationPolicy | None) -> list[tuple[str, str]]:
    rows = escalations.policies_visible_to(actor).filter(is_active=True).order_by("name", "id")
    found = list(rows.values_list("slug", "name")[:500])
    return found if own is None or (own.slug, own.name) in found else [(own.slug, own.name), *found]


def followed_by_team(team: Team, *, actor: Actor) -> Followed:
    """What the tickets of a team follow."""
    may_choose = rotas.may_edit(team, actor=actor)
    own = escalations.followed(team=team.pk)
    return Followed(own, None, may_choose, _choices(actor, own) if may_choose else [])


def followed_by_service(service: ConfigurationItem, *, actor: Actor) -> Followed:
    """What tickets about a service follow."""
    team = service.team
    may_choose = team is not None and people.knows_team(actor, team) and rotas.may_edit(team, actor=actor)
    own, inherited = escalations.followed_in_turn(service=service.pk, team=service.team_id)
    return Followed(own, inherited, may_choose, _choices(actor, own) if may_choose else [])


@require_POST
@desk_page
@sure.asks_first
def team_policy(request: PageRequest, slug: str) -> HttpResponse:
    """Choose what a team's tickets follow."""
    team = people.team_by_ref(slug)
    with sure.watching(request, teams=(team.pk if team else None,)):
        return _chosen(request, f"/teams/{slug}", lambda wanted, by: policies.use_for_team(slug, policy=wanted, **by))


@require_POST
@desk_page
@sure.asks_first
def service_policy(request: PageRequest, slug: str) -> HttpResponse:
    """Choose what the tickets about a service follow."""
    service = services.by_ref(slug)
    with sure.watching(request, services=(service.pk if service else None,)):
        return _chosen(request, f"/services/{slug}", lambda wanted, by: policies.use_for_service(slug, policy=wanted, **by))


def _chosen(request: PageRequest, there: str, use: Any) -> HttpResponse:
    wanted = request.POST.get("policy", "").strip()[:80]
    try:
        use(wanted or None, {"actor": request.actor, "now": request.now})
    except DeskError as error:
        if error.http in (403, 404):
            raise
        toast(request, words_of_error(error), is_bad=True)
    else:
        toast(request, _("Saved. New tickets follow it from now on.") if wanted else _("Saved."))
    return SeeOther(there)
