"""Who may do what: one decision function for pages, API, search, exports, live updates and mail alike.

`may` decides for one thing; `tickets.queries.visible_to` says the same as a database filter (a property test compares them).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from allswell.kernel.actor import Actor, Grant, Role, ScopeKind
from allswell.kernel.errors import NotAllowed, NotFound


class Proof(StrEnum):
    """How far an e-mail address is known to belong to its person."""

    CLAIMED = "claimed"  # said by the person, not shown
    VOUCHED = "vouched"  # entered by an administrator or an import
    CONFIRMED = "confirmed"  # a link sent to it was opened


class TokenScope(StrEnum):
    """How far a token reaches, within what its person may do. Writing includes reading."""

    ALL = "all"
    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    SERVICES_READ = "services:read"
    SETUP_WRITE = "setup:write"
    WEBHOOKS_WRITE = "webhooks:write"


def is_away(away_from: datetime | None, away_until: datetime | None, *, now: datetime) -> bool:
    """Whether somebody is out of office; an end without a beginning has begun, a beginning without an end goes on."""
    if away_from is None and away_until is None:
        return False
    return (away_from is None or away_from <= now) and (away_until is None or now < away_until)


class Act(StrEnum):
    """What an actor may ask to do."""

    SEE = "see"  # a ticket and its public conversation
    SEE_INTERNAL = "see_internal"  # its notes, journal and desk facts
    SPEAK = "speak"  # public replies, confirm, reopen, rate
    WORK = "work"  # every verb of an agent
    LEAD = "lead"  # override priority, restrict, purge, bulk
    SEE_DESK = "see_desk"  # the desk itself: queue, people, teams, services
    SET_UP = "set_up"  # people, teams, roles, services, settings
    READ_SETUP = "read_setup"  # see them without changing


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What permission on a ticket depends on. `participants` see the public conversation, `named` see a restricted ticket."""

    organization: int | None
    team: int | None
    requester: int | None
    assignee: int | None
    is_restricted: bool
    participants: frozenset[int] = frozenset()
    watchers: frozenset[int] = frozenset()
    named: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """An organization, for permission: its id."""

    organization: int


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """A team, for permission: its id and the organization it belongs to."""

    team: int
    organization: int | None


@dataclass(frozen=True, slots=True)
class Installation:
    """The whole installation."""


INSTALLATION = Installation()
Place = OrganizationFacts | TeamFacts | Installation


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person, for permission: who sets them up must cover their organization and everything their roles reach.

    Otherwise an administrator of one branch could take over an administrator of the installation by setting their password.
    """

    person: int
    organization: int | None
    reach: tuple[Place, ...] = ()


Thing = TicketFacts | PersonFacts | Place


def place_of(organization: int | None) -> Place:
    """Where something without a team stands: its organization, or the installation when it has none."""
    return INSTALLATION if organization is None else OrganizationFacts(organization)


_READS = frozenset({Role.AGENT, Role.LEAD, Role.DUTY_MANAGER, Role.AUDITOR})
_WORKS = frozenset({Role.AGENT, Role.LEAD, Role.DUTY_MANAGER})
_LEADS = frozenset({Role.LEAD, Role.DUTY_MANAGER})
_TICKET_ROLES: dict[Act, frozenset[Role]] = {
    Act.SEE: _READS,
    Act.SEE_INTERNAL: _READS,
    Act.SPEAK: _WORKS,
    Act.WORK: _WORKS,
    Act.LEAD: _LEADS,
}


def _covers(grant: Grant, ticket: TicketFacts, person: int) -> bool:
    if grant.scope is ScopeKind.INSTALLATION:
        return True
    if grant.scope is ScopeKind.ORGANIZATION:
        return ticket.organization in grant.organizations
    return ticket.team == grant.team or ticket.assignee == person or person in ticket.watchers


def _may_ticket(actor: Actor, act: Act, ticket: TicketFacts) -> bool:
    person = actor.person
    if person is None:
        return False
    if act in (Act.SEE, Act.SPEAK) and (ticket.requester == person or person in ticket.participants):
        return True
    roles = _TICKET_ROLES.get(act)
    if roles is None:
        return False
    inside = not ticket.is_restricted or ticket.team in actor.teams or ticket.assignee == person or person in ticket.named
    return any(
        grant.role in roles and _covers(grant, ticket, person) and (inside or grant.role is Role.AUDITOR)
        for grant in actor.grants
    )


def _may_person(actor: Actor, act: Act, person: PersonFacts) -> bool:
    home = _may_elsewhere(actor, act, place_of(person.organization))
    return home and (act is not Act.SET_UP or all(_may_elsewhere(actor, act, place) for place in person.reach))


def _may_elsewhere(actor: Actor, act: Act, thing: Place) -> bool:
    if act is Act.SEE_DESK:
        return actor.is_agent or actor.has_role(Role.ADMINISTRATOR)
    roles = {
        Act.SET_UP: {Role.ADMINISTRATOR},
        Act.READ_SETUP: {Role.ADMINISTRATOR, Role.AUDITOR},
        Act.LEAD: set(_LEADS),
    }.get(act)
    if roles is None:
        return False
    for grant in actor.grants:
        if grant.role not in roles:
            continue
        if grant.scope is ScopeKind.INSTALLATION:
            return True
        if isinstance(thing, OrganizationFacts | TeamFacts) and grant.scope is ScopeKind.ORGANIZATION:
            if thing.organization in grant.organizations:
                return True
        elif isinstance(thing, TeamFacts) and grant.scope is ScopeKind.TEAM and thing.team == grant.team:
            return True
    return False


def may(actor: Actor, act: Act, thing: Thing) -> bool:
    """Whether `actor` may do `act` to `thing`. The program itself (engine, import, setup) may everything."""
    if actor.is_system:
        return True
    if isinstance(thing, TicketFacts):
        return _may_ticket(actor, act, thing)
    if isinstance(thing, PersonFacts):
        return _may_person(actor, act, thing)
    return _may_elsewhere(actor, act, thing)


def require(actor: Actor, act: Act, thing: Thing) -> None:
    """Raise NotFound when the actor may not even know of the thing, NotAllowed when only the act is not theirs."""
    if may(actor, act, thing):
        return
    if isinstance(thing, TicketFacts) and not may(actor, Act.SEE, thing):
        raise NotFound("There is no such ticket, or you may not see it.")
    raise NotAllowed("Your role does not allow this.")
