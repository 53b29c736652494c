"""The page of a handover: what the next shift must know, signed by one and taken by the other; and those before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allswell.desk import handovers as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, NotFound
from allswell.oncall import queries
from allswell.oncall.rules import HandoverState, Section
from allswell.oncall.rules.handing import OPEN, listed
from allswell.people import queries as people
from allswell.tickets import queries as tickets
from allswell.web import clocks, inputs
from allswell.web.pages import PageRequest, SeeOther, desk_page, page, toast, words_of_error

from . import lanes, words
from .rota import rota_for

if TYPE_CHECKING:
    from allswell.oncall.models import Handover
    from allswell.tickets.models import Ticket

MOST_BEFORE, MOST_LISTED, MOST_CALLABLE, MOST_ROTAS = 5, 50, 6, 60
_FIELDS = ("id", "kind", "title", "state", "waiting_on", "waiting_until", "priority", "is_major", "opened_at", "done_at")
_CLOCK = ("next_due_at", "next_metric", "next_started_at", "assignee__id", "assignee__name")


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket that is handed over: its clock (word, what is left, color, percent) and why else it stands there."""

    ticket: Ticket
    clock: tuple[str, str, str, int] | None
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The tickets that stand in a handover for one reason before all others; `total` counts all with this reason."""

    key: str
    name: str
    lines: list[Line]
    total: int


def parts_of(row: Handover, *, actor: Actor) -> list[Part]:
    """What of a handover its reader may see."""
    named = {number for numbers in row.draft.values() for number in numbers}
    found = tickets.at_the_desk(actor).filter(pk__in=named).select_related("assignee").only(*_FIELDS, *_CLOCK)
    known = {ticket.pk: ticket for ticket in found}
    shown = listed(row.draft, known)
    return [
        Part(
            section.value,
            words.section(section),
            [_line(known[number], reasons[1:]) for number, reasons in shown if reasons[0] is section],
            sum(section in reasons for _number, reasons in shown),
        )
        for section in Section
    ]


def _line(ticket: Ticket, others: Iterable[Section]) -> Line:
    clock = None
    if ticket.next_due_at is not None and ticket.done_at is None:
        clock = clocks.in_short(ticket.next_metric, ticket.next_due_at, ticket.next_started_at or ticket.opened_at)
    return Line(ticket, clock, tuple(words.section_in_short(section) for section in others))


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a handover has come, for who looks at it."""

    is_open: bool
    is_late: bool
    is_held: bool
    is_missed: bool
    may_write: bool
    may_sign: bool
    may_take: bool
    waits_for_signature: bool


def stand_of(row: Handover, *, actor: Actor, now: datetime) -> Stand:
    """What may be done with it now, by whom."""
    is_open = row.state in OPEN and row.lapses_at > now
    is_mine = is_open and row.outgoing_id == actor.person
    is_for_me = is_open and row.incoming_id == actor.person
    may_take_now = row.signed_at is not None or row.changes_at <= now
    return Stand(
        is_open=is_open,
        is_late=row.drafted_at > row.changes_at,
        is_held=is_open and row.held_until is not None,
        is_missed=row.state == HandoverState.ESCALATED,
        may_write=is_mine,
        may_sign=is_mine and row.signed_at is None,
        may_take=is_for_me and may_take_now,
        waits_for_signature=is_for_me and not may_take_now,
    )


def _show(request: PageRequest, handover: int, *, status: int = 200, **context: Any) -> HttpResponse:
    row = desk.handover_for(handover, actor=request.actor)
    parts = parts_of(row, actor=request.actor)
    before = queries.handovers().filter(rota=row.rota_id, level=row.level, changes_at__lt=row.changes_at)
    near = queries.visible_to(request.actor).filter(is_active=True).order_by("name", "id")[:MOST_ROTAS]
    rotas = {rota.pk: rota for rota in near}
    answers = queries.on_call(rotas, request.now)
    there = sorted(
        (answer for levels in answers.values() for answer in levels.values() if answer.person is not None),
        key=lambda answer: (answer.rota != row.rota_id, answer.level, answer.rota),
    )
    there = [answer for answer in there if answer.person not in (row.outgoing_id, row.incoming_id)][:MOST_CALLABLE]
    timer = queries.timer_of(row)
    will_pass_on = row.state == HandoverState.ESCALATED and not timer.has_passed_on and timer.lapses_at > request.now
    return page(
        request,
        "oncall/handover.html",
        status,
        calls=list(queries.calls_of(row.pk)[:MOST_LISTED]) if row.escalated_at else [],
        passes_on_at=timer.passes_on_at if will_pass_on else None,
        row=row,
        parts=parts,
        totals={part.key: part.total for part in parts},
        stand=stand_of(row, actor=request.actor, now=request.now),
        state=words.handover_state(row.state),
        before=list(before.order_by("-changes_at")[:MOST_BEFORE]),
        there=[(answer, rotas[answer.rota]) for answer in there],
        people=people.people().in_bulk({answer.person for answer in there}),
        took=took,
        level_words=lanes.level_words,
        zone=lanes.zone_name(),
        here="oncall",
        **{"errors": {}, "notes": row.notes, **context},
    )


def took(row: Handover) -> timedelta | None:
    """How long after the change of shift it was taken; at once when before."""
    return max(row.accepted_at - row.changes_at, timedelta()) if row.accepted_at else None


@require_safe
@desk_page
def handover(request: PageRequest, handover: int) -> HttpResponse:
    """What is handed over, by whom to whom, and how far it has come."""
    return _show(request, handover)


@require_POST
@desk_page
def write(request: PageRequest, handover: int) -> HttpResponse:
    """Keep the notes, or sign with them."""
    notes, is_signed = request.POST.get("notes", ""), request.POST.get("do") == "sign"
    try:
        if is_signed:
            desk.sign(handover, notes=notes, actor=request.actor, now=request.now)
        else:
            desk.write_notes(handover, notes, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        toast(request, words_of_error(error), is_bad=True)
        return _show(request, handover, status=error.http, notes=notes)
    toast(request, _("Signed. The next one is told.") if is_signed else _("Kept."))
    return SeeOther(f"/oncall/handovers/{handover}")


@require_POST
@desk_page
def accept(request: PageRequest, handover: int) -> HttpResponse:
    """Take the shift."""
    try:
        desk.accept(handover, actor=request.actor, now=request.now)
    except NotFound:
        raise
    except DeskError as error:
        toast(request, words_of_error(error), is_bad=True)
    else:
        toast(request, _("The shift is yours."))
    return SeeOther(f"/oncall/handovers/{handover}")


@require_safe
@desk_page
def of_rota(request: PageRequest, slug: str) -> HttpResponse:
    """The handovers of a rota, the latest first."""
    row = rota_for(slug, actor=request.actor)
    if not desk.may_read(row, actor=request.actor):
        raise NotFound("There is no such page.")
    found = queries.handovers().filter(rota=row.pk).order_by("-pk")
    before = inputs.number(request.GET, "before")
    rows = list((found.filter(pk__lt=before) if before else found)[: MOST_LISTED + 1])
    return page(
        request,
        "oncall/handovers.html",
        row=row,
        rows=rows[:MOST_LISTED],
        following=rows[MOST_LISTED - 1].pk if len(rows) > MOST_LISTED else None,
        states=words.handover_state,
        took=took,
        level_words=lanes.level_words,
        zone=lanes.zone_name(),
        here="oncall",
    )
