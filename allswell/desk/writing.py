"""What is going on while people write: drafts kept on the server, and who else is here. Not journaled: nothing has happened yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotAllowed
from allswell.people.rules import Act
from allswell.tickets import operations as tickets

from . import steps
from .door import use_case

PLACES = ("reply", "note", "new")
#: names a draft may hold, with their longest text
CONTENT = {
    "title": 200,
    "body": 100_000,
    "description": 100_000,
    "kind": 20,
    "service": 80,
    "requester": 254,
    "impact": 1,
    "urgency": 1,
    "can_work": 10,
    "people_affected": 10,
    "team": 20,
}
PRESENT_FOR = timedelta(seconds=30)


def _content(given: dict[str, Any]) -> dict[str, str]:
    if unknown := given.keys() - CONTENT.keys():
        raise Invalid("There is no such field.", field=min(unknown))
    return {name: text.prose(str(value), field=name, limit=CONTENT[name]) for name, value in given.items()}


def _whose(place: str, number: int | None, actor: Actor) -> int:
    if place not in PLACES or (place == "new") is not (number is None):
        raise Invalid("Choose one of the list.", field="place")
    if actor.person is None:
        raise NotAllowed("Your role does not allow this.")
    if number is not None:
        steps.ticket_for(number, Act.WORK if place == "note" else Act.SPEAK, actor=actor)
    return actor.person


@use_case
def save_draft(*, place: str, number: int | None = None, content: dict[str, Any], actor: Actor, now: datetime) -> None:
    """Keep what somebody is writing: `place` is reply or note on ticket `number`, or new; nothing written is no draft."""
    person = _whose(place, number, actor)
    kept = _content(content)
    if any(kept.values()):
        tickets.save_draft(person=person, ticket=number, place=place, content=kept, now=now)
    else:
        tickets.drop_draft(person=person, ticket=number, place=place)


@use_case
def drop_draft(*, place: str, number: int | None = None, actor: Actor, now: datetime) -> None:
    """Throw a draft away: it was sent, or is not wanted any more."""
    tickets.drop_draft(person=_whose(place, number, actor), ticket=number, place=place)


@use_case
def seen(number: int, *, writing: str = "", actor: Actor, now: datetime) -> None:
    """Somebody of the desk has this ticket open, and writes a reply or a note ("" while only reading). Counts for `PRESENT_FOR`."""
    if writing not in ("", "reply", "note"):
        raise Invalid("Choose one of the list.", field="writing")
    ticket = steps.ticket_for(number, Act.SEE_INTERNAL, actor=actor)
    if actor.person is not None:
        tickets.note_presence(ticket.pk, person=actor.person, writing=writing, now=now)


@use_case
def left(number: int, *, actor: Actor, now: datetime) -> None:
    """Somebody closed the ticket's page."""
    if actor.person is not None:
        tickets.drop_presence(number, person=actor.person)
