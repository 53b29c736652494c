"""What of mail is this installation's: its host, its addresses, and the key that signs Message-IDs and the addresses of answers."""

from __future__ import annotations

import base64
import hashlib
import re
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings

from allswell.intake.parsers.mail import references
from allswell.intake.parsers.mail.references import Own
from allswell.intake.queries import mail as queries

#: the end of the key of a notice by mail (`notifications.operations.enqueue`), as an id holds it
_TO = re.compile(r"_(\d{1,18})_email-[a-z2-7]{26}@")


def _key(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"allswell.mail").digest()


def host() -> str:
    """The right side of our Message-IDs: the name under which people open this installation."""
    return (urlsplit(settings.PUBLIC_URL).hostname or "localhost").encode("idna").decode("ascii").lower()


def ticket_of(message_id: str) -> int | None:
    """The ticket an id was signed for by one of our keys; None for any other. No query."""
    former = tuple(_key(one) for one in settings.SECRET_KEY_FALLBACKS)
    return references.ticket_of_id(message_id, Own(frozenset({host()}), frozenset(), _key(settings.SECRET_KEY), former))


def person_of(message_id: str) -> int | None:
    """Who got the mail of this id; None when it is none that we signed. It stands in the key of the delivery, which is signed with it."""
    found = _TO.search(message_id) if ticket_of(message_id) is not None else None
    return int(found.group(1)) if found else None


def own() -> Own:
    """What is ours today, as the parsers ask for it; what older secret keys signed still is. One query."""
    addresses = {address.lower() for address in queries.mailboxes().values_list("address", flat=True)}
    written_from = parseaddr(settings.MAIL_FROM)[1].lower()
    return Own(
        hosts=frozenset({host()}),
        addresses=frozenset(addresses | ({written_from} if written_from else set())),
        key=_key(settings.SECRET_KEY),
        former_keys=tuple(_key(one) for one in settings.SECRET_KEY_FALLBACKS),
    )


def message_id(ticket: int, unique: str) -> str:
    """The Message-ID of a mail about a ticket (0: none, or several), without brackets. A second try has the same one: it is no second mail.

    `unique` may be the key of a delivery: what an id cannot hold is written otherwise.
    """
    if not ticket:  # nothing else leads an answer to its tickets, and some programs break long ids when they name them
        unique = base64.b32encode(hashlib.blake2b(unique.encode(), digest_size=8).digest()).decode("ascii").rstrip("=").lower()
    return references.message_id(ticket, unique.replace(".", "_")[:80], host(), _key(settings.SECRET_KEY))


def reply_address(ticket: int, address: str) -> str:
    """The address that takes answers about a ticket at the mailbox of this address."""
    return references.reply_address(ticket, address, _key(settings.SECRET_KEY))
