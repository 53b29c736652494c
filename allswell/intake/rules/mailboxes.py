"""The words of mail that comes in: by which way, what is done with it, and how it stands. Pure."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class MailboxKind(StrEnum):
    """How mail gets from an address to us."""

    IMAP = "imap"  # we fetch it
    LISTENER = "listener"  # a mail server hands it to us by LMTP or SMTP
    PIPE = "pipe"  # a mail server runs `allswell mail receive`
    HTTP = "http"  # a provider posts it


class UnknownSenders(StrEnum):
    """What is done with the mail of a person whom nobody knows."""

    CREATE = "create"  # they become known, and get a ticket
    HOLD = "hold"  # somebody at the desk decides
    REFUSE = "refuse"  # they are told once that nobody reads it


class MessageState(StrEnum):
    """How a mail that came in stands."""

    PENDING = "pending"  # it waits to be read
    TAKEN = "taken"  # it is on a ticket
    IGNORED = "ignored"  # nothing follows from it: `reason` says why
    HELD = "held"  # it waits for a decision of a person
    REFUSED = "refused"  # its sender was told that nobody reads it
    QUARANTINED = "quarantined"  # it cannot be read
    DELETED = "deleted"  # somebody threw it away


#: a mail that fails so often is put aside
ATTEMPTS = 3


def digest(raw: bytes) -> str:
    """What tells one mail from another: the SHA-256 of its bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def id_digest(message_id: str) -> str:
    """A Message-ID (without brackets) as it is looked up: the first half of its SHA-256, hexadecimal. Case is kept, as RFC 5322 wants."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
