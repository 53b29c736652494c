"""The conversation on a ticket: public replies and internal notes."""

from __future__ import annotations

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
from allswell.tickets.rules import Move, State, WaitingOn

if TYPE_CHECKING:
    from allswell.tickets.models import Comment


@use_case
def reply(
    number: int,
    *,
    body: str,
    attachments: tuple[str, ...] = (),
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Comment:
    """Say something publicly: the desk to the requester, or the requester to the desk.

    The desk's first public reply is the first response. A requester's reply resumes a ticket that waits for them.
    """
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version)
    if ticket.state == State.CLOSED:
        raise Conflict("This ticket is closed; open a follow-up.")
    body = text.prose(body, field="body", required=True)
    written, entry = tickets.comment(ticket, body=body, is_public=True, actor=actor, now=now)
    if steps.is_requester_side(actor, ticket):
        tickets.change(ticket, now=now, asked_at=ticket.asked_at or now)
        if ticket.state == State.WAITING and ticket.waiting_on == WaitingOn.REQUESTER:
            tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
        steps.tell(entry, topic=Topic.REPLIED, persons=steps.desk_audience(ticket), actor=actor, now=now)
    else:
        tickets.change(ticket, now=now, asked_at=None, first_response_at=ticket.first_response_at or now)
        if ticket.state == State.NEW:
            tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.ACKNOWLEDGE, actor=actor, now=now)
        steps.tell(entry, topic=Topic.REPLIED, persons=steps.public_audience(ticket), actor=actor, now=now)
    return written


@use_case
def note(
    number: int,
    *,
    body: str,
    attachments: tuple[str, ...] = (),
    mentions: tuple[int, ...] = (),
    actor: Actor,
    now: datetime,
) -> Comment:
    """Write an internal note; the requester never sees it. `mentions` are people to tell."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    body = text.prose(body, field="body", required=True)
    written, entry = tickets.comment(ticket, body=body, is_public=False, actor=actor, now=now)
    tickets.change(ticket, now=now)
    steps.tell(entry, topic=Topic.MENTIONED, persons=mentions, actor=actor, now=now)
    steps.tell(entry, topic=Topic.WATCHED, persons=steps.desk_audience(ticket) - set(mentions), actor=actor, now=now)
    return written
