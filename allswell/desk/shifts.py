"""The use cases of shifts: overrides, leave, covering and swapping, taking one at once, calendars that read along."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.kernel.instants import sensible
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.rules import FARTHEST
from allswell.people import queries as people
from allswell.people.rules import Act, may

from . import planning
from .door import use_case
from .people import person_for
from .rotas import callable_person, held, may_edit, rota_for

if TYPE_CHECKING:
    from allswell.oncall.models import CalendarLink, Leave, Override, Rota

#: links one person may have at a time
MOST_LINKS = 20


def span(starts_at: datetime, ends_at: datetime, *, now: datetime) -> tuple[datetime, datetime]:
    """A time that is not over, from now on at the earliest. Raises Invalid."""
    starts_at, ends_at = sensible(starts_at, field="starts_at"), sensible(ends_at, field="ends_at")
    if ends_at <= starts_at:
        raise Invalid("The end is before the beginning.", field="ends_at")
    if ends_at <= now:
        raise Invalid("This is over already.", field="ends_at")
    if ends_at > now + FARTHEST:
        raise Invalid("This is too far ahead.", field="ends_at")
    return max(starts_at, now), ends_at


def check_level(row: Rota, level: int, *, field: str = "level") -> int:
    """A level that a rota in use has. Raises Invalid, Conflict."""
    if not row.is_active:
        raise Conflict("This rota is not in use.")
    if not 1 <= level <= row.levels:
        raise Invalid("Levels go from 1 to %(limit)s.", field=field, limit=row.levels)
    return level


def is_one_of_them(row: Rota, *, actor: Actor) -> bool:
    """Whether the actor takes part in a rota: named in it, of its team, or deciding about it."""
    if actor.person is None:
        return False
    return row.team_id in actor.teams or queries.is_member(row.pk, actor.person) or may_edit(row.team, actor=actor)


def mine(rota: int | str, *, actor: Actor) -> tuple[Rota, int]:
    """A rota the actor takes part in, held for this act, and who they are. Raises NotFound, NotAllowed."""
    row = rota_for(rota, actor=actor)
    if actor.person is None or not is_one_of_them(row, actor=actor):
        raise NotAllowed("Only people of this rota can do this.")
    return held(row), actor.person


# overrides


@use_case
def add_override(
    rota: int | str,
    *,
    level: int,
    starts_at: datetime,
    ends_at: datetime,
    person: int | None,
    actor: Actor,
    now: datetime,
    instead_of: int | None = None,
    reason: str = "",
) -> Override:
    """Put somebody on call whatever the rota says, or nobody on purpose (None); with `instead_of` only where that person would be.

    Raises Invalid, Conflict, NotFound, NotAllowed.
    """
    row = held(rota_for(rota, actor=actor, to_edit=True))
    level = check_level(row, level)
    starts_at, ends_at = span(starts_at, ends_at, now=now)
    if person is not None and person == instead_of:
        raise Invalid("Choose somebody else.", field="person")
    made, _ = rotas.add_override(
        row,
        level=level,
        starts_at=starts_at,
        ends_at=ends_at,
        person=callable_person(person, field="person", actor=actor),
        instead_of=instead_of if instead_of is None or people.any_person(instead_of) else None,
        reason=text.line(reason, field="reason", limit=200, required=False),
        actor=actor,
        now=now,
    )
    planning.replan([row], actor=actor, now=now)
    return made


@use_case
def cancel_override(rota: int | str, override: int, *, actor: Actor, now: datetime) -> Override:
    """Take an override back: from now on the rota says who is on call again. Raises Conflict, NotFound, NotAllowed."""
    row = held(rota_for(rota, actor=actor, to_edit=True))
    made = queries.override(row.pk, override)
    if made is None:
        raise NotFound("There is no such override.")
    if made.cancelled_at is not None or made.ends_at <= now:
        raise Conflict("This is over already.")
    rotas.cancel_override(made, actor=actor, now=now)
    planning.replan([row], actor=actor, now=now)
    return made


@use_case
def take_shift(
    rota: int | str, *, level: int, actor: Actor, now: datetime, until: datetime | None = None, reason: str = ""
) -> Override:
    """Take over at once from whoever is on call, or from nobody, until the shift ends or `until`; it is the actor who is called then.

    Raises Conflict when it is theirs already.
    """
    row, person = mine(rota, actor=actor)
    level = check_level(row, level)
    running = queries.on_call([row.pk], now)[row.pk].get(level)
    if running is not None and running.person == person:
        raise Conflict("You are on call already.")
    if until is None and running is None:
        raise Invalid("Say until when.", field="until")
    ends_at = until if until is not None else running.ends_at if running else now
    starts_at, ends_at = span(now, ends_at, now=now)
    made, _ = rotas.add_override(
        row,
        level=level,
        starts_at=starts_at,
        ends_at=ends_at,
        person=person,
        reason=text.line(reason, field="reason", limit=200, required=False),
        actor=actor,
        now=now,
    )
    planning.replan([row], actor=actor, now=now)
    return made


# leave


def may_set_leave(person: int, *, actor: Actor) -> bool:
    """Whether the actor says when somebody is not there: they themselves, who sets them up, who decides about a rota of theirs."""
    if actor.is_system or person == actor.person:
        return True
    row = people.any_person(person)
    if row is None or not people.knows_person(actor, row):
        return False
    if may(actor, Act.SET_UP, people.person_facts(row)):
        return True
    return any(may_edit(rota.team, actor=actor) for rota in queries.rotas_of(person).select_related("team"))


def require_leave(person: int, *, actor: Actor) -> None:
    """See that the actor may say when somebody is not there. Raises NotAllowed, NotFound for whom they may not know."""
    if not may_set_leave(person, actor=actor):
        person_for(person, Act.SEE_DESK, actor=actor)
        raise NotAllowed("Your role does not allow this.")


@use_case
def add_leave(
    *, person: int, starts_at: datetime, ends_at: datetime, actor: Actor, now: datetime, note: str = "", source: str = ""
) -> Leave:
    """Somebody is not there: their turns go as each layer says, and those are told. `source` marks what was read from a calendar.

    Raises Invalid, Conflict (read already), NotFound, NotAllowed.
    """
    require_leave(person, actor=actor)
    starts_at, ends_at = sensible(starts_at, field="starts_at"), sensible(ends_at, field="ends_at")
    if ends_at <= starts_at:
        raise Invalid("The end is before the beginning.", field="ends_at")
    if ends_at > now + FARTHEST:
        raise Invalid("This is too far ahead.", field="ends_at")
    rotas.hold_people([person])
    row, _ = rotas.add_leave(
        person,
        starts_at=starts_at,
        ends_at=ends_at,
        note=text.line(note, field="note", limit=200, required=False),
        source=text.line(source, field="source", limit=250, required=False),
        actor=actor,
        now=now,
    )
    planning.people_changed([person], actor=actor, now=now)
    return row


@use_case
def cancel_leave(leave: int, *, actor: Actor, now: datetime) -> Leave:
    """They are there after all, from now on. Raises Conflict, NotFound, NotAllowed."""
    row = queries.leave(leave)
    if row is None or not may_set_leave(row.person_id, actor=actor):
        raise NotFound("There is no such leave, or you may not know it.")
    rotas.hold_people([row.person_id])
    if row.cancelled_at is not None or row.ends_at <= now:
        raise Conflict("This is over already.")
    rotas.cancel_leave(row, actor=actor, now=now)
    planning.people_changed([row.person_id], actor=actor, now=now)
    return row


# calendars that read along


@use_case
def make_calendar_link(*, actor: Actor, now: datetime, rota: int | str | None = None) -> tuple[CalendarLink, str]:
    """A secret address at which the actor's calendar program reads their shifts, or those of a rota: the row, and the secret.

    The secret is shown this once. Raises Conflict, NotFound, NotAllowed.
    """
    if actor.person is None:
        raise NotAllowed("Only people have calendars.")
    row = rota_for(rota, actor=actor) if rota is not None else None
    if queries.calendar_links(actor.person).count() >= MOST_LINKS:
        raise Conflict("You have %(n)s addresses already. End one of them first.", n=MOST_LINKS)
    return rotas.make_calendar_link(actor.person, row.pk if row else None, actor=actor, now=now)


@use_case
def revoke_calendar_link(link: int, *, actor: Actor, now: datetime) -> None:
    """End a secret address of one's own. Raises NotFound."""
    row = queries.calendar_links(actor.person or 0).filter(pk=link).first()
    if row is None:
        raise NotFound("There is no such address.")
    rotas.revoke_calendar_link(row, actor=actor, now=now)


@use_case
def note_calendar_reading(link: int, *, actor: Actor, now: datetime) -> None:
    """A calendar program has read at one's address."""
    row = queries.calendar_links(actor.person or 0).filter(pk=link).first()
    if row is not None:
        rotas.note_reading(row, now=now)
