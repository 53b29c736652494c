"""The words of mail that comes in: by which way, what is done with it, and how it stands. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
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
#: a stranger is told so often at most that their mail is not taken
REFUSES_AGAIN = timedelta(days=7)
#: the same mail under the same Message-ID comes again, by another mailbox or a server that was not sure; one without any so soon only
AGAIN_WITHIN, UNNAMED_AGAIN_WITHIN = timedelta(days=30), timedelta(hours=1)
#: what makes the bytes of a mail its own: programs that send the same again and again may leave all of them out
_TELLS_ITSELF = re.compile(rb"^(?:message-id|date|received)[ \t]*:", re.IGNORECASE | re.MULTILINE)
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")


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


def marks(raw: bytes, *, now: datetime) -> tuple[str, ...]:
    """What a mail is known by that comes again in the same bytes: the first is kept, and each of them says that it came before.

    It is the SHA-256, hexadecimal. Bytes that tell nothing of their own time or name are the same mail for an hour or two only.
    """
    end = _HEAD_ENDS.search(raw)
    if _TELLS_ITSELF.search(raw, 0, end.start() if end is not None else len(raw)):
        return (hashlib.sha256(raw).hexdigest(),)
    hour = int(now.timestamp()) // 3600
    return tuple(hashlib.sha256(b"%d\n" % one + raw).hexdigest() for one in (hour, hour - 1))


def id_digest(message_id: str) -> str:
    """A Message-ID (without brackets) as it is looked up: the first half of its SHA-256, hexadecimal. Case is kept, as RFC 5322 wants."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
