"""One mail while it is taken: what is known of it, what was found out on the way, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.intake.parsers.mail.references import Own
from allswell.intake.parsers.mail.understanding import Understood
from allswell.intake.rules.mailboxes import Decision, MessageState
from allswell.kernel.actor import Actor
from allswell.tickets import operations as tickets

from .files import Files
from .senders import Sender

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage
    from allswell.tickets.models import Comment, Ticket


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail."""

    state: MessageState
    reason: str = ""
    ticket: int | None = None
    comment: int | None = None
    detail: str = ""


@dataclass(slots=True)
class Case:
    """A mail while it is taken. `house` is the program, speaking by mail; `trail` and `notes` grow on the way."""

    message: InboundMessage
    found: Understood
    own: Own
    files: Files
    sender: Sender
    decision: Decision | None
    house: Actor
    now: datetime
    is_monitoring: bool = False  # a rule takes it for an alert, but it cannot be read as one
    is_program: bool = False  # not written by a person, or not as if it were: nothing answers
    trail: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def say(self, what: str, **facts: Any) -> None:
        """A step of the way, for who asks why."""
        self.trail.append({"what": what, **{name: value for name, value in facts.items() if value not in (None, "")}})

    def note(self, ticket: Ticket) -> None:
        """What the desk should know about the mail goes on the ticket, as one internal note of the program."""
        if self.notes:
            body = "\n\n".join(self.notes)
            tickets.comment(ticket, body=body, is_public=False, actor=self.house, now=self.now, is_auto=True)
            self.notes = []

    def taken(self, ticket: Ticket, comment: Comment | None = None, *, reason: str = "") -> Outcome:
        """It is on a ticket now."""
        return Outcome(MessageState.TAKEN, reason, ticket.pk, comment.pk if comment is not None else None)
