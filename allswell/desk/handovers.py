"""The use cases of handovers: what the next shift must know is drafted, signed by one and accepted by the other, or escalates."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotAllowed, NotFound
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.rules import HandoverState, Turnover
from allswell.oncall.rules.handing import OPEN, Due

from . import handing
from .door import attempt, use_case
from .shifts import is_one_of_them

if TYPE_CHECKING:
    from allswell.oncall.models import Handover, Rota

logger = logging.getLogger(__name__)

NOTES = 10_000


def handover_for(handover: int, *, actor: Actor, is_locked: bool = False) -> Handover:
    """A handover as the actor may read it. Raises NotFound."""
    row = queries.handovers_visible_to(actor).filter(pk=handover).first()
    found = queries.handover(handover, is_locked=True) if row is not None and is_locked else row
    if found is None:
        raise NotFound("There is no such handover, or you may not know it.")
    return found


def may_read(rota: Rota, *, actor: Actor) -> bool:
    """Whether the actor reads the handovers of a rota: its people, its team, who decides about it."""
    return is_one_of_them(rota, actor=actor)


def _open(handover: int, *, actor: Actor, now: datetime) -> Handover:
    row = handover_for(handover, actor=actor, is_locked=True)
    if row.state == HandoverState.ACCEPTED:
        raise Conflict("The shift is taken already, by %(name)s.", name=row.accepted_by.name if row.accepted_by else "")
    if row.state not in OPEN or row.lapses_at <= now:
        raise Conflict("This handover is over.")
    return row


@use_case
def write_notes(handover: int, notes: str, *, actor: Actor, now: datetime) -> Handover:
    """Keep what the next shift must know, in the words of whoever hands over. Raises Conflict, Invalid, NotFound, NotAllowed."""
    row = _open(handover, actor=actor, now=now)
    _is_outgoing(row, actor=actor)
    rotas.note(row, text.prose(notes, field="notes", limit=NOTES))
    return row


@use_case
def sign(handover: int, *, actor: Actor, now: datetime, notes: str | None = None) -> Handover:
    """Say that it is all there; the tickets are collected again, and the next one is told. Raises Conflict, NotFound, NotAllowed."""
    row = _open(handover, actor=actor, now=now)
    _is_outgoing(row, actor=actor)
    if notes is not None:
        rotas.note(row, text.prose(notes, field="notes", limit=NOTES))
    if row.signed_at is not None:
        raise Conflict("You have signed this already. What you write is kept until the shift is taken.")
    draft = handing.collected(row.rota.team_id, handing.turnover_of(row))
    entry = rotas.sign_handover(row, draft, actor=actor, now=now)
    handing.tell(row, entry, "signed", [row.incoming_id], actor=actor, now=now)
    return row


@use_case
def accept(handover: int, *, actor: Actor, now: datetime) -> Handover:
    """Take the shift. Ahead of its time only what is signed; from then on in any case. Raises Conflict, NotFound, NotAllowed."""
    row = _open(handover, actor=actor, now=now)
    if actor.person != row.incoming_id:
        name = row.incoming.name
        raise NotAllowed("%(name)s takes this shift. Take the shift over first if it is to be yours.", name=name)
    if row.signed_at is None and now < row.changes_at:
        raise Conflict(
            "%(name)s has not signed it yet. From the change of shift on you can take it without that.", name=row.outgoing.name
        )
    handing.take(row, actor=actor, now=now)
    return row


def _is_outgoing(row: Handover, *, actor: Actor) -> None:
    if actor.person != row.outgoing_id:
        raise NotAllowed("%(name)s hands over and writes here.", name=row.outgoing.name)


# what happens by itself


def is_due(now: datetime) -> bool:
    """Whether a handover is to be drafted, or its time is up."""
    return queries.is_handover_due(now) or bool(queries.changes(now, limit=20))


def wanted(now: datetime, *, limit: int) -> list[Turnover]:
    """The changes of shift whose handover is still to be drafted."""
    return [turnover for turnover, _ in queries.changes(now, limit=limit)]


@use_case
def draft(turnover: Turnover, *, actor: Actor, now: datetime) -> bool:
    """Draft the handover of a change of shift; False when somebody was faster, or the shifts have moved."""
    held = rotas.hold([turnover.rota])
    again = [handover for one, handover in queries.changes(now) if one == turnover]
    if not held or not again:
        return False
    handing.begin(held[0], turnover, again[0], actor=actor, now=now)
    return True


@use_case
def settle(*, limit: int, actor: Actor, now: datetime) -> int:
    """Remind, call for and end the handovers that nobody has accepted. Answers how many were looked at."""
    found = queries.due_handovers(now, limit=limit)
    for row in found:
        try:
            with attempt():
                _settle(row, actor=actor, now=now)
        except Exception:
            logger.exception("Handover %s is left for the next look.", row.pk)
    return len(found)


def _settle(row: Handover, *, actor: Actor, now: datetime) -> None:
    what = queries.timer_of(row).due(now)
    if what is Due.LAPSE:
        entry = rotas.lapse_handover(row, actor=actor, now=now)
        handing.tell(row, entry, "lapsed", [row.outgoing_id, row.incoming_id, row.escalated_to_id], actor=actor, now=now)
    elif what is Due.ESCALATE:
        lead = handing.lead_for(row)
        entry = rotas.escalate_handover(row, lead, actor=actor, now=now)
        handing.tell(row, entry, "escalated", [lead], actor=actor, now=now)
        handing.tell(row, entry, "missed", [row.incoming_id], actor=actor, now=now)
        if not handing.call_incoming(row, now=now):
            handing.pass_on(row, actor=actor, now=now)  # there is no way to them: nobody waits for that
    elif what is Due.PASS_ON:
        handing.pass_on(row, actor=actor, now=now)
    else:
        entry = rotas.remind(row, actor=actor, now=now)
        handing.tell(row, entry, "begins", [row.incoming_id], actor=actor, now=now)
