"""Runs go on: the engine takes the steps that are due, and whoever a step reaches gets a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict
from allswell.notifications import operations as notifications
from allswell.notifications import queries as contacts
from allswell.notifications.rules import Reach, Topic
from allswell.oncall.operations import escalations as writing
from allswell.oncall.operations.escalations import ToPage
from allswell.oncall.queries import escalations
from allswell.oncall.queries.reaching import Around
from allswell.oncall.rules import escalating
from allswell.oncall.rules.escalating import Advance, RunState, Taken
from allswell.oncall.rules.policies import Policy
from allswell.people import queries as people
from allswell.people.rules import Act, may
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import WatcherKind

from . import steps
from .door import attempt, use_case

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation
    from allswell.tickets.models import Ticket

log = logging.getLogger(__name__)

#: a step taken this much later than it was due is said to be late
LATE = timedelta(seconds=30)
#: how long a run waits that could not even be moved on
_PUT_OFF = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Due:
    """A run with something to do, and what it does."""

    row: Escalation
    policy: Policy
    came: Advance
    late_by: int


@dataclass(frozen=True, slots=True)
class _Ways:
    """How those who are called are reached: people, rooms (their kind), and who of them does not see which ticket yet."""

    reach: Mapping[int, Reach]
    rooms: Mapping[int, str]
    blind: frozenset[tuple[int, int]]


def is_due(now: datetime) -> bool:
    """Whether a run has something to do."""
    return escalations.is_step_due(now)


@use_case
def take_steps(*, limit: int, actor: Actor, now: datetime) -> int:
    """Take the steps that are due, the longest waiting first; answers how many runs were looked at.

    One that cannot be taken is journaled and passed over: no run ends with an error.
    """
    held = writing.hold_due(now=now, limit=limit)
    try:
        with attempt():
            _take_all(held, actor=actor, now=now)
    except Exception:
        log.exception("Steps could not be taken together; each is tried alone.")
        for row in held:
            _take_alone(row.pk, actor=actor, now=now)
    return len(held)


def _take_alone(run_id: int, *, actor: Actor, now: datetime) -> None:
    """Take the step of one run; it must not hold up the others whatever happens."""
    row = writing.hold(run_id)  # what was tried with it has been taken back
    if row is None or row.ended_at is not None:
        return
    try:
        with attempt():
            _take_all([row], actor=actor, now=now)
    except Exception:
        log.exception("A step of run %s could not be taken.", run_id)
        _pass_over(row, _fallback(row), actor=actor, now=now)


def _take_all(held: list[Escalation], *, actor: Actor, now: datetime) -> None:
    around = _around(held)
    due = [found for row in held if (found := _advanced(row, around, actor=actor, now=now)) is not None]
    persons = {one.person for found in due for taken in found.came.taken for one in taken.called if one.person is not None}
    reach = contacts.reachable(persons)
    called_rooms = {one.room for found in due for taken in found.came.taken for one in taken.called if one.room is not None}
    rooms = {room: kind for room, (kind, _, _) in contacts.ways(called_rooms).items()}
    blind = _who_may_not_see(due, persons)
    for found in due:
        try:
            with attempt():
                _take(found, _Ways(reach, rooms, blind), actor=actor, now=now)
        except Conflict:
            continue  # somebody answered it at this moment
        except Exception:
            log.exception("A step of run %s could not be taken.", found.row.pk)
            _pass_over(found.row, found.policy, actor=actor, now=now)


def _around(held: list[Escalation]) -> Around:
    """The world of some runs; one whose policy cannot be read is dealt with where it is taken."""
    readable = []
    for row in held:
        try:
            readable.append(Policy.parse(row.definition))
        except Exception:  # noqa: BLE001 - whatever is in it, the others go on
            log.error("The policy of run %s cannot be read.", row.pk)
    return Around(readable)


def _advanced(row: Escalation, around: Around, *, actor: Actor, now: datetime) -> _Due | None:
    """What a run does now; None when that could not be worked out, and it was passed over."""
    ticket, due_at = row.ticket, row.next_step_at or now
    if ticket.done_at or ticket.merged_into_id:  # before anybody is called, it is looked at once more
        writing.keep(row, escalating.ended(escalations.stands(row)), now=now, end_reason="closed")
        writing.close_pages([row.pk], now=now)
        return None
    try:
        policy = Policy.parse(row.definition)
        with attempt():
            came = escalating.advance(escalations.stands(row), policy, priority=ticket.priority, at=now, world=around)
    except Exception:
        log.exception("A step of run %s could not be worked out.", row.pk)
        _pass_over(row, _fallback(row), actor=actor, now=now)
        return None
    late = now - due_at
    return _Due(row, policy, came, int(late.total_seconds()) if late >= LATE else 0)


def _fallback(row: Escalation) -> Policy | None:
    try:
        return Policy.parse(row.definition)
    except Exception:  # noqa: BLE001 - it is what failed
        return None


def _pass_over(row: Escalation, policy: Policy | None, *, actor: Actor, now: datetime) -> None:
    """On to the next step; where not even that can be written, the run waits a little and is tried again."""
    try:
        with attempt():
            _go_past(row, policy, actor=actor, now=now)
    except Exception:
        log.exception("Run %s could not be moved on.", row.pk)
        writing.put_off(row.pk, until=now + _PUT_OFF)


def _go_past(row: Escalation, policy: Policy | None, *, actor: Actor, now: datetime) -> None:
    """On to the next step; a run whose policy cannot be read at all has called everybody it could."""
    again = writing.hold(row.pk)  # what was tried with it has been taken back
    if again is None or again.ended_at is not None:
        return
    row, run = again, escalations.stands(again)
    if policy is None:
        after = escalating.Run(RunState.EXHAUSTED, run.position, run.round, run.turn)
    else:
        after = escalating.passed_over(run, policy, at=now)
    writing.keep(row, after, now=now)
    data = {"run": row.pk, "step": run.position}
    tickets.record(Verb.PAGING_FAILED, row.ticket, actor=actor, now=now, data=data)
    if after.state is RunState.EXHAUSTED:
        _tell_unanswered(row, actor=actor, now=now)


def _who_may_not_see(due: Sequence[_Due], persons: set[int]) -> frozenset[tuple[int, int]]:
    """(person, ticket) where who is called could not know of the ticket as it is."""
    found = people.actors(persons)
    facts = ticket_queries.facts_for_many([one.row.ticket for one in due], persons)
    return frozenset(
        (called.person, one.row.ticket_id)
        for one in due
        for taken in one.came.taken
        for called in taken.called
        if called.person is not None
        and not (called.person in found and may(found[called.person], Act.SEE_INTERNAL, facts[one.row.ticket_id]))
    )


def _take(found: _Due, by: _Ways, *, actor: Actor, now: datetime) -> None:
    """Write what a run does: its pages, where it stands, and the journal of its ticket."""
    row, came = found.row, found.came
    if came.is_promise_broken:
        data = {"run": row.pk, "person": row.acknowledged_by_id}
        tickets.record(Verb.PROMISE_BROKEN, row.ticket, actor=actor, now=now, data=data)
    writing.keep(row, came.run, now=now)
    for taken in came.taken:
        _page(found, taken, by, actor=actor, now=now)
    if came.run.state is RunState.EXHAUSTED:
        _tell_unanswered(row, actor=actor, now=now)


def _page(found: _Due, taken: Taken, by: _Ways, *, actor: Actor, now: datetime) -> None:
    """Call those a step reaches. Whoever is called may see the ticket from then on."""
    ticket, row = found.row.ticket, found.row
    urgency = found.policy.urgency(ticket.priority)
    persons = [one.person for one in taken.called if one.person is not None]
    _let_see(ticket, [person for person in persons if (person, ticket.pk) in by.blind], now=now)
    to = [ToPage(one, escalating.ways(one, by.reach, by.rooms, urgency, now)) for one in taken.called if one.webhook is None]
    writing.write_pages(row, to, turn=taken.turn, urgency=urgency, late_by=found.late_by, now=now)
    unreachable = [one.called.person for one in to if one.called.person is not None and not one.planned]
    data = {
        "run": row.pk,
        "step": taken.position,
        "round": taken.round,
        "persons": persons,
        "rooms": [one.room for one in taken.called if one.room is not None],
        "unreachable": unreachable,
        "empty": taken.empty.value if taken.empty else "",
        "late_by": found.late_by,
    }
    entry = tickets.record(Verb.PAGED, ticket, actor=actor, now=now, data=data)
    for one in taken.called:
        if one.webhook is not None:
            notifications.call_webhook(one.webhook, entry, payload=tickets.payload(entry, ticket), now=now)


def _let_see(ticket: Ticket, persons: list[int], *, now: datetime) -> None:
    """Whoever is called watches the ticket; of a restricted one they are named."""
    for person in persons:
        tickets.watch(ticket, person=person, kind=WatcherKind.WATCHER, now=now)
        if ticket.is_restricted:
            tickets.watch(ticket, person=person, kind=WatcherKind.NAMED, now=now)


def _tell_unanswered(row: Escalation, *, actor: Actor, now: datetime) -> None:
    """Nobody answered: the team's lead and the duty managers are told by notice."""
    ticket = row.ticket
    entry = tickets.record(Verb.PAGING_EXHAUSTED, ticket, actor=actor, now=now, data={"run": row.pk})
    team = people.team(ticket.team_id) if ticket.team_id else None
    wanted = {team.lead_id} if team is not None and team.lead_id else set()
    wanted |= people.holders(Role.DUTY_MANAGER)
    told = steps.those_who_may(Act.SEE_INTERNAL, ticket, wanted)
    steps.tell(entry, topic=Topic.ESCALATED, persons=told, actor=actor, now=now)
