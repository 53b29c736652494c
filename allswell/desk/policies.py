"""The use cases of escalation policies: what they say, and what follows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.calendars import queries as calendars
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from allswell.notifications import queries as notifications
from allswell.oncall import queries as rotas
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.rules.policies import Policy, Target, TargetKind
from allswell.people import operations as people_operations
from allswell.people import queries as people
from allswell.services import queries as services

from .door import use_case
from .rotas import may_edit, team_for_rotas

if TYPE_CHECKING:
    from allswell.oncall.models import EscalationPolicy


def policy_for(policy: int | str, *, actor: Actor, to_edit: bool = False) -> EscalationPolicy:
    """The policy (id or slug) as the actor may read it, or `to_edit` it. Raises NotFound, NotAllowed."""
    row = escalations.policy_by_ref(policy)
    if row is None or not (actor.is_system or escalations.policies_visible_to(actor).filter(pk=row.pk).exists()):
        raise NotFound("There is no such policy, or you may not know it.")
    if to_edit and not may_edit(row.team, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    return row


@use_case
def create_policy(
    *, name: str, team: int | str, definition: Policy | dict[str, Any], note: str = "", actor: Actor, now: datetime
) -> EscalationPolicy:
    """Write a new policy of a team. Raises Invalid (field named), NotFound, NotAllowed."""
    owner = team_for_rotas(team, actor=actor)
    said = checked(definition, known=None, actor=actor)
    name = text.line(name, field="name", limit=80)
    slug = people_operations.free_slug(escalations.policies(), name, fallback="policy")
    row = writing.create_policy(name=name, slug=slug, team=owner.pk, actor=actor, now=now)
    writing.add_policy_version(row, said, note=text.line(note, field="note", limit=200, required=False), actor=actor, now=now)
    return row


@use_case
def change_policy(
    policy: int | str,
    *,
    definition: Policy | dict[str, Any] | None = None,
    name: str | None = None,
    number: int | None = None,
    note: str = "",
    actor: Actor,
    now: datetime,
) -> EscalationPolicy:
    """Give a policy another name or write its next version; runs that have begun keep what they began with.

    `number` is the version the change was made from. Raises Invalid, NotFound, NotAllowed, Stale.
    """
    row = policy_for(policy, actor=actor, to_edit=True)
    if number is not None and number != row.number:
        raise Stale("Somebody has changed this policy in the meantime. Look at it again.")
    if name is not None:
        writing.change_policy(row, {"name": text.line(name, field="name", limit=80)}, actor=actor, now=now)
    if definition is not None:
        before = escalations.policy_definition(row)
        said = checked(definition, known=before, actor=actor)
        if said != before:
            words = text.line(note, field="note", limit=200, required=False)
            writing.add_policy_version(row, said, note=words, actor=actor, now=now)
    return row


@use_case
def set_policy_active(policy: int | str, *, is_active: bool, actor: Actor, now: datetime) -> EscalationPolicy:
    """Take a policy out of use, or back into it: then nothing new follows it. Raises NotFound, NotAllowed."""
    row = policy_for(policy, actor=actor, to_edit=True)
    writing.set_policy_active(row, is_active=is_active, actor=actor, now=now)
    return row


@use_case
def use_for_team(team: int | str, *, policy: int | str | None, actor: Actor, now: datetime) -> None:
    """Make a policy what a team's tickets follow; None: they follow none. Raises NotFound, NotAllowed, Invalid."""
    owner = team_for_rotas(team, actor=actor)
    row = _active(policy, actor=actor) if policy is not None else None
    writing.use_policy(row.pk if row else None, team=owner.pk, actor=actor, now=now)


@use_case
def use_for_service(service: int | str, *, policy: int | str | None, actor: Actor, now: datetime) -> None:
    """Make a policy that of a service; None: its tickets follow their team's. Raises NotFound, NotAllowed, Invalid."""
    item = services.by_ref(service)
    if item is None or not (actor.is_system or services.knows(actor, item)):
        raise NotFound("There is no such service, or you may not know it.")
    if item.team_id is None:
        raise Invalid("Give the service a team first.", field="service")
    team_for_rotas(item.team_id, actor=actor)
    row = _active(policy, actor=actor) if policy is not None else None
    writing.use_policy(row.pk if row else None, service=item.pk, actor=actor, now=now)


def _active(policy: int | str, *, actor: Actor) -> EscalationPolicy:
    row = policy_for(policy, actor=actor)
    if not row.is_active:
        raise Invalid("This policy is out of use.", field="policy")
    return row


def checked(definition: Policy | dict[str, Any], *, known: Policy | None, actor: Actor) -> Policy:
    """What a policy is to say, when everything it names is known to the actor or was named before. Raises Invalid."""
    said = Policy.parse(definition.as_json() if isinstance(definition, Policy) else definition)
    before = {target for step in known.steps for target in step.targets} if known else set()
    for place, step in enumerate(said.steps):
        for at, target in enumerate(step.targets):
            if target not in before and not _is_known(target, actor=actor):
                raise Invalid("This is not known, or not within your reach.", field=f"steps.{place}.targets.{at}")
        if step.during is not None and not calendars.calendars().filter(pk=step.during.calendar).exists():
            raise Invalid("There is no such calendar.", field=f"steps.{place}.hours.calendar")
    return said


def _is_known(target: Target, *, actor: Actor) -> bool:
    match target.kind:
        case TargetKind.ROTA:
            seen = rotas.rotas() if actor.is_system else rotas.visible_to(actor)
            row = seen.filter(pk=target.id, is_active=True).first()
            return row is not None and target.level <= row.levels
        case TargetKind.PERSON:
            person = people.person(target.id)
            return person is not None and person.is_active and (actor.is_system or people.knows_person(actor, person))
        case TargetKind.TEAM | TargetKind.LEAD | TargetKind.MANAGER:
            team = people.team(target.id)
            return team is not None and (actor.is_system or people.knows_team(actor, team))
        case TargetKind.ROOM:
            contact = notifications.contact(target.id)
            return (
                contact is not None
                and contact.team is not None
                and contact.verified_at is not None
                and (actor.is_system or people.knows_team(actor, contact.team))
            )
        case TargetKind.WEBHOOK:
            return notifications.webhooks().filter(pk=target.id, is_active=True).exists()
