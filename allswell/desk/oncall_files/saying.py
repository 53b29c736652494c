"""What holds here, as a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from allswell.desk.rotas import may_edit
from allswell.kernel.actor import Actor
from allswell.oncall import queries
from allswell.oncall.queries import escalations
from allswell.oncall.rules import Definition, ruling
from allswell.oncall.rules.policies import Policy, Target, TargetKind
from allswell.people import queries as people

from .names import Outwards
from .reaching import as_form as reach_as_form
from .reaching import reach_said, require_all
from .said import FORM, LeaveSaid, OverrideSaid, PolicySaid, RotaSaid, WatchSaid, steady

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.oncall.models import EscalationPolicy, Override

#: as far as anything may be said ahead
EVER = datetime(2149, 1, 1, tzinfo=UTC)


def document(*, actor: Actor, now: datetime, has_leave: bool = False, has_contacts: bool = False) -> dict[str, Any]:
    """The rotas and policies the actor decides about as they hold now and later, for another installation or a later day.

    With `has_contacts` how everybody is reached, without addresses; raises NotAllowed for who does not set up the installation.
    """
    said = said_here(actor=actor, now=now, has_leave=has_leave)
    if not has_contacts:
        return as_form(said)
    require_all(actor)
    return as_form(replace(said, contacts=reach_said()))


def said_here(*, actor: Actor, now: datetime, has_leave: bool) -> WatchSaid:
    """The same with the ids of this installation."""
    mine = _teams(actor)
    rows = list(queries.rotas().filter(team__in=mine).order_by("slug"))
    versions = queries.versions_of([row.pk for row in rows])
    overrides: dict[int, list[Override]] = defaultdict(list)
    for one in queries.overrides(*(row.pk for row in rows), since=now, until=EVER):
        overrides[one.rota_id].append(one)
    rotas = tuple(rota_said(row, versions.get(row.pk, []), overrides[row.pk], now=now) for row in rows)
    policies = policies_said(escalations.policies().filter(team__in=mine))
    leave = _leave({person for one in rotas for person in one.people}, now=now) if has_leave else None
    return WatchSaid(rotas, policies, leave)


def _teams(actor: Actor) -> list[int]:
    """The teams whose rotas and policies the actor decides about."""
    if actor.is_system:
        return list(people.teams().values_list("pk", flat=True))
    return [team.pk for team in people.teams_visible_to(actor) if may_edit(team, actor=actor)]


def rota_said(row: Any, versions: list[Any], overrides: Iterable[Override], *, now: datetime) -> RotaSaid:
    """What a rota says now and later."""
    in_force = ruling(versions, now, EVER)
    return RotaSaid(
        row.slug,
        row.name,
        row.team_id,
        row.is_active,
        steady((since if since > now else None, definition) for since, _, definition in in_force),
        tuple(
            OverrideSaid(
                one.level,
                one.starts_at if one.starts_at > now else None,
                one.ends_at,
                one.person_id,
                one.instead_of_id,
                one.reason,
            )
            for one in sorted(overrides, key=lambda one: one.pk)
        ),
    )


def policies_said(rows: QuerySet[EscalationPolicy]) -> tuple[PolicySaid, ...]:
    """What policies say, and what follows them."""
    written = sorted(escalations.written_policies(rows), key=lambda one: one.row.slug)
    services: dict[int, list[int]] = defaultdict(list)
    teams: dict[int, list[int]] = defaultdict(list)
    for use in escalations.policy_uses([one.row.pk for one in written]):
        if use.service_id is not None:
            services[use.policy_id].append(use.service_id)
        if use.team_id is not None:
            teams[use.policy_id].append(use.team_id)
    return tuple(
        PolicySaid(
            one.row.slug,
            one.row.name,
            one.row.team_id,
            one.row.is_active,
            one.said,
            tuple(sorted(services[one.row.pk])),
            tuple(sorted(teams[one.row.pk])),
        )
        for one in written
    )


def _leave(person_ids: Collection[int], *, now: datetime) -> tuple[LeaveSaid, ...]:
    rows = queries.leaves(person_ids, since=now, until=EVER)
    return tuple(LeaveSaid(row.person_id, row.starts_at, row.ends_at, row.note, row.source) for row in rows)


# as a document


def as_form(said: WatchSaid, new_rotas: Mapping[str, int] | None = None) -> dict[str, Any]:
    """What is said, by the names others know; `new_rotas` are the numbers of those that are not here yet."""
    named = {person for rota in said.rotas for person in rota.people} | {one.person for one in said.leave or ()}
    named |= {person for policy in said.policies for person in policy.definition.ids(TargetKind.PERSON)}
    named |= {one.person for one in said.contacts or () if one.person is not None}
    names = Outwards(named)
    names.rotas |= {number: slug for slug, number in (new_rotas or {}).items() if number not in names.rotas}
    form: dict[str, Any] = {"form": FORM, "rotas": [_rota(one, names) for one in said.rotas]}
    form["policies"] = [_policy(one, names) for one in said.policies]
    if said.leave is not None:
        leave = [_leave_as_form(one, names) for one in said.leave]
        form["leave"] = sorted(leave, key=lambda one: (one["person"], one["starts_at"], one["ends_at"]))
    if said.contacts is not None:
        form["contacts"] = reach_as_form(said.contacts, names)
    return form


def _at(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None


def _rota(one: RotaSaid, names: Outwards) -> dict[str, Any]:
    form: dict[str, Any] = {"slug": one.slug, "name": one.name, "team": names.teams.get(one.team), "is_active": one.is_active}
    form["versions"] = [
        {"effective_at": _at(since), "definition": _definition(definition, names)} for since, definition in one.versions
    ]
    if one.overrides is not None:
        form["overrides"] = [
            {
                "level": override.level,
                "starts_at": _at(override.starts_at),
                "ends_at": _at(override.ends_at),
                "person": names.person(override.person),
                "instead_of": names.person(override.instead_of),
                "reason": override.reason,
            }
            for override in one.overrides
        ]
    return form


def _definition(definition: Definition, names: Outwards) -> dict[str, Any]:
    form = definition.as_json()
    form["calendar"] = names.calendars.get(definition.calendar) if definition.calendar is not None else None
    for layer in form["layers"]:
        layer["people"] = [names.person(person) for person in layer["people"]]
    return form


def _policy(one: PolicySaid, names: Outwards) -> dict[str, Any]:
    return {
        "slug": one.slug,
        "name": one.name,
        "team": names.teams.get(one.team),
        "is_active": one.is_active,
        "services": sorted(names.services.get(pk, "") for pk in one.services),
        "teams": sorted(names.teams.get(pk, "") for pk in one.teams),
        "definition": _steps(one.definition, names),
    }


def _steps(definition: Policy, names: Outwards) -> dict[str, Any]:
    form = definition.as_json()
    for step, said in zip(form["steps"], definition.steps, strict=True):
        step["targets"] = [_target(target, names) for target in said.targets]
        if said.during is not None:
            step["hours"]["calendar"] = names.calendars.get(said.during.calendar)
    return form


def _target(target: Target, names: Outwards) -> dict[str, Any]:
    form = target.as_json()
    match target.kind:
        case TargetKind.ROTA:
            form["rota"] = names.rotas.get(target.id)
        case TargetKind.PERSON:
            form["person"] = names.person(target.id)
        case TargetKind.TEAM | TargetKind.LEAD | TargetKind.MANAGER:
            form["team"] = names.teams.get(target.id)
        case TargetKind.WEBHOOK:
            form["webhook"] = names.webhooks.get(target.id)
        case TargetKind.ROOM:
            del form["contact"]
            form["team"], form["room"] = names.room(target.id)
    return form


def _leave_as_form(one: LeaveSaid, names: Outwards) -> dict[str, Any]:
    form = {"person": names.person(one.person), "starts_at": _at(one.starts_at), "ends_at": _at(one.ends_at), "note": one.note}
    return form | ({"source": one.source} if one.source else {})
