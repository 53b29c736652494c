"""Sources of alerts and their heartbeats: which monitoring tools may report, and what they must be heard of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk.alerts import heartbeats
from allswell.desk.alerts import sources as desk

from .alerts import TAG

SCOPE = "setup:write"
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Kind = Annotated[str, Meta(min_length=1, max_length=20, description="The tool: alertmanager, pagerduty, generic …")]
Secret = Annotated[str, Meta(max_length=200, description="What the tool signs with; empty: nothing.")]


Hours = Annotated[int, Meta(ge=1, le=desk.LONGEST_PATIENCE)]


class AlertSource(Struct):
    """A monitoring tool that may report. Of its key only the last characters are shown.

    An alert of which nothing is told for `ends_after` hours ends by itself; null: never.
    """

    noted: ClassVar[frozenset[str]] = frozenset({"last_seen_at", "seen_count", "refused_at", "refusal", "key"})

    id: int
    name: str
    slug: str
    kind: str
    key_hint: str
    former_key_until: datetime | None
    service: int | None
    team: int | None
    mapping: dict[str, Any]
    ends_after: int | None
    is_active: bool
    created_at: datetime
    last_seen_at: datetime | None
    seen_count: int
    refused_at: datetime | None
    refusal: str


class NewSourceAnswer(AlertSource):
    """A source with its key, shown this once (null when the call is repeated)."""

    key: str | None = None


class SourceKey(Struct):
    """A new key, shown this once (null when the call is repeated). The former serves for a day."""

    key: str | None


def _make(row: Any, shape: type[Any] = AlertSource) -> Any:
    return shape(
        id=row.pk,
        name=row.name,
        slug=row.slug,
        kind=row.kind,
        key_hint=row.key_hint,
        former_key_until=row.former_until if row.former_digest else None,
        service=row.service_id,
        team=row.team_id,
        mapping=row.mapping,
        ends_after=row.ends_after,
        is_active=row.is_active,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        seen_count=row.seen_count,
        refused_at=row.refused_at,
        refusal=row.refusal,
    )


@operation(
    "GET",
    "/alert-sources",
    id="listAlertSources",
    summary="All sources of alerts, newest first",
    tag=TAG,
    scope=SCOPE,
    query=Paged,
    answer=Page[AlertSource],
)
def list_sources(call: Call) -> Page[AlertSource]:
    return page(call, desk.all_sources(call.actor), lambda rows: [_make(row) for row in rows])


@operation(
    "GET", "/alert-sources/{id}", id="getAlertSource", summary="One source of alerts", tag=TAG, scope=SCOPE, answer=AlertSource
)
def get(call: Call) -> AlertSource:
    made: AlertSource = _make(desk.one(call.path["id"], actor=call.actor))
    return made


class NewAlertSource(Body):
    """What reports, and what its alerts are about where their labels do not say. `ends_after` null: never; left out: as its tool
    repeats what fires."""

    name: Name
    kind: Kind
    service: Id | None = None
    team: Id | None = None
    mapping: dict[str, Any] = {}
    secret: Secret = ""
    ends_after: Hours | UnsetType | None = UNSET


@operation(
    "POST",
    "/alert-sources",
    id="createAlertSource",
    summary="Let a tool report; its key is shown this once",
    tag=TAG,
    scope=SCOPE,
    body=NewAlertSource,
    answer=NewSourceAnswer,
    status=201,
    present=lambda call, made: _created(call, *made),
    shown_once=("key",),
)
def create(call: Call) -> Any:
    body: NewAlertSource = call.body
    return desk.create(
        name=body.name,
        kind=body.kind,
        service=body.service,
        team=body.team,
        mapping=body.mapping,
        secret=body.secret,
        ends_after=None if body.ends_after is UNSET else body.ends_after or 0,
        actor=call.actor,
        now=call.now,
    )


def _created(call: Call, row: Any, key: str) -> NewSourceAnswer:
    call.headers["Location"] = f"{BASE}/alert-sources/{row.pk}"
    made: NewSourceAnswer = _make(row, NewSourceAnswer)
    made.key = key
    return made


class AlertSourceChange(Body):
    """What to change; what is left out stays, null is none."""

    name: Name | UnsetType = UNSET
    service: Id | UnsetType | None = UNSET
    team: Id | UnsetType | None = UNSET
    mapping: dict[str, Any] | UnsetType = UNSET
    secret: Secret | UnsetType = UNSET
    ends_after: Hours | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/alert-sources/{id}",
    id="updateAlertSource",
    summary="Change a source of alerts",
    tag=TAG,
    scope=SCOPE,
    body=AlertSourceChange,
    answer=AlertSource,
    present=lambda call, row: get(call),
    current=get,
)
def update(call: Call) -> Any:
    body: AlertSourceChange = call.body
    return desk.change(
        call.path["id"],
        name=None if body.name is UNSET else body.name,
        service=None if body.service is UNSET else body.service or "",
        team=None if body.team is UNSET else body.team or 0,
        mapping=None if body.mapping is UNSET else body.mapping,
        secret=None if body.secret is UNSET else body.secret,
        ends_after=None if body.ends_after is UNSET else body.ends_after or 0,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "POST",
    "/alert-sources/{id}/rotate_key",
    id="rotateAlertSourceKey",
    summary="A new key; the former serves for a day",
    tag=TAG,
    scope=SCOPE,
    answer=SourceKey,
    present=lambda call, key: SourceKey(key),
    shown_once=("key",),
)
def rotate_key(call: Call) -> Any:
    return desk.rotate(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/alert-sources/{id}/end_former_key",
    id="endFormerAlertSourceKey",
    summary="The former key serves no more",
    tag=TAG,
    scope=SCOPE,
    answer=AlertSource,
    present=lambda call, row: get(call),
)
def end_former_key(call: Call) -> Any:
    return desk.end_former_key(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/alert-sources/{id}/disable",
    id="disableAlertSource",
    summary="Refuse what it sends; what it told stays",
    tag=TAG,
    scope=SCOPE,
    answer=AlertSource,
    present=lambda call, row: get(call),
)
def disable(call: Call) -> Any:
    return desk.switch(call.path["id"], is_active=False, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/alert-sources/{id}/enable",
    id="enableAlertSource",
    summary="Let it report again",
    tag=TAG,
    scope=SCOPE,
    answer=AlertSource,
    present=lambda call, row: get(call),
)
def enable(call: Call) -> Any:
    return desk.switch(call.path["id"], is_active=True, actor=call.actor, now=call.now)


# heartbeats

Every = Annotated[int, Meta(ge=heartbeats.SHORTEST, le=heartbeats.LONGEST, description="Seconds.")]
Grace = Annotated[int, Meta(ge=0, le=heartbeats.LONGEST_GRACE, description="Seconds it may be late.")]


class Heartbeat(Struct):
    """What must be heard of every `every` seconds; `call` is where, with KEY for the key of its source."""

    noted: ClassVar[frozenset[str]] = frozenset({"last_at", "due_at", "missing_since"})

    id: int
    name: str
    every: int
    grace: int
    is_active: bool
    call: str
    created_at: datetime
    last_at: datetime | None
    due_at: datetime | None
    missing_since: datetime | None


def _beat(call: Call, row: Any) -> Heartbeat:
    source = desk.one(call.path["id"], actor=call.actor)
    return _beats(source, [row])[0]


def _beats(source: Any, rows: Any) -> list[Heartbeat]:
    return [
        Heartbeat(
            row.pk,
            row.name,
            row.every,
            row.grace,
            row.is_active,
            heartbeats.place_to_call(source, row.name),
            row.created_at,
            row.last_at,
            row.due_at,
            row.missing_since,
        )
        for row in rows
    ]


class NewHeartbeat(Body):
    """What must be heard of, how often, and how late it may be."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    every: Every
    grace: Grace = 60


class HeartbeatChange(Body):
    """What to change; what is left out stays. Not active, nobody waits for it."""

    every: Every | UnsetType = UNSET
    grace: Grace | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/alert-sources/{id}/heartbeats",
    id="listHeartbeats",
    summary="What a source must be heard of, by name",
    tag=TAG,
    scope=SCOPE,
    answer=list[Heartbeat],
)
def list_heartbeats(call: Call) -> list[Heartbeat]:
    source = desk.one(call.path["id"], actor=call.actor)
    return _beats(source, heartbeats.of_source(source.pk, actor=call.actor)) if heartbeats.has_heartbeats(source) else []


@operation(
    "POST",
    "/alert-sources/{id}/heartbeats",
    id="createHeartbeat",
    summary="Wait for something the source must be heard of",
    tag=TAG,
    scope=SCOPE,
    body=NewHeartbeat,
    answer=Heartbeat,
    status=201,
    present=_beat,
)
def create_heartbeat(call: Call) -> Any:
    body: NewHeartbeat = call.body
    return heartbeats.create(call.path["id"], name=body.name, every=body.every, grace=body.grace, actor=call.actor, now=call.now)


@operation(
    "PATCH",
    "/alert-sources/{id}/heartbeats/{heartbeat}",
    id="updateHeartbeat",
    summary="Change how often it must be heard of, pause it, wait for it again",
    tag=TAG,
    scope=SCOPE,
    body=HeartbeatChange,
    answer=Heartbeat,
    present=_beat,
)
def update_heartbeat(call: Call) -> Any:
    body: HeartbeatChange = call.body
    return heartbeats.change(
        call.path["id"],
        call.path["heartbeat"],
        every=None if body.every is UNSET else body.every,
        grace=None if body.grace is UNSET else body.grace,
        is_active=None if body.is_active is UNSET else body.is_active,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "DELETE",
    "/alert-sources/{id}/heartbeats/{heartbeat}",
    id="removeHeartbeat",
    summary="Wait for it no more",
    tag=TAG,
    scope=SCOPE,
    status=204,
)
def remove_heartbeat(call: Call) -> Any:
    return heartbeats.remove(call.path["id"], call.path["heartbeat"], actor=call.actor, now=call.now)
