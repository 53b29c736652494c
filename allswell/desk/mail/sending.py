"""How a mail about a ticket goes out: by whose address, where answers go, and after which mails it stands in the conversation."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings

from allswell.intake.operations import mail as writing
from allswell.intake.queries import mail as queries
from allswell.notifications import queries as notifications
from allswell.notifications.letters import Letter, Thread

from . import ours

if TYPE_CHECKING:
    from allswell.intake.models import Mailbox

#: so many mails of each side are named in a mail: the beginning, and the last ones
_NAMED = 10
#: what can stand between < and > in a header; ids of others may hold anything
ID = re.compile(r"[!-;=?-~]{1,250}")


def addressed(letter: Letter, *, person: int) -> Letter:
    """The letter with its way back: an id that proves it ours, who writes it, where answers go, what it answers.

    A mail about several tickets has no signed address: an answer to it belongs to none of them.
    """
    letter = replace(letter, message_id=ours.message_id(0, letter.key))
    numbers = [matter.number for matter, _said in letter.parts if matter is not None]
    if not numbers:
        return letter
    if len(letter.parts) == 1:
        letter = replace(letter, thread=thread(letter.key, ticket=numbers[0], person=person))
    mailbox = mailbox_of(numbers[0] if len(letter.parts) == 1 else None)
    if mailbox is None:
        return letter
    name, address = sender(mailbox)
    answers = ours.reply_address(numbers[0], mailbox.address) if len(letter.parts) == 1 else mailbox.address
    return replace(letter, from_name=name, from_address=address, reply_to=answers)


def mailbox_of(ticket: int | None) -> Mailbox | None:
    """The mailbox in use that the ticket came by; else the one at our own sender's address, else the oldest."""
    found = list(queries.mailboxes().filter(is_active=True).select_related("organization").order_by("id"))
    came_by = queries.came_by(ticket) if found and ticket is not None else None
    written_from = parseaddr(settings.MAIL_FROM)[1].lower()
    ranked = sorted(found, key=lambda row: (row.pk != came_by, row.address != written_from))
    return ranked[0] if ranked else None


def sender(mailbox: Mailbox) -> tuple[str, str]:
    """ "Support (Northbank)" at the mailbox; at our own sender's address where its server may not send for the mailbox's domain."""
    name = f"{mailbox.name} ({mailbox.organization.name})" if mailbox.organization else mailbox.name
    written_from = parseaddr(settings.MAIL_FROM)[1]
    is_home = mailbox.address.rpartition("@")[2] == written_from.lower().rpartition("@")[2]
    return name, mailbox.address if is_home else written_from


def thread(key: str, *, ticket: int, person: int) -> Thread:
    """Where the mail of a delivery stands: after the mails this person got and wrote about the ticket, and others' they may know."""
    sent: dict[str, datetime] = {}
    for at, former in notifications.mailed(ticket, person, limit=2 * _NAMED):
        if former != key:
            sent |= {ours.message_id(ticket, former): at, ours.message_id(0, former): at}
    known = queries.known_on(ticket, sent) if sent else set()
    mails = [(at, said, False) for said, at in sent.items() if said in known]
    came = queries.mails_for(ticket, person, limit=2 * _NAMED)
    mails += [(at, said, writer == person) for at, said, writer in came if ID.fullmatch(said)]
    mails.sort(key=lambda mail: mail[0])
    if len(mails) > _NAMED:
        mails = [mails[0], *mails[1 - _NAMED :]]
    ids = tuple(dict.fromkeys(said for _at, said, _is_theirs in mails))
    is_answer = any(is_theirs for _at, _said, is_theirs in mails)
    return Thread(ours.message_id(ticket, key), ids, is_answer)


def remember(delivery: int, message_id: str, *, now: datetime) -> None:
    """A mail went out, or may have: answers to its id belong to its ticket, or to one of its tickets."""
    signed = ours.ticket_of(message_id)
    for ticket in [signed] if signed is not None else notifications.tickets_of_mail(delivery):
        writing.refer(ticket, [message_id], is_ours=True, now=now)
