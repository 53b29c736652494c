"""Who does something: a person at a page, a token at the API, the engine, an import."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """What a person may be, within a scope. Everybody with an account is a requester for what is theirs."""

    REQUESTER = "requester"
    AGENT = "agent"
    LEAD = "lead"
    DUTY_MANAGER = "duty_manager"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class ScopeKind(StrEnum):
    """How far a role reaches."""

    INSTALLATION = "installation"
    ORGANIZATION = "organization"
    TEAM = "team"


class ActorKind(StrEnum):
    """What stands behind an act."""

    PERSON = "person"
    TOKEN = "token"
    ENGINE = "engine"
    IMPORT = "import"
    SETUP = "setup"


class Channel(StrEnum):
    """The way something reached us."""

    PORTAL = "portal"
    DESK = "desk"
    PHONE = "phone"
    EMAIL = "email"
    API = "api"
    IMPORT = "import"
    WALK_IN = "walk_in"
    MONITORING = "monitoring"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope. `organizations` is the organization and all below it, for an organization scope.

    `knows` are the organizations whose people and records come with it, None all of them: for a role in a team those of the
    team's organization and below.
    """

    role: Role
    scope: ScopeKind
    knows: frozenset[int] | None
    organizations: frozenset[int] = frozenset()
    team: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, with everything permission rules need; made once per request.

    `scopes` is None for a person at a page (no further limit) and the token's scopes for the API.
    `action` groups the journal entries of one user action. `above` are the own organization and those above it, None when
    nobody asked.
    """

    kind: ActorKind
    person: int | None = None
    name: str = ""
    organization: int | None = None
    above: tuple[int, ...] | None = None
    grants: tuple[Grant, ...] = ()
    teams: frozenset[int] = frozenset()
    scopes: frozenset[str] | None = None
    token: int | None = None
    channel: Channel = Channel.DESK
    locale: str = "en"
    time_zone: str = "UTC"
    action: uuid.UUID = field(default_factory=uuid.uuid4)

    def has_role(self, *roles: Role) -> bool:
        """Whether one of the roles is held in any scope."""
        return any(grant.role in roles for grant in self.grants)

    @property
    def is_system(self) -> bool:
        """The program itself: no permission is asked of it."""
        return self.kind in (ActorKind.ENGINE, ActorKind.IMPORT, ActorKind.SETUP)

    @property
    def is_agent(self) -> bool:
        """Whether the desk (not only the portal) is open to this actor."""
        return self.has_role(Role.AGENT, Role.LEAD, Role.DUTY_MANAGER, Role.AUDITOR)

    def via(self, channel: Channel) -> Actor:
        """The same actor, speaking through another channel."""
        return replace(self, channel=channel)


def engine() -> Actor:
    """The engine acting by itself."""
    return Actor(kind=ActorKind.ENGINE, name="Allswell", channel=Channel.ENGINE)


def importer() -> Actor:
    """History being brought in."""
    return Actor(kind=ActorKind.IMPORT, name="Import", channel=Channel.IMPORT)


def setup() -> Actor:
    """The operator at the command line."""
    return Actor(kind=ActorKind.SETUP, name="Operator", channel=Channel.DESK)


def nobody() -> Actor:
    """Somebody at a page who has not signed in."""
    return Actor(kind=ActorKind.PERSON, channel=Channel.PORTAL)
