"""Who somebody is to the desk: a person or a token, with what they may do now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from allswell.database.rows import Prepared
from allswell.database.statements import ask
from allswell.kernel.actor import Actor, ActorKind, Channel, Grant, Role, ScopeKind
from allswell.people.models import Membership, Organization, Person, RoleGrant, Token

from .keys import digest
from .organizations import ids_in
from .persons import FEW, active

_GRANTS = """
SELECT 'g', g.role, g.scope, g.team_id, o.path FROM people_rolegrant g
LEFT JOIN people_team t ON t.id = g.team_id
LEFT JOIN people_organization o ON o.id = COALESCE(g.organization_id, t.organization_id) WHERE g.person_id = %s
UNION ALL
SELECT 'm', '', '', m.team_id, NULL FROM people_membership m WHERE m.person_id = %s
UNION ALL
SELECT 'o', '', '', NULL, o.path FROM people_person p JOIN people_organization o ON o.id = p.organization_id WHERE p.id = %s
UNION ALL
SELECT 'b', '', '', d.id, d.path FROM people_organization d WHERE EXISTS (
SELECT 1 FROM people_rolegrant g LEFT JOIN people_team t ON t.id = g.team_id
JOIN people_organization o ON o.id = COALESCE(g.organization_id, t.organization_id)
WHERE g.person_id = %s AND substr(d.path, 1, length(o.path)) = o.path)
"""
#: more places than these at once, and all organizations are read instead
_MANY = 50


def _below(paths: set[str]) -> dict[str, frozenset[int]]:
    """Path -> the organization there and all below it, in one statement; none for no path."""
    if not paths:
        return {}
    under = Q()
    for path in sorted(paths) if len(paths) <= _MANY else ():
        under |= Q(path__startswith=path)
    return _inside(paths, Organization.objects.filter(under).values_list("id", "path"))


def _inside(paths: set[str], rows: Iterable[tuple[int, str]]) -> dict[str, frozenset[int]]:
    """Path -> those of the organizations (id, path) that lie there or below."""
    places = list(rows)
    return {path: frozenset(pk for pk, place in places if place.startswith(path)) for path in paths}


def _grant(role: str, scope: str, team: int | None, path: str | None, below: dict[str, frozenset[int]]) -> Grant:
    """A role; `path` is the place of its organization, or of its team's, and `below` what lies there."""
    kind = ScopeKind(scope)
    inside = below[path] if path else None
    is_wide = kind is ScopeKind.INSTALLATION or (kind is ScopeKind.TEAM and inside is None)
    return Grant(
        role=Role(role),
        scope=kind,
        knows=None if is_wide else inside or frozenset(),
        organizations=inside or frozenset() if kind is ScopeKind.ORGANIZATION else frozenset(),
        team=team,
    )


@dataclass(frozen=True, slots=True)
class _Access:
    """What the roles, teams and organization of a person are, as `Actor` keeps them."""

    grants: tuple[Grant, ...]
    teams: frozenset[int]
    above: tuple[int, ...]


def _access(person_id: int) -> _Access:
    """What a person may, in one statement."""
    rows = ask(_GRANTS, [person_id] * 4)
    places = [(pk, path) for kind, _, _, pk, path in rows if kind == "b"]
    below = _inside({path for kind, *_, path in rows if kind == "g" and path}, places)
    grants = tuple(_grant(role, scope, team, path, below) for kind, role, scope, team, path in rows if kind == "g")
    teams = frozenset(team for kind, _, _, team, _ in rows if kind == "m")
    return _Access(grants, teams, ids_in(next((path for kind, *_, path in rows if kind == "o"), "")))


def actor_for(person: Person, *, channel: Channel, token: Token | None = None) -> Actor:
    """The actor a person is, with what they may do now."""
    access = _access(person.pk)
    return Actor(
        kind=ActorKind.TOKEN if token else ActorKind.PERSON,
        person=person.pk,
        name=person.name,
        organization=person.organization_id,
        above=access.above,
        grants=access.grants,
        teams=access.teams,
        scopes=frozenset(token.scopes) if token else None,
        token=token.pk if token else None,
        channel=channel,
        locale=person.locale or settings.LANGUAGE_CODE,
        time_zone=person.time_zone or settings.DEFAULT_TIME_ZONE,
    )


def _granted(*ids: int) -> QuerySet[Any, Any]:
    return RoleGrant.objects.filter(person__in=ids).values_list(
        "person_id", "role", "scope", "team_id", Coalesce("organization__path", "team__organization__path")
    )


def _member(*ids: int) -> QuerySet[Any, Any]:
    return Membership.objects.filter(person__in=ids).values_list("person_id", "team_id")


_GRANTED, _MEMBER = Prepared(_granted), Prepared(_member)


def _known(*ids: int) -> QuerySet[Any, Any]:
    return active(*ids).values_list("pk", "name", "organization_id", "locale", "time_zone")


_KNOWN = Prepared(_known)


def actors(person_ids: Iterable[int]) -> dict[int, Actor]:
    """The actors several people are, to ask what each of them may: person id -> actor. Who is not active is left out."""
    wanted = sorted(set(person_ids))
    if not wanted:
        return {}
    found = list(_KNOWN.rows(*wanted) if len(wanted) <= FEW else _known(*wanted))
    ids = [person for person, *_ in found]
    if not ids:
        return {}
    rows = list(_GRANTED.rows(*ids) if len(ids) <= FEW else _granted(*ids))
    below = _below({path for *_, path in rows if path})
    grants: dict[int, list[Grant]] = defaultdict(list)
    for owner, role, scope, of_team, path in rows:
        grants[owner].append(_grant(role, scope, of_team, path, below))
    member_of: dict[int, set[int]] = defaultdict(set)
    for owner, in_team in _MEMBER.rows(*ids) if len(ids) <= FEW else _member(*ids):
        member_of[owner].add(in_team)
    return {
        person: Actor(
            kind=ActorKind.PERSON,
            person=person,
            name=name,
            organization=organization,
            grants=tuple(grants[person]),
            teams=frozenset(member_of[person]),
            locale=locale or settings.LANGUAGE_CODE,
            time_zone=time_zone or settings.DEFAULT_TIME_ZONE,
        )
        for person, name, organization, locale, time_zone in found
    }


_CALLER = Prepared(
    lambda digest: Token.objects.filter(digest=digest).values_list(
        "pk",
        "scopes",
        "expires_at",
        "revoked_at",
        "person__is_active",
        "person_id",
        "person__name",
        "person__organization_id",
        "person__locale",
        "person__time_zone",
    )
)


def caller(secret: str, *, now: datetime) -> Actor | None:
    """Who calls the API with this token, with what they may do now; None when the token does not live. Two statements."""
    row = _CALLER.first(digest(secret))
    if row is None:
        return None
    token, scopes, expires_at, revoked_at, is_active, person, name, organization, locale, time_zone = row
    if revoked_at or not is_active or (expires_at and expires_at <= now):
        return None
    access = _access(person)
    return Actor(
        kind=ActorKind.TOKEN,
        person=person,
        name=name,
        organization=organization,
        above=access.above,
        grants=access.grants,
        teams=access.teams,
        scopes=frozenset(scopes),
        token=token,
        channel=Channel.API,
        locale=locale or settings.LANGUAGE_CODE,
        time_zone=time_zone or settings.DEFAULT_TIME_ZONE,
    )
