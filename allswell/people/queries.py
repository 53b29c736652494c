"""Reading people, teams and organizations."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from allswell.kernel.actor import Actor, ActorKind, Channel, Grant, Role, ScopeKind

from .models import EmailAddress, Membership, Organization, Person, Team, Token

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


def digest(secret: str) -> str:
    """SHA-256 of a random secret, as it is stored. Enough for 256 random bits; passwords use Argon2."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_owner(secret: str, *, now: datetime) -> Token | None:
    """The living token with this secret, its living person loaded; None otherwise."""
    return (
        Token.objects.select_related("person")
        .filter(digest=digest(secret), revoked_at__isnull=True, person__is_active=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .first()
    )


def person_by_address(address: str) -> Person | None:
    """The person a proven (vouched or confirmed) address belongs to. `address` is folded."""
    row = EmailAddress.objects.select_related("person").filter(address=address).exclude(proof="claimed").first()
    return row.person if row else None


def primary_addresses(person_ids: list[int]) -> dict[int, str]:
    """Person id -> primary address."""
    rows = EmailAddress.objects.filter(person__in=person_ids, is_primary=True).values_list("person_id", "address")
    return dict(rows)


def person(person_id: int) -> Person | None:
    """An active person."""
    return Person.objects.select_related("organization").filter(pk=person_id, is_active=True).first()


def team(team_id: int) -> Team | None:
    """An active team."""
    return Team.objects.filter(pk=team_id, is_active=True).first()


def default_team() -> int | None:
    """Where a ticket goes that names neither team nor service: the first team of line 1."""
    return Team.objects.filter(is_active=True, line=1).order_by("id").values_list("id", flat=True).first()


def people() -> QuerySet[Person]:
    """Everybody."""
    return Person.objects.all()


def organizations() -> QuerySet[Organization]:
    """All organizations."""
    return Organization.objects.all()


def teams() -> QuerySet[Team]:
    """All teams."""
    return Team.objects.all()


def members(team_id: int) -> QuerySet[Person]:
    """The active members of a team."""
    return Person.objects.filter(memberships__team=team_id, is_active=True).order_by("name", "id")


def manager_chain(team: Team) -> list[int]:
    """Who hierarchic escalation goes to, in order: the lead, then up the managers. Ends at a loop."""
    chain: list[int] = []
    person = team.lead
    while person is not None and person.pk not in chain:
        if person.is_active:
            chain.append(person.pk)
        person = person.manager
    return chain


def lineage(organization: Organization | None) -> list[Organization]:
    """The organization and those above it, nearest first: where inherited settings are looked up."""
    if organization is None:
        return []
    ids = [int(part) for part in organization.path.strip("/").split("/") if part]
    found = {row.pk: row for row in Organization.objects.filter(pk__in=ids)}
    return [found[pk] for pk in reversed(ids) if pk in found]


def _path(organization: int | None) -> str:
    if organization is None:
        return ""
    return Organization.objects.filter(pk=organization).values_list("path", flat=True).first() or ""


def organization_and_above(organization: int | None) -> list[int]:
    """Ids of an organization and of all above it."""
    path = _path(organization)
    return [int(part) for part in path.strip("/").split("/") if part]


def organization_and_below(organization: int | None) -> list[int]:
    """Ids of an organization and of all below it."""
    path = _path(organization)
    return list(Organization.objects.filter(path__startswith=path).values_list("pk", flat=True)) if path else []


def inherited(organization: Organization | None, name: str) -> Any:
    """The nearest value of a setting that is not None, from the organization upwards; None when nobody set it."""
    for row in lineage(organization):
        value = getattr(row, name)
        if value is not None:
            return value
    return None


def team_sizes() -> dict[int, int]:
    """Team id -> number of active members."""
    sizes: dict[int, int] = defaultdict(int)
    for team in Membership.objects.filter(person__is_active=True).values_list("team_id", flat=True):
        sizes[team] += 1
    return sizes
