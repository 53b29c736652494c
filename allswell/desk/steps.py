"""Steps that use cases share. None opens a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.incidents import operations as incidents
from allswell.incidents import queries as incident_queries
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotFound, Stale
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import Act, may, require
from allswell.tickets import queries, rules
from allswell.tickets.rules import WatcherKind

if TYPE_CHECKING:
    from allswell.incidents.models import Announcement
    from allswell.journal.models import Entry
    from allswell.people.models import Organization, Person, Team
    from allswell.tickets.models import Ticket


def ticket_for(number: int, act: Act, *, actor: Actor, version: int | None = None, is_locked: bool = False) -> Ticket:
    """The ticket, if the actor may do this to it. `version` is what the actor saw (If-Match).

    `is_locked` makes others wait until this act is done, for acts of which two at once both stand. Raises NotFound, NotAllowed,
    Stale.
    """
    ticket = queries.ticket(number, is_locked=is_locked)
    if ticket is None:
        raise NotFound("There is no such ticket, or you may not see it.")
    require(actor, act, queries.facts(ticket, person=actor.person))
    if version is not None and ticket.version != version:
        raise Stale("Somebody else just changed this ticket. Look at it again.")
    return ticket


def is_requester_side(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor speaks here as the one who asked, not as the desk."""
    return not may(actor, Act.WORK, queries.facts(ticket, person=actor.person)) or (
        ticket.requester_id == actor.person and ticket.assignee_id != actor.person
    )


def public_audience(ticket: Ticket) -> set[int]:
    """Who hears what is said publicly on the requester's side: the requester and those in copy."""
    audience = set(queries.watchers(ticket.pk, [WatcherKind.PARTICIPANT]))
    if ticket.requester_id:
        audience.add(ticket.requester_id)
    return audience


def desk_audience(ticket: Ticket) -> set[int]:
    """Who at the desk hears of a ticket: its assignee and its watchers, as far as they (still) see it."""
    audience = set(queries.watchers(ticket.pk, [WatcherKind.WATCHER, WatcherKind.NAMED]))
    if ticket.assignee_id:
        audience.add(ticket.assignee_id)
    return those_who_may(Act.SEE_INTERNAL, ticket, audience)


def affected_audience(ticket: Ticket) -> set[int]:
    """Who hears what is announced about an incident but not its conversation: those who said "same for me"."""
    return set(queries.watchers(ticket.pk, [WatcherKind.AFFECTED])) - public_audience(ticket)


def works_again(ticket: Ticket, *, entry: Entry, actor: Actor, now: datetime) -> None:
    """An incident was resolved: what was announced about it ends, and everybody affected is told, in the announcement's words.

    `entry` is the resolution; the notices hang on it.
    """
    announcement = incident_queries.last_announcement(ticket.pk)
    if announcement is None:
        return
    if announcement.ended_at is None:
        incidents.end_announcement(announcement, actor=actor, now=now)
    tell_announced(entry, announcement, step="works_again", persons=affected_audience(ticket), actor=actor, now=now)


def withdraw_announcement(ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """An incident was cancelled: what was announced about it ends, and who follows it is told that it was withdrawn."""
    announcement = incident_queries.open_announcement(ticket.pk)
    if announcement is None:
        return
    entry = incidents.end_announcement(announcement, actor=actor, now=now)
    tell_announced(entry, announcement, step="withdrawn", persons=affected_audience(ticket), actor=actor, now=now)


def tell_announced(
    entry: Entry,
    announcement: Announcement,
    *,
    step: str,
    persons: Iterable[int],
    actor: Actor,
    now: datetime,
    body: str = "",
) -> None:
    """A notice in the announcement's words alone. `step`: announced, updated, ended, works_again or withdrawn."""
    until = announcement.next_update_at if announcement.ended_at is None else None
    tell(
        entry,
        topic=Topic.ANNOUNCED,
        persons=persons,
        actor=actor,
        now=now,
        announcement=announcement.pk,
        step=step,
        title=announcement.title,
        body=body,
        next_update_at=until.isoformat() if until else None,
    )


def those_who_may(act: Act, ticket: Ticket, persons: Iterable[int]) -> set[int]:
    """Those of `persons` who may do this to a ticket; notices and mentions never reach further."""
    wanted = set(persons)
    if not wanted:
        return set()
    facts = queries.facts_for(ticket, wanted)
    return {person for person, actor in people.actors(wanted).items() if may(actor, act, facts)}


def _reaches(actor: Actor, organization: int | None) -> bool:
    inside = people.reach(actor)
    return inside is None or organization in inside


def person_within_reach(ref: int | str, *, actor: Actor, field: str) -> Person:
    """A person the actor may name, by id or e-mail address. Raises Invalid alike for who is unknown and who is out of reach."""
    if isinstance(ref, str) and not (ref.isdecimal() and len(ref) < 18):
        person = people.person_by_address(text.folded_address(ref, field=field))
    else:
        person = people.person(int(ref))
    is_known = person is not None and person.is_active
    if person and is_known and (person.pk == actor.person or _reaches(actor, person.organization_id)):
        return person
    raise Invalid("Nobody is known by this name or address.", field=field)


def colleague_by_address(address: str, *, actor: Actor, field: str) -> Person:
    """Somebody of the actor's own organization or one below it, by a known e-mail address.

    Raises Invalid alike for who is unknown, out of use or of another organization: a requester learns nothing about others.
    """
    person = people.person_by_address(text.folded_address(address, field=field))
    inside = people.organization_and_below(actor.organization)
    if person is None or not person.is_active or person.organization_id not in inside:
        raise Invalid("Nobody in your organization is known by this address.", field=field)
    return person


def team_within_reach(team: int, *, actor: Actor, field: str = "team") -> Team:
    """A team the actor may give tickets to. Raises Invalid."""
    found = people.team(team)
    if found is None or not (found.organization_id is None or _reaches(actor, found.organization_id)):
        raise Invalid("There is no such team.", field=field)
    return found


def matrix_for(organization: Organization | None) -> rules.Matrix:
    """The priority matrix in force for an organization."""
    return rules.Matrix.parse(people.inherited(organization, "priority_matrix"))


def custom_values(kind: str, values: dict[str, Any], *, is_from_portal: bool = False) -> dict[str, Any]:
    """The values of custom fields for a kind of ticket, checked. Raises Invalid naming `custom.<key>`.

    `is_from_portal`: only what the portal asks for is taken, and needed; the desk fills in the rest.
    """
    fields = [
        rules.CustomRule(key=row.key, kind=row.kind, choices=tuple(row.choices), is_required=row.is_required)
        for row in queries.custom_fields(kind)
        if row.is_in_portal or not is_from_portal
    ]
    return rules.custom_values(fields, values)


_gathered: ContextVar[dict[int, int] | None] = ContextVar("gathered", default=None)
#: notices to the desk that a bulk change tells once instead of once per ticket
_GATHERED_TOPICS = frozenset({Topic.ASSIGNED, Topic.TEAM, Topic.WATCHED})


@contextmanager
def gathering() -> Iterator[dict[int, int]]:
    """Within it, notices to the desk are not told but counted: person -> how many. What requesters are told is told."""
    counts: dict[int, int] = {}
    token = _gathered.set(counts)
    try:
        yield counts
    finally:
        _gathered.reset(token)


def tell(
    entry: Entry,
    *,
    topic: Topic,
    persons: Iterable[int],
    actor: Actor,
    now: datetime,
    is_held: bool = False,
    is_for_actor_too: bool = False,
    known: notifications.Ways | None = None,
    **content: Any,
) -> None:
    """Put notices into the outbox, to everybody named but the one who did it. `known`: the ways to them, if asked for before.

    `is_held` holds them back for as long as the act can be undone without anybody noticing.
    """
    told = set(persons) if is_for_actor_too else set(persons) - {actor.person}
    gathered = _gathered.get()
    if gathered is not None and topic in _GATHERED_TOPICS:
        for person in told:
            gathered[person] = gathered.get(person, 0) + 1
        return
    due_at = now + timedelta(seconds=rules.HOLD_SECONDS) if is_held else None
    notifications.enqueue(entry, topic=topic, persons=told, content=content, now=now, due_at=due_at, known=known)
