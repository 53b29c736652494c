"""What differs from a rota: overrides, taking a shift at once, leave."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Call, Id, Query, operation
from allswell.desk import leave_files
from allswell.desk import rotas as rotas_desk
from allswell.desk import shifts as desk
from allswell.desk.calendar_files import LARGEST, MOST_EVENTS
from allswell.kernel.errors import NotFound
from allswell.oncall import queries

from .attachments import sent_file
from .on_call import span
from .rota_shapes import EDIT, READ, TAKE_PART, RotaLevel, RotaNote
from .shapes import Instant, PersonRef, person_ref

TAG = "Rotas"


class TimeAsked(Query, rename={"since": "from"}):
    """From when until when: at most 100 days, the coming two weeks when left out."""

    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType = UNSET


class Override(Struct):
    """Somebody on call whatever the rota says; null is nobody, on purpose. With `instead_of` only where that person would be."""

    id: int
    level: int
    starts_at: datetime
    ends_at: datetime
    person: PersonRef | None
    instead_of: PersonRef | None
    reason: str
    request: int | None
    created_at: datetime
    created_by: PersonRef | None
    cancelled_at: datetime | None


def _ref(row: Any) -> PersonRef | None:
    return person_ref(row.pk, row.name) if row is not None else None


def _override(row: Any) -> Override:
    return Override(
        row.pk,
        row.level,
        row.starts_at,
        row.ends_at,
        _ref(row.person),
        _ref(row.instead_of),
        row.reason,
        row.request_id,
        row.created_at,
        _ref(row.created_by),
        row.cancelled_at,
    )


@operation(
    "GET",
    "/rotas/{ref}/overrides",
    id="listOverrides",
    summary="The overrides of a rota that touch a time, in order; those taken back are left out",
    tag=TAG,
    scope=READ,
    query=TimeAsked,
    answer=list[Override],
)
def list_overrides(call: Call) -> list[Override]:
    row = rotas_desk.rota_for(call.path["ref"], actor=call.actor)
    since, until = span(call)
    return [_override(one) for one in queries.overrides(row.pk, since=since, until=until)[:1000]]


class NewOverride(Body, kw_only=True):
    """Put `person` on call from one instant to another, or nobody on purpose (null)."""

    starts_at: Instant
    ends_at: Instant
    person: Id | None
    level: RotaLevel = 1
    instead_of: Id | None = None
    reason: RotaNote = ""


@operation(
    "POST",
    "/rotas/{ref}/overrides",
    id="addOverride",
    summary="Put somebody on call whatever the rota says; those whose shifts move are told",
    tag=TAG,
    scope=EDIT,
    body=NewOverride,
    answer=Override,
    status=201,
    present=lambda call, row: _override(row),
)
def add_override(call: Call) -> Any:
    body: NewOverride = call.body
    return desk.add_override(
        call.path["ref"],
        level=body.level,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        person=body.person,
        instead_of=body.instead_of,
        reason=body.reason,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "DELETE",
    "/rotas/{ref}/overrides/{override}",
    id="cancelOverride",
    summary="Take an override back, from now on",
    tag=TAG,
    scope=EDIT,
    status=204,
)
def cancel_override(call: Call) -> Any:
    return desk.cancel_override(call.path["ref"], call.path["override"], actor=call.actor, now=call.now)


class TakeOver(Body):
    """Until the running shift ends when `until` is left out."""

    level: RotaLevel = 1
    until: Instant | None = None
    reason: RotaNote = ""


@operation(
    "POST",
    "/rotas/{ref}/take",
    id="takeShift",
    summary="Be on call at once, in the stead of whoever is",
    tag=TAG,
    scope=TAKE_PART,
    details="For the people of the rota and of its team.",
    body=TakeOver,
    answer=Override,
    present=lambda call, row: _override(row),
)
def take(call: Call) -> Any:
    body: TakeOver = call.body
    return desk.take_shift(
        call.path["ref"], level=body.level, until=body.until, reason=body.reason, actor=call.actor, now=call.now
    )


# leave


class Leave(Struct):
    """When somebody is not there. `source` marks what was read from a calendar."""

    id: int
    starts_at: datetime
    ends_at: datetime
    note: str
    source: str
    created_at: datetime


def _leave(row: Any) -> Leave:
    return Leave(row.pk, row.starts_at, row.ends_at, row.note, row.source, row.created_at)


@operation(
    "GET",
    "/people/{id}/leaves",
    id="listLeaves",
    summary="The leave of a person that touches a time: one's own, or of somebody of whom one may say when they are not there",
    tag=TAG,
    scope="people:read",
    query=TimeAsked,
    answer=list[Leave],
)
def list_leaves(call: Call) -> list[Leave]:
    person = call.path["id"]
    desk.require_leave(person, actor=call.actor)
    since, until = span(call)
    return [_leave(row) for row in queries.leaves([person], since=since, until=until)[:1000]]


class NewLeave(Body, kw_only=True):
    """From when until when. `source` marks what was read from a calendar; the same is read once."""

    starts_at: Instant
    ends_at: Instant
    note: RotaNote = ""
    source: Annotated[str, Meta(max_length=250)] = ""


@operation(
    "POST",
    "/people/{id}/leaves",
    id="addLeave",
    summary="Somebody is not there; those who take their turns are told",
    tag=TAG,
    scope=TAKE_PART,
    body=NewLeave,
    answer=Leave,
    status=201,
    present=lambda call, row: _leave(row),
)
def add_leave(call: Call) -> Any:
    body: NewLeave = call.body
    return desk.add_leave(
        person=call.path["id"],
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        note=body.note,
        source=body.source,
        actor=call.actor,
        now=call.now,
    )


class LeaveFileAsked(Query):
    """`which` of the events are leave: `all`, `busy` (those not shown as free), `away` (those marked as out of office). With `is_whole`
    leave that was read before and is not in the file is cancelled. `has_names` keeps what the events are called as notes. `is_trial`
    writes nothing."""

    which: Literal["all", "busy", "away"] = "all"
    is_whole: bool = True
    has_names: bool = False
    is_trial: bool = False


class LeaveLine(Struct):
    """What becomes of one absence; `before` is when a changed one ended."""

    outcome: Literal["added", "changed", "unchanged", "cancelled"]
    starts_at: datetime
    ends_at: datetime
    name: str
    before: datetime | None


class LeaveRead(Struct):
    """What a file comes to, and how many of its events are no leave."""

    lines: list[LeaveLine]
    passed_over: int


@operation(
    "POST",
    "/people/{id}/leaves/import",
    id="importLeaves",
    summary="Leave out of an iCalendar file, from now on; read again, it follows what the file says then",
    tag=TAG,
    scope=TAKE_PART,
    details=f"At most {LARGEST} bytes, {MOST_EVENTS} events and {leave_files.MOST} absences, a year ahead. Whole days are those of the "
    "person's time zone.",
    is_upload=True,
    query=LeaveFileAsked,
    answer=LeaveRead,
    present=lambda call, found: _read(found),
)
def import_leaves(call: Call) -> Any:
    asked: LeaveFileAsked = call.query
    desk.require_leave(call.path["id"], actor=call.actor)  # before the file is read
    raw = sent_file(call, most=LARGEST).read(LARGEST + 1)
    by: dict[str, Any] = {"which": asked.which, "is_whole": asked.is_whole, "actor": call.actor, "now": call.now}
    if asked.is_trial:
        return leave_files.preview_leave(call.path["id"], raw, **by)
    return leave_files.read_leave(call.path["id"], raw, has_names=asked.has_names, **by)


def _read(found: leave_files.LeaveRead) -> LeaveRead:
    def shown(line: leave_files.Line) -> LeaveLine:
        outcome: Any = line.outcome
        return LeaveLine(outcome, line.starts_at, line.ends_at, line.name, line.before)

    return LeaveRead([shown(line) for line in found.lines], found.passed_over)


@operation(
    "DELETE",
    "/people/{id}/leaves/{leave}",
    id="cancelLeave",
    summary="They are there after all, from now on",
    tag=TAG,
    scope=TAKE_PART,
    status=204,
)
def cancel_leave(call: Call) -> Any:
    row = queries.leave(call.path["leave"])
    if row is None or row.person_id != call.path["id"]:
        raise NotFound("There is no such leave, or you may not know it.")
    return desk.cancel_leave(row.pk, actor=call.actor, now=call.now)
