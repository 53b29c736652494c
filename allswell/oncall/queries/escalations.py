"""Reading policies, runs and pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from allswell.database.rows import Prepared, PreparedModel
from allswell.database.statements import ask
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.oncall.models import Escalation, EscalationPolicy, Handover, Page, PageDelivery, PageEvent, PolicyUse, PolicyVersion
from allswell.oncall.rules.escalating import PageCause, Run, RunState
from allswell.oncall.rules.policies import Policy, TargetKind
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may

if TYPE_CHECKING:
    from allswell.people.models import Team
    from allswell.tickets.models import Ticket

# policies


def policies() -> QuerySet[EscalationPolicy]:
    """All policies."""
    return EscalationPolicy.objects.all()


def policies_visible_to(actor: Actor) -> QuerySet[EscalationPolicy]:
    """The policies the actor may know: at the desk those of the teams within reach; a requester none."""
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return EscalationPolicy.objects.none()
    return EscalationPolicy.objects.filter(team__in=people.teams_visible_to(actor).values("pk"))


def policy_by_ref(ref: int | str) -> EscalationPolicy | None:
    """A policy by id or slug, its team loaded."""
    number = ref if isinstance(ref, int) else text.whole(ref)
    if isinstance(ref, str) and (len(ref) > 60 or not ref.isprintable()):
        return None
    found = EscalationPolicy.objects.select_related("team")
    return found.filter(pk=number).first() if number is not None else found.filter(slug=ref).first()


def policy_versions(policy: int) -> QuerySet[PolicyVersion]:
    """The versions of a policy, newest first."""
    return PolicyVersion.objects.filter(policy=policy).select_related("created_by").order_by("-number")


def policy_definition(row: EscalationPolicy) -> Policy:
    """What the newest version of a policy says."""
    return Policy.parse(PolicyVersion.objects.values_list("definition", flat=True).get(policy=row.pk, number=row.number))


@dataclass(frozen=True, slots=True)
class Written:
    """A policy with what its newest version says."""

    row: EscalationPolicy
    said: Policy


def written_policies(rows: QuerySet[EscalationPolicy]) -> list[Written]:
    """Policies with what they say, by team and name, their teams loaded, in one statement."""
    newest = rows.filter(versions__number=F("number")).annotate(definition=F("versions__definition")).select_related("team")
    return [Written(row, Policy.parse(row.definition)) for row in newest.order_by("team__name", "team_id", "name", "id")]


def versions_at(policies: QuerySet[EscalationPolicy], slug: str, *, limit: int) -> list[PolicyVersion]:
    """The newest versions of one of some policies, the newest first, with the policy, its team and who wrote them."""
    rows = PolicyVersion.objects.filter(policy__in=policies.filter(slug=slug).values("pk"))
    return list(rows.select_related("policy__team", "created_by").order_by("-number")[:limit])


def named(ref: int | str) -> dict[str, int | str]:
    """The condition that finds a row by its id or its slug."""
    number = ref if isinstance(ref, int) else text.whole(ref)
    if number is not None:
        return {"pk": number}
    return {"slug": ref if isinstance(ref, str) and ref.isprintable() else ""}  # no database takes every sign


def versions_within(policies: QuerySet[EscalationPolicy], ref: int | str, *, number: int | None) -> dict[str, Any] | None:
    """What a version of one of some policies (by id or slug) says, the newest without a number; None when there is none."""
    rows = PolicyVersion.objects.filter(policy__in=policies.filter(**named(ref)).values("pk"))
    rows = rows.filter(number=number) if number is not None else rows
    found: dict[str, Any] | None = rows.order_by("-number").values_list("definition", flat=True).first()
    return found


def followed(*, team: int) -> EscalationPolicy | None:
    """The policy, in use or not, that is set for a team."""
    return followed_in_turn(service=None, team=team)[1]


def followed_in_turn(*, service: int | None, team: int | None) -> tuple[EscalationPolicy | None, EscalationPolicy | None]:
    """The policies, in use or not, that are set for a service and for its team."""
    rows = list(PolicyUse.objects.filter(Q(service=service or 0) | Q(team=team or 0)).select_related("policy"))
    of_service = next((row.policy for row in rows if row.service_id is not None), None)
    return of_service, next((row.policy for row in rows if row.team_id is not None), None)


def teams_without_policy(known: QuerySet[Team]) -> QuerySet[Team]:
    """Those of these teams that are in use and whose tickets follow no policy, unless their service has one; by name."""
    active = PolicyUse.objects.filter(team=OuterRef("pk"), policy__is_active=True)
    return known.filter(~Exists(active), is_active=True).order_by("name", "id")


def runs_of_policy(policy: int, *, since: datetime) -> QuerySet[Escalation]:
    """The runs that followed a policy since then, the newest first, with their tickets and who answered."""
    rows = Escalation.objects.filter(policy=policy, started_at__gte=since)
    return rows.select_related("ticket", "acknowledged_by").order_by("-started_at", "-id")


def teams_that_page(team_ids: Collection[int], *, priority: int) -> dict[int, bool]:
    """Teams whose policy is in use -> whether it starts by itself at a priority; those without one are left out. One statement."""
    rows = PolicyUse.objects.filter(team__in=team_ids, policy__is_active=True, policy__versions__number=F("policy__number"))
    found = rows.values_list("team_id", "policy__versions__definition")
    return {team: priority in said.get("starts", ()) for team, said in found if team is not None}


def policy_uses(policy_ids: Collection[int]) -> QuerySet[PolicyUse]:
    """What follows these policies: services, and teams by default."""
    rows = PolicyUse.objects.filter(policy__in=policy_ids).select_related("service", "team")
    return rows.order_by("policy", "service__name", "team__name")


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy a ticket follows: its id, the number of its version, what that says as JSON."""

    policy: int
    number: int
    definition: dict[str, Any]


_IN_FORCE = Prepared(
    lambda service, team: PolicyUse.objects.filter(
        Q(service=service) | Q(team=team), policy__is_active=True, policy__versions__number=F("policy__number")
    ).values_list("policy_id", "policy__number", "policy__versions__definition", "service_id")
)


def in_force(*, service: int | None, team: int | None) -> InForce | None:
    """The policy of a service, else the default of a team, as it is now."""
    found = _IN_FORCE.rows(service or 0, team or 0)
    chosen = min(found, key=lambda row: row[3] is None, default=None)
    return InForce(*chosen[:3]) if chosen else None


@dataclass(frozen=True, slots=True)
class Use:
    """A policy in use, as its newest version says."""

    policy: int
    name: str
    slug: str
    definition: Policy

    @property
    def pk(self) -> int:
        """Its id, as a row has it."""
        return self.policy


def use_in_force(*, service: int | None, team: int | None) -> Use | None:
    """The policy of a service, else the default of a team, with its name; as `in_force` says it."""
    rows = PolicyUse.objects.filter(
        Q(service=service or 0) | Q(team=team or 0), policy__is_active=True, policy__versions__number=F("policy__number")
    ).values_list("service_id", "policy_id", "policy__name", "policy__slug", "policy__versions__definition")
    chosen = min(rows, key=lambda row: row[0] is None, default=None)
    return Use(*chosen[1:4], Policy.parse(chosen[4])) if chosen else None


@dataclass(frozen=True, slots=True)
class InForceEverywhere:
    """Which policy is in force where, for all services and teams at once."""

    services: dict[int, Use]
    teams: dict[int, Use]

    def of(self, *, service: int, team: int | None) -> Use | None:
        """As `in_force` says it of one."""
        return self.services.get(service) or self.teams.get(team or 0)

    def touching(self, *, policies: Collection[int], rotas: Collection[int], everything: bool = False) -> set[int]:
        """The policies in use that are among these, or that call one of these rotas."""
        wanted = set(rotas)
        uses = (*self.services.values(), *self.teams.values())
        return {
            use.policy for use in uses if everything or use.policy in policies or use.definition.ids(TargetKind.ROTA) & wanted
        }


def in_force_everywhere() -> InForceEverywhere:
    """The policies of all services and the defaults of all teams, each read once; one statement."""
    rows = PolicyUse.objects.filter(policy__is_active=True, policy__versions__number=F("policy__number")).values_list(
        "service_id", "team_id", "policy_id", "policy__name", "policy__slug", "policy__versions__definition"
    )
    found = InForceEverywhere({}, {})
    read: dict[int, Use] = {}
    for service, team, policy, name, slug, said in rows:
        if policy not in read:
            read[policy] = Use(policy, name, slug, Policy.parse(said))
        if service:
            found.services[service] = read[policy]
        elif team:
            found.teams[team] = read[policy]
    return found


# runs


def runs_of(ticket: int) -> QuerySet[Escalation]:
    """The runs of a ticket, the newest first."""
    rows = Escalation.objects.filter(ticket=ticket).select_related("policy", "acknowledged_by", "started_by")
    return rows.order_by("-id")


_NEWEST = PreparedModel(
    Escalation, lambda ticket: Escalation.objects.filter(ticket=ticket).order_by("-id")[:5], related=("policy", "acknowledged_by")
)


def newest_runs(ticket: int) -> list[Escalation]:
    """The newest runs of a ticket with their policies and who answered, as its page shows them."""
    return _NEWEST.records(ticket)


def runs_between(
    since: datetime, until: datetime, *, tickets: QuerySet[Ticket], policy: int | None = None
) -> QuerySet[Escalation]:
    """The runs that began in a time, of some tickets, in order, their tickets loaded; of one policy if named."""
    rows = Escalation.objects.filter(started_at__gte=since, started_at__lt=until, ticket__in=tickets.values("pk"))
    rows = rows.filter(policy=policy) if policy is not None else rows
    return rows.select_related("ticket", "acknowledged_by").order_by("started_at", "id")


@dataclass(frozen=True, slots=True)
class RealCall:
    """One who was called, when, in which zone they are, and when the first way to them was planned (the open desk aside)."""

    person: int | None
    at: datetime
    zone: str
    first_at: datetime | None
    name: str = ""


def real_calls(run_ids: Collection[int]) -> dict[int, list[RealCall]]:
    """Run -> whom it really called, in order; one statement."""
    found: dict[int, list[RealCall]] = {}
    first = Min("deliveries__planned_at", filter=~Q(deliveries__channel="desk"))
    rows = Page.objects.filter(escalation__in=run_ids).annotate(first_at=first).order_by("id")
    for run, person, at, zone, first_at, name in rows.values_list(
        "escalation_id", "person_id", "created_at", "person__time_zone", "first_at", "person__name"
    ):
        found.setdefault(run or 0, []).append(RealCall(person, at, zone or settings.DEFAULT_TIME_ZONE, first_at, name or ""))
    return found


_OPEN = Prepared(lambda ticket: Escalation.objects.filter(ticket=ticket, ended_at=None).values_list("pk"))


def has_open_run(ticket: int) -> bool:
    """Whether some run of a ticket may still call somebody: asked by every act, so composed once."""
    return bool(_OPEN.rows(ticket))


def run(run_id: int) -> Escalation | None:
    """A run, its policy loaded."""
    return Escalation.objects.select_related("policy", "ticket").filter(pk=run_id).first()


def is_step_due(now: datetime) -> bool:
    """Whether a run has something to do; written by hand, because the engine asks ten times a second."""
    return bool(ask(_STEP_DUE, [connection.ops.adapt_datetimefield_value(now)]))


#: in order, so that PostgreSQL takes the index: by a scan it would expect to meet one soon, and reads everything when there is none
_STEP_DUE = "SELECT 1 FROM oncall_escalation WHERE next_step_at <= %s ORDER BY next_step_at LIMIT 1"


def oldest_step_due(now: datetime) -> datetime | None:
    """Since when the longest waiting step is due; None when none is."""
    rows = Escalation.objects.filter(next_step_at__lte=now).order_by("next_step_at")
    return rows.values_list("next_step_at", flat=True).first()


def stands(row: Escalation) -> Run:
    """A run as the rules know it."""
    return Run(RunState(row.state), row.position, row.round, row.turn, row.next_step_at, row.has_reached)


def unanswered(*, since: datetime) -> QuerySet[Escalation]:
    """The runs that nobody answered, the newest first, with their tickets, that are still to be done."""
    rows = Escalation.objects.filter(state="exhausted", ended_at__gte=since, ticket__done_at=None)
    later = Escalation.objects.filter(ticket=OuterRef("ticket"), pk__gt=OuterRef("pk"))
    return rows.exclude(Exists(later)).select_related("ticket", "policy").order_by("-ended_at")


# pages


def page(page_id: int) -> Page | None:
    """A page with all that a look at it needs."""
    rows = Page.objects.select_related("person", "room", "ticket__service", "escalation__policy", "escalation__acknowledged_by")
    rows = rows.select_related("handover__rota", "handover__outgoing", "handover__incoming", "handover__accepted_by")
    return rows.filter(pk=page_id).first()


#: what a message about a page depends on; those of a storm are read by the hundred
_SAID = (
    "person_id", "room_id", "handover_id", "cause", "urgency", "created_at", "late_by", "closed_at", "acknowledged_at",
    "ticket__kind", "ticket__title", "ticket__priority", "ticket__occurred_at", "ticket__opened_at", "ticket__is_restricted",
    "ticket__organization_id", "ticket__requester_id", "ticket__assignee_id", "ticket__service__name", "ticket__team__name",
    "escalation__cause", "escalation__reason", "escalation__definition", "escalation__state", "escalation__position",
    "escalation__round", "escalation__turn", "escalation__has_reached", "escalation__next_step_at",
    "escalation__acknowledged_at", "escalation__started_by__name",
)  # fmt: skip


def pages(page_ids: Collection[int]) -> list[Page]:
    """Pages with all that a message about them says, and nothing else; one statement, two where some are about a shift."""
    rows = Page.objects.filter(pk__in=page_ids).select_related("ticket__service", "ticket__team", "escalation__started_by")
    found = list(rows.only(*_SAID))
    shifts = {page.handover_id for page in found if page.handover_id is not None}
    held = Handover.objects.select_related("rota__team", "outgoing", "incoming").in_bulk(shifts) if shifts else {}
    for page in found:
        if page.handover_id is not None:
            page.handover = held[page.handover_id]
    return found


def pages_of_runs(run_ids: Collection[int]) -> QuerySet[Page]:
    """The pages of runs, in order, with who was called."""
    return Page.objects.filter(escalation__in=run_ids).select_related("person", "room").order_by("id")


#: what one answers by its own page: calls for tickets, and practice
_CALLS = Q(ticket__isnull=False) | Q(cause=PageCause.PRACTICE.value)


def pages_called(page_ids: Collection[int]) -> QuerySet[Page]:
    """Pages with who was called, and who asked for them."""
    return Page.objects.filter(pk__in=page_ids).select_related("person", "room", "asked_by")


def open_pages_of(person: int) -> QuerySet[Page]:
    """What calls somebody now and has no answer, the newest first."""
    rows = Page.objects.filter(_CALLS, person=person, closed_at=None, acknowledged_at=None)
    return rows.select_related("ticket", "escalation").order_by("-id")


def alarms(persons: Collection[int]) -> dict[int, tuple[tuple[int, bool], ...]]:
    """Person -> what calls them now: (page, whether an open desk page rings for it), in order. Normal pages and hushed ones are silent."""
    hushed = Exists(PageEvent.objects.filter(page=OuterRef("pk"), kind="hushed"))
    about = _CALLS | Q(handover__isnull=False)
    rows = Page.objects.filter(about, person__in=persons, closed_at=None, acknowledged_at=None).order_by("pk")
    found: dict[int, tuple[tuple[int, bool], ...]] = {}
    for person, pk, urgency, is_hushed in rows.annotate(hushed=hushed).values_list("person_id", "pk", "urgency", "hushed"):
        found[person] = (*found.get(person, ()), (pk, urgency == "urgent" and not is_hushed))
    return found


def is_anybody_asked(run_id: int, *, turn: int) -> bool:
    """Whether a person called at this turn of a run has neither answered nor passed it on."""
    asked = Page.objects.filter(escalation=run_id, turn=turn, person__isnull=False)
    return asked.filter(closed_at=None, acknowledged_at=None).exists()


def is_anything_open(run_id: int, *, turn: int) -> bool:
    """Whether anybody or any room called at this turn of a run may still answer."""
    return Page.objects.filter(escalation=run_id, turn=turn, closed_at=None, acknowledged_at=None).exists()


def deliveries_of(page_ids: Collection[int]) -> QuerySet[PageDelivery]:
    """By which ways pages go, in the order they are planned."""
    return PageDelivery.objects.filter(page__in=page_ids).select_related("contact").order_by("planned_at", "id")


def ledger(page_ids: Collection[int]) -> QuerySet[PageEvent]:
    """Everything that became of pages, in order."""
    return PageEvent.objects.filter(page__in=page_ids).select_related("delivery").order_by("happened_at", "id")


_DELIVERY_DUE = """
SELECT 1 FROM oncall_pagedelivery WHERE settled_at IS NULL AND due_at <= %s
AND (claimed_until IS NULL OR claimed_until <= %s) ORDER BY due_at LIMIT 1
"""


def was_answered(person: int, *, detail: str) -> bool:
    """Whether somebody answered a page in exactly this way before."""
    return PageEvent.objects.filter(page__person=person, kind="acknowledged", detail=detail).exists()


def is_delivery_due(now: datetime) -> bool:
    """Whether a page waits to be sent; by hand as well."""
    at = connection.ops.adapt_datetimefield_value(now)
    return bool(ask(_DELIVERY_DUE, [at, at]))


def delivery(delivery_id: int) -> PageDelivery | None:
    """A delivery with its page."""
    return PageDelivery.objects.select_related("page").filter(pk=delivery_id).first()
