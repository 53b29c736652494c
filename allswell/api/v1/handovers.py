"""Handovers: what the next shift must know, signed by one and taken by the other."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import handovers as desk
from allswell.oncall import queries
from allswell.oncall.rules import Section
from allswell.oncall.rules.handing import listed
from allswell.people.rules import INSTALLATION, Act, require
from allswell.tickets import queries as tickets

from .rota_shapes import READ, TAKE_PART, rota_ref
from .shapes import NamedRef, PersonRef, person_ref

TAG = "Handovers"
State = Literal["drafted", "signed", "accepted", "escalated", "lapsed"]
Reason = Literal["major", "unanswered_page", "at_risk", "waiting", "asked", "announced", "came_in"]
Notes = Annotated[str, Meta(max_length=10_000, description="Markdown.")]


class Handover(Struct):
    """The change of a shift from `outgoing` to `incoming`; the shift that begins ends at `until`.

    It escalates at `due_at` and is over at `lapses_at`. The outgoing stays on call up to `held_until`, or until it is accepted; null:
    they go by the clock. Drafted after `changes_at`: nothing was watching then.
    """

    id: int
    rota: NamedRef | None
    level: int
    state: State
    changes_at: datetime
    until: datetime
    outgoing: PersonRef | None
    incoming: PersonRef | None
    drafted_at: datetime
    signed_at: datetime | None
    accepted_at: datetime | None
    accepted_by: PersonRef | None
    due_at: datetime
    lapses_at: datetime
    held_until: datetime | None
    escalated_at: datetime | None
    escalated_to: PersonRef | None


class HandedTicket(Struct):
    """A ticket that is handed over, with all reasons why, the weightiest first."""

    number: int
    reasons: list[Reason]


class HandoverDetails(Handover):
    """A handover with the notes, and the tickets in it that the caller may see."""

    notes: str = ""
    tickets: list[HandedTicket] = []


def _make(row: Any, shape: type[Any] = Handover) -> Any:
    return shape(
        row.pk,
        rota_ref(row.rota),
        row.level,
        row.state,
        row.changes_at,
        row.until,
        _ref(row.outgoing),
        _ref(row.incoming),
        row.drafted_at,
        row.signed_at,
        row.accepted_at,
        _ref(row.accepted_by),
        row.due_at,
        row.lapses_at,
        row.held_until,
        row.escalated_at,
        _ref(row.escalated_to),
    )


def _ref(person: Any) -> PersonRef | None:
    return person_ref(person.pk, person.name) if person is not None else None


def _details(call: Call, row: Any) -> HandoverDetails:
    again = desk.handover_for(row.pk, actor=call.actor)
    found: HandoverDetails = _make(again, HandoverDetails)
    named = {number for numbers in again.draft.values() for number in numbers}
    seen = tickets.at_the_desk(call.actor).filter(pk__in=named).values_list("pk", flat=True)
    found.notes = again.notes
    found.tickets = [HandedTicket(number, [_reason(one) for one in reasons]) for number, reasons in listed(again.draft, seen)]
    return found


def _reason(section: Section) -> Any:
    return section.value


class HandoverFilters(Paged):
    """Which handovers."""

    rota: Id | UnsetType = UNSET
    state: State | UnsetType = UNSET
    outgoing: Id | UnsetType = UNSET
    incoming: Id | UnsetType = UNSET


@operation(
    "GET",
    "/handovers",
    id="listHandovers",
    summary="Handovers the caller may read, newest first",
    tag=TAG,
    scope=READ,
    query=HandoverFilters,
    answer=Page[Handover],
)
def list_handovers(call: Call) -> Page[Handover]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = queries.handovers_visible_to(call.actor)
    for name in ("rota", "state", "outgoing", "incoming"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows, lambda found: [_make(row) for row in found])


@operation(
    "GET",
    "/handovers/{id}",
    id="getHandover",
    summary="One handover, with the tickets in it that the caller may see",
    tag=TAG,
    scope=READ,
    details="For the people of the rota and its team, and who decides about it.",
    answer=HandoverDetails,
)
def get(call: Call) -> HandoverDetails:
    return _details(call, desk.handover_for(call.path["id"], actor=call.actor))


class HandoverNotes(Body):
    """What the next shift must know."""

    notes: Notes


@operation(
    "PATCH",
    "/handovers/{id}",
    id="updateHandover",
    summary="Write what the next shift must know",
    tag=TAG,
    scope=TAKE_PART,
    details="For whoever hands over, until the shift is taken.",
    body=HandoverNotes,
    answer=HandoverDetails,
    present=_details,
)
def update(call: Call) -> Any:
    return desk.write_notes(call.path["id"], call.body.notes, actor=call.actor, now=call.now)


class HandoverSignature(Body):
    """`notes` take the place of those kept; left out, they stay."""

    notes: Notes | None = None


@operation(
    "POST",
    "/handovers/{id}/sign",
    id="signHandover",
    summary="Sign a handover: the tickets are collected again, and the next one is told",
    tag=TAG,
    scope=TAKE_PART,
    details="For whoever hands over; once.",
    body=HandoverSignature,
    answer=HandoverDetails,
    present=_details,
)
def sign(call: Call) -> Any:
    return desk.sign(call.path["id"], notes=call.body.notes, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/handovers/{id}/accept",
    id="acceptHandover",
    summary="Take the shift",
    tag=TAG,
    scope=TAKE_PART,
    details="For whoever takes over: what is signed at any time, what is not from the change of shift on. 409 when it was taken "
    "already, or is over.",
    answer=HandoverDetails,
    present=_details,
)
def accept(call: Call) -> Any:
    return desk.accept(call.path["id"], actor=call.actor, now=call.now)
