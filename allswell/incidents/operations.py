"""Writing incidents and what is announced about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from allswell.database.rows import insert
from allswell.journal import bulk
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Stale
from allswell.tickets import operations as tickets
from allswell.tickets.rules import WatcherKind

from .models import Announcement, AnnouncementUpdate, Incident

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket


def open_incident(ticket: Ticket, *, people_affected: int | None, can_work: str) -> None:
    """Write the incident's own facts beside its ticket."""
    insert(Incident(ticket=ticket, people_affected=people_affected, can_work=can_work))


def change_incident(ticket: Ticket, values: dict[str, Any]) -> bool:
    """Write an incident's own facts; False when nothing differs. The caller journals it."""
    row, _ = Incident.objects.get_or_create(ticket=ticket)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    return bool(changed) and bool(Incident.objects.filter(pk=row.pk).update(**changed))


def ensure_incident(ticket: Ticket) -> None:
    """A ticket became an incident: it has an incident's facts, those it had before or new ones."""
    Incident.objects.get_or_create(ticket=ticket)


def announce(
    ticket: Ticket,
    *,
    title: str,
    body: str,
    service: int | None,
    audience: Iterable[int] | None,
    next_update_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> tuple[Announcement, Entry]:
    """Write an announcement. `audience` are ids of organizations; None: everybody."""
    written = Announcement.objects.create(
        ticket=ticket,
        service_id=service,
        title=title,
        body=body,
        is_for_all=audience is None,
        next_update_at=next_update_at,
        announced_by_id=actor.person,
        announced_at=now,
        updated_at=now,
    )
    told = sorted(set(audience or ()))
    written.audience.set(told)
    data = {"announcement": written.pk, "is_for_all": audience is None, "audience": told}
    return written, tickets.record(Verb.ANNOUNCED, ticket, actor=actor, now=now, data=data)


def update_announcement(
    announcement: Announcement, *, body: str, next_update_at: datetime | None, actor: Actor, now: datetime
) -> tuple[AnnouncementUpdate, Entry]:
    """One more word on an open announcement. Raises Stale when it was ended meanwhile."""
    matched = Announcement.objects.filter(pk=announcement.pk, ended_at__isnull=True).update(
        updated_at=now, next_update_at=next_update_at
    )
    if not matched:
        raise Stale("This announcement has just been ended.")
    announcement.updated_at, announcement.next_update_at = now, next_update_at
    written = AnnouncementUpdate.objects.create(announcement=announcement, body=body, author_id=actor.person, created_at=now)
    data = {"announcement": announcement.pk, "update": written.pk}
    return written, tickets.record(Verb.ANNOUNCEMENT_UPDATED, announcement.ticket, actor=actor, now=now, data=data)


def end_announcement(announcement: Announcement, *, actor: Actor, now: datetime) -> Entry:
    """Take an announcement down. Raises Stale when somebody else just did."""
    if not Announcement.objects.filter(pk=announcement.pk, ended_at__isnull=True).update(ended_at=now, updated_at=now):
        raise Stale("This announcement has just been ended.")
    announcement.ended_at = announcement.updated_at = now
    data = {"announcement": announcement.pk}
    return tickets.record(Verb.ANNOUNCEMENT_ENDED, announcement.ticket, actor=actor, now=now, data=data)


def reopen_announcement(announcement: Announcement, *, actor: Actor, now: datetime) -> Entry:
    """An announcement that was ended by mistake is there again."""
    Announcement.objects.filter(pk=announcement.pk).update(ended_at=None, updated_at=now)
    announcement.ended_at, announcement.updated_at = None, now
    data = {"announcement": announcement.pk, "is_again": True}
    return tickets.record(Verb.ANNOUNCED, announcement.ticket, actor=actor, now=now, data=data)


def move_announcement(announcement: Announcement, *, to: Ticket) -> None:
    """An announcement is about another incident from now on; the caller journals it."""
    Announcement.objects.filter(pk=announcement.pk).update(ticket=to)
    announcement.ticket = to


def count_affected(ticket: Ticket, by: int) -> None:
    """So many more people (or fewer) are known to be affected by an incident."""
    row = Incident.objects.filter(ticket=ticket).first() if by else None
    if row is not None:
        known = row.people_affected if row.people_affected is not None else int(bool(ticket.requester_id))
        row.people_affected = max(known + by, 0)
        row.save(update_fields=["people_affected"])


def affect(announcement: Announcement, *, person: int, actor: Actor, now: datetime) -> bool:
    """A person has it too: they follow the incident's announcements and are counted. False when they were already."""
    ticket = announcement.ticket
    if not tickets.watch(ticket, person=person, kind=WatcherKind.AFFECTED, now=now):
        return False
    known = Coalesce(F("people_affected"), Value(1 if ticket.requester_id else 0))
    Incident.objects.filter(ticket=ticket).update(people_affected=known + 1)
    tickets.record(Verb.AFFECTED, ticket, actor=actor, now=now, data={"announcement": announcement.pk, "person": person})
    return True


def open_many(numbers: list[int]) -> None:
    """Write the own facts of many new incidents, of which nothing more is known."""
    bulk.insert([Incident(ticket_id=number) for number in numbers])
