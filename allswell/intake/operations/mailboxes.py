"""Writing mailboxes: how they are set up, and how fetching from them goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from allswell.database import rows
from allswell.intake.models import InboundMessage, Mailbox
from allswell.intake.rules.mailboxes import MessageState


def create(**values: Any) -> Mailbox:
    """A new mailbox."""
    mailbox = Mailbox(**values)
    rows.insert(mailbox)
    return mailbox


def change(mailbox: Mailbox, **values: Any) -> None:
    """Change columns of a mailbox."""
    Mailbox.objects.filter(pk=mailbox.pk).update(**values)
    for name, value in values.items():
        setattr(mailbox, name, value)


def remove(mailbox: Mailbox) -> None:
    """Delete a mailbox to which no mail came."""
    Mailbox.objects.filter(pk=mailbox.pk).delete()


def note_look(mailbox: int, *, now: datetime) -> None:
    """Its server answered as it should."""
    Mailbox.objects.filter(pk=mailbox).update(looked_at=now, failing_since=None, last_error="")


def note_mail(mailbox: int, *, now: datetime) -> None:
    """Mail came in there."""
    Mailbox.objects.filter(pk=mailbox).update(last_seen_at=now)


def note_trouble(mailbox: int, why: str, *, now: datetime) -> None:
    """Mail cannot be fetched from there; since when stays as it was."""
    Mailbox.objects.filter(pk=mailbox, failing_since=None).update(failing_since=now)
    Mailbox.objects.filter(pk=mailbox).filter(~Q(last_error=why)).update(last_error=why[:300])


def go_to(mailbox: int, *, uid_validity: int, uid: int) -> None:
    """Mails up to this number of this numbering are done."""
    Mailbox.objects.filter(pk=mailbox).update(uid_validity=uid_validity, last_uid=uid)


def note_left_there(mailbox: int, *, digest: str, size: int, detail: str, now: datetime, **said: str) -> bool:
    """A mail that is too large was left where it is; False when that is known."""
    if InboundMessage.objects.filter(mailbox=mailbox, digest=digest).exists():
        return False
    row = InboundMessage(
        mailbox_id=mailbox,
        received_at=now,
        size=size,
        digest=digest,
        state=MessageState.QUARANTINED.value,
        reason="too_large",
        detail=detail,
        handled_at=now,
        **said,
    )
    rows.insert(row)
    return True
