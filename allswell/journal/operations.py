"""Writing the journal."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Field, JSONField, Model

from allswell.database.rows import insert
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict

from . import bulk
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
    insert(written)
    return written


def columns(
    verb: Verb,
    *,
    ticket: int,
    actor: Actor,
    person: int | None,
    action: uuid.UUID,
    happened_at: datetime,
    now: datetime,
    data: dict[str, Any],
) -> dict[str, Any]:
    """The columns of an entry about a ticket, for `record_columns`: `person` did it, though `actor` writes it down."""
    return {
        "happened_at": happened_at,
        "recorded_at": now,
        "verb": verb.value,
        "about_kind": "ticket",
        "about_id": ticket,
        "ticket_id": ticket,
        "person_id": person,
        "actor_kind": actor.kind.value,
        "channel": actor.channel.value,
        "action": action,
        "data": data,
    }


def record_columns(rows: list[dict[str, Any]]) -> list[int]:
    """Write very many entries at once; returns their keys."""
    return bulk.insert_columns(Entry, rows)


def record_all(entries: list[Entry]) -> None:
    """Write many entries at once."""
    bulk.insert(entries)


def _plain(field: Field[Any, Any], value: Any) -> Any:
    """The value as the journal may keep it; None for texts and documents, which stand in erasable rows only."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and not field.choices:
        return None
    return None if isinstance(field, JSONField) else value


def _save(row: Model, **how: Any) -> None:
    try:
        row.save(**how)
    except IntegrityError as error:
        raise Conflict("Something with this name or address is there already.") from error


def create(row: Model, *, about: str, actor: Actor, now: datetime) -> Entry:
    """Save a new record of what is set up, with its entry; `about` is its kind ("team"). Raises Conflict on a taken key."""
    _save(row, force_insert=True)
    plain = {field.attname: _plain(field, getattr(row, field.attname)) for field in row._meta.concrete_fields}
    kept = {name: value for name, value in plain.items() if value not in (None, "", row.pk) and name != "uid"}
    return record(Verb.CREATED, about=(about, row.pk), actor=actor, now=now, data=kept)


def change(
    row: Model, values: dict[str, Any], *, about: str, actor: Actor, now: datetime, verb: Verb = Verb.CHANGED
) -> Entry | None:
    """Save what differs in `values` (attribute name -> value) and write down which fields changed; None when nothing did.

    Raises Conflict on a taken key.
    """
    fields = {field.attname: field for field in row._meta.concrete_fields}
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return None
    before = {name: _plain(fields[name], getattr(row, name)) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    _save(row, update_fields=[fields[name].name for name in changed])
    after = {name: _plain(fields[name], value) for name, value in changed.items()}
    known = [name for name in changed if before[name] is not None or after[name] is not None]
    data = {
        "fields": sorted(changed),
        "from": {name: before[name] for name in known},
        "to": {name: after[name] for name in known},
    }
    return record(verb, about=(about, row.pk), actor=actor, now=now, data=data)
