"""Writing the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.kernel.actor import Actor

from .models import Entry
from .rules import Verb


def entry(
    verb: Verb,
    *,
    about: tuple[str, int],
    actor: Actor,
    now: datetime,
    ticket: int | None = None,
    data: dict[str, Any] | None = None,
    happened_at: datetime | None = None,
) -> Entry:
    """An entry not yet written; for bulk writing. `about` is (kind, id) of the record; `now` and `happened_at` are aware."""
    return Entry(
        happened_at=happened_at or now,
        recorded_at=now,
        verb=verb.value,
        about_kind=about[0],
        about_id=about[1],
        ticket_id=ticket,
        person_id=actor.person,
        actor_kind=actor.kind.value,
        token_id=actor.token,
        channel=actor.channel.value,
        action=actor.action,
        data=data or {},
    )


def record(
    verb: Verb,
    *,
    about: tuple[str, int],
    actor: Actor,
    now: datetime,
    ticket: int | None = None,
    data: dict[str, Any] | None = None,
    happened_at: datetime | None = None,
) -> Entry:
    """Write down that it happened. Called by operations, inside the desk's transaction."""
    written = entry(verb, about=about, actor=actor, now=now, ticket=ticket, data=data, happened_at=happened_at)
    written.save(force_insert=True)
    return written


def record_all(entries: list[Entry]) -> None:
    """Write many entries at once."""
    Entry.objects.bulk_create(entries, batch_size=500)
