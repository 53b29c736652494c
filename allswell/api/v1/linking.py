"""Tickets that belong together: links, merge, split; and taking back what one just did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from allswell.api.contract import BASE, Body, Call, Id, operation
from allswell.desk import tickets as desk
from allswell.tickets import queries, rules

from .ticket_shapes import Ticket, after_act, ticket_for
from .tickets import TAG, visible
from .verbs import verb


class LinkEnd(Struct):
    """The other ticket of a link."""

    number: int
    reference: str
    title: str
    state: rules.State


class Link(Struct):
    """How this ticket belongs to another: "<this> is <kind> <ticket>", or the other way round when `is_outgoing` is false."""

    kind: rules.LinkKind
    is_outgoing: bool
    ticket: LinkEnd
    created_at: datetime


class Links(Struct):
    """The links of a ticket to tickets the caller may see, oldest first."""

    items: list[Link]


@operation(
    "GET",
    "/tickets/{number}/links",
    id="listLinks",
    summary="The links of a ticket, both ways",
    tag=TAG,
    scope="tickets:read",
    details="A requester sees those to their own tickets.",
    answer=Links,
)
def links(call: Call) -> Links:
    number = visible(call).pk
    return Links(items=[_link(row, number) for row in queries.links(number, call.actor)])


def _link(row: Any, number: int) -> Link:
    is_outgoing = row.source_id == number
    other = row.target if is_outgoing else row.source
    end = LinkEnd(other.pk, rules.reference(other.kind, other.pk), other.title, rules.State(other.state))
    return Link(rules.LinkKind(row.kind), is_outgoing, end, row.created_at)


class NewLink(Body):
    """Says "<this> is <kind> <target>"."""

    kind: Literal["duplicate_of", "child_of", "caused_by", "related"]
    target: Id


class OldLink(Body):
    """Which link is taken away, whichever of the two it was made from."""

    kind: rules.LinkKind
    target: Id


@verb("link", id="linkTicket", summary="Say how it belongs to another ticket", body=NewLink, takes_version=False)
def link(call: Call) -> Any:
    body: NewLink = call.body
    kind = rules.LinkKind(body.kind)
    return desk.link(call.path["number"], kind=kind, target=body.target, actor=call.actor, now=call.now)


@verb("unlink", id="unlinkTicket", summary="Take a link away", body=OldLink, takes_version=False)
def unlink(call: Call) -> Any:
    body: OldLink = call.body
    return desk.unlink(call.path["number"], kind=body.kind, target=body.target, actor=call.actor, now=call.now)


class Merge(Body):
    """The ticket it becomes part of."""

    into: Id


@verb(
    "merge",
    id="mergeTicket",
    summary="It is the same as another: its conversation moves there; answers the other",
    body=Merge,
    present=lambda call, ticket: after_act(ticket.pk, actor=call.actor),
    takes_version=False,
)
def merge(call: Call) -> Any:
    return desk.merge(call.path["number"], into=call.body.into, actor=call.actor, now=call.now)


@verb("unmerge", id="unmergeTicket", summary="It was something else after all; what came from it goes back", takes_version=False)
def unmerge(call: Call) -> Any:
    return desk.unmerge(call.path["number"], actor=call.actor, now=call.now)


class Split(Body):
    """Which comment is about something else, and the title of its own ticket."""

    comment: Id
    title: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


@verb(
    "split",
    id="splitTicket",
    summary="A comment becomes a ticket of its own; answers the new one",
    body=Split,
    status=201,
    present=lambda call, ticket: _opened(call, ticket),
    takes_version=False,
)
def split(call: Call) -> Any:
    body: Split = call.body
    return desk.split(call.path["number"], comment=body.comment, title=body.title, actor=call.actor, now=call.now)


def _opened(call: Call, ticket: Any) -> Ticket:
    call.headers["Location"] = f"{BASE}/tickets/{ticket.pk}"
    return after_act(ticket.pk, actor=call.actor)


class Undoing(Body):
    """The `action` of the journal entries that are taken back."""

    action: UUID


@verb(
    "undo",
    id="undoOnTicket",
    summary="Take back one's own last act, for a short while",
    body=Undoing,
    present=lambda call, ticket: ticket_for(call.path["number"], actor=call.actor),
    takes_version=False,
)
def undo(call: Call) -> Any:
    return desk.undo(call.path["number"], action=call.body.action, actor=call.actor, now=call.now)
