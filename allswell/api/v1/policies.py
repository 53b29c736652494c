"""Escalation policies: whom tickets call in which order, and which teams and services follow them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import policies as desk
from allswell.kernel.errors import Invalid
from allswell.oncall.queries import escalations
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

from .rota_shapes import EDIT, READ
from .shapes import NamedRef, PersonRef, Ref, named_ref, person_ref

TAG = "Policies"

PolicyName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
PolicyNote = Annotated[str, Meta(max_length=200)]
Priorities = Annotated[list[Annotated[int, Meta(ge=1, le=5)]], Meta(max_length=5)]


class PolicyTarget(Body):
    """Whom a step calls: `kind` says which of the other fields names it. `level` is of a rota, or of the managers above a lead."""

    kind: Literal["rota", "person", "team", "lead", "manager", "room", "webhook"]
    rota: Id | None = None
    person: Id | None = None
    team: Id | None = None
    contact: Id | None = None
    webhook: Id | None = None
    level: Annotated[int, Meta(ge=1, le=9)] = 1


class PolicyHours(Body):
    """Only within the hours of a calendar, or only outside them."""

    calendar: Id
    is_inside: bool = True


class PolicyStep(Body):
    """Whom a step calls, and how many seconds it then waits for an answer. Without `priorities` it is for all of them."""

    targets: Annotated[list[PolicyTarget], Meta(min_length=1, max_length=20)]
    wait: Annotated[int, Meta(ge=30, le=604_800)]
    priorities: Priorities = []
    hours: PolicyHours | None = None


class PolicyDefinition(Body):
    """What a policy says. After the last step it begins again `repeat` times; an answer holds for `promise` seconds without a word.

    Incidents of the priorities in `starts` start it by themselves; those in `urgent` page as urgent.
    """

    steps: Annotated[list[PolicyStep], Meta(min_length=1, max_length=20)]
    repeat: Annotated[int, Meta(ge=0, le=9)] = 1
    promise: Annotated[int, Meta(ge=300, le=86_400)] = 1800
    starts: Priorities = msgspec.field(default_factory=lambda: [1, 2])
    urgent: Priorities = msgspec.field(default_factory=lambda: [1, 2])


class EscalationPolicy(Struct):
    """An escalation policy; `version` is the number of its newest version."""

    id: int
    slug: str
    name: str
    team: NamedRef | None
    version: int
    is_active: bool


class PolicyVersion(Struct):
    """What a policy says until a version with a greater number says otherwise."""

    version: int
    definition: dict[str, Any]
    note: str
    created_at: datetime
    created_by: PersonRef | None


class PolicyDetails(EscalationPolicy):
    """A policy with what its newest version says, and what follows it as far as the caller may know."""

    newest: PolicyVersion | None = None
    teams: list[NamedRef] = []
    services: list[NamedRef] = []


_COLUMNS = ("pk", "slug", "name", "team_id", "team__slug", "team__name", "number", "is_active")
_VERSION = ("number", "definition", "note", "created_at", "created_by_id", "created_by__name")


def _make(row: Sequence[Any], *, shape: type[Any] = EscalationPolicy) -> Any:
    pk, slug, name, team, team_slug, team_name, *rest = row
    return shape(pk, slug, name, named_ref(team, team_slug, team_name), *rest)


def _version(row: Sequence[Any]) -> PolicyVersion:
    number, definition, note, created_at, author, name = row
    return PolicyVersion(number, definition, note, created_at, person_ref(author, name))


def _said(body: PolicyDefinition | UnsetType) -> dict[str, Any] | None:
    """The definition as the use cases take it; None when it was not sent."""
    return None if body is UNSET else msgspec.to_builtins(body)


_INSIDE = frozenset(PolicyDefinition.__struct_fields__)


def _beside(error: Invalid) -> Invalid:
    """An error in a definition, named as it was sent."""
    is_inside = error.field.split(".")[0] in _INSIDE
    return Invalid(error.template, field=f"definition.{error.field}", **error.params) if is_inside else error


class PolicyFilters(Paged):
    """Which policies."""

    team: Id | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/policies",
    id="listPolicies",
    summary="Escalation policies the caller may know, newest first",
    tag=TAG,
    scope=READ,
    query=PolicyFilters,
    answer=Page[EscalationPolicy],
)
def list_policies(call: Call) -> Page[EscalationPolicy]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = escalations.policies_visible_to(call.actor)
    for name in ("team", "is_active"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows.values_list(*_COLUMNS), lambda found: [_make(row) for row in found])


@operation(
    "GET",
    "/policies/{ref}",
    id="getPolicy",
    summary="One escalation policy, by id or short name, with what follows it",
    tag=TAG,
    scope=READ,
    answer=PolicyDetails,
)
def get(call: Call) -> PolicyDetails:
    return _details(call, call.path["ref"])


def _details(call: Call, ref: int | str) -> PolicyDetails:
    row = desk.policy_for(ref, actor=call.actor)
    found: PolicyDetails = _make(escalations.policies().values_list(*_COLUMNS).get(pk=row.pk), shape=PolicyDetails)
    newest = escalations.policy_versions(row.pk).values_list(*_VERSION).first()
    found.newest = _version(newest) if newest is not None else None
    for use in escalations.policy_uses([row.pk]):
        if use.team is not None and people.knows_team(call.actor, use.team):
            found.teams.append(NamedRef(use.team.pk, use.team.slug, use.team.name))
        if use.service is not None and services.surely_knows_inside(call.actor, use.service):
            found.services.append(NamedRef(use.service.pk, use.service.slug, use.service.name))
    return found


def _shown(call: Call, changed: Any) -> PolicyDetails:
    return _details(call, call.path["ref"])


@operation(
    "GET",
    "/policies/{ref}/versions",
    id="listPolicyVersions",
    summary="The versions of an escalation policy, newest first",
    tag=TAG,
    scope=READ,
    query=Paged,
    answer=Page[PolicyVersion],
)
def list_versions(call: Call) -> Page[PolicyVersion]:
    row = desk.policy_for(call.path["ref"], actor=call.actor)
    rows = escalations.policy_versions(row.pk).order_by().values_list("pk", *_VERSION)
    return page(call, rows, lambda found: [_version(row[1:]) for row in found])


class NewPolicy(Body):
    """An escalation policy of a team."""

    name: PolicyName
    team: Ref
    definition: PolicyDefinition
    note: PolicyNote = ""


@operation(
    "POST",
    "/policies",
    id="createPolicy",
    summary="Write an escalation policy; nothing follows it yet",
    tag=TAG,
    scope=EDIT,
    body=NewPolicy,
    answer=PolicyDetails,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewPolicy = call.body
    said = _said(body.definition) or {}
    try:
        return desk.create_policy(name=body.name, team=body.team, definition=said, note=body.note, actor=call.actor, now=call.now)
    except Invalid as error:
        raise _beside(error) from error


def _created(call: Call, row: Any) -> PolicyDetails:
    call.headers["Location"] = f"{BASE}/policies/{row.slug}"
    return _details(call, row.pk)


class PolicyEdit(Body):
    """Another name, or another definition as a whole."""

    name: PolicyName | UnsetType = UNSET
    definition: PolicyDefinition | UnsetType = UNSET
    note: PolicyNote = ""


@operation(
    "PATCH",
    "/policies/{ref}",
    id="updatePolicy",
    summary="Change an escalation policy; runs that have begun go on as they began",
    tag=TAG,
    scope=EDIT,
    details="If-Match takes the version you know as the newest: when another came meanwhile, yours is refused.",
    body=PolicyEdit,
    answer=PolicyDetails,
    present=_shown,
    takes_version=True,
)
def update(call: Call) -> Any:
    body: PolicyEdit = call.body
    try:
        return desk.change_policy(
            call.path["ref"],
            name=None if body.name is UNSET else body.name,
            definition=_said(body.definition),
            number=call.version,
            note=body.note,
            actor=call.actor,
            now=call.now,
        )
    except Invalid as error:
        raise _beside(error) from error


@operation(
    "POST",
    "/policies/{ref}/deactivate",
    id="deactivatePolicy",
    summary="Take an escalation policy out of use: nothing starts it any more",
    tag=TAG,
    scope=EDIT,
    answer=PolicyDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.set_policy_active(call.path["ref"], is_active=False, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/policies/{ref}/activate",
    id="activatePolicy",
    summary="Take an escalation policy into use again",
    tag=TAG,
    scope=EDIT,
    answer=PolicyDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.set_policy_active(call.path["ref"], is_active=True, actor=call.actor, now=call.now)


class PolicyChoice(Body):
    """The policy to follow, by id or short name."""

    policy: Ref


def _chosen(call: Call, done: Any) -> PolicyDetails:
    return _details(call, call.body.policy)


@operation(
    "POST",
    "/teams/{ref}/policy",
    id="setTeamPolicy",
    summary="Make an escalation policy what a team's tickets follow",
    tag=TAG,
    scope=EDIT,
    body=PolicyChoice,
    answer=PolicyDetails,
    present=_chosen,
)
def use_for_team(call: Call) -> Any:
    return desk.use_for_team(call.path["ref"], policy=call.body.policy, actor=call.actor, now=call.now)


@operation(
    "DELETE", "/teams/{ref}/policy", id="clearTeamPolicy", summary="A team's tickets page nobody", tag=TAG, scope=EDIT, status=204
)
def clear_for_team(call: Call) -> Any:
    return desk.use_for_team(call.path["ref"], policy=None, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/services/{ref}/policy",
    id="setServicePolicy",
    summary="Make an escalation policy that of a service",
    tag=TAG,
    scope=EDIT,
    body=PolicyChoice,
    answer=PolicyDetails,
    present=_chosen,
)
def use_for_service(call: Call) -> Any:
    return desk.use_for_service(call.path["ref"], policy=call.body.policy, actor=call.actor, now=call.now)


@operation(
    "DELETE",
    "/services/{ref}/policy",
    id="clearServicePolicy",
    summary="A service follows the policy of its team again",
    tag=TAG,
    scope=EDIT,
    status=204,
)
def clear_for_service(call: Call) -> Any:
    return desk.use_for_service(call.path["ref"], policy=None, actor=call.actor, now=call.now)
