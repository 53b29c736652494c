"""Writing what stands around a ticket: who watches it, its tags."""

from __future__ import annotations

from datetime import datetime

from allswell.tickets.models import Presence, Tag, Ticket, TicketTag, Watcher
from allswell.tickets.rules import WatcherKind


def watch(ticket: Ticket, *, person: int, kind: WatcherKind, now: datetime) -> bool:
    """Make a person a watcher of a kind; False when they are one already."""
    return Watcher.objects.get_or_create(ticket=ticket, person_id=person, kind=kind.value, defaults={"since": now})[1]


def unwatch(ticket: Ticket, *, person: int, kind: WatcherKind) -> bool:
    """Make a person no watcher of a kind any more; False when they were none."""
    return bool(Watcher.objects.filter(ticket=ticket, person=person, kind=kind.value).delete()[0])


def rewatch(ticket: Ticket, to: Ticket, *, person: int, kind: WatcherKind) -> bool:
    """Make a watcher of one ticket a watcher of another instead; False when they are none, or are one there already."""
    if Watcher.objects.filter(ticket=to, person=person, kind=kind.value).exists():
        return False
    return bool(Watcher.objects.filter(ticket=ticket, person=person, kind=kind.value).update(ticket=to))


def tag(ticket: Ticket, name: str) -> int | None:
    """Put a word on a ticket; answers the tag's id, None when it was there already."""
    row, _ = Tag.objects.get_or_create(name=name)
    return row.pk if TicketTag.objects.get_or_create(ticket=ticket, tag=row)[1] else None


def untag(ticket: Ticket, name: str) -> int | None:
    """Take a word off a ticket; answers the tag's id, None when it was not there."""
    row = TicketTag.objects.filter(ticket=ticket, tag__name=name).first()
    if row is None:
        return None
    row.delete()
    return row.tag_id


def untag_by_id(ticket: Ticket, tag: int) -> None:
    """Take a tag off a ticket."""
    TicketTag.objects.filter(ticket=ticket, tag=tag).delete()


def tag_by_id(ticket: Ticket, tag: int) -> None:
    """Put a tag back on a ticket."""
    TicketTag.objects.get_or_create(ticket=ticket, tag_id=tag)


def copy_named(ticket: Ticket, to: Ticket, *, now: datetime) -> None:
    """Who may see the one restricted ticket may see the other."""
    named = Watcher.objects.filter(ticket=ticket, kind=WatcherKind.NAMED.value).values_list("person_id", flat=True)
    for person in named:
        watch(to, person=person, kind=WatcherKind.NAMED, now=now)


def forget_presence(*, before: datetime) -> int:
    """Remove who was last seen at a ticket before; answers how many."""
    return Presence.objects.filter(seen_at__lt=before).delete()[0]
