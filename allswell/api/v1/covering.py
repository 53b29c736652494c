"""Asking one another: to be covered, to swap; and the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import covering as desk
from allswell.desk import rotas as rotas_desk
from allswell.kernel.errors import NotFound
from allswell.oncall import queries
from allswell.people.rules import INSTALLATION, Act, require

from .rota_shapes import READ, TAKE_PART, RotaLevel, rota_ref
from .shapes import Instant, NamedRef, PersonRef, person_ref

TAG = "Rotas"
RequestState = Literal["open", "accepted", "declined", "withdrawn", "expired"]
RequestNote = Annotated[str, Meta(max_length=500)]


class InReturn(Struct):
    """What the one who asks for a swap would take."""

    level: int
    starts_at: datetime
    ends_at: datetime


class ShiftRequest(Struct):
    """Somebody asks to be covered, or to swap; `offered_to` null: everybody of the rota."""

    id: int
    rota: NamedRef | None
    kind: Literal["cover", "swap"]
    level: int
    starts_at: datetime
    ends_at: datetime
    asked_by: PersonRef | None
    offered_to: PersonRef | None
    in_return: InReturn | None
    note: str
    state: RequestState
    created_at: datetime
    decided_by: PersonRef | None
    decided_at: datetime | None


def _ref(row: Any) -> PersonRef | None:
    return person_ref(row.pk, row.name) if row is not None else None


def _make(row: Any) -> ShiftRequest:
    given = None
    if row.in_return_starts_at is not None:
        given = InReturn(row.in_return_level or row.level, row.in_return_starts_at, row.in_return_ends_at)
    return ShiftRequest(
        row.pk,
        rota_ref(row.rota),
        row.kind,
        row.level,
        row.starts_at,
        row.ends_at,
        _ref(row.asked_by),
        _ref(row.offered_to),
        given,
        row.note,
        row.state,
        row.created_at,
        _ref(row.decided_by),
        row.decided_at,
    )


class RequestFilters(Paged):
    """Which requests."""

    rota: Id | UnsetType = UNSET
    state: RequestState | UnsetType = UNSET
    asked_by: Id | UnsetType = UNSET
    offered_to: Id | UnsetType = UNSET


@operation(
    "GET",
    "/shift-requests",
    id="listShiftRequests",
    summary="Requests in the rotas the caller may know, newest first",
    tag=TAG,
    scope=READ,
    query=RequestFilters,
    answer=Page[ShiftRequest],
)
def list_requests(call: Call) -> Page[ShiftRequest]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = queries.requests(queries.visible_to(call.actor).values_list("pk", flat=True))
    for name in ("rota", "state", "asked_by", "offered_to"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows, lambda found: [_make(row) for row in found])


@operation(
    "GET",
    "/shift-requests/{id}",
    id="getShiftRequest",
    summary="One request",
    tag=TAG,
    scope=READ,
    answer=ShiftRequest,
)
def get(call: Call) -> ShiftRequest:
    row = queries.shift_request(call.path["id"])
    if row is None:
        raise NotFound("There is no such request, or you may not know it.")
    rotas_desk.rota_for(row.rota_id, actor=call.actor)
    return _make(row)


def _shown(call: Call, row: Any) -> ShiftRequest:
    again = queries.shift_request(row.pk)
    assert again is not None
    return _make(again)


def _created(call: Call, row: Any) -> ShiftRequest:
    call.headers["Location"] = f"{BASE}/shift-requests/{row.pk}"
    return _shown(call, row)


class CoverAsked(Body, kw_only=True):
    """A time of the caller's; to one person, or to everybody of the rota when `offered_to` is left out."""

    starts_at: Instant
    ends_at: Instant
    level: RotaLevel = 1
    offered_to: Id | None = None
    note: RequestNote = ""


@operation(
    "POST",
    "/rotas/{ref}/covers",
    id="askCover",
    summary="Ask to be covered",
    tag=TAG,
    scope=TAKE_PART,
    body=CoverAsked,
    answer=ShiftRequest,
    status=201,
    present=_created,
)
def ask_cover(call: Call) -> Any:
    body: CoverAsked = call.body
    return desk.ask_cover(
        call.path["ref"],
        level=body.level,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        offered_to=body.offered_to,
        note=body.note,
        actor=call.actor,
        now=call.now,
    )


class SwapAsked(Body, kw_only=True):
    """A time of the caller's, for one of the other's in return; at the same level when `in_return_level` is left out."""

    starts_at: Instant
    ends_at: Instant
    offered_to: Id
    in_return_starts_at: Instant
    in_return_ends_at: Instant
    level: RotaLevel = 1
    in_return_level: RotaLevel | None = None
    note: RequestNote = ""


@operation(
    "POST",
    "/rotas/{ref}/swaps",
    id="askSwap",
    summary="Ask somebody to swap",
    tag=TAG,
    scope=TAKE_PART,
    body=SwapAsked,
    answer=ShiftRequest,
    status=201,
    present=_created,
)
def ask_swap(call: Call) -> Any:
    body: SwapAsked = call.body
    return desk.ask_swap(
        call.path["ref"],
        level=body.level,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        offered_to=body.offered_to,
        in_return_starts_at=body.in_return_starts_at,
        in_return_ends_at=body.in_return_ends_at,
        in_return_level=body.in_return_level,
        note=body.note,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "POST",
    "/shift-requests/{id}/accept",
    id="acceptShiftRequest",
    summary="Take what was asked; the caller is on call then",
    tag=TAG,
    scope=TAKE_PART,
    answer=ShiftRequest,
    present=_shown,
)
def accept(call: Call) -> Any:
    return desk.accept_request(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/shift-requests/{id}/decline",
    id="declineShiftRequest",
    summary="Say no to what one was asked alone",
    tag=TAG,
    scope=TAKE_PART,
    answer=ShiftRequest,
    present=_shown,
)
def decline(call: Call) -> Any:
    return desk.decline_request(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/shift-requests/{id}/withdraw",
    id="withdrawShiftRequest",
    summary="Ask no longer: who asked, or who may change the rota",
    tag=TAG,
    scope=TAKE_PART,
    answer=ShiftRequest,
    present=_shown,
)
def withdraw(call: Call) -> Any:
    return desk.withdraw_request(call.path["id"], actor=call.actor, now=call.now)
