"""Reading mail that was kept: from its bytes to what it says. Nothing is written here, and no transaction is open."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from allswell.intake import apart
from allswell.intake.apart import Unreadable
from allswell.intake.parsers.mail.references import Own
from allswell.intake.parsers.mail.understanding import Understood
from allswell.intake.queries import mail as queries

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage

log = logging.getLogger(__name__)

#: servers whose word is believed without a mailbox that names one
_NO_SERVER = ("", 2)


class Reader(Protocol):
    """What reads a mail: in a process that may be killed (`intake.apart.Apart`), or in this one (`intake.apart.read`)."""

    def __call__(self, raw: bytes, own: Own, *, authserv: str = "", hops: int = 2) -> Understood | Unreadable:
        """What it says, or why that cannot be told."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a kept mail says, or why it could not be read (`error`, a word)."""

    message: int
    own: Own
    found: Understood | None = None
    error: str = ""


def read(message: InboundMessage, own: Own, reader: Reader = apart.read) -> Read:
    """What a kept mail says."""
    raw = queries.raw(message.pk)
    if raw is None:
        return Read(message.pk, own, error="gone")
    mailbox = message.mailbox
    authserv, hops = (mailbox.authserv, mailbox.hops) if mailbox is not None else _NO_SERVER
    found = reader(raw, own, authserv=authserv, hops=hops)
    if isinstance(found, Unreadable):
        log.warning("mail %s cannot be read: %s", message.pk, found.reason)
        return Read(message.pk, own, error=found.reason)
    return Read(message.pk, own, found)
