"""Asking colleagues: to be covered, or to swap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from allswell.desk import covering
from allswell.kernel.errors import DeskError, Invalid
from allswell.oncall import queries
from allswell.oncall.rules import Slot, joined
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast

from . import board, lanes, rota

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allswell.oncall.models import Rota

AHEAD = timedelta(weeks=12)
MOST_SHIFTS = 100
_FIELDS = ("shift", "starts_at", "ends_at", "offered_to", "in_return", "note")


def key_of(level: int, starts_at: datetime, ends_at: datetime) -> str:
    """A shift as forms and addresses name it: shifts are written anew with each edit, so their time tells them apart."""
    return f"{level}.{int(starts_at.timestamp())}.{int(ends_at.timestamp())}"


def slot_key(slot: Slot) -> str:
    """The same of a slot."""
    return key_of(slot.level, slot.starts_at, slot.ends_at)


def _found(said: str, slots: Iterable[Slot], *, field: str) -> Slot:
    """The slot a form names. Raises Invalid when it is there no longer."""
    for slot in slots:
        if slot_key(slot) == said:
            return slot
    if not said:
        raise Invalid("Choose one of the list.", field=field)
    raise Invalid("The shifts have moved in the meantime.", field=field)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def ask(request: PageRequest, slug: str) -> HttpResponse:
    """Ask one colleague or everybody of a rota for cover, or one for a swap."""
    row = rota.rota_for(slug, actor=request.actor)
    slots = [slot for slot in _coming(row, now=request.now) if slot.person is not None]
    mine = [slot for slot in slots if slot.person == request.actor.person][:MOST_SHIFTS]
    theirs = [slot for slot in slots if slot.person != request.actor.person][:MOST_SHIFTS]
    values = {name: (request.POST if request.method == "POST" else request.GET).get(name, "").strip()[:500] for name in _FIELDS}
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            _ask(request, row, mine, theirs)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            toast(request, _("Asked. You stay on call until somebody accepts."))
            return SeeOther("/oncall/me")
    return _show(request, row, mine, theirs, values, errors, status)


def _coming(row: Rota, *, now: datetime) -> list[Slot]:
    """What is written for the next weeks, the soonest first."""
    found = joined(queries.written([row.pk], now, now + AHEAD)[row.pk])
    return sorted(found, key=lambda slot: (slot.starts_at, slot.level))


def _ask(request: PageRequest, row: Rota, mine: list[Slot], theirs: list[Slot]) -> None:
    sent, now, actor = request.POST, request.now, request.actor
    slot = _found(sent.get("shift", ""), mine, field="shift")
    starts_at = inputs.instant(sent, "starts_at") or slot.starts_at
    ends_at = inputs.instant(sent, "ends_at") or slot.ends_at
    if starts_at >= slot.ends_at or ends_at <= slot.starts_at:
        raise Invalid("This is not within your shift.", field="starts_at")
    starts_at, ends_at = max(starts_at, slot.starts_at), min(ends_at, slot.ends_at)
    offered_to = rota.chosen_person(sent, "offered_to", actor=actor)
    if not sent.get("in_return"):
        covering.ask_cover(
            row.pk,
            level=slot.level,
            starts_at=starts_at,
            ends_at=ends_at,
            offered_to=offered_to,
            note=sent.get("note", ""),
            actor=actor,
            now=now,
        )
        return
    other = _found(sent["in_return"], theirs, field="in_return")
    if offered_to is not None and offered_to != other.person:
        raise Invalid("This shift is somebody else's.", field="in_return")
    covering.ask_swap(
        row.pk,
        level=slot.level,
        starts_at=starts_at,
        ends_at=ends_at,
        offered_to=other.person or 0,
        in_return_level=other.level,
        in_return_starts_at=other.starts_at,
        in_return_ends_at=other.ends_at,
        note=sent.get("note", ""),
        actor=actor,
        now=now,
    )


def _show(
    request: PageRequest,
    row: Rota,
    mine: list[Slot],
    theirs: list[Slot],
    values: Mapping[str, str],
    errors: dict[str, str],
    status: int,
) -> HttpResponse:
    names = {pk: one.name for pk, one in board.known(slot.person for slot in theirs).items()}
    colleagues = rota.candidates(row, actor=request.actor)
    return page(
        request,
        "oncall/ask.html",
        status,
        row=row,
        mine=[(slot_key(slot), _slot_text(row, slot)) for slot in mine],
        theirs=[(slot_key(slot), f"{names.get(slot.person or 0, '')}: {_slot_text(row, slot)}") for slot in theirs],
        candidates=[(one.key, one.name) for one in colleagues if one.key != str(request.actor.person)],
        values=values,
        errors=errors,
        zone=lanes.zone_name(),
        here="oncall",
    )


def _slot_text(row: Rota, slot: Slot) -> str:
    said = lanes.span_text(slot.starts_at, slot.ends_at)
    return f"{said} ({lanes.level_words(slot.level)})" if row.levels > 1 else said
