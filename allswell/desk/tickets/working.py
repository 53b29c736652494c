"""Who works on a ticket: take, assign, hand over, escalate."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk import assigning, steps
from allswell.desk.door import use_case
from allswell.journal import queries as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid
from allswell.notifications.rules import Topic
from allswell.oncall.queries import escalations
from allswell.people import queries as people
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets.rules import WatcherKind

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket


@use_case
def take(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Make it mine. Of two who take at once one wins and the other is told. Raises Conflict, Stale.

    Who wants what another has says so with `assign`.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if ticket.assignee_id not in (None, actor.person):
        raise Conflict("Somebody else has this ticket already. Assign it to yourself to take it over.")
    assigning.give(ticket, person=actor.person, actor=actor, now=now)
    return ticket


@use_case
def assign(number: int, *, person: int | None, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Give it to a person, or to nobody (None). Raises Invalid, Conflict, Stale."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    assigning.give(ticket, person=person, actor=actor, now=now)
    return ticket


@use_case
def hand_over(
    number: int,
    *,
    team: int,
    reason: str,
    tried: str = "",
    must_page: bool = False,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """Functional escalation: another team has the skill. Says why and what was tried; returns to a former team are counted.

    `must_page` raises Conflict where the team has no policy that pages for this priority by itself: what pages now would end.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    target = steps.team_within_reach(team, actor=actor)
    if target.pk == ticket.team_id:
        raise Invalid("This team has it already.", field="team")
    if must_page and not escalations.teams_that_page([target.pk], priority=ticket.priority).get(target.pk):
        raise Conflict("Nobody of %(team)s is paged for this: no policy, or none that starts at this priority.", team=target.name)
    reason = text.prose(reason, field="reason", limit=4000, required=True)
    tried = text.prose(tried, field="tried", limit=4000)
    before, returns = ticket.team_id, _had_it_before(ticket, target.pk)
    former = tickets.change(
        ticket,
        now=now,
        guard={"team": before},
        team_id=target.pk,
        assignee_id=None,
        handover_count=ticket.handover_count + 1,
        return_count=ticket.return_count + int(returns),
    )
    body = reason if not tried else f"{reason}\n\n{tried}"
    comment, _ = tickets.comment(ticket, body=body, is_public=False, actor=actor, now=now, data={"of": "handed_over"})
    entry = tickets.record(
        Verb.HANDED_OVER,
        ticket,
        actor=actor,
        now=now,
        data={"from": before, "to": target.pk, "comment": comment.pk, "returns": returns, "before": former},
    )
    assigning.automatically(ticket, team=target, actor=actor, now=now)
    members = people.members(target.pk).values_list("pk", flat=True)
    steps.tell(entry, topic=Topic.TEAM, persons=members, actor=actor, now=now, is_held=True)
    return ticket


def _had_it_before(ticket: Ticket, team: int) -> bool:
    return team in journal.values(ticket.pk, Verb.HANDED_OVER, "from")


@use_case
def escalate(number: int, *, reason: str, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Hierarchic escalation: to the team's lead, then one manager further up each time. Raises Conflict at the end of the chain."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    reason = text.prose(reason, field="reason", limit=4000, required=True)
    chain = people.manager_chain(ticket.team) if ticket.team else []
    if ticket.escalation_level >= len(chain):
        raise Conflict("Nobody further up is known. Set the team's lead and the managers in setup.")
    person = chain[ticket.escalation_level]
    tickets.change(
        ticket,
        now=now,
        guard={"escalation_level": ticket.escalation_level},
        escalation_level=ticket.escalation_level + 1,
    )
    for kind in (WatcherKind.WATCHER, *([WatcherKind.NAMED] if ticket.is_restricted else [])):
        tickets.watch(ticket, person=person, kind=kind, now=now)
    comment, _ = tickets.comment(ticket, body=reason, is_public=False, actor=actor, now=now, data={"of": "escalated"})
    entry = tickets.record(
        Verb.ESCALATED,
        ticket,
        actor=actor,
        now=now,
        data={"to": person, "level": ticket.escalation_level, "comment": comment.pk},
    )
    steps.tell(entry, topic=Topic.ESCALATED, persons=[person], actor=actor, now=now)
    return ticket
