"""Writing mail that comes in: kept word for word, then what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from allswell.database import rows
from allswell.intake.models import InboundMessage, Mailbox, MailRule, MessageSource, ThreadReference
from allswell.intake.rules.mailboxes import MessageState, id_digest, marks


def keep(
    raw: bytes,
    *,
    mailbox: int | None,
    envelope_from: str | None = None,
    envelope_to: Sequence[str] = (),
    now: datetime,
) -> InboundMessage | None:
    """Keep a mail word for word; it waits to be read. None when the same bytes came to this mailbox before."""
    known_by = marks(raw, now=now)
    if InboundMessage.objects.filter(mailbox=mailbox, digest__in=known_by).exists():
        return None
    message = InboundMessage(
        mailbox_id=mailbox,
        received_at=now,
        size=len(raw),
        digest=known_by[0],
        envelope_from=envelope_from,
        envelope_to=list(envelope_to),
        state=MessageState.PENDING.value,
    )
    rows.insert(message)
    MessageSource.objects.create(message=message, raw=raw)
    return message


def settle(message: InboundMessage, *, state: MessageState, now: datetime, **values: Any) -> None:
    """Write what became of a mail."""
    fields = {"state": state.value, "handled_at": now, **values}
    InboundMessage.objects.filter(pk=message.pk).update(**fields)
    for name, value in fields.items():
        setattr(message, name, value)


def failed(message: int, *, attempts: int, detail: str) -> None:
    """A mail could not be taken; it waits for another try."""
    InboundMessage.objects.filter(pk=message, state=MessageState.PENDING).update(attempts=attempts, detail=detail[:300])


def wait_again(message: InboundMessage, *, decision: dict[str, Any] | None = None) -> None:
    """A mail waits to be read again, as if it had just come, with what a person decided about it."""
    fields = {
        "state": MessageState.PENDING.value,
        "reason": "",
        "detail": "",
        "attempts": 0,
        "handled_at": None,
        "decision": decision or {},
    }
    InboundMessage.objects.filter(pk=message.pk).update(**fields)
    for name, value in fields.items():
        setattr(message, name, value)


def forget_sources(*, taken_before: datetime, limit: int) -> int:
    """Throw away the bytes of mails that were handled before; what is put aside is kept. How many."""
    states = [MessageState.PENDING, MessageState.HELD, MessageState.QUARANTINED]
    rows = MessageSource.objects.filter(message__handled_at__lt=taken_before).exclude(message__state__in=states)
    old = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    return MessageSource.objects.filter(pk__in=old).delete()[0] if old else 0


def note_fit(rule: int, *, now: datetime) -> None:
    """A rule fitted a mail."""
    MailRule.objects.filter(pk=rule).update(fits_count=F("fits_count") + 1, last_fit_at=now)


def note_came(mailbox: int, *, at: datetime) -> None:
    """A mail came by a mailbox."""
    Mailbox.objects.filter(pk=mailbox).update(last_seen_at=at)


def refer(ticket: int, ids: Iterable[str], *, is_ours: bool, now: datetime) -> None:
    """Remember Message-IDs (without brackets) of a ticket; those known already stay as they are."""
    found = [
        ThreadReference(digest=id_digest(one), ticket_id=ticket, message_id=one[:250], is_ours=is_ours, seen_at=now)
        for one in dict.fromkeys(ids)
    ]
    ThreadReference.objects.bulk_create(found, ignore_conflicts=True)


def delete(message: InboundMessage, *, now: datetime) -> None:
    """Forget what a mail says; that it came, from whom and when, stays."""
    settle(message, state=MessageState.DELETED, now=now, folded="")
    MessageSource.objects.filter(pk=message.pk).delete()
