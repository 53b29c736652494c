"""The use cases of teams and organizations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.kernel import text
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, Invalid
from allswell.people import operations as people
from allswell.people import queries
from allswell.people.rules import Act, TeamFacts, place_of, require
from allswell.sla import operations as sla
from allswell.tickets import queries as tickets
from allswell.tickets.rules import Matrix

from . import recounting
from .door import use_case
from .people import organization_for, person_for, team_for

if TYPE_CHECKING:
    from allswell.people.models import Organization, Person, Team

ASSIGNMENTS = ("manual", "round_robin", "least_loaded")
ORGANIZATION_KINDS = ("business_unit", "customer")


# teams


def _team_columns(changes: dict[str, Any], *, actor: Actor) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "name":
            columns[name] = text.line(value, field=name, limit=120)
        elif name == "description":
            columns[name] = text.prose(value, field=name, limit=2000)
        elif name == "email":
            columns[name] = text.folded_address(value) if value else ""
        elif name == "line":
            if value not in (1, 2, 3):
                raise Invalid("The line is 1, 2 or 3.", field=name)
            columns[name] = value
        elif name == "assignment":
            if value not in ASSIGNMENTS:
                raise Invalid("Choose one of the list.", field=name)
            columns[name] = value
        elif name == "organization":
            row = organization_for(value, Act.SET_UP, actor=actor) if value is not None else None
            require(actor, Act.SET_UP, place_of(row.pk if row else None))
            columns["organization_id"] = row.pk if row else None
        elif name == "lead":
            if value is not None and not queries.people_visible_to(actor).filter(pk=value, is_active=True).exists():
                raise Invalid("Nobody is known by this name.", field=name)
            columns["lead_id"] = value
        else:
            raise Invalid("A team has no such field.", field=name)
    return columns


def create_team_step(*, name: str, details: dict[str, Any], actor: Actor, now: datetime) -> Team:
    """A new team; for use cases that do more. Raises Invalid, NotAllowed."""
    columns = _team_columns({"name": name, "organization": None, **details}, actor=actor)
    slug = people.free_slug(queries.teams(), columns["name"], fallback="team")
    row = people.create_team(slug=slug, actor=actor, now=now, **columns)
    _lead(row, actor=actor, now=now)
    return row


def _lead(team: Team, *, actor: Actor, now: datetime) -> None:
    """The lead of a team holds the lead's role in it."""
    lead = queries.any_person(team.lead_id) if team.lead_id else None
    if lead is None or queries.grants(lead.pk).filter(role=Role.LEAD.value, team=team).exists():
        return
    place = TeamFacts(team=team.pk, organization=team.organization_id)
    people.grant(lead, Role.LEAD, place=place, actor=actor, now=now)


@use_case
def create_team(*, name: str, actor: Actor, now: datetime, **details: Any) -> Team:
    """A new team. `details`: line (1 to 3), email, description, organization, lead (id), assignment.

    The lead gets the lead's role in it. Raises Invalid, NotAllowed.
    """
    return create_team_step(name=name, details=details, actor=actor, now=now)


@use_case
def edit_team(team: int | str, *, actor: Actor, now: datetime, **changes: Any) -> Team:
    """Change a team: the details of `create_team` and its name. A former lead loses the lead's role in it."""
    return edit_team_step(team, changes=changes, actor=actor, now=now)


def edit_team_step(team: int | str, *, changes: dict[str, Any], actor: Actor, now: datetime) -> Team:
    """Change a team; for use cases that do more."""
    row = team_for(team, Act.SET_UP, actor=actor)
    former = row.lead_id
    people.change(row, _team_columns(changes, actor=actor), about="team", actor=actor, now=now)
    if row.lead_id != former:
        if former is not None:
            for held in queries.grants(former).filter(role=Role.LEAD.value, team=row):
                people.revoke(held, actor=actor, now=now)
        _lead(row, actor=actor, now=now)
    return row


@use_case
def deactivate_team(team: int | str, *, actor: Actor, now: datetime) -> Team:
    """Take a team out of use. Raises Conflict while it holds open tickets: they would lie there unseen."""
    row = team_for(team, Act.SET_UP, actor=actor)
    if tickets.has_open(team=row.pk):
        raise Conflict("Open tickets are still with this team. Hand them over first.")
    people.deactivate(row, about="team", actor=actor, now=now)
    return row


@use_case
def activate_team(team: int | str, *, actor: Actor, now: datetime) -> Team:
    """Bring a team back into use."""
    row = team_for(team, Act.SET_UP, actor=actor)
    people.activate(row, about="team", actor=actor, now=now)
    return row


def join_step(person: Person, team: Team, *, actor: Actor, now: datetime) -> bool:
    """Make somebody a member, and an agent of the team unless a role of theirs covers it."""
    is_new = people.join(person, team, actor=actor, now=now)
    if is_new and not queries.works_as_agent_in(person.pk, team):
        place = TeamFacts(team=team.pk, organization=team.organization_id)
        people.grant(person, Role.AGENT, place=place, actor=actor, now=now)
    return is_new


@use_case
def join_team(person_id: int, *, team: int | str, actor: Actor, now: datetime) -> bool:
    """Make somebody a member; they become an agent of the team unless they are one. False when they are in it already."""
    row = team_for(team, Act.SET_UP, actor=actor)
    person = person_for(person_id, Act.READ_SETUP, actor=actor)
    if not person.is_active:
        raise Conflict("This person is not active any more.")
    return join_step(person, row, actor=actor, now=now)


@use_case
def leave_team(person_id: int, *, team: int | str, actor: Actor, now: datetime) -> bool:
    """End a membership, and with it the agent's role in this team. False when there is none."""
    row = team_for(team, Act.SET_UP, actor=actor)
    person = person_for(person_id, Act.READ_SETUP, actor=actor)
    for held in queries.grants(person.pk).filter(role=Role.AGENT.value, team=row):
        people.revoke(held, actor=actor, now=now)
    return people.leave(person, row, actor=actor, now=now)


# organizations


def _days(value: Any, *, field: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or not 0 <= value <= 3650:
        raise Invalid("Use a number of days, up to 3650.", field=field)
    return value


def _organization_columns(changes: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "name":
            columns[name] = text.line(value, field=name, limit=120)
        elif name == "note":
            columns[name] = text.prose(value, field=name, limit=2000)
        elif name == "kind":
            if value not in ORGANIZATION_KINDS:
                raise Invalid("Choose one of the list.", field=name)
            columns[name] = value
        elif name == "priority_matrix":
            columns[name] = [list(row) for row in Matrix.parse(value).rows] if value is not None else None
        elif name in ("closes_after_days", "reopens_within_days"):
            columns[name] = _days(value, field=name)
        else:
            raise Invalid("An organization has no such field.", field=name)
    return columns


def create_organization_step(
    *, name: str, parent: int | str | None, kind: str, details: dict[str, Any], actor: Actor, now: datetime
) -> Organization:
    """A new organization; for use cases that do more."""
    above = organization_for(parent, Act.SET_UP, actor=actor) if parent is not None else None
    require(actor, Act.SET_UP, place_of(above.pk if above else None))
    columns = _organization_columns({"name": name, "kind": kind, **details})
    row = people.create_organization(
        name=columns.pop("name"),
        slug=people.free_slug(queries.organizations(), name, fallback="organization"),
        kind=columns.pop("kind"),
        note=columns.pop("note", ""),
        parent=above,
        actor=actor,
        now=now,
    )
    people.change(row, columns, about="organization", actor=actor, now=now)
    sla.renew()  # an agreement with one above now holds for it
    return row


@use_case
def create_organization(
    *,
    name: str,
    actor: Actor,
    now: datetime,
    parent: int | str | None = None,
    kind: str = "business_unit",
    **details: Any,
) -> Organization:
    """A business unit or customer, below `parent` (id or slug) or a root.

    `details`: note, priority_matrix (rows of priorities), closes_after_days, reopens_within_days. Raises Invalid, NotAllowed.
    """
    return create_organization_step(name=name, parent=parent, kind=kind, details=details, actor=actor, now=now)


@use_case
def edit_organization(organization: int | str, *, actor: Actor, now: datetime, **changes: Any) -> Organization:
    """Change an organization: the details of `create_organization`, its name, kind and parent (id, slug or None).

    A matrix of None means: as the one above has it. Open tickets keep the priority they have.
    """
    row = organization_for(organization, Act.SET_UP, actor=actor)
    if "parent" in changes:
        ref = changes.pop("parent")
        above = organization_for(ref, Act.SET_UP, actor=actor) if ref is not None else None
        if (above.pk if above else None) != row.parent_id:
            require(actor, Act.SET_UP, place_of(above.pk if above else None))
            require(actor, Act.SET_UP, place_of(row.parent_id))
            people.move_organization(row, parent=above, actor=actor, now=now)
            sla.renew()
            recounting.organization_moved(row.pk, actor=actor, now=now)
    people.change(row, _organization_columns(changes), about="organization", actor=actor, now=now)
    return row


@use_case
def deactivate_organization(organization: int | str, *, actor: Actor, now: datetime) -> Organization:
    """Take an organization out of use. Raises Conflict while active people or organizations are in it."""
    row = organization_for(organization, Act.SET_UP, actor=actor)
    inside = queries.people().filter(organization__path__startswith=row.path, is_active=True)
    below = queries.organizations().filter(path__startswith=row.path, is_active=True).exclude(pk=row.pk)
    if inside.exists() or below.exists():
        raise Conflict("Active people or organizations are still in it. Move or deactivate them first.")
    people.deactivate(row, about="organization", actor=actor, now=now)
    return row


@use_case
def activate_organization(organization: int | str, *, actor: Actor, now: datetime) -> Organization:
    """Bring an organization back into use."""
    row = organization_for(organization, Act.SET_UP, actor=actor)
    people.activate(row, about="organization", actor=actor, now=now)
    return row
