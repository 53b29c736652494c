"""What of mail stands beside a conversation at the desk: how each came, and the mail word for word. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from allswell.intake.queries import mail as queries
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import NotFound
from allswell.tickets import queries as tickets

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage
    from allswell.tickets.models import Comment, Ticket


def mails_of(ticket: Ticket, comments: Iterable[Comment]) -> dict[int | None, InboundMessage]:
    """Comment id (None: the ticket itself) -> the mail it was made from. One query, none where nothing came by mail.

    For who sees the ticket at the desk.
    """
    by_mail = [comment.pk for comment in comments if comment.channel == Channel.EMAIL.value]
    if not by_mail and ticket.channel != Channel.EMAIL.value:
        return {}
    found: dict[int | None, InboundMessage] = {}
    for mail in queries.told_by(ticket.pk, by_mail):
        found.setdefault(mail.comment_id, mail)
    return found


def word_for_word(ticket: int, mail: int, *, actor: Actor) -> bytes:
    """A mail on a ticket as it came, for who sees the ticket at the desk. Raises NotFound, also once it is forgotten."""
    row = queries.messages().filter(pk=mail, ticket__isnull=False).values_list("ticket", "comment__ticket").first()
    if row is None or ticket not in row or not tickets.at_the_desk(actor).filter(pk=ticket).exists():
        raise NotFound("There is no such mail.")
    raw = queries.raw(mail)
    if raw is None:
        raise NotFound("This mail is not kept word for word any more.")
    return raw
