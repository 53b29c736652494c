"""What an actor may know of: the one scope per kind of record; the roles it follows from."""

from __future__ import annotations

from django.db.models import (
    Case,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
    prefetch_related_objects,
)

from allswell.kernel.actor import Actor, Role, ScopeKind
from allswell.people.models import Organization, Person, RoleGrant, Team
from allswell.people.rules import INSTALLATION, OrganizationFacts, PersonFacts, Place, TeamFacts

from .organizations import organization_and_above

_DESK_ROLES = frozenset(Role) - {Role.REQUESTER}


_SETUP_ROLES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


def reach(actor: Actor, roles: frozenset[Role] = _DESK_ROLES) -> frozenset[int] | None:
    """The organizations whose people and records somebody of the desk may know; None: all of them.

    A role in a team reaches the team's organization with all below it; in a team of no organization, everything.
    """
    if actor.is_system:
        return None
    inside: set[int] = set()
    for grant in actor.grants:
        if grant.role not in roles:
            continue
        if grant.knows is None:
            return None
        inside |= grant.knows
    return frozenset(inside)


def is_of_the_house(actor: Actor) -> Exists | None:
    """Whether somebody of the desk belongs to, or reaches, more than customers: who runs the services, not only who buys them.

    A condition for a statement that asks for more; None when it is so anyway.
    """
    inside = reach(actor)
    if inside is None:
        return None
    place = ExpressionWrapper(OuterRef("path"), output_field=CharField())
    customer = Organization.objects.filter(kind="customer").annotate(place=place).filter(place__startswith=F("path"))
    return Exists(Organization.objects.filter(~Exists(customer), pk__in=sorted(inside | {actor.organization or 0})))


def people_visible_to(actor: Actor) -> QuerySet[Person]:
    """Whom the actor may know: at the desk everybody within reach, else oneself."""
    inside = reach(actor)
    if inside is None:
        return Person.objects.all()
    return Person.objects.filter(Q(organization__in=sorted(inside)) | Q(pk=actor.person or 0))


def colleagues(actor: Actor, *, named: str = "", first: int | None = None, limit: int) -> list[int]:
    """Who else works at the desk, as far as the actor may know them: those of the team `first` before the others, then by name.

    `named` begins one of the words of their name. Whether they may see a ticket is asked of the rules.
    """
    seen = people_visible_to(actor).filter(Q(memberships__isnull=False) | Q(grants__isnull=False), is_active=True)
    if named:
        seen = seen.filter(Q(name__istartswith=named) | Q(name__icontains=f" {named}"))
    rank = Min(Case(When(memberships__team=first, then=0), default=1)) if first else Value(0)
    found = seen.exclude(pk=actor.person or 0).values_list("pk").annotate(rank=rank).order_by("rank", "name", "pk").distinct()
    return [pk for pk, _rank in found.values_list("pk", "rank")[:limit]]


def knows_person(actor: Actor, person: Person) -> bool:
    """Whether a person is among `people_visible_to` the actor, without asking the database."""
    inside = reach(actor)
    return inside is None or person.organization_id in inside or person.pk == actor.person


def teams_visible_to(actor: Actor) -> QuerySet[Team]:
    """The teams the actor may know: at the desk those within reach, one's own, and those that serve all organizations."""
    inside = reach(actor)
    if inside is None:
        return Team.objects.all()
    own = Q(pk__in=sorted(actor.teams))
    if not (actor.is_agent or actor.has_role(Role.ADMINISTRATOR)):
        return Team.objects.filter(own)
    return Team.objects.filter(Q(organization__in=sorted(inside)) | Q(organization=None) | own)


def knows_team(actor: Actor, team: Team) -> bool:
    """Whether a team is among `teams_visible_to` the actor, without asking the database."""
    inside = reach(actor)
    if inside is None or team.pk in actor.teams:
        return True
    is_at_the_desk = actor.is_agent or actor.has_role(Role.ADMINISTRATOR)
    return is_at_the_desk and (team.organization_id is None or team.organization_id in inside)


def organizations_visible_to(actor: Actor) -> QuerySet[Organization]:
    """The organizations the actor may know: those within reach, and one's own."""
    inside = reach(actor)
    if inside is None:
        return Organization.objects.all()
    return Organization.objects.filter(Q(pk__in=sorted(inside)) | Q(pk=actor.organization or 0))


def setup_reach(actor: Actor) -> frozenset[int] | None:
    """The organizations whose setup the actor may read; None: all of them."""
    return reach(actor, _SETUP_ROLES)


def _place(grant: RoleGrant) -> Place:
    if grant.scope == ScopeKind.ORGANIZATION.value:
        return OrganizationFacts(grant.organization_id or 0)
    if grant.scope == ScopeKind.TEAM.value and grant.team is not None:
        return TeamFacts(team=grant.team.pk, organization=grant.team.organization_id)
    return INSTALLATION


def held_by(person: Person) -> list[RoleGrant]:
    """The roles of a person, read once for this record of them."""
    prefetch_related_objects([person], Prefetch("grants", _grants()))
    return list(person.grants.all())


def person_facts(person: Person) -> PersonFacts:
    """A person, as permission sees them: where they belong and how far their roles reach."""
    places = tuple(_place(grant) for grant in held_by(person) if grant.role != Role.REQUESTER)
    return PersonFacts(person.pk, person.organization_id, places)


def grant_facts(grant: RoleGrant) -> Place:
    """Where a role is held."""
    return _place(grant)


def team_facts(team: Team) -> TeamFacts:
    """A team, as permission sees it."""
    return TeamFacts(team=team.pk, organization=team.organization_id)


def grant_by_id(grant_id: int) -> RoleGrant | None:
    """A role somebody holds."""
    return RoleGrant.objects.select_related("person", "organization", "team").filter(pk=grant_id).first()


def grants(person_id: int) -> QuerySet[RoleGrant]:
    """The roles somebody holds."""
    return _grants().filter(person=person_id)


def _grants() -> QuerySet[RoleGrant]:
    return RoleGrant.objects.select_related("organization", "team", "granted_by").order_by("scope", "role", "id")


def holders(role: Role) -> set[int]:
    """Ids of those in use who hold a role in any scope."""
    return set(RoleGrant.objects.filter(role=role.value, person__is_active=True).values_list("person_id", flat=True))


def administers_alone(person_id: int) -> bool:
    """Whether this person, and nobody else in use, administers the installation."""
    rows = RoleGrant.objects.filter(role=Role.ADMINISTRATOR.value, scope="installation", person__is_active=True)
    return set(rows.values_list("person_id", flat=True)) == {person_id}


def administrators() -> list[int]:
    """Who administers the installation."""
    rows = RoleGrant.objects.filter(role=Role.ADMINISTRATOR.value, scope="installation", person__is_active=True)
    return list(rows.order_by("person").values_list("person_id", flat=True).distinct())


def works_as_agent_in(person_id: int, team: Team) -> bool:
    """Whether an agent's role of this person covers the team already."""
    covering = [Role.AGENT.value, Role.LEAD.value, Role.DUTY_MANAGER.value]
    above = organization_and_above(team.organization_id)
    inside = Q(scope="installation") | Q(team=team) | Q(organization__in=above)
    return RoleGrant.objects.filter(inside, person=person_id, role__in=covering).exists()


def all_grants(known: QuerySet[Person]) -> QuerySet[RoleGrant]:
    """The roles these people hold, by role and name; the first 500."""
    rows = RoleGrant.objects.filter(person__in=known).exclude(role=Role.REQUESTER.value)
    return rows.select_related("person", "organization", "team").order_by("role", "person__name", "id")[:500]
