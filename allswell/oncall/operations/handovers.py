"""Writing handovers: drafted, signed, accepted, escalated, over; each with its line in the journal of the rota."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.oncall.models import Handover
from allswell.oncall.queries import lapsed_handover, timer_of
from allswell.oncall.rules import Handing, HandoverState, Turnover
from allswell.oncall.rules.handing import times

from .escalations import close_calls
from .rotas import ABOUT

#: of handovers, what the journal keeps beside who and when; never a text
_KEPT = ("level", "outgoing_id", "incoming_id")


def draft_handover(
    turnover: Turnover, draft: dict[str, list[int]], handing: Handing, *, is_held: bool, actor: Actor, now: datetime
) -> tuple[Handover, Entry]:
    """A handover of a change of shift; of one that was called off before, the same again with its notes."""
    row = lapsed_handover(turnover.rota, turnover.level, turnover.changes_at)
    row = row or Handover(rota_id=turnover.rota, level=turnover.level, changes_at=turnover.changes_at)
    said = times(turnover, within=handing.length, now=now)
    values: dict[str, Any] = {
        "begun_at": turnover.begun_at,
        "until": turnover.until,
        "outgoing_id": turnover.outgoing,
        "incoming_id": turnover.incoming,
        "draft": draft,
        "state": HandoverState.DRAFTED.value,
        "drafted_at": now,
        "due_at": said.due_at,
        "lapses_at": said.lapses_at,
        "held_until": said.lapses_at if is_held else None,
        "ended_at": None,
        "passed_on_at": None,
        "reminded_at": now if now > turnover.changes_at else None,  # the draft tells both
    }
    for name, value in values.items():
        setattr(row, name, value)
    _write(row)
    return row, _record(Verb.HANDOVER_DRAFTED, row, actor=actor, now=now, is_late=now > row.changes_at)


def note(row: Handover, notes: str) -> None:
    """Keep what the outgoing writes. Not journaled: nothing has happened yet."""
    row.notes = notes
    row.save(update_fields=["notes"])


def sign_handover(row: Handover, draft: dict[str, list[int]], *, actor: Actor, now: datetime) -> Entry:
    """The outgoing says that it is all there, with the tickets as they are now."""
    row.draft, row.signed_at, row.signed_by_id = draft, now, actor.person
    if row.state == HandoverState.DRAFTED:
        row.state = HandoverState.SIGNED.value
    _write(row)
    return _record(Verb.HANDOVER_SIGNED, row, actor=actor, now=now)


def accept_handover(row: Handover, *, actor: Actor, now: datetime) -> Entry:
    """The incoming has taken the shift: the outgoing is off call, and nobody is called for it any more."""
    row.state, row.accepted_at, row.accepted_by_id = HandoverState.ACCEPTED.value, now, actor.person
    row.ended_at = now
    row.held_until = min(row.held_until, now) if row.held_until else None
    _write(row)
    close_calls(row.pk, now=now)
    return _record(Verb.HANDOVER_ACCEPTED, row, actor=actor, now=now)


def escalate_handover(row: Handover, to: int | None, *, actor: Actor, now: datetime) -> Entry:
    """Nobody took the shift in time."""
    row.state, row.escalated_at, row.escalated_to_id = HandoverState.ESCALATED.value, now, to
    _write(row)
    return _record(Verb.HANDOVER_ESCALATED, row, actor=actor, now=now, to=to)


def pass_on_handover(row: Handover, called: list[int], *, actor: Actor, now: datetime) -> Entry:
    """The incoming was called and has not come: others were called."""
    row.passed_on_at = now
    _write(row)
    return _record(Verb.HANDOVER_PASSED_ON, row, actor=actor, now=now, called=called)


def lapse_handover(row: Handover, *, actor: Actor, now: datetime) -> Entry:
    """It is over: nobody took the shift, or there is nothing to hand over any more."""
    row.state, row.ended_at = HandoverState.LAPSED.value, now
    row.held_until = min(row.held_until, now) if row.held_until else None
    _write(row)
    close_calls(row.pk, now=now)
    return _record(Verb.HANDOVER_LAPSED, row, actor=actor, now=now)


def remind(row: Handover, *, actor: Actor, now: datetime) -> Entry:
    """The shift has begun, and nobody has taken it."""
    row.reminded_at = now
    _write(row)
    return _record(Verb.HANDOVER_REMINDED, row, actor=actor, now=now)


def hand_to(row: Handover, turnover: Turnover, *, actor: Actor, now: datetime) -> Entry:
    """Others hand over, or take over: an edit moved their shifts. What the first had accepted, the next has not."""
    said = times(turnover, within=row.due_at - max(row.changes_at, row.drafted_at), now=row.drafted_at)
    is_other = turnover.outgoing != row.outgoing_id
    if row.state == HandoverState.ACCEPTED or is_other:
        row.state = HandoverState.SIGNED.value if row.signed_at and not is_other else HandoverState.DRAFTED.value
    row.accepted_at = row.accepted_by_id = row.ended_at = None
    if is_other:
        row.signed_at = row.signed_by_id = None
    row.outgoing_id, row.incoming_id = turnover.outgoing, turnover.incoming
    row.begun_at, row.until, row.due_at, row.lapses_at = turnover.begun_at, turnover.until, said.due_at, said.lapses_at
    row.held_until = said.lapses_at if row.held_until else None
    _write(row)
    close_calls(row.pk, now=now)
    return _record(Verb.HANDOVER_MOVED, row, actor=actor, now=now)


def _write(row: Handover) -> None:
    row.next_at = timer_of(row).next_at
    row.save()


def _record(verb: Verb, row: Handover, *, actor: Actor, now: datetime, **more: Any) -> Entry:
    data = {"handover": row.pk, "changes_at": row.changes_at.isoformat(), **{name: getattr(row, name) for name in _KEPT}, **more}
    return journal.record(verb, about=(ABOUT, row.rota_id), actor=actor, now=now, data=data)
