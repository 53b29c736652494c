"""Services and what they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import services as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.people import queries as people
from allswell.services import queries

from .shapes import Level, Name, NamedRef, PersonRef, Ref, changes, named_ref, person_ref

TAG = "Services"
SCOPE = "setup:write"
ServiceKind = Literal["business_service", "technical_service"]
Needs = Annotated[list[Ref], Meta(max_length=100, description="Services it depends on.")]


class Service(Struct):
    """A service. Owner, team and criticality are told to the desk only, and of shared services not to the desk of a customer."""

    id: int
    slug: str
    name: str
    kind: str
    description: str
    support_hours: str
    is_active: bool
    organization: NamedRef | None
    criticality: int | UnsetType = UNSET
    owner: PersonRef | UnsetType | None = UNSET
    team: NamedRef | UnsetType | None = UNSET


class ServiceDetails(Service):
    """A service with what it needs and what needs it, as far as the caller may know."""

    needs: list[NamedRef] = []
    needed_by: list[NamedRef] = []


_COLUMNS = (
    "pk",
    "slug",
    "name",
    "kind",
    "description",
    "support_hours",
    "is_active",
    "organization_id",
    "organization__slug",
    "organization__name",
    "criticality",
    "owner_id",
    "owner__name",
    "team_id",
    "team__slug",
    "team__name",
)


def _make_all(rows: Sequence[Sequence[Any]], *, actor: Actor, shape: type[Any] = Service) -> list[Any]:
    """Services; a service of all organizations may belong to a team or a person the caller does not know: then they are null."""
    inside = set(queries.known_inside(actor).filter(pk__in=[row[0] for row in rows]).values_list("pk", flat=True))
    teams, owners = {row[13] for row in rows if row[0] in inside}, {row[11] for row in rows if row[0] in inside}
    if teams:
        teams = set(people.teams_visible_to(actor).filter(pk__in=teams).values_list("pk", flat=True))
    if owners:
        owners = set(people.people_visible_to(actor).filter(pk__in=owners).values_list("pk", flat=True))
    made = []
    for *plain, home, home_slug, home_name, criticality, owner, owner_name, team, team_slug, team_name in rows:
        service = shape(*plain, named_ref(home, home_slug, home_name))
        if service.id in inside:
            service.criticality = criticality
            service.owner = person_ref(owner if owner in owners else None, owner_name)
            service.team = named_ref(team if team in teams else None, team_slug, team_name)
        made.append(service)
    return made


class ServiceFilters(Paged):
    """Which services."""

    kind: ServiceKind | UnsetType = UNSET
    team: Id | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/services",
    id="listServices",
    summary="Services the caller may know, newest first",
    tag=TAG,
    scope="services:read",
    query=ServiceFilters,
    answer=Page[Service],
)
def list_services(call: Call) -> Page[Service]:
    rows = queries.visible_to(call.actor)
    for name in ("kind", "is_active"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    if call.query.team is not UNSET:
        rows = rows.filter(team=call.query.team, pk__in=queries.known_inside(call.actor).values("pk"))
    return page(call, rows.values_list(*_COLUMNS), lambda found: _make_all(found, actor=call.actor))


@operation(
    "GET",
    "/services/{ref}",
    id="getService",
    summary="One service, by id or short name",
    tag=TAG,
    scope="services:read",
    answer=ServiceDetails,
)
def get(call: Call) -> ServiceDetails:
    return _details(call, call.path["ref"])


def _details(call: Call, ref: int | str) -> ServiceDetails:
    known = queries.by_ref(ref)
    visible = queries.visible_to(call.actor)
    row = visible.filter(pk=known.pk if known else 0).values_list(*_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such service, or you may not know it.")
    made: ServiceDetails = _make_all([row], actor=call.actor, shape=ServiceDetails)[0]
    if made.criticality is UNSET:
        return made
    for name, rows in (("needs", queries.needs(made.id)), ("needed_by", queries.needed_by(made.id))):
        inside = rows.filter(pk__in=visible.values("pk")).values_list("pk", "slug", "name")
        setattr(made, name, [NamedRef(*other) for other in inside])
    return made


def _shown(call: Call, service: Any) -> ServiceDetails:
    return _details(call, call.path["ref"])


class NewService(Body):
    """A service to set up."""

    name: Name
    kind: ServiceKind = "business_service"
    description: Annotated[str, Meta(max_length=4000)] = ""
    criticality: Level = 3
    support_hours: Annotated[str, Meta(max_length=200)] = ""
    owner: Id | None = None
    team: Ref | None = None
    organization: Ref | None = None
    needs: Needs = []


@operation(
    "POST",
    "/services",
    id="createService",
    summary="Set up a service",
    tag=TAG,
    scope=SCOPE,
    body=NewService,
    answer=ServiceDetails,
    status=201,
    present=lambda call, service: _created(call, service),
)
def create(call: Call) -> Any:
    values = {name: getattr(call.body, name) for name in NewService.__struct_fields__}
    return desk.create_service(actor=call.actor, now=call.now, **values)


def _created(call: Call, service: Any) -> ServiceDetails:
    call.headers["Location"] = f"{BASE}/services/{service.slug}"
    return _details(call, service.pk)


class ServiceChange(Body):
    """What to change; what is left out stays. `needs` replaces the whole list."""

    name: Name | UnsetType = UNSET
    kind: ServiceKind | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=4000)] | UnsetType = UNSET
    criticality: Level | UnsetType = UNSET
    support_hours: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    owner: Id | UnsetType | None = UNSET
    team: Ref | UnsetType | None = UNSET
    organization: Ref | UnsetType | None = UNSET
    needs: Needs | UnsetType = UNSET


@operation(
    "PATCH",
    "/services/{ref}",
    id="updateService",
    summary="Change a service",
    tag=TAG,
    scope=SCOPE,
    body=ServiceChange,
    answer=ServiceDetails,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    return desk.edit_service(call.path["ref"], actor=call.actor, now=call.now, **changes(call.body))


@operation(
    "POST",
    "/services/{ref}/deactivate",
    id="deactivateService",
    summary="Take a service out of use; refused while tickets about it are open",
    tag=TAG,
    scope=SCOPE,
    answer=ServiceDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.deactivate_service(call.path["ref"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/services/{ref}/activate",
    id="activateService",
    summary="Bring a service back into use",
    tag=TAG,
    scope=SCOPE,
    answer=ServiceDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.activate_service(call.path["ref"], actor=call.actor, now=call.now)
