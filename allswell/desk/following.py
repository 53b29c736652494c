"""Paging follows what happens: every use case ends by starting, answering, renewing or ending the runs of the tickets it touched.

So nothing that opens, hands over, answers or resolves a ticket need know of paging, and pages, API and mail all do the same.
What is brought in from elsewhere calls nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.journal import queries as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, ActorKind
from allswell.oncall.queries import escalations
from allswell.oncall.rules.escalating import RunState

from . import runs, steps

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.oncall.models import Escalation
    from allswell.tickets.models import Ticket

_OPENED = frozenset({Verb.INCIDENT_REPORTED, Verb.REQUEST_MADE})
#: what may start a run, and as what it is journaled
_STARTS = {
    Verb.INCIDENT_REPORTED: "opened",
    Verb.REQUEST_MADE: "opened",
    Verb.HANDED_OVER: "handed_over",
    Verb.REOPENED: "reopened",
    Verb.UNDONE: "reopened",
    Verb.PRIORITY_SET: "raised",
    Verb.PRIORITY_OVERRIDDEN: "raised",
}
#: what ends all runs, and why
_ENDS = {
    Verb.RESTORED: "restored",
    Verb.RESOLVED: "resolved",
    Verb.FULFILLED: "resolved",
    Verb.CANCELLED: "cancelled",
    Verb.MERGED: "merged",
    Verb.CLOSED: "closed",
}
_ANSWERS = frozenset({Verb.ACKNOWLEDGED, Verb.ASSIGNED})
_WORDS = frozenset({Verb.REPLIED, Verb.NOTED})
_CONCERNED = frozenset({*_STARTS, *_ENDS, *_ANSWERS, *_WORDS, Verb.ALERTS_ANSWERED})


def follow(touched: Iterable[tuple[Ticket, Entry]], *, actor: Actor, now: datetime) -> None:
    """Bring the runs of tickets up to date after what was journaled about them in this transaction."""
    if actor.kind is ActorKind.IMPORT:
        return
    entries: dict[int, list[Entry]] = {}
    rows: dict[int, Ticket] = {}
    for ticket, entry in touched:
        if entry.verb in _CONCERNED:
            rows[ticket.pk] = ticket  # the last one holds the newest columns
            entries.setdefault(ticket.pk, []).append(entry)
    for number, told in entries.items():
        _follow(rows[number], told, actor=actor, now=now)


def _follow(ticket: Ticket, told: list[Entry], *, actor: Actor, now: datetime) -> None:
    verbs = {Verb(entry.verb) for entry in told}
    is_new = bool(verbs & _OPENED)
    verbs -= {Verb(entry.verb) for entry in told if _is_lowered(entry)}
    undone = next((entry for entry in told if entry.verb == Verb.UNDONE), None)
    if undone is not None:
        runs.take_back(ticket, journal.of_action(ticket.pk, uuid.UUID(undone.data["action"])), actor=actor, now=now)
    may_have_run = not is_new or Verb.ALERTS_ANSWERED in verbs  # a rule of alerts begins runs by itself
    held = runs.hold_open(ticket.pk) if may_have_run and escalations.has_open_run(ticket.pk) else []
    if ticket.done_at or ticket.merged_into_id or Verb.RESTORED in verbs:
        reasons = [_ENDS[verb] for verb in _ENDS if verb in verbs]
        runs.end(ticket, held, reason=reasons[0] if reasons else "closed", actor=actor, now=now)
        return
    if ticket.restored_at is None and (cause := _cause(ticket, verbs)):
        held = _start(ticket, held, cause=cause, actor=actor, now=now)
    if any(entry.verb == Verb.UNDONE and Verb.PAGE_ACKNOWLEDGED in entry.data.get("verbs", ()) for entry in told):
        runs.call_again([row for row in held if row.state == RunState.ACKNOWLEDGED.value], now=now)
        return
    running = [row for row in held if row.state == RunState.RUNNING.value]
    if running and any(_is_answer(entry, ticket) for entry in told):
        runs.answer(ticket, running, actor=actor, now=now)
    elif any(entry.verb in _WORDS and entry.person_id is not None for entry in told):
        promised = [row for row in held if row.state == RunState.ACKNOWLEDGED.value]
        if promised and not steps.is_requester_side(actor, ticket):
            runs.renew(ticket, promised, actor=actor, now=now)


def _cause(ticket: Ticket, verbs: set[Verb]) -> str:
    """Why a run may start: of something undone only when it had ended with what is undone now."""
    cause = next((_STARTS[verb] for verb in _STARTS if verb in verbs), "")
    if cause == "reopened" and Verb.UNDONE in verbs:
        last = escalations.runs_of(ticket.pk).first()
        return cause if last is not None and last.end_reason in _ENDS.values() else ""
    return cause


def _start(ticket: Ticket, held: list[Escalation], *, cause: str, actor: Actor, now: datetime) -> list[Escalation]:
    """The open runs once the policy in force has its own; handing over ends those of others."""
    is_of_service = cause != "handed_over"
    found = escalations.in_force(service=ticket.service_id if is_of_service else None, team=ticket.team_id)
    if cause == "handed_over":
        left = [row for row in held if found is None or row.policy_id != found.policy]
        runs.end(ticket, left, reason="handed_over", actor=actor, now=now, nobody=runs.why_nobody(found, ticket.priority))
        held = [row for row in held if row not in left]
    if found is None or ticket.priority not in found.definition["starts"]:
        return held
    begun = runs.start(ticket, found, cause=cause, actor=actor, now=now)
    return [*held, begun] if begun is not None else held


def _is_lowered(entry: Entry) -> bool:
    """Whether it set a priority that is not higher than before: that is no reason to call anybody."""
    return bool(_STARTS.get(Verb(entry.verb)) == "raised" and entry.data.get("to", 0) >= entry.data.get("from", 9))


def _is_answer(entry: Entry, ticket: Ticket) -> bool:
    """Whether somebody took the ticket on themselves, here or at the source of its alerts; giving it to another answers nothing."""
    if entry.verb == Verb.ALERTS_ANSWERED:
        return True
    if entry.verb not in _ANSWERS or entry.person_id is None:
        return False
    return entry.verb == Verb.ACKNOWLEDGED or ticket.assignee_id == entry.person_id
