"""The conversation on a ticket: public replies and internal notes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.desk.practices import lifecycle
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict
from allswell.notifications.rules import Topic
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets.rules import FINAL_STATES, Move, State, WaitingOn

from .reporting import open_follow_up

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.tickets.models import Comment, Ticket


@use_case
def reply(
    number: int,
    *,
    body: str,
    attachments: tuple[str, ...] = (),
    then_waits: bool = False,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Comment:
    """Say something publicly: the desk to the requester, or the requester to the desk.

    The desk's first public reply is the first response; with `then_waits` the ticket waits for the requester from then on, and
    taking the reply back takes that back too. A requester's reply resumes a ticket that waits for them; to a closed ticket it
    opens a follow-up, and to a merged one it goes where that went (look at the comment's `ticket_id`).
    """
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version, is_locked=True)
    body = text.prose(body, field="body", required=True)
    if ticket.merged_into_id:
        ticket = steps.ticket_for(ticket.merged_into_id, Act.SPEAK, actor=actor, is_locked=True)
    is_from_requester = steps.is_requester_side(actor, ticket)
    if State(ticket.state) in FINAL_STATES:
        if not is_from_requester:
            raise Conflict("This ticket is closed; open a follow-up.")
        ticket = open_follow_up(ticket, description="", actor=actor, now=now)
    if is_from_requester:
        former = tickets.change(ticket, now=now, asked_at=ticket.asked_at or now)
    else:
        former = tickets.change(ticket, now=now, asked_at=None, first_response_at=ticket.first_response_at or now)
    written, entry = tickets.comment(ticket, body=body, is_public=True, actor=actor, now=now, data={"before": former})
    tickets.attach(ticket, attachments, comment=written, is_public=True, actor=actor)
    if is_from_requester:
        _ask(ticket, entry, actor=actor, now=now)
    else:
        _answer(ticket, entry, actor=actor, now=now)
        if then_waits:
            _await(ticket, actor=actor, now=now)
    return written


def _ask(ticket: Ticket, entry: Entry, *, actor: Actor, now: datetime) -> None:
    """The requester's side spoke: what waited for them goes on."""
    if ticket.state == State.WAITING and ticket.waiting_on == WaitingOn.REQUESTER:
        tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
    told = steps.desk_audience(ticket) | steps.public_audience(ticket)
    steps.tell(entry, topic=Topic.REPLIED, persons=told, actor=actor, now=now, is_held=True)


def _answer(ticket: Ticket, entry: Entry, *, actor: Actor, now: datetime) -> None:
    """The desk spoke, and has thereby acknowledged the ticket."""
    if ticket.state == State.NEW:
        tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.ACKNOWLEDGE, actor=actor, now=now)
    audience = steps.public_audience(ticket)
    steps.tell(entry, topic=Topic.REPLIED, persons=audience, actor=actor, now=now, is_held=True)
    watching = steps.desk_audience(ticket) - audience
    steps.tell(entry, topic=Topic.WATCHED, persons=watching, actor=actor, now=now, is_held=True)


def _await(ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """It is the requester's turn. The reply told them so; a second notice would say nothing new."""
    on = WaitingOn.REQUESTER.value
    kept = {"on": on, "until": None}
    values = {"waiting_on": on, "waiting_until": None}
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.WAIT, actor=actor, now=now, data=kept, **values)


@use_case
def note(
    number: int,
    *,
    body: str,
    attachments: tuple[str, ...] = (),
    mentions: Iterable[int] = (),
    actor: Actor,
    now: datetime,
) -> Comment:
    """Write an internal note; the requester never sees it. `mentions` are people to tell, as far as they may see it."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, is_locked=True)
    body = text.prose(body, field="body", required=True)
    written, entry = tickets.comment(ticket, body=body, is_public=False, actor=actor, now=now)
    tickets.attach(ticket, attachments, comment=written, is_public=False, actor=actor)
    tickets.change(ticket, now=now)
    mentioned = steps.those_who_may(Act.SEE_INTERNAL, ticket, mentions)
    steps.tell(entry, topic=Topic.MENTIONED, persons=mentioned, actor=actor, now=now, is_held=True)
    watching = steps.desk_audience(ticket) - mentioned
    steps.tell(entry, topic=Topic.WATCHED, persons=watching, actor=actor, now=now, is_held=True)
    return written
