"""People: who they are, where they belong, what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Q
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import people as desk
from allswell.desk import sign_in
from allswell.kernel.actor import Role
from allswell.kernel.errors import NotFound
from allswell.people import queries
from allswell.people.rules import Act, may

from .shapes import Email, Instant, Name, NamedRef, PersonRef, Ref, changes, named_ref, person_ref

TAG = "People"
SCOPE = "people:write"
Line = Annotated[str, Meta(max_length=120)]


class Person(Struct):
    """Somebody the caller may know. `email` is where mail is sent to."""

    id: int
    name: str
    title: str
    email: str | None
    phone: str
    location: str
    organization: NamedRef | None
    manager: PersonRef | None
    locale: str
    time_zone: str
    is_active: bool
    away_from: datetime | None
    away_until: datetime | None
    stands_in: PersonRef | None
    external_ref: str
    created_at: datetime


class RoleGrant(Struct):
    """A role within a scope: the installation, an organization with all below it, or a team."""

    id: int
    role: Role
    scope: str
    organization: NamedRef | None
    team: NamedRef | None


class Address(Struct):
    """An e-mail address and how far it is known to be theirs: claimed, vouched or confirmed."""

    id: int
    address: str
    proof: str
    is_primary: bool


class PersonDetails(Person):
    """A person with their teams. Addresses and roles are told to themselves and to who sets people up."""

    teams: list[NamedRef] = []
    addresses: list[Address] | UnsetType = UNSET
    roles: list[RoleGrant] | UnsetType = UNSET


_COLUMNS = (
    "pk",
    "name",
    "title",
    "phone",
    "location",
    "locale",
    "time_zone",
    "is_active",
    "away_from",
    "away_until",
    "external_ref",
    "created_at",
    "organization_id",
    "organization__slug",
    "organization__name",
    "manager_id",
    "manager__name",
    "stands_in_id",
    "stands_in__name",
)


def _make(row: Sequence[Any], *, email: str | None, shape: type[Any] = Person) -> Any:
    values = dict(zip(_COLUMNS, row, strict=True))
    return shape(
        id=values["pk"],
        email=email,
        organization=named_ref(values["organization_id"], values["organization__slug"], values["organization__name"]),
        manager=person_ref(values["manager_id"], values["manager__name"]),
        stands_in=person_ref(values["stands_in_id"], values["stands_in__name"]),
        **{name: values[name] for name in _COLUMNS[1:12]},
    )


class PersonFilters(Paged):
    """Which people."""

    q: Annotated[str, Meta(max_length=120, description="Part of the name, or an e-mail address.")] | UnsetType = UNSET
    organization: Id | UnsetType = UNSET
    team: Id | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/people",
    id="listPeople",
    summary="People the caller may know, newest first",
    tag=TAG,
    scope="people:read",
    query=PersonFilters,
    answer=Page[Person],
)
def list_people(call: Call) -> Page[Person]:
    filters: PersonFilters = call.query
    rows = queries.people_visible_to(call.actor)
    if filters.q is not UNSET:
        known = queries.person_by_address(filters.q.strip().lower())
        rows = rows.filter(Q(name__icontains=filters.q) | Q(pk=known.pk if known else 0))
    if filters.organization is not UNSET:
        rows = rows.filter(organization=filters.organization)
    if filters.team is not UNSET:
        rows = rows.filter(memberships__team=filters.team)
    if filters.is_active is not UNSET:
        rows = rows.filter(is_active=filters.is_active)

    def make(found: Sequence[Any]) -> list[Person]:
        emails = queries.primary_addresses([row[0] for row in found])
        return [_make(row, email=emails.get(row[0])) for row in found]

    return page(call, rows.values_list(*_COLUMNS), make)


@operation("GET", "/people/{id}", id="getPerson", summary="One person", tag=TAG, scope="people:read", answer=PersonDetails)
def get(call: Call) -> PersonDetails:
    return _details(call, call.path["id"])


def _details(call: Call, person: int) -> PersonDetails:
    row = queries.people_visible_to(call.actor).filter(pk=person).values_list(*_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such person, or you may not know them.")
    made: PersonDetails = _make(row, email=queries.primary_addresses([person]).get(person), shape=PersonDetails)
    teams = queries.teams_visible_to(call.actor).filter(memberships__person=person)
    made.teams = [NamedRef(*team) for team in teams.order_by("name", "pk").values_list("pk", "slug", "name")]
    known = queries.any_person(person)
    assert known is not None
    if person == call.actor.person or may(call.actor, Act.READ_SETUP, queries.person_facts(known)):
        made.addresses = [Address(a.pk, a.address, a.proof, a.is_primary) for a in queries.addresses(person)]
        made.roles = [_role(grant) for grant in queries.grants(person)]
    return made


def _role(grant: Any) -> RoleGrant:
    home, team = grant.organization, grant.team
    return RoleGrant(
        id=grant.pk,
        role=Role(grant.role),
        scope=grant.scope,
        organization=NamedRef(home.pk, home.slug, home.name) if home else None,
        team=NamedRef(team.pk, team.slug, team.name) if team else None,
    )


def _shown(call: Call, person: Any) -> PersonDetails:
    return _details(call, call.path["id"])


class NewPerson(Body):
    """Somebody to make known. They set a password by the link of "Forgot your password?"."""

    name: Name
    email: Email = ""
    organization: Ref | None = None
    title: Line = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    location: Line = ""
    locale: Annotated[str, Meta(max_length=12)] = ""
    time_zone: Annotated[str, Meta(max_length=60)] = ""
    external_ref: Line = ""
    manager: Id | None = None


@operation(
    "POST",
    "/people",
    id="createPerson",
    summary="Make somebody known",
    tag=TAG,
    scope=SCOPE,
    body=NewPerson,
    answer=PersonDetails,
    status=201,
    present=lambda call, person: _created(call, person),
)
def create(call: Call) -> Any:
    body: NewPerson = call.body
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    return desk.create_person(actor=call.actor, now=call.now, **values)


def _created(call: Call, person: Any) -> PersonDetails:
    call.headers["Location"] = f"{BASE}/people/{person.pk}"
    return _details(call, person.pk)


class PersonChange(Body):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    organization: Ref | UnsetType | None = UNSET
    title: Line | UnsetType = UNSET
    phone: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    location: Line | UnsetType = UNSET
    locale: Annotated[str, Meta(max_length=12)] | UnsetType = UNSET
    time_zone: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    external_ref: Line | UnsetType = UNSET
    manager: Id | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/people/{id}",
    id="updatePerson",
    summary="Change what is written about a person",
    tag=TAG,
    scope=SCOPE,
    body=PersonChange,
    answer=PersonDetails,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    return desk.edit_person(call.path["id"], actor=call.actor, now=call.now, **changes(call.body))


@operation(
    "POST",
    "/people/{id}/deactivate",
    id="deactivatePerson",
    summary="Nobody may sign in as them any more; sessions and tokens end at once",
    tag=TAG,
    scope=SCOPE,
    answer=PersonDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.deactivate_person(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/people/{id}/activate",
    id="activatePerson",
    summary="Back again; their tokens stay revoked",
    tag=TAG,
    scope=SCOPE,
    answer=PersonDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.activate_person(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/people/{id}/invite",
    id="invitePerson",
    summary="Mail somebody a link to choose a password",
    tag=TAG,
    scope=SCOPE,
    status=204,
)
def invite(call: Call) -> Any:
    return sign_in.invite(call.path["id"], actor=call.actor, now=call.now)


class Absence(Body):
    """From when until when, and who stands in; null and null: back."""

    away_from: Instant | None
    away_until: Instant | None
    stands_in: Id | None = None


@operation(
    "POST",
    "/people/{id}/set_away",
    id="setPersonAway",
    summary="Out of office, somebody standing in",
    tag=TAG,
    scope=SCOPE,
    body=Absence,
    answer=PersonDetails,
    present=_shown,
)
def set_away(call: Call) -> Any:
    body: Absence = call.body
    return desk.set_away(
        call.path["id"],
        away_from=body.away_from,
        away_until=body.away_until,
        stands_in=body.stands_in,
        actor=call.actor,
        now=call.now,
    )


class NewRole(Body):
    """A role in an organization with all below it, in a team, or (neither) in the whole installation."""

    role: Literal["requester", "agent", "lead", "duty_manager", "administrator", "auditor"]
    organization: Ref | None = None
    team: Ref | None = None


@operation(
    "POST",
    "/people/{id}/roles",
    id="grantRole",
    summary="Give a role",
    tag=TAG,
    scope="setup:write",
    body=NewRole,
    answer=PersonDetails,
    status=201,
    present=_shown,
)
def grant_role(call: Call) -> Any:
    body: NewRole = call.body
    return desk.grant_role(
        call.path["id"],
        role=Role(body.role),
        organization=body.organization,
        team=body.team,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "DELETE",
    "/people/{id}/roles/{grant}",
    id="revokeRole",
    summary="Take a role away",
    tag=TAG,
    scope="setup:write",
    status=204,
)
def revoke_role(call: Call) -> Any:
    held = queries.grant_by_id(call.path["grant"])
    if held is None or held.person_id != call.path["id"]:
        raise NotFound("There is no such role.")
    return desk.revoke_role(held.pk, actor=call.actor, now=call.now)
