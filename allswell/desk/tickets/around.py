"""Who and what stands around a ticket: watchers, people in copy, tags, who may see it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed
from allswell.notifications.rules import Topic
from allswell.people.rules import Act, may
from allswell.tickets import operations as tickets
from allswell.tickets import queries
from allswell.tickets.rules import State, WatcherKind

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.tickets.models import Ticket


#: people a requester may put in copy
MOST_IN_COPY = 50


def _add(ticket: Ticket, *, person: int, kind: WatcherKind, actor: Actor, now: datetime) -> Entry | None:
    if not tickets.watch(ticket, person=person, kind=kind, now=now):
        return None
    if kind is not WatcherKind.WATCHER:  # who merely follows changes nothing for others who look at it
        tickets.change(ticket, now=now)
    return tickets.record(Verb.WATCHED, ticket, actor=actor, now=now, data={"person": person, "kind": kind.value})


def _remove(ticket: Ticket, *, person: int, kind: WatcherKind, actor: Actor, now: datetime) -> None:
    if tickets.unwatch(ticket, person=person, kind=kind):
        if kind is not WatcherKind.WATCHER:
            tickets.change(ticket, now=now)
        tickets.record(Verb.UNWATCHED, ticket, actor=actor, now=now, data={"person": person, "kind": kind.value})


@use_case
def watch(number: int, *, person: int | None = None, actor: Actor, now: datetime) -> Ticket:
    """Be told (or let a colleague of the desk be told) of everything that happens on a ticket."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    watcher = person if person is not None else actor.person
    if watcher is None or not steps.those_who_may(Act.SEE_INTERNAL, ticket, [watcher]):
        raise Invalid("This person may not see this ticket.", field="person")
    _add(ticket, person=watcher, kind=WatcherKind.WATCHER, actor=actor, now=now)
    return ticket


@use_case
def unwatch(number: int, *, person: int | None = None, actor: Actor, now: datetime) -> Ticket:
    """Be told no longer (or let a colleague be told no longer)."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    watcher = person if person is not None else actor.person
    if watcher is not None:
        _remove(ticket, person=watcher, kind=WatcherKind.WATCHER, actor=actor, now=now)
    return ticket


def _speaks_for(ticket: Ticket, *, actor: Actor) -> bool:
    """Whether the actor decides who is in copy as the one who asked, not as the desk. Raises NotAllowed for who is in copy only."""
    if may(actor, Act.WORK, queries.facts(ticket, person=actor.person)):
        return False
    if ticket.requester_id != actor.person:
        raise NotAllowed("Only who asked for this, or the desk, decides who is in copy.")
    if ticket.state in (State.CANCELLED, State.REJECTED):
        raise Conflict("This ticket has ended.")
    return True


@use_case
def add_participant(number: int, *, person: int | str, actor: Actor, now: datetime) -> Ticket:
    """Put somebody (an id or a known e-mail address) in copy: they see the public conversation and speak in it, and are told so.

    Who asked for the ticket may do it too, with people of their own organization, by e-mail address.
    """
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor)
    if _speaks_for(ticket, actor=actor):
        found = steps.colleague_by_address(str(person), actor=actor, field="person")
        if found.pk == actor.person:
            raise Invalid("Choose somebody else.", field="person")
        if len(queries.watchers(number, [WatcherKind.PARTICIPANT])) >= MOST_IN_COPY:
            raise Conflict("There are as many people in copy as there can be.")
    else:
        found = steps.person_within_reach(person, actor=actor, field="person")
    if found.pk != ticket.requester_id:
        entry = _add(ticket, person=found.pk, kind=WatcherKind.PARTICIPANT, actor=actor, now=now)
        if entry is not None:
            steps.tell(entry, topic=Topic.STATE, persons=[found.pk], actor=actor, now=now)
    return ticket


@use_case
def remove_participant(number: int, *, person: int, actor: Actor, now: datetime) -> Ticket:
    """Take somebody out of copy, as the desk or as who asked; people in copy may leave by themselves."""
    ticket = steps.ticket_for(number, Act.SEE, actor=actor)
    if person != actor.person:
        _speaks_for(ticket, actor=actor)
    _remove(ticket, person=person, kind=WatcherKind.PARTICIPANT, actor=actor, now=now)
    return ticket


@use_case
def tag(number: int, *, name: str, actor: Actor, now: datetime) -> Ticket:
    """Put a word on a ticket (lower case, at most 40 characters)."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    word = text.line(name, field="name", limit=40).lower()
    if (added := tickets.tag(ticket, word)) is not None:
        tickets.change(ticket, now=now)
        tickets.record(Verb.TAGGED, ticket, actor=actor, now=now, data={"tag": added})
    return ticket


@use_case
def untag(number: int, *, name: str, actor: Actor, now: datetime) -> Ticket:
    """Take a word off a ticket."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    word = text.line(name, field="name", limit=40).lower()
    if (removed := tickets.untag(ticket, word)) is not None:
        tickets.change(ticket, now=now)
        tickets.record(Verb.UNTAGGED, ticket, actor=actor, now=now, data={"tag": removed})
    return ticket


def _name(ticket: Ticket, persons: Iterable[int], *, actor: Actor, now: datetime) -> None:
    """Let people see a restricted ticket. Raises Invalid for who is not of the desk: naming alone shows nothing to them."""
    for person in sorted(set(persons)):
        if tickets.watch(ticket, person=person, kind=WatcherKind.NAMED, now=now):
            kept = {"person": person, "kind": WatcherKind.NAMED.value}
            tickets.record(Verb.WATCHED, ticket, actor=actor, now=now, data=kept)
    if set(persons) - steps.those_who_may(Act.SEE_INTERNAL, ticket, persons):
        raise Invalid("This person does not work at the desk.", field="people")


@use_case
def restrict(number: int, *, people: Iterable[int] = (), actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Hide a ticket from everybody but its team, its assignee, its requester's side and `people`. The actor stays named."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if not ticket.is_restricted:
        tickets.change(ticket, now=now, guard={"is_restricted": False}, is_restricted=True)
        tickets.record(Verb.RESTRICTED, ticket, actor=actor, now=now)
    _name(ticket, {*people, *([actor.person] if actor.person else [])}, actor=actor, now=now)
    return ticket


@use_case
def name_people(number: int, *, people: Iterable[int], actor: Actor, now: datetime) -> Ticket:
    """Let more people of the desk see a restricted ticket."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    if not ticket.is_restricted:
        raise Conflict("This ticket is not restricted.")
    tickets.change(ticket, now=now, guard={"is_restricted": True})
    _name(ticket, set(people), actor=actor, now=now)
    return ticket


@use_case
def unname_person(number: int, *, person: int, actor: Actor, now: datetime) -> Ticket:
    """Let somebody see a restricted ticket no longer, unless they are of its team or its assignee."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    _remove(ticket, person=person, kind=WatcherKind.NAMED, actor=actor, now=now)
    return ticket


@use_case
def unrestrict(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Show a restricted ticket to everybody at the desk again: a lead's decision."""
    ticket = steps.ticket_for(number, Act.LEAD, actor=actor, version=version)
    if ticket.is_restricted:
        tickets.change(ticket, now=now, guard={"is_restricted": True}, is_restricted=False)
        for person in queries.watchers(ticket.pk, [WatcherKind.NAMED]):
            tickets.unwatch(ticket, person=person, kind=WatcherKind.NAMED)
        tickets.record(Verb.UNRESTRICTED, ticket, actor=actor, now=now)
    return ticket
