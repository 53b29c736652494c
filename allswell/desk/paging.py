"""The use cases of paging: call somebody by hand, answer, say when the next word comes, stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.oncall import queries as rotas
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.queries.escalations import InForce
from allswell.oncall.rules.escalating import RunState
from allswell.oncall.rules.policies import PRIORITIES, Policy, Step, Target, TargetKind
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets.rules import Move, State

from . import assigning, policies, runs, steps
from .door import use_case
from .practices import lifecycle

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation, Page
    from allswell.tickets.models import Ticket

#: how long a page by hand on people waits before it calls them again
_WAIT, _REPEAT = 300, 2
#: how far ahead the next word may be promised
FARTHEST_WORD = timedelta(hours=24)


@use_case
def page(
    number: int,
    *,
    policy: int | str | None = None,
    team: int | None = None,
    person: int | str | None = None,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> Escalation:
    """Call somebody for a ticket by hand: by a policy, a team (its policy, else its people on call), or a person.

    Raises Invalid, Conflict when that runs already, NotFound.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    if [policy, team, person].count(None) != 2:
        raise Invalid("Say whom to page: a policy, a team or a person.", field="team")
    reason = text.line(reason, field="reason", limit=500, required=False)
    row = runs.start(ticket, _asked(policy, team, person, actor=actor), cause="by_hand", reason=reason, actor=actor, now=now)
    if row is None:
        raise Conflict("These people are being paged for this ticket already.")
    return row


def _asked(policy: int | str | None, team: int | None, person: int | str | None, *, actor: Actor) -> InForce:
    if policy is not None:
        row = policies.policy_for(policy, actor=actor)
        return InForce(row.pk, row.number, escalations.policy_definition(row).as_json())
    if person is not None:
        called = steps.person_within_reach(person, actor=actor, field="person")
        return _by_hand([Target(TargetKind.PERSON, called.pk)])
    found = steps.team_within_reach(team or 0, actor=actor)
    own = escalations.in_force(service=None, team=found.pk)
    if own is not None:
        return own
    on_call = rotas.of_teams([found.pk]).get(found.pk, [])
    return _by_hand([Target(TargetKind.ROTA, rota) for rota in on_call] or [Target(TargetKind.TEAM, found.pk)])


def _by_hand(targets: list[Target]) -> InForce:
    said = Policy((Step(tuple(targets), _WAIT),), repeat=_REPEAT, starts=(), urgent=PRIORITIES)
    return InForce(0, 0, said.as_json())


@use_case
def acknowledge(number: int, *, minutes: int | None = None, actor: Actor, now: datetime) -> Ticket:
    """Answer what calls for a ticket: who does it has it, and says by when the next word comes. Raises Conflict, Invalid."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    until = _word_by(minutes, now=now)
    held = [row for row in runs.hold_open(number) if row.state == RunState.RUNNING.value]
    if not held:
        raise Conflict("Nobody is being paged for this ticket any more.")
    runs.answer(ticket, held, actor=actor, now=now, until=until)
    _takes(ticket, actor=actor, now=now)
    return ticket


@use_case
def answer_page(page_id: int, *, by: str, mark: str = "", minutes: int | None = None, actor: Actor, now: datetime) -> Page:
    """Answer a page one was called by (`by`: "link", "sms", "voice", "desk" …; `mark`: the carrier's name for it); twice is as once.

    Raises NotFound for who was not called by it, Conflict once it is over without them.
    """
    row, how = own_page(page_id, actor=actor), f"{by}:{mark}" if mark else by
    until = _word_by(minutes, now=now)
    if row.handover_id is not None:
        raise Conflict("This page asks for a shift to be taken; that is done on the page of the handover.")
    if row.escalation_id is None or row.ticket is None:
        writing.answer(row, now=now, detail=how)  # it only tried the way
        writing.close([row.pk], now=now)
        return row
    run = writing.hold(row.escalation_id)
    if run is None or (row.acknowledged_at is not None and run.state != RunState.RUNNING.value):
        return row
    if run.state == RunState.ACKNOWLEDGED.value and run.acknowledged_by_id == actor.person:
        writing.answer(row, now=now, detail=how)
        return row
    if run.state != RunState.RUNNING.value:
        raise Conflict("This page is over: somebody else has it, or it is done.")
    ticket = run.ticket
    if actor.person not in steps.those_who_may(Act.SEE, ticket, [actor.person or 0]):
        raise Conflict("You may not see this ticket any more; pass the page on.")
    if not writing.answer(row, now=now, detail=how):
        writing.note(row.pk, "acknowledged", now=now, detail=how)  # after a promise that was not kept, once more
    runs.answer(ticket, [run], actor=actor, now=now, until=until)
    _takes(ticket, actor=actor, now=now)
    return row


@use_case
def pass_on(page_id: int, *, actor: Actor, now: datetime) -> Page:
    """Leave a page to the next: once nobody called with it is still asked, the run waits no longer. Raises NotFound, Conflict."""
    row = own_page(page_id, actor=actor)
    run = writing.hold(row.escalation_id) if row.escalation_id else None
    if run is None or run.state != RunState.RUNNING.value:
        raise Conflict("This page is over: somebody else has it, or it is done.")
    if not writing.pass_on(row, now=now):
        return row
    tickets.record(Verb.PAGE_PASSED_ON, run.ticket, actor=actor, now=now, data={"run": run.pk})
    if row.turn == run.turn - 1 and not escalations.is_anybody_asked(run.pk, turn=row.turn):
        writing.keep(run, replace(escalations.stands(run), next_at=now), now=now)
    return row


@use_case
def promise_by_page(page_id: int, *, minutes: int, actor: Actor, now: datetime) -> Page:
    """Say by when the next word comes about what one answered a page for. Raises NotFound, Conflict when one does not have it."""
    row = own_page(page_id, actor=actor)
    run = writing.hold(row.escalation_id) if row.escalation_id else None
    if run is None or run.state != RunState.ACKNOWLEDGED.value or run.acknowledged_by_id != actor.person:
        raise Conflict("You do not have this any more: it is over, or goes on with others.")
    runs.renew(run.ticket, [run], actor=actor, now=now, until=_word_by(minutes, now=now))
    return row


@use_case
def hush(page_id: int, *, actor: Actor, now: datetime) -> Page:
    """Turn the alarm of a page on one's open desk pages off; the page itself goes on. Raises NotFound."""
    row = own_page(page_id, actor=actor)
    writing.hush(row, now=now)
    return row


def own_page(page_id: int, *, actor: Actor) -> Page:
    """A page the actor was called by. Raises NotFound."""
    row = escalations.page(page_id)
    if row is None or row.person_id is None or row.person_id != actor.person:
        raise NotFound("There is no such page, or it called somebody else.")
    return row


@use_case
def open_page(page_id: int, *, actor: Actor, now: datetime) -> Page:
    """Note that its person looked at a page. Raises NotFound."""
    row = own_page(page_id, actor=actor)
    writing.opened(row, now=now)
    return row


@use_case
def promise(number: int, *, minutes: int, actor: Actor, now: datetime) -> Ticket:
    """Say by when the next word comes. Raises Conflict when nobody has acknowledged, Invalid."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    held = [row for row in runs.hold_open(number) if row.state == RunState.ACKNOWLEDGED.value]
    if not held:
        raise Conflict("Nobody has acknowledged a page for this ticket.")
    runs.renew(ticket, held, actor=actor, now=now, until=_word_by(minutes, now=now))
    return ticket


@use_case
def stop(number: int, *, reason: str, actor: Actor, now: datetime) -> Ticket:
    """Call nobody any more for a ticket that is still open; says why. Raises Conflict, Invalid."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    held = runs.hold_open(number)
    if not held:
        raise Conflict("Nobody is being paged for this ticket any more.")
    reason = text.prose(reason, field="reason", limit=500, required=True)
    tickets.comment(ticket, body=reason, is_public=False, actor=actor, now=now, data={"of": "paging_stopped"})
    runs.end(ticket, held, reason="stopped", actor=actor, now=now)
    return ticket


def _word_by(minutes: int | None, *, now: datetime) -> datetime | None:
    if minutes is None:
        return None
    if not 5 <= minutes <= FARTHEST_WORD.total_seconds() // 60:
        raise Invalid("The next word comes in 5 minutes to 24 hours.", field="minutes")
    return now + timedelta(minutes=minutes)


def _takes(ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Who answers has the ticket if nobody has; at least somebody has seen it."""
    if ticket.done_at:
        return
    if ticket.assignee_id is None and actor.person is not None and assigning.could_work(ticket, actor.person):
        assigning.give(ticket, person=actor.person, actor=actor, now=now)
    if ticket.state == State.NEW:
        tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.ACKNOWLEDGE, actor=actor, now=now)
