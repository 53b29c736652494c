"""Reading mail that came in, the mailboxes, and which tickets an id belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from allswell.intake.models import InboundMessage, Mailbox, MessageSource, ThreadReference
from allswell.intake.rules.mailboxes import MessageState, id_digest


def mailboxes() -> QuerySet[Mailbox]:
    """Every mailbox."""
    return Mailbox.objects.all()


def mailbox_at(addresses: Iterable[str]) -> Mailbox | None:
    """The mailbox in use at one of these addresses (folded), the first that fits."""
    wanted = list(dict.fromkeys(addresses))
    found = {row.address: row for row in Mailbox.objects.filter(address__in=wanted, is_active=True)}
    return next((found[one] for one in wanted if one in found), None)


def messages() -> QuerySet[InboundMessage]:
    """Every mail that came in."""
    return InboundMessage.objects.all()


def is_waiting() -> bool:
    """Whether a mail waits to be read."""
    return InboundMessage.objects.filter(state=MessageState.PENDING).order_by("id").values_list("pk").first() is not None


def waiting(limit: int) -> list[InboundMessage]:
    """Mails that wait to be read, in the order in which they came."""
    return list(InboundMessage.objects.filter(state=MessageState.PENDING).select_related("mailbox").order_by("id")[:limit])


def raw(message: int) -> bytes | None:
    """A mail word for word; None once it was forgotten."""
    found = MessageSource.objects.filter(pk=message).values_list("raw", flat=True).first()
    return None if found is None else bytes(found)


def tickets_of(ids: Iterable[str]) -> dict[str, list[int]]:
    """Message-ID (without brackets) -> the tickets on which it was seen, the newest first."""
    wanted = {id_digest(one): one for one in ids}
    found: dict[str, list[int]] = {}
    rows = ThreadReference.objects.filter(digest__in=wanted).order_by("-ticket")
    for mark, ticket in rows.values_list("digest", "ticket"):
        found.setdefault(wanted[mark], []).append(ticket)
    return found


def ids_of(ticket: int, *, limit: int = 20) -> list[str]:
    """The last Message-IDs seen on a ticket, oldest first."""
    rows = ThreadReference.objects.filter(ticket=ticket).order_by("-id").values_list("message_id", flat=True)[:limit]
    return list(reversed(rows))
