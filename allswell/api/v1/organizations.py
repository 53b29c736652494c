"""Organizations: business units and customers, a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import teams as desk
from allswell.kernel.errors import NotFound
from allswell.people import queries

from .shapes import Name, NamedRef, Ref, changes, named_ref

TAG = "Organizations"
SCOPE = "setup:write"
OrganizationKind = Literal["business_unit", "customer"]
Matrix = Annotated[
    list[Annotated[list[Annotated[int, Meta(ge=1, le=5)]], Meta(min_length=1, max_length=10)]],
    Meta(min_length=1, max_length=10, description="A row of priorities per impact, highest first."),
]
Days = Annotated[int, Meta(ge=0, le=365)]


class Organization(Struct):
    """A business unit or a customer. What is null is as the organization above has it."""

    id: int
    slug: str
    name: str
    kind: str
    is_active: bool
    note: str
    priority_matrix: list[list[int]] | None
    closes_after_days: int | None
    reopens_within_days: int | None
    parent: NamedRef | None


_COLUMNS = (
    "pk",
    "slug",
    "name",
    "kind",
    "is_active",
    "note",
    "priority_matrix",
    "closes_after_days",
    "reopens_within_days",
    "parent_id",
    "parent__slug",
    "parent__name",
)


def _make(row: Sequence[Any]) -> Organization:
    *plain, parent, slug, name = row
    return Organization(*plain, named_ref(parent, slug, name))  # type: ignore[call-arg]


class OrganizationFilters(Paged):
    """Which organizations."""

    parent: Id | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/organizations",
    id="listOrganizations",
    summary="Organizations the caller may know, newest first",
    tag=TAG,
    scope="people:read",
    query=OrganizationFilters,
    answer=Page[Organization],
)
def list_organizations(call: Call) -> Page[Organization]:
    rows = queries.organizations_visible_to(call.actor)
    for name in ("parent", "is_active"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows.values_list(*_COLUMNS), lambda found: [_make(row) for row in found])


@operation(
    "GET",
    "/organizations/{ref}",
    id="getOrganization",
    summary="One organization, by id or short name",
    tag=TAG,
    scope="people:read",
    answer=Organization,
)
def get(call: Call) -> Organization:
    return _details(call, call.path["ref"])


def _details(call: Call, ref: int | str) -> Organization:
    known = queries.organization_by_ref(ref)
    rows = queries.organizations_visible_to(call.actor).filter(pk=known.pk if known else 0)
    row = rows.values_list(*_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such organization, or you may not know it.")
    return _make(row)


def _shown(call: Call, organization: Any) -> Organization:
    return _details(call, call.path["ref"])


class NewOrganization(Body):
    """An organization to set up, below `parent` or at the root."""

    name: Name
    kind: OrganizationKind = "business_unit"
    parent: Ref | None = None
    note: Annotated[str, Meta(max_length=2000)] = ""
    priority_matrix: Matrix | None = None
    closes_after_days: Days | None = None
    reopens_within_days: Days | None = None


@operation(
    "POST",
    "/organizations",
    id="createOrganization",
    summary="Set up an organization",
    tag=TAG,
    scope=SCOPE,
    body=NewOrganization,
    answer=Organization,
    status=201,
    present=lambda call, organization: _created(call, organization),
)
def create(call: Call) -> Any:
    values = {name: getattr(call.body, name) for name in NewOrganization.__struct_fields__}
    return desk.create_organization(actor=call.actor, now=call.now, **values)


def _created(call: Call, organization: Any) -> Organization:
    call.headers["Location"] = f"{BASE}/organizations/{organization.slug}"
    return _details(call, organization.pk)


class OrganizationChange(Body):
    """What to change; what is left out stays. null means: as the organization above has it."""

    name: Name | UnsetType = UNSET
    kind: OrganizationKind | UnsetType = UNSET
    parent: Ref | UnsetType | None = UNSET
    note: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    priority_matrix: Matrix | UnsetType | None = UNSET
    closes_after_days: Days | UnsetType | None = UNSET
    reopens_within_days: Days | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/organizations/{ref}",
    id="updateOrganization",
    summary="Change an organization",
    tag=TAG,
    scope=SCOPE,
    body=OrganizationChange,
    answer=Organization,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    return desk.edit_organization(call.path["ref"], actor=call.actor, now=call.now, **changes(call.body))


@operation(
    "POST",
    "/organizations/{ref}/deactivate",
    id="deactivateOrganization",
    summary="Take an organization out of use; refused while active people are in it",
    tag=TAG,
    scope=SCOPE,
    answer=Organization,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.deactivate_organization(call.path["ref"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/organizations/{ref}/activate",
    id="activateOrganization",
    summary="Bring an organization back into use",
    tag=TAG,
    scope=SCOPE,
    answer=Organization,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.activate_organization(call.path["ref"], actor=call.actor, now=call.now)
