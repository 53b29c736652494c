"""Steps of giving a ticket to a person. None opens a transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid
from allswell.notifications.rules import Topic
from allswell.people import operations
from allswell.people import queries as people
from allswell.people.rules import Act, may
from allswell.tickets import operations as tickets
from allswell.tickets import queries, rules
from allswell.tickets.rules import Move, State

from . import steps
from .practices import lifecycle

if TYPE_CHECKING:
    from allswell.people.models import Team
    from allswell.tickets.models import Ticket


def give(ticket: Ticket, *, person: int | None, actor: Actor, now: datetime) -> None:
    """Give a ticket to a person, or to nobody; whoever is away is replaced by who stands in.

    Who gives it to themselves acknowledges it. Raises Invalid when the person could not work on it, Conflict, Stale.
    """
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    before, meant = ticket.assignee_id, person
    if person is not None and person != actor.person:
        person = people.present(person, now=now)
    if person == before:
        return
    if person is not None and not could_work(ticket, person):
        raise Invalid("This person cannot work on this ticket.", field="person")
    former = tickets.change(ticket, now=now, guard={"assignee": before}, assignee_id=person)
    kept = {"from": before, "to": person, "before": former}
    if meant != person:
        kept["instead_of"] = meant
    entry = tickets.record(Verb.ASSIGNED if person else Verb.UNASSIGNED, ticket, actor=actor, now=now, data=kept)
    if ticket.state == State.NEW and person == actor.person:
        tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.ACKNOWLEDGE, actor=actor, now=now)
    if person:
        steps.tell(entry, topic=Topic.ASSIGNED, persons=[person], actor=actor, now=now, is_held=True)


def automatically(ticket: Ticket, *, team: Team | None, actor: Actor, now: datetime) -> None:
    """Give a ticket to the member of its team whose turn it is, if the team wants that; who is away is skipped.

    Nobody has acknowledged it thereby.
    """
    if team is None or team.assignment == "manual" or ticket.assignee_id is not None:
        return
    present = [person for person in people.present_members(team.pk, now=now) if person != ticket.requester_id]
    able = sorted(steps.those_who_may(Act.WORK, ticket, present))
    if team.assignment == "least_loaded":
        chosen = rules.least_loaded(able, loads=queries.loads(able), last=team.last_assignee_id)
    else:
        chosen = rules.next_in_turn(able, last=team.last_assignee_id)
    if chosen is None:
        return
    operations.remember_turn(team, person=chosen)
    former = tickets.change(ticket, now=now, guard={"assignee": None}, assignee_id=chosen)
    kept = {"from": None, "to": chosen, "by": team.assignment, "before": former}
    entry = tickets.record(Verb.ASSIGNED, ticket, actor=actor, now=now, data=kept)
    steps.tell(entry, topic=Topic.ASSIGNED, persons=[chosen], actor=actor, now=now, is_held=True, is_for_actor_too=True)


def could_work(ticket: Ticket, person: int) -> bool:
    """Whether a person may work on a ticket once it is theirs."""
    found = people.actors([person]).get(person)
    if found is None:
        return False
    return may(found, Act.WORK, replace(queries.facts_for(ticket, [person]), assignee=person))
