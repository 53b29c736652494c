"""The use cases of rotas: who takes turns, from when on, and what an edit moves before it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from allswell.calendars import queries as calendars
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from allswell.kernel.instants import sensible
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.rules import (
    FARTHEST,
    Caution,
    Change,
    Definition,
    Duty,
    Limits,
    Moved,
    Slot,
    Version,
    by_person,
    cautions,
    with_keys,
)
from allswell.people import operations as people_operations
from allswell.people import queries as people
from allswell.people.rules import Act, may

from . import coverage, planning
from .door import use_case

if TYPE_CHECKING:
    from allswell.oncall.models import Rota
    from allswell.people.models import Team


def may_edit(team: Team, *, actor: Actor) -> bool:
    """Whether the actor decides about the rotas of a team: who leads it, or administers its organization."""
    place = people.team_facts(team)
    return may(actor, Act.LEAD, place) or may(actor, Act.SET_UP, place)


def rota_for(rota: int | str, *, actor: Actor, to_edit: bool = False) -> Rota:
    """The rota (id or slug) as the actor may read it, or `to_edit` it. Raises NotFound, NotAllowed."""
    row = queries.by_ref(rota)
    if row is None or not (actor.is_system or queries.visible_to(actor).filter(pk=row.pk).exists()):
        raise NotFound("There is no such rota, or you may not know it.")
    if to_edit and not may_edit(row.team, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    return row


def team_for_rotas(team: int | str, *, actor: Actor) -> Team:
    """The team (id or slug) whose rotas the actor may set up. Raises NotFound, NotAllowed."""
    row = people.team_by_ref(team)
    if row is None or not people.knows_team(actor, row):
        raise NotFound("There is no such team, or you may not know it.")
    if not may_edit(row, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    return row


def held(row: Rota) -> Rota:
    """The rota as it is now, for this act alone."""
    (again,) = rotas.hold([row.pk])
    return again


# what an edit moves


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would move: every time that changes hands, the same by person, and what is not good about the plan then.

    `gaps` are the times nobody would be on call, `until` how far it looked; `opens` are the services it would leave without cover.
    """

    moves: tuple[Moved, ...]
    changes: dict[int, Change]
    gaps: tuple[Slot, ...]
    cautions: tuple[Caution, ...]
    until: datetime
    opens: tuple[coverage.Opened, ...] = ()


def what_moves(
    rota: int | str | None,
    definition: Definition | dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
    team: int | str | None = None,
    effective_at: datetime | None = None,
) -> Preview:
    """What a definition would move from `effective_at` on, were it written; without a rota: a new one of a `team`. Writes nothing.

    Raises Invalid, NotFound, NotAllowed.
    """
    if (rota is None) == (team is None):
        raise Invalid("Give one of rota and team.", field="team" if rota is not None else "rota")
    if team is not None:
        team_for_rotas(team, actor=actor)
    row = rota_for(rota, actor=actor, to_edit=True) if rota is not None else None
    known = queries.versions_of([row.pk]).get(row.pk, []) if row else []
    asked = checked(_parsed(definition), known, actor=actor)
    at = _effective(effective_at, known, now=now)
    until = planning.horizon(now)
    pk = row.pk if row else 0
    said = [*known, Version(len(known) + 1, at, asked)]
    after = queries.plan([pk], now, until, versions={pk: said})[pk]
    before = queries.slots([row], now, until)[pk] if row else ()
    found = preview(pk, before, after, {pk: asked}, until=until, now=now)
    if row is None or not found.moves:
        return found
    edit = coverage.Edit(versions={pk: said})
    return replace(found, opens=coverage.what_opens(edit, actor=actor, now=now, weeks=coverage.MOST_WEEKS))


def preview(
    rota: int,
    before: tuple[Slot, ...],
    after: tuple[Slot, ...],
    definitions: dict[int, Definition],
    *,
    until: datetime,
    now: datetime,
) -> Preview:
    """What lies between two plans of a rota, and what is not good about the second, over all rotas of its people."""
    everyone = {slot.person for slot in after if slot.person is not None}
    others = [duty for duty in queries.duties(now, until, people=everyone) if duty.rota != rota]
    mine = [Duty(rota, slot.level, slot.person, slot.starts_at, slot.ends_at) for slot in after if slot.person is not None]
    limits = {pk: limits_of(definition) for pk, definition in definitions.items()}
    leave = queries.leave_of(everyone, since=now, until=until)
    moves = planning.moves_between(before, after, since=now, until=until)
    warned = tuple(one for one in cautions([*mine, *others], limits=limits, leave=leave) if one.rota == rota)
    return Preview(moves, by_person(moves), tuple(slot for slot in after if slot.is_gap), warned, until)


def limits_of(definition: Definition) -> Limits:
    """What a rota warns of."""
    return Limits(_minutes(definition.minimum_rest), _minutes(definition.maximum_week))


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)


def _parsed(definition: Definition | dict[str, Any]) -> Definition:
    return Definition.parse(definition) if isinstance(definition, dict) else definition.checked()


def checked(asked: Definition, known: list[Version], *, actor: Actor) -> Definition:
    """A definition whose people and calendar are known to the actor, or were in the rota before; new layers get their keys."""
    used = max((layer.key for version in known for layer in version.definition.layers), default=0)
    asked = replace(asked, layers=with_keys(asked.layers, after=used))
    named_before = {person for version in known for person in version.definition.people}
    fit = _who_may_be_called(asked.people - named_before, actor=actor)
    for place, layer in enumerate(asked.layers):
        if not set(layer.people) <= named_before | fit:
            raise Invalid("Name people of the desk who are in use.", field=f"layers.{place}.people")
    if asked.calendar is not None and asked.calendar not in calendars.by_ids([asked.calendar]):
        raise Invalid("There is no such calendar.", field="calendar")
    return asked


def _who_may_be_called(person_ids: frozenset[int] | set[int], *, actor: Actor) -> set[int]:
    """Those of these people who are in use, known to the actor, and work at the desk."""
    if not person_ids:
        return set()
    works = Q(memberships__isnull=False) | Q(grants__isnull=False)
    rows = people.people_visible_to(actor).filter(works, pk__in=person_ids, is_active=True)
    return set(rows.values_list("pk", flat=True))


def callable_person(person: int | None, *, field: str, actor: Actor) -> int | None:
    """A person of the desk who may be put on call; None is nobody. Raises Invalid."""
    if person is not None and not _who_may_be_called({person}, actor=actor):
        raise Invalid("Name people of the desk who are in use.", field=field)
    return person


def _effective(effective_at: datetime | None, known: list[Version], *, now: datetime) -> datetime:
    """When a version begins: never in the past, unless said otherwise not before the newest one."""
    if effective_at is None:
        return max([now, *(version.effective_at for version in known[-1:])])
    at = sensible(effective_at, field="effective_at")
    if at > now + FARTHEST:
        raise Invalid("This is too far ahead.", field="effective_at")
    return max(at, now)


# the use cases


@use_case
def create_rota(
    *,
    name: str,
    team: int | str,
    definition: Definition | dict[str, Any],
    actor: Actor,
    now: datetime,
    effective_at: datetime | None = None,
    note: str = "",
) -> Rota:
    """A rota of a team, its shifts written ahead. Raises Invalid, NotFound, NotAllowed."""
    return create_rota_step(
        name=name, team=team, definition=definition, effective_at=effective_at, note=note, actor=actor, now=now
    )


def create_rota_step(
    *,
    name: str,
    team: int | str,
    definition: Definition | dict[str, Any],
    actor: Actor,
    now: datetime,
    effective_at: datetime | None = None,
    note: str = "",
    is_told: bool = True,
) -> Rota:
    """The same, for use cases that do more."""
    of_team = team_for_rotas(team, actor=actor)
    asked = checked(_parsed(definition), [], actor=actor)
    rotas.hold_people(asked.people)
    name = text.line(name, field="name", limit=80)
    slug = people_operations.free_slug(queries.rotas(), name, fallback="rota")
    row = rotas.create(name=name, slug=slug, team=of_team.pk, actor=actor, now=now)
    _write(row, asked, [], effective_at=effective_at, note=note, actor=actor, now=now, is_told=is_told)
    return row


@use_case
def change_rota(
    rota: int | str,
    *,
    actor: Actor,
    now: datetime,
    definition: Definition | dict[str, Any] | None = None,
    name: str | None = None,
    effective_at: datetime | None = None,
    seen: int | None = None,
    note: str = "",
) -> Rota:
    """Another definition from `effective_at` on (unless given now, or when the newest begins), another name.

    `seen` is the number of the newest version the actor knows, if it matters. Those whose shifts move are told. Raises Conflict when
    nothing differs, Stale, Invalid, NotFound, NotAllowed.
    """
    row = rota_for(rota, actor=actor, to_edit=True)
    asked = _parsed(definition) if definition is not None else None
    rotas.hold_people(asked.people if asked else ())  # first people, then rotas, as whoever writes leave does
    row = held(row)
    if seen is not None and seen != row.number:
        raise Stale("Somebody has changed this rota in the meantime. Look at it again.")
    is_renamed = name is not None and rotas.rename(row, text.line(name, field="name", limit=80), actor=actor, now=now) is not None
    if asked is None:
        if not is_renamed:
            raise Conflict("Nothing is different from the newest version.")
        return row
    known = queries.versions_of([row.pk])[row.pk]
    asked = checked(asked, known, actor=actor)
    if asked == known[-1].definition and (effective_at is None or effective_at >= known[-1].effective_at):
        if is_renamed:
            return row
        raise Conflict("Nothing is different from the newest version.")
    _write(row, asked, known, effective_at=effective_at, note=note, actor=actor, now=now)
    return row


def _write(
    row: Rota,
    asked: Definition,
    known: list[Version],
    *,
    effective_at: datetime | None,
    note: str,
    actor: Actor,
    now: datetime,
    is_told: bool = True,
) -> None:
    at = _effective(effective_at, known, now=now)
    note = text.line(note, field="note", limit=200, required=False)
    rotas.add_version(row, asked, effective_at=at, note=note, actor=actor, now=now)
    rotas.name_people(row, [*known, Version(row.number, at, asked)], now=now)
    planning.replan([row], actor=actor, now=now, is_told=is_told)


@use_case
def deactivate_rota(rota: int | str, *, actor: Actor, now: datetime) -> Rota:
    """Take a rota out of use: from now on nobody is on call in it. What was stays readable."""
    return _in_use(rota, is_active=False, actor=actor, now=now)


@use_case
def activate_rota(rota: int | str, *, actor: Actor, now: datetime) -> Rota:
    """Take a rota back into use, as its newest version says."""
    return _in_use(rota, is_active=True, actor=actor, now=now)


def _in_use(rota: int | str, *, is_active: bool, actor: Actor, now: datetime) -> Rota:
    row = held(rota_for(rota, actor=actor, to_edit=True))
    if rotas.set_active(row, is_active=is_active, actor=actor, now=now):
        planning.replan([row], actor=actor, now=now)
    return row
