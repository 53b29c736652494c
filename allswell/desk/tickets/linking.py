"""Tickets that belong together: links, merging and taking it back, splitting."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import queries
from allswell.tickets.rules import LinkKind

from .reporting import open_like

if TYPE_CHECKING:
    from allswell.tickets.models import Comment, Ticket

BY_HAND = (LinkKind.DUPLICATE_OF, LinkKind.CHILD_OF, LinkKind.CAUSED_BY, LinkKind.RELATED)


def both(number: int, target: int, *, actor: Actor, field: str) -> tuple[Ticket, Ticket]:
    """Two tickets the actor works on, locked in the order of their numbers so that two who cross do not stop each other.

    Raises what `ticket_for` raises for the first, Invalid for the second: nobody learns whether it exists.
    """
    steps.ticket_for(number, Act.WORK, actor=actor)
    if number == target:
        raise Invalid("This is the same ticket.", field=field)
    found: dict[int, Ticket] = {}
    for each in sorted((number, target)):
        try:
            found[each] = steps.ticket_for(each, Act.WORK, actor=actor, is_locked=True)
        except (NotFound, NotAllowed) as refused:
            if each == number:
                raise
            raise Invalid("There is no such ticket, or you may not see it.", field=field) from refused
    return found[number], found[target]


def _fits_as_child(child: Ticket, parent: Ticket) -> None:
    if child.kind != parent.kind:
        raise Conflict("A child is of the same kind as its parent.")
    known = queries.parent_of(child.pk)
    if known not in (None, parent.pk):
        raise Conflict("This ticket has a parent already; unlink it first.")
    above: int | None = parent.pk
    while above is not None:
        if above == child.pk:
            raise Conflict("This ticket stands above the other already.")
        above = queries.parent_of(above)


@use_case
def link(number: int, *, kind: LinkKind, target: int, actor: Actor, now: datetime) -> Ticket:
    """Say "<number> is <kind> <target>" (duplicate of, child of, caused by, related). The actor works on both.

    Raises Invalid(field="target" or "kind"), and Conflict for a second parent or a circle.
    """
    if kind not in BY_HAND:
        raise Invalid("Choose one of the list.", field="kind")
    source, other = both(number, target, actor=actor, field="target")
    if kind is LinkKind.CHILD_OF:
        _fits_as_child(source, other)
    if kind is LinkKind.RELATED and queries.is_linked(other.pk, source.pk, kind):
        return source
    if tickets.link(source, other, kind=kind, actor=actor, now=now):
        tickets.change(source, now=now)
        tickets.change(other, now=now)
    return source


@use_case
def unlink(number: int, *, kind: LinkKind, target: int, actor: Actor, now: datetime) -> Ticket:
    """Take a link away, whichever of the two it was made from."""
    source, other = both(number, target, actor=actor, field="target")
    removed = tickets.unlink(source, other, kind=kind, actor=actor, now=now) or tickets.unlink(
        other, source, kind=kind, actor=actor, now=now
    )
    if removed:
        tickets.change(source, now=now)
        tickets.change(other, now=now)
    return source


def _comment(ticket: Ticket, comment: int) -> Comment:
    found = queries.comments(ticket, internal=True).filter(pk=comment).first()
    if found is None:
        raise Invalid("There is no such comment.", field="comment")
    return found


@use_case
def split(number: int, *, comment: int, title: str, actor: Actor, now: datetime) -> Ticket:
    """A comment is about something else: it becomes a ticket of its own, linked to this one. The comment stays where it is.

    Who wrote it is who asked, so that what was an internal note is not shown to this ticket's requester.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    said = _comment(ticket, comment)
    asked_by = ticket.requester_id
    if not said.is_public or queries.is_participant(ticket.pk, said.author_id):
        asked_by = said.author_id
    opened = open_like(
        ticket,
        title=text.line(title, field="title", limit=200),
        description=said.body,
        link=LinkKind.SPLIT_FROM,
        requester=asked_by,
        actor=actor,
        now=now,
    )
    tickets.record(Verb.SPLIT, ticket, actor=actor, now=now, data={"to": opened.pk, "comment": said.pk})
    tickets.change(ticket, now=now)
    return opened
