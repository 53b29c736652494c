"""Runs go on: the engine takes the steps that are due, and whoever a step reaches gets a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.intake.queries.quiet import at_rest
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, Role
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Reach, Topic
from allswell.oncall.operations import escalations as writing
from allswell.oncall.operations.escalations import ToPage
from allswell.oncall.queries import escalations
from allswell.oncall.queries.reaching import Around
from allswell.oncall.rules import escalating
from allswell.oncall.rules.escalating import Advance, Called, RunState, Taken
from allswell.oncall.rules.policies import Policy
from allswell.people import queries as people
from allswell.people.rules import Act, TicketFacts, may
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import WatcherKind, discreet

from . import runs, steps
from .door import attempt, use_case

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation
    from allswell.tickets.models import Ticket

log = logging.getLogger(__name__)

#: a step taken this much later than it was due is said to be late
LATE = timedelta(seconds=30)
#: how long a run waits that could not even be moved on
_PUT_OFF = timedelta(minutes=1)
#: how soon a run whose alerts are held back is looked at again
_RESTS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Due:
    """A run with something to do, and what it does."""

    row: Escalation
    policy: Policy
    came: Advance
    late_by: int


@dataclass(frozen=True, slots=True)
class _Ways:
    """How those who are called are reached: people, rooms (their kind), who of them does not see which ticket yet, and who never will."""

    reach: Mapping[int, Reach]
    rooms: Mapping[int, str]
    blind: frozenset[tuple[int, int]]
    lost: frozenset[tuple[int, int]]


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
    # before anybody is called, the ticket is looked at once more
    over = [row for row in held if row.ticket.done_at or row.ticket.merged_into_id]
    if over:
        writing.keep_all([(row, escalating.ended(escalations.stands(row))) for row in over], now=now, end_reason="closed")
        writing.close_pages([row.pk for row in over], now=now)
    resting = _resting([row for row in held if row not in over], now=now)
    around, due = _advanced([row for row in held if row not in over and row not in resting], now=now)
    sight = _sight(due)
    if sight.lost:  # seldom: who may not know of the ticket whatever is done is not reached, and nobody waits for them
        barred = {ticket for _, ticket in sight.lost}
        due = [found if found.row.ticket_id not in barred else _again(found, around, now=now) for found in due]
        sight = _sight(due)
    persons = {one.person for found in due for taken in found.came.taken for one in taken.called if one.person is not None}
    by = _Ways(around.reach(persons) if persons else {}, around.rooms(), sight.blind, sight.lost)
    _take(due, by, actor=actor, now=now)


def _resting(rows: list[Escalation], *, now: datetime) -> list[Escalation]:
    """Runs that call for alerts all of which are silenced, or belong to announced work: they wait until one is not."""
    some = [row for row in rows if runs.may_rest(row, row.ticket)]
    quiet = at_rest({row.ticket_id for row in some}) if some else set()
    resting = [row for row in some if row.ticket_id in quiet]
    for row in resting:
        writing.put_off(row.pk, until=now + _RESTS)
    return resting


def _advanced(rows: list[Escalation], *, now: datetime) -> tuple[Around, list[_Due]]:
    """What runs do now; what they ask of the world is read once for all of them."""
    policies = [Policy.parse(row.definition) for row in rows]
    around = Around(policies)
    around.look(now)
    due = []
    for row, policy in zip(rows, policies, strict=True):
        came = escalating.advance(escalations.stands(row), policy, priority=row.ticket.priority, at=now, world=around)
        late = now - (row.next_step_at or now)
        due.append(_Due(row, policy, came, int(late.total_seconds()) if late >= LATE else 0))
    return around, due


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


@dataclass(frozen=True, slots=True)
class _Sight:
    """(person, ticket): who does not see a ticket yet, and of them who would not though they were let in."""

    blind: frozenset[tuple[int, int]]
    lost: frozenset[tuple[int, int]]


def _sight(due: Sequence[_Due]) -> _Sight:
    called = {
        (one.person, found.row.ticket_id)
        for found in due
        for taken in found.came.taken
        for one in taken.called
        if one.person is not None
    }
    persons = {person for person, _ in called}
    found = people.actors(persons)
    facts = ticket_queries.facts_for_many([one.row.ticket for one in due], persons)
    blind = {one for one in called if one[0] not in found or not may(found[one[0]], Act.SEE_INTERNAL, facts[one[1]])}
    lost = {
        one for one in blind if one[0] not in found or not may(found[one[0]], Act.SEE_INTERNAL, _let_in(facts[one[1]], one[0]))
    }
    return _Sight(frozenset(blind), frozenset(lost))


def _let_in(facts: TicketFacts, person: int) -> TicketFacts:
    """The facts of a ticket once somebody was let see it."""
    return replace(facts, watchers=facts.watchers | {person}, named=facts.named | {person})


class _Barred:
    """The world of a run some of whose people may not know of its ticket: they are not reached."""

    def __init__(self, around: Around, ticket: Ticket) -> None:
        self._around, self._ticket = around, ticket
        self._known: dict[int, bool] = {}
        self.called, self.is_inside = around.called, around.is_inside

    def reaches(self, one: Called) -> bool:
        """Whether there is a way to one that is called, and they may know what it is about."""
        if one.person is not None and one.person not in self._known:
            facts = ticket_queries.facts_for_many([self._ticket], [one.person])[self._ticket.pk]
            found = people.actors([one.person]).get(one.person)
            self._known[one.person] = found is not None and may(found, Act.SEE_INTERNAL, _let_in(facts, one.person))
        return self._around.reaches(one) and (one.person is None or self._known[one.person])


def _again(found: _Due, around: Around, *, now: datetime) -> _Due:
    """What a run does, worked out anew without those who may not know of its ticket."""
    world = _Barred(around, found.row.ticket)
    came = escalating.advance(
        escalations.stands(found.row), found.policy, priority=found.row.ticket.priority, at=now, world=world
    )
    return replace(found, came=came)


def _take(due: Sequence[_Due], by: _Ways, *, actor: Actor, now: datetime) -> None:
    """Write what runs do: where they stand, their pages, and the journal of their tickets."""
    said: list[tuple[Verb, Ticket, dict[str, Any]]] = []
    to_page: list[ToPage] = []
    to_call: list[tuple[int, int]] = []  # a webhook, and the place in `said` of what it is told
    for found in due:
        ticket, row = found.row.ticket, found.row
        if found.came.is_promise_broken:
            said.append((Verb.PROMISE_BROKEN, ticket, {"run": row.pk, "person": row.acknowledged_by_id}))
        for taken in found.came.taken:
            pages = _pages(found, taken, by, now=now)
            to_page += pages
            to_call += [(one.webhook, len(said)) for one in taken.called if one.webhook is not None]
            said.append((Verb.PAGED, ticket, _told(found, taken, pages)))
            _let_see(ticket, [one.person for one in taken.called if (one.person, ticket.pk) in by.blind - by.lost], now=now)
    writing.keep_all([(found.row, found.came.run) for found in due], now=now)
    writing.write_pages(to_page, now=now)
    entries = tickets.record_all(said, actor=actor, now=now)
    for webhook, place in to_call:
        content = tickets.payload(entries[place], said[place][1])
        content = discreet(content) if said[place][1].is_restricted else content
        notifications.call_webhook(webhook, entries[place], payload=content, now=now)
    for found in due:
        if found.came.run.state is RunState.EXHAUSTED:
            _tell_unanswered(found.row, actor=actor, now=now)


def _pages(found: _Due, taken: Taken, by: _Ways, *, now: datetime) -> list[ToPage]:
    """Those a step calls, and how."""
    urgency = found.policy.urgency(found.row.ticket.priority)
    return [
        ToPage(
            row=found.row,
            called=one,
            planned=escalating.ways(one, by.reach, by.rooms, urgency, now),
            turn=taken.turn,
            urgency=urgency,
            late_by=found.late_by,
            is_unseen=(one.person, found.row.ticket_id) in by.lost,
        )
        for one in taken.called
        if one.webhook is None
    ]


def _told(found: _Due, taken: Taken, pages: Sequence[ToPage]) -> dict[str, Any]:
    """What the journal says of a step."""
    return {
        "run": found.row.pk,
        "step": taken.position,
        "round": taken.round,
        "persons": [one.person for one in taken.called if one.person is not None],
        "rooms": [one.room for one in taken.called if one.room is not None],
        "unreachable": [one.called.person for one in pages if one.called.person and not one.planned and not one.is_unseen],
        "unseen": [one.called.person for one in pages if one.is_unseen],
        "empty": taken.empty.value if taken.empty else "",
        "late_by": found.late_by,
    }


def _let_see(ticket: Ticket, persons: list[int | None], *, now: datetime) -> None:
    """Whoever is called may see the ticket from then on: they watch it, and of a restricted one they are named."""
    for person in filter(None, persons):
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
