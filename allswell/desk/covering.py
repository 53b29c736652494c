"""The use cases of asking one another: to be covered, to swap. Who accepts is on call in the same act."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.rules import Slot

from . import planning, shift_notices
from .door import use_case
from .rotas import callable_person, held, may_edit, rota_for
from .shifts import check_level, is_one_of_them, mine, span

if TYPE_CHECKING:
    from allswell.oncall.models import Rota, ShiftRequest

MOST_OPEN = 50


def held_by(row: Rota, person: int, level: int, starts_at: datetime, ends_at: datetime) -> list[Slot]:
    """When somebody is on call at a level within a time."""
    slots = queries.slots([row], starts_at, ends_at)[row.pk]
    return [slot for slot in slots if slot.level == level and slot.person == person]


@use_case
def ask_cover(
    rota: int | str,
    *,
    level: int,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
    offered_to: int | None = None,
    note: str = "",
) -> ShiftRequest:
    """Ask one person, or everybody of the rota, to be on call in the actor's stead. Raises Conflict when they are not on call then,
    Invalid, NotFound, NotAllowed."""
    row, person = mine(rota, actor=actor)
    starts_at, ends_at = span(starts_at, ends_at, now=now)
    values: dict[str, Any] = {"kind": "cover", "level": check_level(row, level), "starts_at": starts_at, "ends_at": ends_at}
    return _ask(row, person, offered_to, note, actor=actor, now=now, **values)


@use_case
def ask_swap(
    rota: int | str,
    *,
    level: int,
    starts_at: datetime,
    ends_at: datetime,
    offered_to: int,
    in_return_starts_at: datetime,
    in_return_ends_at: datetime,
    actor: Actor,
    now: datetime,
    in_return_level: int | None = None,
    note: str = "",
) -> ShiftRequest:
    """Ask somebody to take the actor's time, for theirs in return. Raises Conflict when one of them is not on call then, Invalid,
    NotFound, NotAllowed."""
    row, person = mine(rota, actor=actor)
    starts_at, ends_at = span(starts_at, ends_at, now=now)
    other_starts_at, other_ends_at = span(in_return_starts_at, in_return_ends_at, now=now)
    other_level = check_level(row, in_return_level or level, field="in_return_level")
    if not held_by(row, offered_to, other_level, other_starts_at, other_ends_at):
        raise Conflict("They are not on call then.")
    return _ask(
        row,
        person,
        offered_to,
        note,
        actor=actor,
        now=now,
        kind="swap",
        level=check_level(row, level),
        starts_at=starts_at,
        ends_at=ends_at,
        in_return_level=other_level,
        in_return_starts_at=other_starts_at,
        in_return_ends_at=other_ends_at,
    )


def _ask(
    row: Rota, person: int, offered_to: int | None, note: str, *, actor: Actor, now: datetime, **values: Any
) -> ShiftRequest:
    if offered_to == person:
        raise Invalid("Choose somebody else.", field="offered_to")
    callable_person(offered_to, field="offered_to", actor=actor)
    if not held_by(row, person, values["level"], values["starts_at"], values["ends_at"]):
        raise Conflict("You are not on call then.")
    if queries.requests([row.pk]).filter(state="open", asked_by=person).count() >= MOST_OPEN:
        raise Conflict("You have asked %(n)s times already. Wait for answers, or withdraw some.", n=MOST_OPEN)
    note = text.line(note, field="note", limit=500, required=False)
    made, entry = rotas.ask(row.pk, asked_by=person, offered_to=offered_to, note=note, values=values, actor=actor, now=now)
    asked = [offered_to] if offered_to is not None else queries.members(row.pk)
    shift_notices.tell_request(entry, made, asked, actor=actor, now=now)
    return made


def _request_for(request: int, *, actor: Actor) -> ShiftRequest:
    row = queries.shift_request(request)
    if row is None:
        raise NotFound("There is no such request, or you may not know it.")
    rota_for(row.rota_id, actor=actor)
    return row


@use_case
def accept_request(request: int, *, actor: Actor, now: datetime) -> ShiftRequest:
    """Take what was asked: for each shift it is about, the actor is on call from now on; in a swap the other way round too.

    Raises Conflict when the shifts have moved or it is over, Stale when somebody was faster, NotFound, NotAllowed.
    """
    asked = _request_for(request, actor=actor)
    row = held(asked.rota)
    person = actor.person
    if person is None or person == asked.asked_by_id or not _is_asked(asked, row, actor=actor):
        raise NotAllowed("This is not offered to you.")
    if asked.ends_at <= now:
        raise Conflict("This is over already.")
    given = held_by(row, asked.asked_by_id, asked.level, max(asked.starts_at, now), asked.ends_at)
    taken = _in_return(asked, row, now=now)
    if not given or (asked.kind == "swap" and not taken):
        raise Conflict("The shifts have moved in the meantime.")
    entry = rotas.settle_request(asked, "accepted", actor=actor, now=now)
    shift_notices.tell_request(entry, asked, [asked.asked_by_id], actor=actor, now=now)
    for slots, to, instead_of in ((given, person, asked.asked_by_id), (taken, asked.asked_by_id, person)):
        for slot in slots:
            rotas.add_override(
                row,
                level=slot.level,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                person=to,
                instead_of=instead_of,
                request=asked.pk,
                actor=actor,
                now=now,
            )
    planning.replan([row], actor=actor, now=now)
    return asked


def _is_asked(asked: ShiftRequest, row: Rota, *, actor: Actor) -> bool:
    if asked.offered_to_id is not None:
        return asked.offered_to_id == actor.person
    return is_one_of_them(row, actor=actor)


def _in_return(asked: ShiftRequest, row: Rota, *, now: datetime) -> list[Slot]:
    """What the one who accepts a swap gives away."""
    if asked.in_return_starts_at is None or asked.in_return_ends_at is None or asked.in_return_ends_at <= now:
        return []
    starts_at = max(asked.in_return_starts_at, now)
    return held_by(row, asked.offered_to_id or 0, asked.in_return_level or asked.level, starts_at, asked.in_return_ends_at)


@use_case
def decline_request(request: int, *, actor: Actor, now: datetime) -> ShiftRequest:
    """Say no to what one was asked alone. Raises Stale, NotFound, NotAllowed."""
    asked = _request_for(request, actor=actor)
    if actor.person is None or asked.offered_to_id != actor.person:
        raise NotAllowed("This is not offered to you.")
    entry = rotas.settle_request(asked, "declined", actor=actor, now=now)
    shift_notices.tell_request(entry, asked, [asked.asked_by_id], actor=actor, now=now)
    return asked


@use_case
def withdraw_request(request: int, *, actor: Actor, now: datetime) -> ShiftRequest:
    """Ask no longer: who asked, or who decides about the rota. Raises Stale, NotFound, NotAllowed."""
    asked = _request_for(request, actor=actor)
    if asked.asked_by_id != actor.person and not may_edit(asked.rota.team, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    entry = rotas.settle_request(asked, "withdrawn", actor=actor, now=now)
    told = [asked.asked_by_id] if asked.offered_to_id is None else [asked.asked_by_id, asked.offered_to_id]
    shift_notices.tell_request(entry, asked, told, actor=actor, now=now)
    return asked
