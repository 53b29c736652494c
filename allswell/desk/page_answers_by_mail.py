"""Where an answer to a page by mail goes: to the ticket, by an id and an address that are signed, so that `#ack` finds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import ContactKind

from .mail import ours, sending


@dataclass(frozen=True, slots=True)
class Answers:
    """The mailbox that takes answers to pages, "" where there is none, and whether it can prove who wrote them."""

    address: str = ""
    proves: bool = False

    def for_page(self, message: PageMessage, way: Way) -> PageMessage:
        """The page as its way needs it: by mail with an id that proves it ours. A page of many tickets takes no answer."""
        if way.kind != ContactKind.EMAIL:
            return message
        message = replace(message, message_id=ours.message_id(message.number, message.key))
        if not (self.address and message.number):
            return message
        return replace(
            message,
            answers_to=ours.reply_address(message.number, self.address),
            takes_ack=self.proves,
        )


def answers(kinds: Iterable[str]) -> Answers:
    """Where answers go, if there is a mail among the ways of pages. At most one query."""
    mailbox = sending.mailbox_of(None) if ContactKind.EMAIL in set(kinds) else None
    return Answers(mailbox.address, bool(mailbox.authserv)) if mailbox is not None else Answers()
