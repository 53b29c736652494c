"""Rotas: who of a team takes turns, from when on, and what an edit moves before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import rotas as desk
from allswell.desk.coverage import Opened
from allswell.kernel.errors import Invalid
from allswell.oncall import queries
from allswell.oncall.rules import Slot
from allswell.people.rules import INSTALLATION, Act, require

from .rota_shapes import (
    EDIT,
    READ,
    Names,
    Rota,
    RotaCaution,
    RotaChange,
    RotaDefinition,
    RotaDetails,
    RotaMove,
    RotaName,
    RotaNote,
    RotaShift,
    RotaVersion,
    as_said,
    beside,
    caution,
    minutes,
    move,
    shifts,
)
from .shapes import Instant, NamedRef, PersonRef, Ref, named_ref, person_ref

TAG = "Rotas"
#: how many moves and gaps a preview names; their numbers count all
SHOWN = 500

_COLUMNS = (*("pk", "slug", "name", "team_id", "team__slug", "team__name", "number", "levels", "is_active", "planned_until"),)
_VERSION = ("number", "effective_at", "definition", "note", "created_at", "created_by_id", "created_by__name")


def _make(row: Sequence[Any], *, shape: type[Any] = Rota) -> Any:
    pk, slug, name, team, team_slug, team_name, *rest = row
    return shape(pk, slug, name, named_ref(team, team_slug, team_name), *rest)


def _version(row: Sequence[Any]) -> RotaVersion:
    number, effective_at, definition, note, created_at, author, name = row
    return RotaVersion(number, effective_at, definition, note, created_at, person_ref(author, name))


class RotaFilters(Paged):
    """Which rotas."""

    team: Id | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/rotas",
    id="listRotas",
    summary="Rotas the caller may know, newest first",
    tag=TAG,
    scope=READ,
    query=RotaFilters,
    answer=Page[Rota],
)
def list_rotas(call: Call) -> Page[Rota]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = queries.visible_to(call.actor)
    for name in ("team", "is_active"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows.values_list(*_COLUMNS), lambda found: [_make(row) for row in found])


@operation(
    "GET",
    "/rotas/{ref}",
    id="getRota",
    summary="One rota, by id or short name",
    tag=TAG,
    scope=READ,
    answer=RotaDetails,
)
def get(call: Call) -> RotaDetails:
    return _details(call, call.path["ref"])


def _details(call: Call, ref: int | str) -> RotaDetails:
    row = desk.rota_for(ref, actor=call.actor)
    found: RotaDetails = _make(queries.rotas().values_list(*_COLUMNS).get(pk=row.pk), shape=RotaDetails)
    newest = queries.versions(row.pk).values_list(*_VERSION).first()
    if newest is not None:
        found.newest = _version(newest)
        named = dict.fromkeys(person for layer in found.newest.definition["layers"] for person in layer["people"])
        names = Names(named)
        found.people = [PersonRef(person, names.known.get(person, "")) for person in named]
    return found


def _shown(call: Call, changed: Any) -> RotaDetails:
    return _details(call, call.path["ref"])


@operation(
    "GET",
    "/rotas/{ref}/versions",
    id="listRotaVersions",
    summary="The versions of a rota, newest first",
    tag=TAG,
    scope=READ,
    query=Paged,
    answer=Page[RotaVersion],
)
def list_versions(call: Call) -> Page[RotaVersion]:
    row = desk.rota_for(call.path["ref"], actor=call.actor)
    rows = queries.versions(row.pk).order_by().values_list("pk", *_VERSION)
    return page(call, rows, lambda found: [_version(row[1:]) for row in found])


class NewRota(Body):
    """A rota of a team, from `effective_at` on (now when left out)."""

    name: RotaName
    team: Ref
    definition: RotaDefinition
    effective_at: Instant | None = None
    note: RotaNote = ""


@operation(
    "POST",
    "/rotas",
    id="createRota",
    summary="Set up a rota; its shifts are written ahead",
    tag=TAG,
    scope=EDIT,
    body=NewRota,
    answer=RotaDetails,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewRota = call.body
    try:
        return desk.create_rota(
            name=body.name,
            team=body.team,
            definition=as_said(body.definition) or {},
            effective_at=body.effective_at,
            note=body.note,
            actor=call.actor,
            now=call.now,
        )
    except Invalid as error:
        raise beside(error) from error


def _created(call: Call, row: Any) -> RotaDetails:
    call.headers["Location"] = f"{BASE}/rotas/{row.slug}"
    return _details(call, row.pk)


class RotaEdit(Body):
    """Another name, or another definition as a whole, from `effective_at` on: now when left out, or when the newest version begins."""

    name: RotaName | UnsetType = UNSET
    definition: RotaDefinition | UnsetType = UNSET
    effective_at: Instant | None = None
    note: RotaNote = ""


@operation(
    "PATCH",
    "/rotas/{ref}",
    id="updateRota",
    summary="Change a rota; those whose shifts move are told",
    tag=TAG,
    scope=EDIT,
    details="If-Match takes the version you know as the newest: when another came meanwhile, yours is refused. 409 when nothing "
    "is different.",
    body=RotaEdit,
    answer=RotaDetails,
    present=_shown,
    takes_version=True,
)
def update(call: Call) -> Any:
    body: RotaEdit = call.body
    try:
        return desk.change_rota(
            call.path["ref"],
            name=None if body.name is UNSET else body.name,
            definition=as_said(body.definition),
            effective_at=body.effective_at,
            note=body.note,
            seen=call.version,
            actor=call.actor,
            now=call.now,
        )
    except Invalid as error:
        raise beside(error) from error


@operation(
    "POST",
    "/rotas/{ref}/deactivate",
    id="deactivateRota",
    summary="Take a rota out of use: nobody is on call in it from now on",
    tag=TAG,
    scope=EDIT,
    answer=RotaDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.deactivate_rota(call.path["ref"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/rotas/{ref}/activate",
    id="activateRota",
    summary="Take a rota into use again",
    tag=TAG,
    scope=EDIT,
    answer=RotaDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.activate_rota(call.path["ref"], actor=call.actor, now=call.now)


class RotaPreviewAsked(Body):
    """A definition for a `rota`, or for a new one of a `team`; one of the two."""

    definition: RotaDefinition
    rota: Ref | None = None
    team: Ref | None = None
    effective_at: Instant | None = None


class Uncovered(Struct):
    """A service that would not be covered any more, how often in the coming twelve weeks, and when for the first time."""

    service: NamedRef | None
    starts_at: datetime
    ends_at: datetime
    times: int


class RotaPreview(Struct):
    """What would move up to `until`, and what would not be good then. `moves` and `gaps` name the first 500.

    `opens`: the services of which the caller knows who answers for them that would be left without cover.
    """

    moves: list[RotaMove]
    moves_total: int
    people: list[RotaChange]
    gaps: list[RotaShift]
    gaps_total: int
    cautions: list[RotaCaution]
    until: datetime
    opens: list[Uncovered] = []


@operation(
    "POST",
    "/rota-previews",
    id="previewRota",
    summary="What a definition would move; nothing is written, nobody is told",
    tag=TAG,
    scope=EDIT,
    details="For whoever may change the rota.",
    body=RotaPreviewAsked,
    answer=RotaPreview,
    present=lambda call, found: _preview(found),
)
def preview(call: Call) -> Any:
    body: RotaPreviewAsked = call.body
    try:
        return desk.what_moves(
            body.rota,
            as_said(body.definition) or {},
            team=body.team,
            effective_at=body.effective_at,
            actor=call.actor,
            now=call.now,
        )
    except Invalid as error:
        raise beside(error) from error


def _preview(found: desk.Preview) -> RotaPreview:
    moves, gaps = found.moves[:SHOWN], sorted(found.gaps, key=_begins)[:SHOWN]
    names = Names(
        [
            *(person for one in moves for person in (one.before, one.after)),
            *found.changes,
            *(one.person for one in found.cautions),
        ]
    )
    return RotaPreview(
        moves=[move(one, names) for one in moves],
        moves_total=len(found.moves),
        people=[RotaChange(names.ref(person), minutes(one.gains), minutes(one.loses)) for person, one in found.changes.items()],
        gaps=shifts(gaps),
        gaps_total=len(found.gaps),
        cautions=[caution(one, names) for one in found.cautions],
        until=found.until,
        opens=[_uncovered(one) for one in found.opens],
    )


def _uncovered(one: Opened) -> Uncovered:
    (starts_at, ends_at), row = one.spans[0], one.service
    return Uncovered(named_ref(row.pk, row.slug, row.name), starts_at, ends_at, len(one.spans))


def _begins(slot: Slot) -> Any:
    return slot.starts_at, slot.level
