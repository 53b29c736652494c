"""The use cases of mail that came in: what became of it, word for word, try again, throw away. For who sets up the installation."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk.door import use_case
from allswell.intake.operations import mail as writing
from allswell.intake.parsers.mail.message import ParsedMail, TooMuch, parse
from allswell.intake.queries import mail as queries
from allswell.intake.rules.mailboxes import MessageState
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotFound
from allswell.people.rules import INSTALLATION, Act, require

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import InboundMessage

#: how it stands, that it can be read anew: what is on a ticket stays there
_AGAIN = frozenset({MessageState.QUARANTINED, MessageState.HELD, MessageState.IGNORED, MessageState.REFUSED})
_WAITS = frozenset({MessageState.QUARANTINED, MessageState.HELD})


def messages(actor: Actor) -> QuerySet[InboundMessage]:
    """Every mail that came in, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.messages()


def one(number: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> InboundMessage:
    """A mail that came in. Raises NotAllowed, NotFound."""
    require(actor, act, INSTALLATION)
    found = queries.messages().select_related("mailbox", "person", "ticket").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such mail.")
    return found


def word_for_word(number: int, *, actor: Actor) -> bytes:
    """The bytes of a mail as it came. Raises NotAllowed, NotFound, also once they are forgotten."""
    one(number, actor=actor)
    raw = queries.raw(number)
    if raw is None:
        raise NotFound("This mail is not kept word for word any more.")
    return raw


def read(message: InboundMessage) -> ParsedMail | None:
    """What a mail says, for who has to decide about it; None where it cannot be read. Mail in quarantine is not touched here."""
    raw = queries.raw(message.pk) if message.state != MessageState.QUARANTINED else None
    try:
        return parse(raw) if raw is not None else None
    except TooMuch:
        return None


@use_case
def try_again(number: int, *, actor: Actor, now: datetime) -> InboundMessage:
    """A mail that nothing came of is read as if it had just come. Raises NotAllowed, NotFound, Conflict."""
    message = one(number, actor=actor, act=Act.SET_UP)
    if message.state not in _AGAIN or queries.raw(number) is None:
        raise Conflict("This mail cannot be read again.")
    writing.wait_again(message)
    journal.record(Verb.REDELIVERED, about=("mail", number), actor=actor, now=now)
    return message


@use_case
def delete(number: int, *, actor: Actor, now: datetime) -> InboundMessage:
    """Throw away a mail that waits for a decision, its words with it; that it came stays known. Raises Conflict."""
    message = one(number, actor=actor, act=Act.SET_UP)
    if message.state not in _WAITS:
        raise Conflict("Only mail that is held or in quarantine can be deleted.")
    writing.delete(message, now=now)
    journal.record(Verb.REMOVED, about=("mail", number), actor=actor, now=now)
    return message
