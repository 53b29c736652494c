"""To which ticket a mail belongs: what we signed first, what the customer's mail program says next, the subject last.

What proves nothing of itself counts only with a sender who may see the ticket. Thread-Index and Thread-Topic are never asked: mail
programs copy them between conversations that have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allswell.intake.parsers.mail import references
from allswell.intake.parsers.mail.references import Own
from allswell.intake.parsers.mail.understanding import Understood
from allswell.intake.queries import mail as queries
from allswell.kernel.actor import Actor
from allswell.people.rules import Act, may
from allswell.tickets import queries as tickets
from allswell.tickets.rules import PREFIX

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage
    from allswell.tickets.models import Ticket

#: so many tickets are looked at; a subject can name hundreds
_MOST = 10
#: steps from a merged ticket to the one it went into
_MERGES = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail belongs. `how`: "address", "our_id", "known_id" or "subject"; the first two we signed ourselves.

    `maybe` is a ticket it names, which its sender may not see.
    """

    ticket: Ticket | None = None
    how: str = ""
    maybe: Ticket | None = None
    maybe_how: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether what led there came out of a mail of ours."""
        return self.how in ("address", "our_id")


def place(message: InboundMessage, found: Understood, own: Own, actor: Actor | None, *, is_sure: bool = True) -> Place:
    """The ticket a mail belongs to, as far as its sender may speak there.

    `is_sure`: somebody knows that it is the sender; else no subject leads anywhere, as anybody can guess a number and write a name.
    """
    maybe, maybe_how = None, ""
    for number, how in _named(message, found, own):
        ticket = _followed(number)
        if ticket is None:
            continue
        is_enough = is_sure or how != "subject"
        if is_enough and actor is not None and may(actor, Act.SPEAK, tickets.facts(ticket, person=actor.person)):
            return Place(ticket, how)
        if maybe is None:
            maybe, maybe_how = ticket, how
    return Place(maybe=maybe, maybe_how=maybe_how)


def reported_on(message: InboundMessage, found: Understood, own: Own) -> Ticket | None:
    """The ticket of a mail that we sent, when this one (a bounce, an automatic reply) proves that it got it."""
    ids = shown_ids(found)
    named = [references.ticket_of_id(one, own) for one in ids if one]
    named += [references.ticket_of_address(one, own) for one in addressed_to(message, found)]
    number = next((one for one in named if one is not None), None)
    return _followed(number) if number is not None else None


def shown_ids(found: Understood) -> list[str]:
    """The ids of the mails that a mail is about, or answers to."""
    return [one for one in (found.said_id, *_ids(found)) if one]


def addressed_to(message: InboundMessage, found: Understood) -> list[str]:
    """Every address a mail was sent to: by its envelope, as servers noted it, and as it says itself."""
    mail = found.mail
    said = [*message.envelope_to, *mail.recipients, *(one.address for one in (*mail.to, *mail.cc))]
    return list(dict.fromkeys(one for one in said if one))


def _ids(found: Understood) -> list[str]:
    """The ids a mail answers to, the nearest first."""
    return list(dict.fromkeys([*found.mail.in_reply_to, *reversed(found.mail.references)]))


def _named(message: InboundMessage, found: Understood, own: Own) -> Iterator[tuple[int, str]]:
    for one in addressed_to(message, found):
        if (number := references.ticket_of_address(one, own)) is not None:
            yield number, "address"
    ids = [one for one in _ids(found) if not references.is_invented(one, own)]
    for one in ids:
        if (number := references.ticket_of_id(one, own)) is not None:
            yield number, "our_id"
    known = queries.tickets_of(ids) if ids else {}
    for one in ids:
        for number in known.get(one, [])[:_MOST]:
            yield number, "known_id"
    for number in references.tickets_of_subject(found.mail.subject, list(PREFIX.values()))[:_MOST]:
        yield number, "subject"


def _followed(number: int) -> Ticket | None:
    """A ticket; for one that was merged the one it went into."""
    ticket = tickets.ticket(number)
    for _ in range(_MERGES):
        if ticket is None or not ticket.merged_into_id:
            break
        ticket = tickets.ticket(ticket.merged_into_id)
    return ticket
