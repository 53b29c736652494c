"""Who somebody is to the desk: a person or a token, with what they may do now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from allswell.database.rows import Prepared
from allswell.kernel.actor import Actor, ActorKind, Channel, Grant, Role, ScopeKind
from allswell.people.models import Membership, Organization, Person, RoleGrant, Token

from .keys import digest
from .persons import ACTIVE, FEW, active

_GRANTS = """
SELECT 'g', g.role, g.scope, g.team_id, o.path FROM people_rolegrant g
LEFT JOIN people_organization o ON o.id = g.organization_id WHERE g.person_id = %s
UNION ALL
SELECT 'm', '', '', m.team_id, NULL FROM people_membership m WHERE m.person_id = %s
"""


def _access(person_id: int) -> tuple[tuple[Grant, ...], frozenset[int]]:
    """Grants and team memberships of a person, in one statement (one more per organization scope)."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, [person_id, person_id])
        rows = cursor.fetchall()
    grants, teams = [], set()
    for kind, role, scope, team, path in rows:
        if kind == "m":
            teams.add(team)
            continue
        inside = (
            frozenset(Organization.objects.filter(path__startswith=path).values_list("id", flat=True)) if path else frozenset()
        )
        grants.append(Grant(role=Role(role), scope=ScopeKind(scope), organizations=inside, team=team))
    return tuple(grants), frozenset(teams)


def actor_for(person: Person, *, channel: Channel, token: Token | None = None) -> Actor:
    """The actor a person is, with what they may do now."""
    grants, teams = _access(person.pk)
    return Actor(
        kind=ActorKind.TOKEN if token else ActorKind.PERSON,
        person=person.pk,
        name=person.name,
        organization=person.organization_id,
        grants=grants,
        teams=teams,
        scopes=frozenset(token.scopes) if token else None,
        token=token.pk if token else None,
        channel=channel,
        locale=person.locale or settings.LANGUAGE_CODE,
        time_zone=person.time_zone or settings.DEFAULT_TIME_ZONE,
    )


def _granted(*ids: int) -> QuerySet[Any, Any]:
    return RoleGrant.objects.filter(person__in=ids).values_list("person_id", "role", "scope", "team_id", "organization__path")


def _member(*ids: int) -> QuerySet[Any, Any]:
    return Membership.objects.filter(person__in=ids).values_list("person_id", "team_id")


_GRANTED, _MEMBER = Prepared(_granted), Prepared(_member)


def actors(person_ids: Iterable[int]) -> dict[int, Actor]:
    """The actors several people are, to ask what each of them may: person id -> actor. Who is not active is left out."""
    wanted = sorted(set(person_ids))
    if not wanted:
        return {}
    found: list[Person] = ACTIVE.records(*wanted) if len(wanted) <= FEW else list(active(*wanted))
    ids = [row.pk for row in found]
    grants: dict[int, list[Grant]] = defaultdict(list)
    inside: dict[str, frozenset[int]] = {}
    if not ids:
        return {}
    rows = _GRANTED.rows(*ids) if len(ids) <= FEW else _granted(*ids)
    for owner, role, scope, of_team, path in rows:
        if path and path not in inside:
            inside[path] = frozenset(Organization.objects.filter(path__startswith=path).values_list("id", flat=True))
        reach = inside[path] if path else frozenset()
        grants[owner].append(Grant(role=Role(role), scope=ScopeKind(scope), organizations=reach, team=of_team))
    member_of: dict[int, set[int]] = defaultdict(set)
    for owner, in_team in _MEMBER.rows(*ids) if len(ids) <= FEW else _member(*ids):
        member_of[owner].add(in_team)
    return {
        row.pk: Actor(
            kind=ActorKind.PERSON,
            person=row.pk,
            name=row.name,
            organization=row.organization_id,
            grants=tuple(grants[row.pk]),
            teams=frozenset(member_of[row.pk]),
        )
        for row in found
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
    grants, teams = _access(person)
    return Actor(
        kind=ActorKind.TOKEN,
        person=person,
        name=name,
        organization=organization,
        grants=grants,
        teams=teams,
        scopes=frozenset(scopes),
        token=token,
        channel=Channel.API,
        locale=locale or settings.LANGUAGE_CODE,
        time_zone=time_zone or settings.DEFAULT_TIME_ZONE,
    )
