"""Reading mailboxes: how they are set up, and what came to them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from allswell.intake.models import InboundMessage, Mailbox, MailRule
from allswell.intake.rules.mailboxes import MailboxKind


def all_mailboxes() -> QuerySet[Mailbox]:
    """Every mailbox with what it says of new tickets."""
    return Mailbox.objects.select_related("service", "team", "organization")


def fetched() -> list[Mailbox]:
    """The mailboxes in use from which we fetch."""
    return list(Mailbox.objects.filter(is_active=True, kind=MailboxKind.IMAP).order_by("id"))


def by_key(digest: str) -> Mailbox | None:
    """The mailbox whose key has this SHA-256."""
    return Mailbox.objects.filter(key_digest=digest).exclude(key_digest="").first()


def has_rules(mailbox: int) -> bool:
    """Whether any rule is about mail that comes there."""
    return MailRule.objects.filter(mailbox=mailbox).exists()


def has_mail(mailbox: int) -> bool:
    """Whether any mail came there."""
    return InboundMessage.objects.filter(mailbox=mailbox).exists()


def at(addresses: Iterable[str], *, kinds: Iterable[MailboxKind] = ()) -> dict[str, Mailbox]:
    """Address (folded) -> the mailbox in use there, if it is one of these kinds; of any when none is named."""
    found = Mailbox.objects.filter(address__in=list(addresses), is_active=True)
    wanted = list(kinds)
    return {row.address: row for row in (found.filter(kind__in=wanted) if wanted else found)}


def only_one(kind: MailboxKind) -> Mailbox | None:
    """The mailbox in use of a kind when there is exactly one."""
    found = list(Mailbox.objects.filter(kind=kind, is_active=True)[:2])
    return found[0] if len(found) == 1 else None
