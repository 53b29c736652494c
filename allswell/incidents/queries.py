"""Reading incidents and what is announced about them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from allswell.database.rows import Composed
from allswell.people import queries as people
from allswell.tickets import queries as tickets
from allswell.tickets.rules import WatcherKind

from . import rules
from .models import Announcement, AnnouncementUpdate, Incident

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from allswell.kernel.actor import Actor
    from allswell.people.models import Organization


def incident(number: int) -> Incident | None:
    """An incident's own facts."""
    return Incident.objects.filter(ticket=number).first()


def _with_words(rows: QuerySet[Announcement]) -> QuerySet[Announcement]:
    """The announcements with service and updates (newest first) loaded, newest announcement first."""
    updates = Prefetch("updates", AnnouncementUpdate.objects.order_by("-created_at", "-id"))
    return rows.select_related("service").prefetch_related(updates).order_by("-announced_at", "-id")


def _addressed(actor: Actor) -> Q:
    """Announcements to everybody, to the actor's organization or to one above it."""
    if actor.is_system:
        return Q(pk__isnull=False)
    above = people.own_and_above(actor)
    # a subquery, not a join: an announcement to two organizations above is still one announcement
    told = Announcement.audience.through.objects.filter(organization__in=above).values("announcement")
    return Q(is_for_all=True) | Q(pk__in=told)


def visible_announcements(actor: Actor) -> QuerySet[Announcement]:
    """What is announced now to this actor: to everybody, to their organization or to one above it.

    The one scope behind portal, status page, matching and "same for me".
    """
    return _with_words(Announcement.objects.filter(_addressed(actor), ended_at__isnull=True))


def ended_announcements(actor: Actor, *, since: datetime) -> QuerySet[Announcement]:
    """What was announced to this actor and has ended since."""
    return _with_words(Announcement.objects.filter(_addressed(actor), ended_at__gte=since))


def announcements_at_the_desk(actor: Actor) -> QuerySet[Announcement]:
    """The open announcements of incidents the actor works on or reads, for the ribbon; the incident comes loaded."""
    rows = Announcement.objects.filter(ended_at__isnull=True, ticket__in=tickets.at_the_desk(actor))
    return _with_words(rows.select_related("ticket"))


def ribbon(actor: Actor) -> list[tuple[int, str, datetime, datetime | None]]:
    """(ticket, title, announced at, next update by) of what is announced about the actor's incidents, newest first, at most 10.

    It stands on every page of the desk: its statement is composed once for the actor's rights.
    """
    return [(row[0], row[1], row[2], row[3]) for row in _ribbon(connection.vendor, tickets.rights_of(actor)).rows()]


@functools.lru_cache(maxsize=512)
def _ribbon(vendor: str, rights: Actor) -> Composed:
    # asked of each open announcement, of which there are few; "ticket in what one sees" would go through all tickets
    seen = Announcement.objects.filter(
        Exists(tickets.at_the_desk(rights).filter(pk=OuterRef("ticket_id"))), ended_at__isnull=True
    )
    newest = seen.order_by("-announced_at", "-id")
    return Composed(newest.values_list("ticket_id", "title", "announced_at", "next_update_at")[:10])


def announced_in(team: int) -> set[int]:
    """The open tickets of a team about which something is announced."""
    rows = Announcement.objects.filter(ended_at__isnull=True, ticket__team=team, ticket__done_at__isnull=True)
    return set(rows.values_list("ticket_id", flat=True))


def open_announcement(number: int) -> Announcement | None:
    """The open announcement of an incident; there is at most one."""
    return _with_words(Announcement.objects.filter(ticket=number, ended_at__isnull=True)).first()


def last_announcement(number: int) -> Announcement | None:
    """The newest announcement of an incident, open or ended."""
    return _with_words(Announcement.objects.filter(ticket=number)).first()


def announcement(announcement_id: int) -> Announcement | None:
    """An announcement, open or ended, its incident loaded."""
    return Announcement.objects.select_related("ticket", "ticket__organization").filter(pk=announcement_id).first()


def addressed(announcement: Announcement, persons: Iterable[int]) -> set[int]:
    """Those of `persons` whom an announcement is for."""
    wanted = people.people().filter(pk__in=list(persons))
    if not announcement.is_for_all:
        told = announcement.audience.values_list("pk", flat=True)
        inside = {below for organization in told for below in people.organization_and_below(organization)}
        wanted = wanted.filter(organization__in=inside)
    return set(wanted.values_list("pk", flat=True))


def people_affected(numbers: list[int]) -> dict[int, int]:
    """Incident -> how many people are known to be affected, where that is known."""
    rows = Incident.objects.filter(ticket__in=numbers).values_list("ticket_id", "people_affected")
    return {number: count for number, count in rows if count is not None}


def audience(announcement_id: int) -> list[Organization]:
    """The organizations an announcement is for, by name; none when it is for everybody."""
    row = Announcement.objects.filter(pk=announcement_id).first()
    return list(row.audience.order_by("name")) if row else []


def matching(text: str, actor: Actor) -> list[Announcement]:
    """The visible announcements that answer what is being typed, best first, at most three."""
    scored = [
        (rules.answers(text, title=row.title, body=row.body, service=row.service.name if row.service else ""), row)
        for row in visible_announcements(actor)[:50]
    ]
    found = [pair for pair in scored if rules.is_answer(pair[0])]
    return [row for _, row in sorted(found, key=lambda pair: -pair[0])[:3]]


def joined(actor: Actor, announcements: list[Announcement]) -> set[int]:
    """Which of these announcements the actor said "same for me" to, or asked for themselves; ids of announcements."""
    if actor.person is None or not announcements:
        return set()
    numbers = [row.ticket_id for row in announcements]
    mine = tickets.watched_by(actor.person, numbers, WatcherKind.AFFECTED) | tickets.asked_by(actor.person, numbers)
    return {row.pk for row in announcements if row.ticket_id in mine}
