"""Reading mail that came in, the mailboxes, and which tickets an id belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from allswell.intake.models import InboundMessage, Mailbox, MailRule, MessageSource, ThreadReference
from allswell.intake.rules.mail_rules import Rule
from allswell.intake.rules.mailboxes import AGAIN_WITHIN, UNNAMED_AGAIN_WITHIN, MessageState, id_digest


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


def pending(message: int) -> InboundMessage | None:
    """A mail that waits to be read, its mailbox loaded; None when it waits no longer."""
    return InboundMessage.objects.filter(pk=message, state=MessageState.PENDING).select_related("mailbox").first()


def message(number: int, *, is_locked: bool = False) -> InboundMessage | None:
    """A mail that came in, its mailbox loaded. `is_locked` lets nobody else write it until the end."""
    rows = InboundMessage.objects.select_related("mailbox").filter(pk=number)
    return rows.select_for_update(of=("self",)).first() if is_locked else rows.first()


def same(message: InboundMessage, *, message_id: str, sender: str, content: str) -> InboundMessage | None:
    """The mail that came before under the same Message-ID, from the same sender, saying the very same; whatever way it came.

    Some programs write one id for all their mails, others none: the id alone makes no two mails one.
    """
    since = message.received_at - (AGAIN_WITHIN if message_id else UNNAMED_AGAIN_WITHIN)
    rows = InboundMessage.objects.filter(message_id=message_id[:250], sender=sender, content=content, received_at__gte=since)
    done = (
        rows.exclude(state__in=[MessageState.PENDING, MessageState.QUARANTINED])
        .exclude(reason="duplicate")
        .exclude(pk=message.pk)
    )
    return done.order_by("id").first() if message_id or sender else None


def count_of_sender(sender: str, *, since: datetime, until: datetime, is_proven: bool, at_most: int) -> int:
    """How many mails of a sender came in between, counted up to `at_most`; those that they proved to have sent apart from the others."""
    rows = InboundMessage.objects.filter(sender=sender, received_at__gt=since, received_at__lte=until)
    rows = rows.filter(authentication__is_aligned=is_proven)
    return rows.order_by()[:at_most].count() if sender else 0


def was_told(sender: str, *, since: datetime) -> bool:
    """Whether a stranger was told since then that their mail is not taken."""
    return InboundMessage.objects.filter(sender=sender, received_at__gt=since, reason="unknown_told").exists()


def count_of_ticket(ticket: int, *, since: datetime, at_most: int) -> int:
    """How many mails came in on a ticket, counted up to `at_most`."""
    return InboundMessage.objects.filter(ticket=ticket, received_at__gt=since).order_by()[:at_most].count()


def times_saying(sender: str, mark: str, *, since: datetime, at_most: int) -> list[datetime]:
    """When the last mails of a sender that say the same came, oldest first; each once, by however many mailboxes it came."""
    rows = InboundMessage.objects.filter(sender=sender, received_at__gt=since, mark=mark).exclude(reason="duplicate")
    found = rows.order_by("-received_at").values_list("received_at", flat=True)[:at_most] if sender else ()
    return list(reversed(found))


def all_rules() -> QuerySet[MailRule]:
    """Every rule, in use or not, in the order in which they are asked."""
    return MailRule.objects.order_by("position", "id")


def mail_rules() -> list[Rule]:
    """The rules in use, in their order."""
    rows = MailRule.objects.filter(is_active=True).order_by("position", "id")
    return [Rule.parse(row.definition, number=row.pk, name=row.name, mailbox=row.mailbox_id) for row in rows]


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


def known_on(ticket: int, ids: Iterable[str]) -> set[str]:
    """Those of the Message-IDs (without brackets) that were seen on a ticket."""
    wanted = {id_digest(one): one for one in ids}
    rows = ThreadReference.objects.filter(ticket=ticket, digest__in=wanted)
    return {wanted[mark] for mark in rows.values_list("digest", flat=True)}


def mails_for(ticket: int, person: int, *, limit: int) -> list[tuple[datetime, str, int | None]]:
    """The last mails on a ticket that a person may know of, oldest first: when it came, its Message-ID, who wrote it.

    Their own, those that became public comments, and the one the ticket was made from; never one that became a note.
    """
    rows = InboundMessage.objects.filter(ticket=ticket, state=MessageState.TAKEN).exclude(message_id="")
    rows = rows.filter(Q(person=person) | Q(comment__isnull=True) | Q(comment__is_public=True))
    found = rows.order_by("-received_at", "-id").values_list("received_at", "message_id", "person")[:limit]
    return list(reversed(found))


def told_by(ticket: int, comments: Iterable[int]) -> list[InboundMessage]:
    """The mails that a ticket and these comments of it were made from, the first ones first, without their bytes."""
    wanted = Q(comment__in=list(comments)) | Q(ticket=ticket, comment__isnull=True)
    return list(InboundMessage.objects.filter(wanted, state=MessageState.TAKEN).order_by("received_at", "id"))


def came_by(ticket: int) -> int | None:
    """The mailbox by which the first mail of a ticket came."""
    rows = InboundMessage.objects.filter(ticket=ticket, mailbox__isnull=False)
    return rows.order_by("received_at").values_list("mailbox", flat=True).first()


def ids_of(ticket: int, *, limit: int = 20) -> list[str]:
    """The last Message-IDs seen on a ticket, oldest first."""
    rows = ThreadReference.objects.filter(ticket=ticket).order_by("-id").values_list("message_id", flat=True)[:limit]
    return list(reversed(rows))
