"""Writing what is going on: drafts and presence. Light on purpose: one statement each, no journal."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from allswell.tickets.models import Draft, Presence


def save_draft(*, person: int, ticket: int | None, place: str, content: dict[str, str], now: datetime) -> None:
    """Keep what somebody is writing, in place of what they wrote before."""
    mine = Draft.objects.filter(person=person, ticket=ticket, place=place)
    if mine.update(content=content, updated_at=now):
        return
    try:
        with transaction.atomic():
            Draft.objects.create(person_id=person, ticket_id=ticket, place=place, content=content, updated_at=now)
    except IntegrityError:  # the page sent what was typed before at the same moment
        mine.update(content=content, updated_at=now)


def drop_draft(*, person: int, ticket: int | None, place: str) -> None:
    """Throw a draft away."""
    Draft.objects.filter(person=person, ticket=ticket, place=place).delete()


def note_presence(ticket: int, *, person: int, writing: str, now: datetime) -> None:
    """Somebody has a ticket open."""
    Presence.objects.bulk_create(
        [Presence(ticket_id=ticket, person_id=person, seen_at=now, writing=writing)],
        update_conflicts=True,
        unique_fields=["ticket", "person"],
        update_fields=["seen_at", "writing"],
    )


def drop_presence(ticket: int, *, person: int) -> None:
    """Somebody left."""
    Presence.objects.filter(ticket=ticket, person=person).delete()
