"""Whoever should take a shift and does not is called, and then their lead and whoever goes: pages without a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotFound
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.rules import HandoverState
from allswell.oncall.rules.handing import OPEN
from allswell.people import queries as people

from . import handing, planning
from .door import use_case
from .shifts import is_one_of_them, mine

if TYPE_CHECKING:
    from allswell.oncall.models import Handover, Page


class Stands(StrEnum):
    """How a page about a handover stands for who was called by it."""

    WAITING = "waiting"  # nobody has taken the shift
    SEEN_TO = "seen_to"  # nobody has, and its reader sees to it
    MINE = "mine"  # its reader has taken it
    TAKEN = "taken"  # somebody else has
    OVER = "over"  # the shift has moved to others, or nobody ever took it


@dataclass(frozen=True, slots=True)
class Shown:
    """What the address of a page about a handover shows."""

    page: Page
    row: Handover
    stands: Stands
    is_incoming: bool
    may_take: bool
    is_at_desk: bool  # the page of the handover is open to them
    others: tuple[str, ...] = ()  # called next
    passes_on_at: datetime | None = None


def shown(page: Page, *, actor: Actor) -> Shown:
    """Everything the address of a page about a handover shows to its person. Raises NotFound for a page about something else."""
    row = page.handover
    if row is None:
        raise NotFound("There is no such page, or it called somebody else.")
    is_incoming = row.incoming_id == actor.person
    timer = queries.timer_of(row)
    is_next = timer.state == HandoverState.ESCALATED and not timer.has_passed_on
    others = people.people().filter(pk__in=handing.others_for(row)).order_by("name") if is_next else ()
    return Shown(
        page,
        row,
        _stands(page, row, actor=actor),
        is_incoming=is_incoming,
        may_take=is_incoming or is_one_of_them(row.rota, actor=actor),
        is_at_desk=queries.handovers_visible_to(actor).filter(pk=row.pk).exists(),
        others=tuple(one.name for one in others),
        passes_on_at=timer.passes_on_at if is_next else None,
    )


def _stands(page: Page, row: Handover, *, actor: Actor) -> Stands:
    if row.state in OPEN:
        if page.acknowledged_at is not None:
            return Stands.SEEN_TO
        return Stands.WAITING if page.closed_at is None else Stands.OVER
    if row.state == HandoverState.ACCEPTED:
        return Stands.MINE if row.accepted_by_id == actor.person else Stands.TAKEN
    return Stands.MINE if page.acknowledged_at is not None and row.outgoing_id == actor.person else Stands.OVER


def waiting_for(actor: Actor) -> tuple[Page, ...]:
    """What calls the actor to take a shift, or because nobody has taken it; with `rings` as an open page of the desk does."""
    found = tuple(queries.handover_calls_of(actor.person or 0)[:10])
    ringing = (
        {pk for pk, rings in escalations.alarms([actor.person or 0]).get(actor.person or 0, ()) if rings} if found else set()
    )
    for one in found:
        one.rings = one.pk in ringing  # type: ignore[attr-defined]
    return found


def _page_of(page_id: int, *, actor: Actor) -> tuple[Page, Handover]:
    page = escalations.page(page_id)
    if page is None or page.handover is None or page.person_id is None or page.person_id != actor.person:
        raise NotFound("There is no such page, or it called somebody else.")
    return page, page.handover


@use_case
def take(page_id: int, *, by: str, actor: Actor, now: datetime) -> Page:
    """Take the shift one was called for: the incoming theirs, the others in their place. Twice is the same as once.

    Raises NotFound for who was not called, Conflict once it is over without them, NotAllowed for who has no part in the rota.
    """
    page, row = _page_of(page_id, actor=actor)
    if _stands(page, row, actor=actor) is Stands.MINE:
        return page
    held = None if row.incoming_id == actor.person else mine(row.rota_id, actor=actor)[0]
    again = queries.handover(row.pk, is_locked=True)
    if again is None or again.state not in OPEN or again.lapses_at <= now:
        raise Conflict("This page is over: somebody else has taken the shift, or it is done.")
    writing.answer(page, now=now, detail=by)
    if held is not None:
        rotas.add_override(
            held, level=row.level, starts_at=now, ends_at=row.until, person=actor.person, reason="", actor=actor, now=now
        )
        planning.replan([held], actor=actor, now=now)
        again = queries.handover(row.pk, is_locked=True)
    if again is not None and again.state in OPEN and again.incoming_id == actor.person:
        handing.take(again, actor=actor, now=now)
    return page


@use_case
def see_to(page_id: int, *, by: str, actor: Actor, now: datetime) -> Page:
    """Say that one sees to it: one is called no more, and the shift still waits to be taken. Raises NotFound, Conflict."""
    page, row = _page_of(page_id, actor=actor)
    if row.state not in OPEN:
        raise Conflict("This page is over: somebody else has taken the shift, or it is done.")
    if row.incoming_id == actor.person:
        raise Conflict("Take the shift, or let somebody know who can.")
    if page.acknowledged_at is None:
        writing.answer(page, now=now, detail=by)
        writing.close_page(page, now=now)
    return page
