"""Taking back what one just did."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.journal import queries as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotFound
from allswell.notifications import operations as notifications
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import queries, rules

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.tickets.models import Ticket

_SAID = frozenset({Verb.REPLIED, Verb.NOTED})
_UNDOABLE = _SAID | {
    Verb.ACKNOWLEDGED,
    Verb.ASSIGNED,
    Verb.UNASSIGNED,
    Verb.HANDED_OVER,
    Verb.WAITED,
    Verb.RESUMED,
    Verb.RESTORED,
    Verb.RESOLVED,
    Verb.FULFILLED,
    Verb.REOPENED,
    Verb.LINKED,
    Verb.TAGGED,
    Verb.UNTAGGED,
    # what followed of itself: it goes the other way when the act is taken back (see desk/following.py)
    Verb.PAGING_STARTED,
    Verb.PAGE_ACKNOWLEDGED,
    Verb.PAGING_ENDED,
}


@use_case
def undo(number: int, *, action: uuid.UUID, actor: Actor, now: datetime) -> Ticket:
    """Take back one's own last act on a ticket: within a minute, for words within seconds and only while no mail of them is out.

    `action` is the `Actor.action` of the act. What it did to other tickets (children, the other end of a link) is taken back with
    it. Raises NotFound, and Conflict when somebody did something since or it is too late.
    """
    entries = _entries(number, action, actor=actor, now=now)
    spoke = entries[0].verb in _SAID and "of" not in entries[0].data
    for touched in _touched(number, entries):
        # no permission is asked: they had it for the act, and after a hand-over may not even see the ticket any more
        ticket = queries.ticket(touched, is_locked=True)
        if ticket is not None:
            _take_back(ticket, action, must_be_unsent=spoke, actor=actor, now=now)
    return steps.ticket_for(number, Act.SEE, actor=actor)


def _entries(number: int, action: uuid.UUID, *, actor: Actor, now: datetime) -> list[Entry]:
    entries = journal.of_action(number, action)
    if not entries or actor.person is None or any(entry.person_id != actor.person for entry in entries):
        raise NotFound("There is nothing of yours to take back.")
    if not {entry.verb for entry in entries} <= _UNDOABLE:
        raise Conflict("This cannot be taken back.")
    spoke = entries[0].verb in _SAID and "of" not in entries[0].data
    within = timedelta(seconds=rules.RETRACT_SECONDS if spoke else rules.UNDO_SECONDS)
    if now > entries[0].recorded_at + within:
        raise Conflict("It is too late to take this back.")
    return entries


def _touched(number: int, entries: list[Entry]) -> list[int]:
    """The tickets an act changed, the named one first."""
    others: set[int] = set()
    for entry in entries:
        others.update(entry.data.get("children", ()))
        if entry.verb == Verb.LINKED:
            others.add(entry.data.get("target") or entry.data["source"])
    return [number, *sorted(others - {number})]


def _take_back(ticket: Ticket, action: uuid.UUID, *, must_be_unsent: bool, actor: Actor, now: datetime) -> None:
    entries = journal.of_action(ticket.pk, action)
    _nothing_since(ticket, entries)
    is_unsent = notifications.withdraw([entry.pk for entry in entries], ticket=ticket.pk, now=now)
    if must_be_unsent and not is_unsent:
        raise Conflict("This has been sent already.")
    former: dict[str, Any] = {}
    for entry in reversed(entries):
        former.update(tickets.former_values(entry))
        _reverse(ticket, entry)
    if {entry.verb for entry in entries} & {Verb.RESOLVED, Verb.FULFILLED}:
        former["resolution"] = ""
    tickets.change(ticket, now=now, guard={"version": ticket.version}, **former)
    kept = {"action": str(action), "verbs": [entry.verb for entry in entries]}
    tickets.record(Verb.UNDONE, ticket, actor=actor, now=now, data=kept)


def _nothing_since(ticket: Ticket, entries: list[Entry]) -> None:
    """See that an act was the last. That somebody was paged for it meanwhile counts only once they have answered. Raises Conflict."""
    since = journal.since(ticket.pk, entries[-1].pk) if entries else []
    answer = next((entry for entry in since if entry.verb == Verb.PAGE_ACKNOWLEDGED), None)
    if answer is not None and {entry.verb for entry in entries} & {Verb.HANDED_OVER}:
        raise Conflict("Somebody has answered the page for it since. Talk to them, or hand the ticket back.")
    if not entries or not {entry.verb for entry in entries} <= _UNDOABLE or {entry.verb for entry in since} - {Verb.PAGED}:
        raise Conflict("Something happened on this ticket since; it cannot be taken back any more.")


def _reverse(ticket: Ticket, entry: Entry) -> None:
    """Take back what an entry did beside the ticket's own columns."""
    match entry.verb:
        case Verb.REPLIED | Verb.NOTED:
            tickets.retract(ticket, entry.data["comment"])
        case Verb.TAGGED:
            tickets.untag_by_id(ticket, entry.data["tag"])
        case Verb.UNTAGGED:
            tickets.tag_by_id(ticket, entry.data["tag"])
        case Verb.LINKED if "target" in entry.data:
            tickets.take_back_link(ticket.pk, entry.data["target"], kind=entry.data["kind"])
        case _:
            pass
