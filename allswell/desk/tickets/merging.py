"""One ticket becomes part of another, and what must come along: conversation, files, watchers, who is affected, what was announced."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.desk.practices import lifecycle
from allswell.incidents import operations as incidents
from allswell.incidents import queries as incident_queries
from allswell.journal import queries as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict
from allswell.notifications.rules import Topic
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets.rules import Kind, Move, WatcherKind

from .linking import both

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.tickets.models import Ticket


@use_case
def merge(number: int, *, into: int, actor: Actor, now: datetime) -> Ticket:
    """This ticket is the same as another: its conversation, files and watchers move there, and it ends as merged.

    Who asked for it is in copy of the other from then on; who said "same for me" follows the other. Answers the ticket
    merged into. Raises Invalid, Conflict.
    """
    source, target = both(number, into, actor=actor, field="into")
    if target.done_at:
        raise Conflict("The other ticket is done.")
    if source.organization_id != target.organization_id:
        raise Conflict("These tickets belong to different organizations; link them instead.")
    if source.is_restricted and not target.is_restricted:
        raise Conflict("A restricted ticket cannot become part of one that everybody sees.")
    ended = tickets.move(
        source,
        lifecycle=lifecycle(source),
        verb=Move.CANCEL,
        actor=actor,
        now=now,
        data={"reason": "merged"},
        resolution_code="merged",
        merged_into_id=target.pk,
    )
    audience = steps.public_audience(source)
    announced, left = _announced(source, target, actor=actor, now=now)
    coming = tickets.merge(source, target, left=left, also=announced, actor=actor, now=now)
    incidents.count_affected(target, _affected(coming))
    waits_since = min((since for since in (source.asked_at, target.asked_at) if since), default=None)
    tickets.change(target, now=now, asked_at=waits_since)
    steps.tell(ended, topic=Topic.STATE, persons=audience, actor=actor, now=now, merged_into=target.pk)
    return target


@use_case
def unmerge(number: int, *, actor: Actor, now: datetime) -> Ticket:
    """The merged ticket was something else after all: all that came from it goes back. Raises Conflict when it was not merged."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    if ticket.merged_into_id is None:
        raise Conflict("This ticket was not merged.")
    source, target = both(number, ticket.merged_into_id, actor=actor, field="into")
    if target.merged_into_id:
        raise Conflict("The other ticket was merged itself since; take that back first.")
    merged = journal.latest(source.pk, Verb.MERGED)
    ended = journal.latest(source.pk, Verb.CANCELLED)
    if merged is None or ended is None:
        raise Conflict("This ticket was not merged.")
    tickets.unmerge(source, target, merged.data, actor=actor, now=now)
    incidents.count_affected(target, -_affected(merged.data["watchers"]))
    tickets.change(source, now=now, guard={"merged_into": target.pk}, **tickets.former_values(ended))
    tickets.change(target, now=now)
    _announced_again(source, target, merged, actor=actor, now=now)
    return source


def _affected(watchers: list[list[Any]]) -> int:
    return sum(kind == WatcherKind.AFFECTED for _, kind in watchers)


def _announced(source: Ticket, target: Ticket, *, actor: Actor, now: datetime) -> tuple[dict[str, Any], set[int]]:
    """What was announced about the one is now about the other, unless that is announced itself: then its words alone remain.

    Answers what `unmerge` must know, and who is told that it was taken down, because the other's words are not for them.
    """
    announcement = incident_queries.open_announcement(source.pk)
    if announcement is None:
        return {}, set()
    other = incident_queries.open_announcement(target.pk)
    if other is None and target.kind == Kind.INCIDENT:
        incidents.move_announcement(announcement, to=target)
        return {"announcement": announcement.pk, "is_ended": False}, set()
    left = steps.affected_audience(source)
    if other is not None:
        left -= incident_queries.addressed(other, left)
    entry = incidents.end_announcement(announcement, actor=actor, now=now)
    steps.tell_announced(entry, announcement, step="withdrawn", persons=left, actor=actor, now=now)
    return {"announcement": announcement.pk, "is_ended": True}, left


def _announced_again(source: Ticket, target: Ticket, merged: Entry, *, actor: Actor, now: datetime) -> None:
    """The announcement that went along comes back, with those who said "same for me" to it meanwhile."""
    announcement = incident_queries.announcement(merged.data.get("announcement", 0))
    if announcement is None:
        return
    if merged.data["is_ended"]:
        if announcement.ended_at and not source.done_at:
            incidents.reopen_announcement(announcement, actor=actor, now=now)
        return
    incidents.move_announcement(announcement, to=source)
    since = journal.of_ticket(target.pk).filter(verb=Verb.AFFECTED.value, pk__gt=merged.pk)
    joined = [entry.data["person"] for entry in since if entry.data.get("announcement") == announcement.pk]
    moved = sum(tickets.rewatch(target, source, person=person, kind=WatcherKind.AFFECTED) for person in joined)
    incidents.count_affected(target, -moved)
    incidents.count_affected(source, moved)
