"""Steps of paging: starting a run, answering it, renewing its promise, ending it. None opens a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, Channel
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.queries.escalations import InForce
from allswell.oncall.rules import escalating
from allswell.oncall.rules.escalating import RunState
from allswell.oncall.rules.policies import Policy
from allswell.tickets import operations as tickets

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.oncall.models import Escalation
    from allswell.tickets.models import Ticket

hold_open = writing.hold_open


def start(ticket: Ticket, follows: InForce, *, cause: str, reason: str = "", actor: Actor, now: datetime) -> Escalation | None:
    """Begin a run; the engine takes its first step at once. None when the ticket has an open run of this policy."""
    row = writing.start(
        ticket=ticket.pk,
        policy=follows.policy or None,
        number=follows.number,
        definition=follows.definition,
        cause=cause,
        reason=reason,
        by=actor.person if cause == "by_hand" else None,
        now=now,
    )
    if row is not None:
        data = {"run": row.pk, "policy": row.policy_id, "number": row.number, "cause": cause}
        tickets.record(Verb.PAGING_STARTED, ticket, actor=actor, now=now, data=data)
    return row


def answer(ticket: Ticket, rows: Sequence[Escalation], *, actor: Actor, now: datetime, until: datetime | None = None) -> None:
    """Somebody has it: the runs rest until their promise is over (`until`, else as the policy says), and no page goes out any more."""
    for row in rows:
        promised = until or now + timedelta(seconds=Policy.parse(row.definition).promise)
        run = escalating.acknowledged(escalations.stands(row), until=promised)
        writing.keep(row, run, now=now, acknowledged_by_id=actor.person, acknowledged_at=now)
        data = {"run": row.pk, "until": promised.isoformat()}
        tickets.record(Verb.PAGE_ACKNOWLEDGED, ticket, actor=actor, now=now, data=data)
    writing.close_pages([row.pk for row in rows], now=now)


def may_rest(row: Escalation, ticket: Ticket) -> bool:
    """Whether it calls for what monitoring tells, and for nothing else: not what somebody reported, nor what they call for by hand."""
    return ticket.channel == Channel.MONITORING.value and row.cause != "by_hand"


def rest(rows: Sequence[Escalation], *, now: datetime) -> None:
    """Nobody is called while all alerts are held back: what was sent is called back, and the step is taken anew once that is over."""
    for row in rows:
        writing.keep(row, escalating.resumed(escalations.stands(row), at=now), now=now)
    writing.close_pages([row.pk for row in rows], now=now)


def call_again(rows: Iterable[Escalation], *, now: datetime) -> None:
    """The answer was taken back: the runs call at once, at the step that had been answered."""
    for row in rows:
        writing.keep(row, escalating.resumed(escalations.stands(row), at=now), now=now)


def renew(ticket: Ticket, rows: Iterable[Escalation], *, actor: Actor, now: datetime, until: datetime | None = None) -> None:
    """There was word: the promise holds anew from now on; said outright (`until`), it is journaled."""
    for row in rows:
        promised = until or now + timedelta(seconds=Policy.parse(row.definition).promise)
        if until is None and row.next_step_at is not None and promised <= row.next_step_at:
            continue
        writing.keep(row, escalating.acknowledged(escalations.stands(row), until=promised), now=now)
        if until is not None:
            data = {"run": row.pk, "until": promised.isoformat()}
            tickets.record(Verb.PROMISE_RENEWED, ticket, actor=actor, now=now, data=data)


def why_nobody(follows: InForce | None, priority: int) -> str:
    """Why a policy calls nobody by itself for a ticket of this priority: "no_policy", "priority"; "" when it does call."""
    if follows is None:
        return "no_policy"
    return "" if priority in follows.definition["starts"] else "priority"


def end(ticket: Ticket, rows: Sequence[Escalation], *, reason: str, actor: Actor, now: datetime, nobody: str = "") -> None:
    """There is nothing left to call for. `nobody`: nobody else is called instead, and why (`why_nobody`)."""
    for row in rows:
        data = {"run": row.pk, "reason": reason, "state": row.state, "nobody": nobody}
        if row.next_step_at is not None:
            data["next_at"] = row.next_step_at.isoformat()
        writing.keep(row, escalating.ended(escalations.stands(row)), now=now, end_reason=reason)
        tickets.record(Verb.PAGING_ENDED, ticket, actor=actor, now=now, data=data)
    writing.close_pages([row.pk for row in rows], now=now)


def take_back(ticket: Ticket, entries: Iterable[Entry], *, actor: Actor, now: datetime) -> None:
    """An act was taken back: the runs it began end, and those it ended because others have the ticket go on.

    One that somebody had answered rests until its promise; one that called calls again at the step it had come to, because what it had
    sent was called back.
    """
    told = list(entries)
    begun = {entry.data["run"] for entry in told if entry.verb == Verb.PAGING_STARTED}
    end(ticket, [row for row in hold_open(ticket.pk) if row.pk in begun], reason="undone", actor=actor, now=now)
    for entry in told:
        if entry.verb != Verb.PAGING_ENDED or entry.data.get("reason") != "handed_over":
            continue
        row = writing.hold(entry.data["run"])
        if row is None or row.ended_at is None or row.end_reason != "handed_over":
            continue
        run = replace(escalations.stands(row), state=RunState.RUNNING, next_at=now)
        if entry.data.get("state") == RunState.ACKNOWLEDGED.value:
            promised = datetime.fromisoformat(str(entry.data.get("next_at", now.isoformat())))
            run = escalating.acknowledged(run, until=max(now, promised))
        else:
            run = escalating.resumed(run, at=now)
        if writing.resume(row, run):
            data = {"run": row.pk, "policy": row.policy_id, "number": row.number, "cause": "undone"}
            tickets.record(Verb.PAGING_STARTED, ticket, actor=actor, now=now, data=data)
