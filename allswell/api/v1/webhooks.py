"""Webhooks: other programs that are told what happens to tickets, and the log of what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import webhooks as desk
from allswell.kernel.errors import NotFound

from .shapes import PersonRef

TAG = "Webhooks"
SCOPE = "webhooks:write"
Label = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Url = Annotated[str, Meta(min_length=8, max_length=500, pattern="^https?://")]
Verbs = Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=100, description="Journal verbs; empty: all.")]


class Webhook(Struct):
    """An address that is told of journal verbs, of the tickets its owner may see."""

    id: int
    name: str
    url: str
    verbs: list[str]
    owner: PersonRef
    is_active: bool
    disabled_reason: str
    failing_since: datetime | None
    created_at: datetime


class NewWebhookAnswer(Webhook):
    """A webhook with the secret its calls are signed with, shown this once (null when the call is repeated)."""

    secret: str | None = None


class Secret(Struct):
    """A new secret, shown this once (null when the call is repeated). The former signs as well for a day."""

    secret: str | None


def _make(row: Any, shape: type[Any] = Webhook) -> Any:
    return shape(
        id=row.pk,
        name=row.name,
        url=row.url,
        verbs=row.verbs,
        owner=PersonRef(row.owner_id, row.owner.name),
        is_active=row.is_active,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        created_at=row.created_at,
    )


@operation(
    "GET",
    "/webhooks",
    id="listWebhooks",
    summary="All webhooks, newest first",
    tag=TAG,
    scope=SCOPE,
    query=Paged,
    answer=Page[Webhook],
)
def list_webhooks(call: Call) -> Page[Webhook]:
    return page(call, desk.all_webhooks(call.actor), lambda rows: [_make(row) for row in rows])


@operation("GET", "/webhooks/{id}", id="getWebhook", summary="One webhook", tag=TAG, scope=SCOPE, answer=Webhook)
def get(call: Call) -> Webhook:
    made: Webhook = _make(desk.one(call.path["id"], actor=call.actor))
    return made


def _shown(call: Call, row: Any) -> Webhook:
    made: Webhook = _make(desk.one(call.path["id"], actor=call.actor))
    return made


class NewWebhook(Body):
    """Where to call, and about what. It is told of the tickets `owner` (the caller unless said) may see."""

    name: Label
    url: Url
    verbs: Verbs = []
    owner: Id | None = None


@operation(
    "POST",
    "/webhooks",
    id="createWebhook",
    summary="Set up a webhook; its secret is shown this once",
    tag=TAG,
    scope=SCOPE,
    body=NewWebhook,
    answer=NewWebhookAnswer,
    status=201,
    present=lambda call, made: _created(call, *made),
    shown_once=("secret",),
)
def create(call: Call) -> Any:
    body: NewWebhook = call.body
    return desk.create(name=body.name, url=body.url, verbs=body.verbs, owner=body.owner, actor=call.actor, now=call.now)


def _created(call: Call, row: Any, secret: str) -> NewWebhookAnswer:
    call.headers["Location"] = f"{BASE}/webhooks/{row.pk}"
    made: NewWebhookAnswer = _make(row, NewWebhookAnswer)
    made.secret = secret
    return made


class WebhookChange(Body):
    """What to change; what is left out stays."""

    name: Label | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    verbs: Verbs | UnsetType = UNSET


@operation(
    "PATCH",
    "/webhooks/{id}",
    id="updateWebhook",
    summary="Change a webhook",
    tag=TAG,
    scope=SCOPE,
    body=WebhookChange,
    answer=Webhook,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    body: WebhookChange = call.body
    return desk.change(
        call.path["id"],
        name=None if body.name is UNSET else body.name,
        url=None if body.url is UNSET else body.url,
        verbs=None if body.verbs is UNSET else body.verbs,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "POST",
    "/webhooks/{id}/rotate_secret",
    id="rotateWebhookSecret",
    summary="A new secret; the former signs as well for a day",
    tag=TAG,
    scope=SCOPE,
    answer=Secret,
    present=lambda call, secret: Secret(secret),
    shown_once=("secret",),
)
def rotate_secret(call: Call) -> Any:
    return desk.rotate_secret(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/webhooks/{id}/disable",
    id="disableWebhook",
    summary="Tell it nothing more; its log stays",
    tag=TAG,
    scope=SCOPE,
    answer=Webhook,
    present=_shown,
)
def disable(call: Call) -> Any:
    return desk.disable(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/webhooks/{id}/enable",
    id="enableWebhook",
    summary="Tell it again from now on",
    tag=TAG,
    scope=SCOPE,
    answer=Webhook,
    present=_shown,
)
def enable(call: Call) -> Any:
    return desk.enable(call.path["id"], actor=call.actor, now=call.now)


class Try(Struct):
    """One try to deliver, and what came back."""

    started_at: datetime
    ended_at: datetime
    outcome: str
    detail: str
    status: int | None


class Delivery(Struct):
    """A call of a webhook. `key` is its webhook-id, the same over all tries; `outcome` is empty while it waits."""

    id: int
    key: str
    verb: str | None
    ticket: int | None
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    outcome: str
    tries: list[Try]


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.pk,
        key=row.key,
        verb=row.entry.verb if row.entry else None,
        ticket=row.ticket_id,
        created_at=row.created_at,
        due_at=row.due_at,
        settled_at=row.settled_at,
        outcome=row.outcome,
        tries=[Try(t.started_at, t.ended_at, t.outcome, t.detail, t.status) for t in row.tries.all()],
    )


@operation(
    "GET",
    "/webhooks/{id}/deliveries",
    id="listDeliveries",
    summary="What a webhook was told, newest first",
    tag=TAG,
    scope=SCOPE,
    query=Paged,
    answer=Page[Delivery],
)
def deliveries(call: Call) -> Page[Delivery]:
    def make(rows: Sequence[Any]) -> list[Delivery]:
        return [_delivery(row) for row in rows]

    return page(call, desk.log(call.path["id"], actor=call.actor), make)


@operation(
    "POST",
    "/webhooks/{id}/deliveries/{delivery}/redeliver",
    id="redeliver",
    summary="Make a call once more, with its id and its words",
    tag=TAG,
    scope=SCOPE,
    answer=Delivery,
    present=lambda call, row: _again(call, row.pk),
)
def redeliver(call: Call) -> Any:
    if not desk.log(call.path["id"], actor=call.actor).filter(pk=call.path["delivery"]).exists():
        raise NotFound("There is no such delivery.")
    return desk.redeliver(call.path["delivery"], actor=call.actor, now=call.now)


def _again(call: Call, delivery: int) -> Delivery:
    return _delivery(desk.log(call.path["id"], actor=call.actor).get(pk=delivery))
