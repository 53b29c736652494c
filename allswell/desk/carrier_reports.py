"""What carriers of text messages and calls report back: whether a message arrived, and what somebody answered to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from allswell.kernel import text
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import Invalid, NotFound
from allswell.notifications import queries as contacts
from allswell.oncall.operations import deliveries as writing
from allswell.oncall.queries import escalations
from allswell.people import queries as people
from allswell.tickets.rules import reference

from .door import use_case

#: words of carriers -> what they come to; the others (queued, ringing …) say nothing yet
_ARRIVED = frozenset({"delivered", "read", "completed"})
_LOST = frozenset({"undelivered", "failed", "busy", "no-answer", "canceled"})
_ACK = re.compile(r"\s*ack\b[\s:#]*(?:[a-z]{3}-)?(\d{1,12})?\s*[.!]?\s*", re.IGNORECASE)
#: a text message nobody types is not read further
_LONGEST = 200


@use_case
def note_status(delivery: int, *, status: str, detail: str = "", actor: Actor, now: datetime) -> bool:
    """Note what a carrier says of a delivery; one that did not arrive hurries the next way. False when that is no news.

    Raises NotFound, Invalid for a word no carrier says.
    """
    row = escalations.delivery(delivery)
    if row is None:
        raise NotFound("There is no such delivery.")
    said = status.strip().lower()
    if said not in _ARRIVED and said not in _LOST:
        if not re.fullmatch(r"[a-z-]{1,20}", said):
            raise Invalid("This is no status of a message or call.", field="status")
        return False
    words = " ".join(filter(None, [said, text.clean(detail)[:100]]))
    if not writing.receipt(row, "delivered" if said in _ARRIVED else "undelivered", now=now, detail=words):
        return False
    if said in _LOST and row.page.closed_at is None:
        writing.hurry_next(row.page_id, now=now)
    return True


def is_repeated(person: int, *, by: str, mark: str) -> bool:
    """Whether a message or call of this name answered a page of theirs before: what is sent again answers nothing anew."""
    return bool(mark) and escalations.was_answered(person, detail=f"{by}:{mark}")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a text message asks for: the page it answers, by whom; or why none ("nobody", "unclear", "which", "none").

    `waiting` are the references one could have meant.
    """

    actor: Actor | None
    page: int | None = None
    problem: str = ""
    waiting: tuple[str, ...] = ()


def meant_by(number: str, body: str) -> Meant:
    """Which page somebody answers who wrote `body` from a telephone number. Only pages of whoever has shown the number to be theirs."""
    persons = dict.fromkeys(person for _, person in contacts.contacts_by_number(number)) if len(number) <= 40 else {}
    actors = {person: _actor(person) for person in persons}
    found = {person: list(escalations.open_pages_of(person)[:50]) for person, actor in actors.items() if actor is not None}
    if not found:
        return Meant(None, problem="nobody")
    # a number two share is spoken for by whom something waits for
    person = max(found, key=lambda one: max(((page.ticket_id is not None, page.pk) for page in found[one]), default=(False, 0)))
    asked = _ACK.fullmatch(body) if len(body) <= _LONGEST else None
    if asked is None:
        return Meant(actors[person], problem="unclear")
    if asked[1]:
        for one, pages in found.items():
            for page in pages:
                if page.ticket_id == int(asked[1]):
                    return Meant(actors[one], page.pk)
        return Meant(actors[person], problem="none")
    waiting = {page.ticket.pk: page for page in found[person] if page.ticket is not None}
    if not waiting and found[person]:
        return Meant(actors[person], found[person][0].pk)  # practice
    if len(waiting) == 1:
        return Meant(actors[person], next(iter(waiting.values())).pk)
    named = tuple(reference(page.ticket.kind, number) for number, page in waiting.items() if page.ticket is not None)
    return Meant(actors[person], problem="which" if waiting else "none", waiting=named)


def _actor(person: int) -> Actor | None:
    found = people.person(person)
    return people.actor_for(found, channel=Channel.PHONE) if found is not None else None
