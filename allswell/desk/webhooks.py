"""The use cases of webhooks: other programs that are told what happens to tickets."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.notifications import operations as notifications
from allswell.notifications import queries, rules
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require

from .door import use_case
from .sealing import seal

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.notifications.models import Delivery, Webhook

#: how long the former secret signs as well after a change
OLD_SECRET_FOR = timedelta(hours=24)
SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def _verbs(wanted: Iterable[str]) -> list[str]:
    verbs = sorted(set(wanted))
    if unknown := [verb for verb in verbs if verb not in rules.TELLABLE]:
        raise Invalid("Nothing of this name happens to tickets: %(verb)s.", field="verbs", verb=unknown[0][:60])
    return verbs


def _url(url: str) -> str:
    """An address in the right form. Where it leads is checked at every call, since names move."""
    url = text.line(url, field="url", limit=500)
    if not rules.is_address(url):
        raise Invalid("Give an address that begins with https:// or http:// and has no user name in it.", field="url")
    return url


def _owner(person: int) -> int:
    if people.person(person) is None:
        raise Invalid("There is no such person.", field="owner")
    return person


def is_told_little(webhook: Webhook) -> bool:
    """Whether the owner has no role at the desk, so that the webhook hears only of what they asked for themselves."""
    return not people.actor_for(webhook.owner, channel=Channel.API).is_agent


def all_webhooks(actor: Actor) -> QuerySet[Webhook]:
    """Every webhook, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.webhooks()


def one(webhook: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> Webhook:
    """A webhook, for who may see the set-up. Raises NotAllowed, NotFound."""
    require(actor, act, INSTALLATION)
    found = queries.webhook(webhook)
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def log(webhook: int, *, actor: Actor) -> QuerySet[Delivery]:
    """The delivery log of a webhook, newest first. Raises NotAllowed, NotFound."""
    return queries.calls_of(one(webhook, actor=actor).pk)


@use_case
def create(
    *, name: str, url: str, verbs: Iterable[str] = (), owner: int | None = None, actor: Actor, now: datetime
) -> tuple[Webhook, str]:
    """Set up a webhook; the secret is shown this once. `verbs` empty: all. It is told what `owner` (the actor) may see."""
    require(actor, Act.SET_UP, INSTALLATION)
    person = _owner(owner or actor.person or 0)
    secret = new_secret()
    webhook = notifications.create_webhook(
        name=text.line(name, field="name", limit=80),
        url=_url(url),
        secret=seal(secret),
        verbs=_verbs(verbs),
        owner=person,
        now=now,
    )
    journal.record(Verb.CREATED, about=("webhook", webhook.pk), actor=actor, now=now, data={"owner": person})
    return webhook, secret


@use_case
def change(
    webhook: int,
    *,
    name: str | None = None,
    url: str | None = None,
    verbs: Iterable[str] | None = None,
    owner: int | None = None,
    actor: Actor,
    now: datetime,
) -> Webhook:
    """Change name, address, what is told, or whose eyes it has; what is None stays."""
    found = one(webhook, actor=actor, act=Act.SET_UP)
    values: dict[str, object] = {}
    if name is not None:
        values["name"] = text.line(name, field="name", limit=80)
    if url is not None:
        values["url"] = _url(url)
    if verbs is not None:
        values["verbs"] = _verbs(verbs)
    if owner is not None:
        values["owner_id"] = _owner(owner)
    changed = {field: value for field, value in values.items() if getattr(found, field) != value}
    if changed:
        notifications.change_webhook(found, **changed)
        data = {"fields": sorted(changed)}
        journal.record(Verb.CHANGED, about=("webhook", found.pk), actor=actor, now=now, data=data)
    return found


@use_case
def rotate_secret(webhook: int, *, actor: Actor, now: datetime) -> str:
    """A new secret, shown this once. The former signs as well for a day, so that the receiver can change over in peace."""
    found = one(webhook, actor=actor, act=Act.SET_UP)
    secret = new_secret()
    notifications.change_webhook(found, old_secret=found.secret, old_secret_until=now + OLD_SECRET_FOR, secret=seal(secret))
    journal.record(Verb.CHANGED, about=("webhook", found.pk), actor=actor, now=now, data={"fields": ["secret"]})
    return secret


@use_case
def disable(webhook: int, *, actor: Actor, now: datetime) -> Webhook:
    """Tell it nothing more; its log stays."""
    found = one(webhook, actor=actor, act=Act.SET_UP)
    if found.is_active:
        notifications.change_webhook(found, is_active=False, disabled_reason="by_hand")
        journal.record(Verb.DEACTIVATED, about=("webhook", found.pk), actor=actor, now=now)
    return found


@use_case
def enable(webhook: int, *, actor: Actor, now: datetime) -> Webhook:
    """Tell it again from now on."""
    found = one(webhook, actor=actor, act=Act.SET_UP)
    if not found.is_active:
        notifications.change_webhook(found, is_active=True, disabled_reason="", failing_since=None)
        journal.record(Verb.ACTIVATED, about=("webhook", found.pk), actor=actor, now=now)
    return found


@use_case
def redeliver(delivery: int, *, actor: Actor, now: datetime) -> Delivery:
    """Make a call once more, with its id and its words. Raises Conflict while it waits anyway or the webhook is off."""
    require(actor, Act.SET_UP, INSTALLATION)
    found = queries.call(delivery)
    if found is None or found.webhook is None:
        raise NotFound("There is no such delivery.")
    if not found.webhook.is_active:
        raise Conflict("This webhook is off. Switch it on first.")
    if not notifications.redeliver(found, now=now):
        raise Conflict("This delivery is waiting to be sent already.")
    data = {"delivery": found.pk}
    journal.record(Verb.REDELIVERED, about=("webhook", found.webhook.pk), actor=actor, now=now, data=data)
    return found
