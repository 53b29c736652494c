"""What a document of rotas and policies says, with the ids of this installation; that of the database and that of a file alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.oncall.rules import Definition
from allswell.oncall.rules.policies import Policy

if TYPE_CHECKING:
    from .reaching import ReachSaid

FORM = 1


Versions = tuple[tuple[datetime | None, Definition], ...]


def steady(versions: Iterable[tuple[datetime | None, Definition]]) -> Versions:
    """Versions in order of time; that the same goes on is no other version."""
    kept: list[tuple[datetime | None, Definition]] = []
    for one in versions:
        if not kept or one[1] != kept[-1][1]:
            kept.append(one)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class OverrideSaid:
    """An override still to come; it has begun already where `starts_at` is None."""

    level: int
    starts_at: datetime | None
    ends_at: datetime
    person: int | None
    instead_of: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class RotaSaid:
    """A rota: what it says from when on (None: already), and its overrides in the order they were made; None: nothing is said of them."""

    slug: str
    name: str
    team: int
    is_active: bool
    versions: Versions
    overrides: tuple[OverrideSaid, ...] | None

    @property
    def people(self) -> set[int]:
        """Everybody it names."""
        named = {person for _, definition in self.versions for person in definition.people}
        for one in self.overrides or ():
            named |= {person for person in (one.person, one.instead_of) if person is not None}
        return named


@dataclass(frozen=True, slots=True)
class PolicySaid:
    """A policy, and whose it is: services, and teams by default."""

    slug: str
    name: str
    team: int
    is_active: bool
    definition: Policy
    services: tuple[int, ...]
    teams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LeaveSaid:
    """Leave that is not over; `source` marks what was read from a calendar."""

    person: int
    starts_at: datetime
    ends_at: datetime
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class WatchSaid:
    """All of it; `leave` or `contacts` None: nothing is said of it."""

    rotas: tuple[RotaSaid, ...]
    policies: tuple[PolicySaid, ...]
    leave: tuple[LeaveSaid, ...] | None = None
    contacts: tuple[ReachSaid, ...] | None = None
