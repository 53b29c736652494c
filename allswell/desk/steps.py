"""Steps that use cases share. None opens a transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.incidents import operations as incidents
from allswell.incidents import queries as incident_queries
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound, Stale
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.people.rules import Act, may, require
from allswell.tickets import queries
from allswell.tickets.rules import WatcherKind

if TYPE_CHECKING:
    from allswell.incidents.models import Announcement
    from allswell.journal.models import Entry
    from allswell.tickets.models import Ticket


def ticket_for(number: int, act: Act, *, actor: Actor, version: int | None = None) -> Ticket:
    """The ticket, if the actor may do this to it. `version` is what the actor saw (If-Match).

    Raises NotFound, NotAllowed, Stale.
    """
    ticket = queries.ticket(number)
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
    """Who at the desk hears of a ticket: its assignee and its watchers."""
    audience = set(queries.watchers(ticket.pk, [WatcherKind.WATCHER, WatcherKind.NAMED]))
    if ticket.assignee_id:
        audience.add(ticket.assignee_id)
    return audience


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


def tell(entry: Entry, *, topic: Topic, persons: Iterable[int], actor: Actor, now: datetime, **content: Any) -> None:
    """Put notices into the outbox, to everybody named but the one who did it."""
    notifications.enqueue(entry, topic=topic, persons=set(persons) - {actor.person}, content=content, now=now)
