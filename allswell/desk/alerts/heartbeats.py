"""The use cases of heartbeats: what a source must be heard of, how often, and that its silence is an alert."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from allswell.desk.door import use_case
from allswell.intake.operations import alert_settings as writing
from allswell.intake.queries import alerts as queries
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.people.rules import Act

from . import sources
from .taking import heartbeat_key

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import AlertSource, Heartbeat

#: the kinds of sources that tell heartbeats: where they call, below the name of the host
CALLED = {
    "heartbeat": "/in/heartbeat/{key}/{name}",
    "opsgenie": "/v2/heartbeats/{name}/ping",
    "alerta": "/api/heartbeat",
}
#: of a source
MOST = 500
SHORTEST, LONGEST = 10, 366 * 86_400
LONGEST_GRACE = 30 * 86_400


def has_heartbeats(source: AlertSource) -> bool:
    """Whether the tool tells heartbeats."""
    return source.kind in CALLED


def place_to_call(source: AlertSource, name: str, *, key: str = "KEY") -> str:
    """Where it calls, below the name of the host; `key` where it stands in the address."""
    return CALLED[source.kind].format(key=key, name=quote(name))


def of_source(source: int, *, actor: Actor) -> QuerySet[Heartbeat]:
    """The heartbeats of a source, for who may see the set-up. Raises NotAllowed, NotFound."""
    return queries.heartbeats(sources.one(source, actor=actor).pk)


def one(source: int, heartbeat: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> Heartbeat:
    """One of them. Raises NotAllowed, NotFound."""
    found = queries.heartbeats(sources.one(source, actor=actor, act=act).pk).filter(pk=heartbeat).first()
    if found is None:
        raise NotFound("There is no such heartbeat.")
    return found


def _named(name: str, kind: str) -> str:
    """A name as its caller's address has it. Raises Invalid."""
    name = text.line(name, field="name", limit=120).strip("/")
    last = name.rpartition("/")[2].lower()
    is_word = last in ("start", "log", "fail") or (last.isascii() and last.isdigit() and len(last) <= 3)
    if not name or (kind == "heartbeat" and (is_word or "//" in name)):
        raise Invalid("This means something else at the end of the address. Choose another name.", field="name")
    return name


def _within(seconds: int, least: int, most: int, *, field: str) -> int:
    if not least <= seconds <= most:
        raise Invalid("Give a time that makes sense here.", field=field)
    return seconds


@use_case
def create(source: int, *, name: str, every: int, grace: int = 60, actor: Actor, now: datetime) -> Heartbeat:
    """Wait for it every `every` seconds, and `grace` seconds more. Raises Invalid, Conflict, NotAllowed, NotFound."""
    row = sources.one(source, actor=actor, act=Act.SET_UP)
    if not has_heartbeats(row):
        raise Conflict("This tool tells no heartbeats.")
    name = _named(name, row.kind)
    if queries.heartbeats(row.pk).count() >= MOST:
        raise Invalid("There are too many of these.", field="name")
    if queries.heartbeats(row.pk).filter(name=name).exists():
        raise Invalid("There is one of this name already.", field="name")
    every = _within(every, SHORTEST, LONGEST, field="every")
    grace = _within(grace, 0, LONGEST_GRACE, field="grace")
    return writing.create_heartbeat(row.pk, name, every=every, grace=grace, actor=actor, now=now)


@use_case
def change(
    source: int,
    heartbeat: int,
    *,
    every: int | None = None,
    grace: int | None = None,
    is_active: bool | None = None,
    actor: Actor,
    now: datetime,
) -> Heartbeat:
    """Change what is not None. Paused, nobody waits for it, and what fires because of it is over. Raises Invalid, NotFound."""
    row = one(source, heartbeat, actor=actor, act=Act.SET_UP)
    values: dict[str, Any] = {}
    if every is not None:
        values["every"] = _within(every, SHORTEST, LONGEST, field="every")
    if grace is not None:
        values["grace"] = _within(grace, 0, LONGEST_GRACE, field="grace")
    if is_active is not None:
        values["is_active"] = is_active
    if is_active is False and row.missing_since is not None:
        writing.let_end(source, heartbeat_key(row.name), now=now)
    writing.change_heartbeat(row, values, actor=actor, now=now)
    return row


@use_case
def remove(source: int, heartbeat: int, *, actor: Actor, now: datetime) -> None:
    """Nobody waits for it any more; what fires because of it is over. Raises NotAllowed, NotFound."""
    row = one(source, heartbeat, actor=actor, act=Act.SET_UP)
    if row.missing_since is not None:
        writing.let_end(source, heartbeat_key(row.name), now=now)
    writing.remove_heartbeat(row, actor=actor, now=now)
