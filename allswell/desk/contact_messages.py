"""Codes and tests on their way: claimed, written, sent by the engine outside any transaction, and settled."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor, Channel
from allswell.notifications import contact_wording as wording
from allswell.notifications import operations as notifications
from allswell.notifications import queries, rules
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer, Claim, ContactKind, Outcome
from allswell.people import queries as people

from . import contact_ends, push_keys
from .contacts import opened
from .door import use_case
from .sealing import unseal

if TYPE_CHECKING:
    from allswell.notifications.models import ContactMessage


@use_case
def claim(limit: int, *, actor: Actor, now: datetime) -> list[Claim]:
    """Take up to `limit` due codes and tests under a lease."""
    return notifications.claim_messages(now=now, limit=limit)


def written(claim: Claim, *, now: datetime) -> tuple[PageMessage, Way] | Outcome:
    """What to send and where to, or why nothing is sent: used, too old, the contact removed. Reads only. Raises InvalidToken."""
    row = queries.message(claim.id)
    if row is None or row.used_at is not None or row.expires_at <= now:
        return Outcome.MOOT
    person = people.person(row.asked_by_id)
    if person is None:
        return Outcome.MOOT
    locale = people.actor_for(person, channel=Channel.EMAIL).locale
    way = _way(row)
    if way is None:
        return Outcome.MOOT
    if row.purpose == "test":
        return wording.test_message(key=row.key, name=person.name, locale=locale), way
    is_push = way.kind == ContactKind.PUSH
    code = unseal(row.code)
    return wording.code_message(code, key=row.key, contact=row.contact_id or 0, locale=locale, is_push=is_push), way


def _way(row: ContactMessage) -> Way | None:
    if row.contact is None:
        address = people.primary_addresses([row.asked_by_id]).get(row.asked_by_id)
        return Way(ContactKind.EMAIL.value, address) if address else None
    if row.contact.removed_at is not None:
        return None
    return way_of(row.contact.kind, row.contact.address, row.contact.flavor)


def way_of(kind: str, stored: str, flavor: str) -> Way:
    """Where a contact is, opened. Raises cryptography.fernet.InvalidToken when no key of today's opens it."""
    secret = push_keys.private_key() if kind == ContactKind.PUSH else ""
    return Way(kind, opened(kind, stored), flavor, secret=secret)


@use_case
def settle(claim: Claim, answer: Answer, *, actor: Actor, now: datetime) -> bool:
    """Write down what came of a try. False when the lease was lost."""
    if answer.outcome is Outcome.RETRY and claim.attempts < len(rules.MESSAGE_PAUSES):
        pause = max(
            rules.MESSAGE_PAUSES[claim.attempts], min(answer.retry_after or rules.MESSAGE_PAUSES[0], rules.MESSAGE_PAUSES[-1])
        )
        return notifications.put_back_message(claim, due_at=now + pause, detail=answer.detail)
    is_sent = answer.outcome is Outcome.SENT
    contact = queries.contact_of_message(claim.id)
    if contact is not None and answer.outcome is not Outcome.MOOT:
        notifications.note_contact_used(contact, has_arrived=is_sent, now=now)
        contact_ends.switch_off(contact, answer, actor=actor, now=now)
    outcome = answer.outcome if answer.outcome is not Outcome.RETRY else Outcome.FAILED
    return notifications.settle_message(claim, outcome, detail=answer.detail, now=now)


def is_due(now: datetime) -> bool:
    """Whether a code or a test waits to be sent."""
    return queries.is_message_due(now)


@use_case
def tidy(*, actor: Actor, now: datetime) -> int:
    """Forget old codes and tests."""
    return notifications.forget_messages(before=now - rules.MESSAGES_KEPT)
