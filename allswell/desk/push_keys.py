"""The key this installation proves itself with to push services: made at first need, sealed in the database."""

from __future__ import annotations

from datetime import datetime

from cryptography.fernet import InvalidToken

from allswell.kernel.actor import Actor
from allswell.notifications import operations as notifications
from allswell.notifications import push_keys, queries

from .door import use_case
from .sealing import seal, unseal


@use_case
def make_push_key(*, actor: Actor, now: datetime) -> str:
    """The public half of the key, which every browser is given; the key is made if there is none, or none that can be opened."""
    found = queries.push_key()
    if found is not None and _opened(found[2]):
        return found[1]
    pair = push_keys.new_pair()
    number = found[0] + 1 if found else 1
    return notifications.keep_push_key(number, public=pair.public, private=seal(pair.private), now=now).public


def public_key(*, actor: Actor, now: datetime) -> str:
    """The same, without writing when the key is there."""
    found = queries.push_key()
    return found[1] if found is not None and _opened(found[2]) else make_push_key(actor=actor, now=now)


def private_key() -> str:
    """What a page by web push is signed with; "" where no browser was ever given a key, or the key can no longer be opened."""
    found = queries.push_key()
    return _opened(found[2]) if found is not None else ""


def _opened(stored: str) -> str:
    try:
        return unseal(stored)
    except InvalidToken:
        return ""
