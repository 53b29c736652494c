"""The words of mail that comes in: by which way, what is done with it, and how it stands. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any


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
    REFUSE = "refuse"  # nothing becomes of it, and they are told so once a week, if it is proven that they wrote


class MessageState(StrEnum):
    """How a mail that came in stands."""

    PENDING = "pending"  # it waits to be read
    TAKEN = "taken"  # it is on a ticket
    IGNORED = "ignored"  # nothing follows from it: `reason` says why
    HELD = "held"  # it waits for a decision of a person
    REFUSED = "refused"  # its sender is unknown, and the mailbox takes no mail of strangers
    QUARANTINED = "quarantined"  # it cannot be read
    DELETED = "deleted"  # somebody threw it away


#: a mail that fails so often is put aside
ATTEMPTS = 3

#: more mails than this of one sender, or on one ticket, wait for a person: (within, at most). They end loops that nothing else tells
SENDER_RATES = ((timedelta(minutes=10), 10), (timedelta(days=1), 100))
TICKET_RATE = (timedelta(hours=1), 30)
#: who says the same once more than this often within a week is taken for a program, and gets no answer
SAME_WITHIN, SAME = timedelta(days=7), 3
#: a stranger is told so often at most that their mail is not taken
REFUSES_AGAIN = timedelta(days=7)
#: the same mail under the same Message-ID comes again, by another mailbox or a server that was not sure
AGAIN_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a mail that was held: it is taken, by whom it counts as written, on which ticket.

    `person` is somebody known, None whoever its address belongs to, who becomes known where they are not.
    """

    by: int
    person: int | None = None
    ticket: int | None = None

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Decision | None:
        """A decision as it is stored; None where nobody decided."""
        return cls(stored["by"], stored.get("person"), stored.get("ticket")) if stored else None

    def as_json(self) -> dict[str, Any]:
        """The decision as it is stored."""
        return {"by": self.by, "person": self.person, "ticket": self.ticket}


def digest(raw: bytes) -> str:
    """What tells one mail from another: the SHA-256 of its bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def id_digest(message_id: str) -> str:
    """A Message-ID (without brackets) as it is looked up: the first half of its SHA-256, hexadecimal. Case is kept, as RFC 5322 wants."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
