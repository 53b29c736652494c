"""Agreements: who is promised what, from when on, and what other terms would have come to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, operation
from allswell.desk import agreements as desk
from allswell.kernel.errors import Invalid
from allswell.people.rules import Act
from allswell.sla import queries
from allswell.sla.rules.terms import Metric

from .shapes import Instant, NamedRef, PersonRef, Ref, changes, named_ref, person_ref

TAG = "Agreements"
READ, WRITE = "services:read", "setup:write"

AgreementName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Audience = Literal["customer", "internal"]
Priority = Annotated[int, Meta(ge=1, le=5)]
Face = Annotated[str, Meta(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$", description="A time of day such as 17:00.")]
Priorities = Annotated[list[Priority], Meta(max_length=5)]


class Within(Body):
    """How long: `amount` minutes of `working` time in a calendar, so many `working_days` of it, or `calendar_days`.

    What comes at or after `cutoff` counts from the `opening` of the next working day; on a day off, from the same time of the
    next working day or from its opening.
    """

    counting: Literal["working", "working_days", "calendar_days"]
    amount: Annotated[int, Meta(ge=1, le=5 * 366 * 1440)]
    calendar: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    cutoff: Face | UnsetType = UNSET
    opening: Face | UnsetType = UNSET
    off_day: Literal["same_time", "opening"] | UnsetType = UNSET


class Warn(Body):
    """When to warn: at a `share` of the time, or so many `minutes` before it is up; one of the two."""

    share: Annotated[float, Meta(gt=0, lt=1)] | UnsetType = UNSET
    minutes: Annotated[int, Meta(ge=1, le=5 * 366 * 1440)] | UnsetType = UNSET


class Target(Body):
    """A promise. `priorities` empty: all that no other target of this metric names; `pauses`: what it waits on while the clock stands."""

    metric: Literal[tuple(metric.value for metric in Metric)]  # type: ignore[valid-type]
    within: Within
    key: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")] | UnsetType = UNSET
    stop: Literal["acknowledged", "answered", "restored", "resolved", "closed", "handed_over"] | UnsetType = UNSET
    priorities: Priorities = []
    pauses: Annotated[list[Literal["requester", "supplier", "change"]], Meta(max_length=3)] = []
    warn: Warn | UnsetType = UNSET


class Definition(Body):
    """What an agreement says. Empty conditions hold for all; the zone is the installation's when left out."""

    targets: Annotated[list[Target], Meta(min_length=1, max_length=100)]
    zone: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    kinds: Annotated[list[Literal["incident", "request"]], Meta(max_length=2)] = []
    services: Annotated[list[Ref], Meta(max_length=1000)] = []
    priorities: Priorities = []


class Agreement(Struct):
    """An agreement; of those that fit a ticket, the first by `position` holds. `version` is the number of its newest version."""

    slug: str
    name: str
    audience: str
    organization: NamedRef | None
    team: NamedRef | None
    position: int
    is_active: bool
    version: int | None


class AgreementVersion(Struct):
    """What an agreement says for tickets opened at `in_force_from` or later; of those in force the greatest number holds."""

    version: int
    in_force_from: datetime
    definition: dict[str, Any]
    note: str
    created_at: datetime
    created_by: PersonRef | None


class Agreed(AgreementVersion):
    """A new version, and how many open tickets it touches, the first of them that you may see by number; their clocks are solved again."""

    touched: int = 0
    numbers: list[int] = []


class AgreementDetails(Agreement):
    """An agreement with its versions, newest first."""

    versions: list[AgreementVersion] = []


def _ref(row: Any) -> NamedRef | None:
    return named_ref(row.pk, row.slug, row.name) if row is not None else None


def _make(row: Any, version: int | None, *, shape: type[Any] = Agreement) -> Any:
    whom = (_ref(row.organization), _ref(row.team))
    return shape(row.slug, row.name, row.audience, *whom, row.position, row.is_active, version)


def _version(row: Any, *, shape: type[Any] = AgreementVersion) -> Any:
    author = person_ref(row.created_by_id, row.created_by.name if row.created_by else None)
    return shape(row.number, row.in_force_from, row.definition, row.note, row.created_at, author)


def _details(call: Call, slug: str) -> AgreementDetails:
    row = desk.agreement_for(slug, Act.READ_SETUP, actor=call.actor)
    versions = queries.versions(row.pk)
    found: AgreementDetails = _make(row, versions[0].number if versions else None, shape=AgreementDetails)
    found.versions = [_version(one) for one in versions]
    return found


def _shown(call: Call, changed: Any) -> AgreementDetails:
    return _details(call, call.path["slug"])


def as_said(body: Definition) -> dict[str, Any]:
    """The definition as the use cases take it; what was left out is not there."""
    found: dict[str, Any] = msgspec.to_builtins(body)
    return found


def beside(error: Invalid) -> Invalid:
    """An error in a definition, named as it was sent."""
    is_inside = error.field.split(".")[0] in Definition.__struct_fields__
    return Invalid(error.template, field=f"definition.{error.field}", **error.params) if is_inside else error


@operation(
    "GET",
    "/agreements",
    id="listAgreements",
    summary="All agreements the caller may see, in the order in which they are asked",
    tag=TAG,
    scope=READ,
    answer=list[Agreement],
)
def list_agreements(call: Call) -> list[Agreement]:
    rows = desk.visible_to(call.actor)
    newest = queries.newest_numbers([row.pk for row in rows])
    return [_make(row, newest.get(row.pk)) for row in rows]


@operation(
    "GET",
    "/agreements/{slug}",
    id="getAgreement",
    summary="An agreement with its versions",
    tag=TAG,
    scope=READ,
    answer=AgreementDetails,
)
def get(call: Call) -> AgreementDetails:
    return _details(call, call.path["slug"])


class NewAgreement(Body):
    """An agreement, for an organization with those below it and for a team (null: for all). It says nothing without a definition."""

    name: AgreementName
    audience: Audience = "customer"
    organization: Ref | None = None
    team: Ref | None = None
    definition: Definition | None = None
    in_force_from: Instant | None = None
    note: Annotated[str, Meta(max_length=200)] = ""


@operation(
    "POST",
    "/agreements",
    id="createAgreement",
    summary="Agree on something new",
    tag=TAG,
    scope=WRITE,
    details="It is asked before those that are for more.",
    body=NewAgreement,
    answer=AgreementDetails,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewAgreement = call.body
    try:
        return desk.create(
            name=body.name,
            audience=body.audience,
            organization=body.organization,
            team=body.team,
            definition=None if body.definition is None else as_said(body.definition),
            in_force_from=body.in_force_from,
            note=body.note,
            actor=call.actor,
            now=call.now,
        )
    except Invalid as error:
        raise beside(error) from error


def _created(call: Call, row: Any) -> AgreementDetails:
    call.headers["Location"] = f"{BASE}/agreements/{row.slug}"
    return _details(call, row.slug)


class AgreementChange(Body):
    """What to change; what it says is changed by a new version."""

    name: AgreementName | UnsetType = UNSET
    organization: Ref | UnsetType | None = UNSET
    team: Ref | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/agreements/{slug}",
    id="updateAgreement",
    summary="Change the name of an agreement, or whom it is for",
    tag=TAG,
    scope=WRITE,
    body=AgreementChange,
    answer=AgreementDetails,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    return desk.change(call.path["slug"], actor=call.actor, now=call.now, **changes(call.body))


class NewVersion(Body):
    """What it says from `in_force_from` on (now when left out). `seen` is the version you know as the newest: when another came
    meanwhile, yours is refused."""

    definition: Definition
    in_force_from: Instant | None = None
    note: Annotated[str, Meta(max_length=200)] = ""
    seen: Annotated[int, Meta(ge=0, le=2**31)] | None = None


@operation(
    "POST",
    "/agreements/{slug}/versions",
    id="addAgreementVersion",
    summary="Change what an agreement says, from an instant on",
    tag=TAG,
    scope=WRITE,
    details="For tickets opened from then on. An instant in the past touches open tickets; completed clocks stay as they are.",
    body=NewVersion,
    answer=Agreed,
    status=201,
    present=lambda call, agreed: _agreed(agreed),
)
def add_version(call: Call) -> Any:
    body: NewVersion = call.body
    try:
        return desk.agree(
            call.path["slug"],
            definition=as_said(body.definition),
            in_force_from=body.in_force_from,
            note=body.note,
            seen=body.seen,
            actor=call.actor,
            now=call.now,
        )
    except Invalid as error:
        raise beside(error) from error


def _agreed(agreed: desk.Agreed) -> Agreed:
    made: Agreed = _version(agreed.version, shape=Agreed)
    made.touched, made.numbers = agreed.touched, list(agreed.numbers)
    return made


@operation(
    "POST",
    "/agreements/{slug}/deactivate",
    id="deactivateAgreement",
    summary="Take an agreement out of use; completed clocks stay",
    tag=TAG,
    scope=WRITE,
    answer=AgreementDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.set_active(call.path["slug"], is_active=False, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/agreements/{slug}/activate",
    id="activateAgreement",
    summary="Take an agreement into use again",
    tag=TAG,
    scope=WRITE,
    answer=AgreementDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.set_active(call.path["slug"], is_active=True, actor=call.actor, now=call.now)


class Order(Body):
    """The short names of all agreements, in the order in which they are to be asked."""

    order: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=1000)]


@operation(
    "POST",
    "/agreements/order",
    id="orderAgreements",
    summary="Put all agreements into another order",
    tag=TAG,
    scope=WRITE,
    body=Order,
    answer=list[Agreement],
    present=lambda call, done: list_agreements(call),
)
def order(call: Call) -> Any:
    return desk.reorder(call.body.order, actor=call.actor, now=call.now)
