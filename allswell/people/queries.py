"""Reading people, teams and organizations."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from allswell.database.rows import Prepared, PreparedModel
from allswell.kernel.actor import Actor, ActorKind, Channel, Grant, Role, ScopeKind

from .models import EmailAddress, Guess, Membership, Organization, Person, RoleGrant, SentLink, Team, Token
from .rules import INSTALLATION, OrganizationFacts, PersonFacts, Place, TeamFacts, is_away

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


#: people up to whose number a statement is composed once and kept
_FEW = 8


def _active(*ids: int) -> QuerySet[Person]:
    return Person.objects.filter(pk__in=ids, is_active=True)


def _granted(*ids: int) -> QuerySet[Any, Any]:
    return RoleGrant.objects.filter(person__in=ids).values_list("person_id", "role", "scope", "team_id", "organization__path")


def _member(*ids: int) -> QuerySet[Any, Any]:
    return Membership.objects.filter(person__in=ids).values_list("person_id", "team_id")


_ACTIVE, _GRANTED, _MEMBER = PreparedModel(Person, _active), Prepared(_granted), Prepared(_member)


def actors(person_ids: Iterable[int]) -> dict[int, Actor]:
    """The actors several people are, to ask what each of them may: person id -> actor. Who is not active is left out."""
    wanted = sorted(set(person_ids))
    if not wanted:
        return {}
    found: list[Person] = _ACTIVE.records(*wanted) if len(wanted) <= _FEW else list(_active(*wanted))
    ids = [row.pk for row in found]
    grants: dict[int, list[Grant]] = defaultdict(list)
    inside: dict[str, frozenset[int]] = {}
    if not ids:
        return {}
    rows = _GRANTED.rows(*ids) if len(ids) <= _FEW else _granted(*ids)
    for owner, role, scope, of_team, path in rows:
        if path and path not in inside:
            inside[path] = frozenset(Organization.objects.filter(path__startswith=path).values_list("id", flat=True))
        reach = inside[path] if path else frozenset()
        grants[owner].append(Grant(role=Role(role), scope=ScopeKind(scope), organizations=reach, team=of_team))
    member_of: dict[int, set[int]] = defaultdict(set)
    for owner, in_team in _MEMBER.rows(*ids) if len(ids) <= _FEW else _member(*ids):
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


def digest(secret: str) -> str:
    """SHA-256 of a random secret, as it is stored. Enough for 256 random bits; passwords use Argon2."""
    return hashlib.sha256(secret.encode()).hexdigest()


def bound(secret: str, person: Person) -> str:
    """The digest of a secret sent by mail, bound to the person's present password: a new password voids it."""
    return digest(f"{secret}.{person.pk}.{person.password}")


def sent_link(ref: str, *, kind: str, now: datetime) -> SentLink | None:
    """The living link behind "<id>-<secret>" from an address bar, its person loaded; None for anything else."""
    pk, _, secret = ref.partition("-")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19 and len(secret) == 43 and secret.isascii()):
        return None
    rows = SentLink.objects.select_related("person", "address")
    link = rows.filter(pk=int(pk), kind=kind, used_at__isnull=True, expires_at__gt=now, person__is_active=True).first()
    if link is None or not constant_time_compare(link.digest, bound(secret, link.person)):
        return None
    return link


def guess_key(purpose: str, *parts: object) -> str:
    """What attempts are counted under: a keyed hash, so that neither addresses nor guesses can be read from the table."""
    text = "\n".join([purpose, *(str(part) for part in parts)])
    return salted_hmac("allswell.people.guess", text, algorithm="sha256").hexdigest()


def has_second_factor(person_id: int) -> bool:
    """Whether a code is asked for at sign-in."""
    return Authenticator.objects.filter(user=person_id, type=Authenticator.Type.TOTP).exists()


def recovery_codes_left(person_id: int) -> int:
    """How many recovery codes are unused."""
    row = Authenticator.objects.filter(user=person_id, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(row).get_unused_codes()) if row else 0


def sessions(person_id: int) -> QuerySet[UserSession]:
    """Where somebody is signed in, newest first."""
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    return UserSession.objects.filter(Exists(alive), user=person_id).order_by("-created_at", "-id")


def guesses(key: str, *, since: datetime) -> int:
    """How many attempts were counted under a key since then."""
    return Guess.objects.filter(key=key, at__gt=since).count()


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


def token_owner(secret: str, *, now: datetime) -> Token | None:
    """The living token with this secret, its living person loaded; None otherwise."""
    return (
        Token.objects.select_related("person")
        .filter(digest=digest(secret), revoked_at__isnull=True, person__is_active=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .first()
    )


_BY_ADDRESS = PreparedModel(
    Person,
    lambda address: Person.objects.filter(
        pk__in=EmailAddress.objects.filter(address=address).exclude(proof="claimed").values("person")
    ),
)
_LINEAGE = PreparedModel(Organization, lambda *ids: Organization.objects.filter(pk__in=ids))
_PRIMARY = Prepared(
    lambda *people: EmailAddress.objects.filter(person__in=people, is_primary=True).values_list("person_id", "address")
)


def person_by_address(address: str) -> Person | None:
    """The person a proven (vouched or confirmed) address belongs to, their organization loaded. `address` is folded."""
    person: Person | None = _BY_ADDRESS.record(address)
    if person is not None and person.organization_id is not None:
        person.organization = _LINEAGE.record(person.organization_id)
    return person


def primary_addresses(person_ids: list[int]) -> dict[int, str]:
    """Person id -> primary address."""
    return dict(_PRIMARY.rows(*person_ids)) if person_ids else {}


def person(person_id: int) -> Person | None:
    """An active person."""
    found: Person | None = _ACTIVE.record(person_id)
    return found


def present(person_id: int, *, now: datetime) -> int:
    """Who does a person's work now: they themselves, or while they are away who stands in for them (and for those, in turn).

    Where everybody is away, or nobody stands in, it stays with the person.
    """
    seen: list[int] = []
    at: int | None = person_id
    while at is not None and at not in seen:
        seen.append(at)
        row = Person.objects.filter(pk=at).values_list("is_active", "away_from", "away_until", "stands_in_id").first()
        if row is None:
            break
        is_active, away_from, away_until, stands_in = row
        if is_active and not is_away(away_from, away_until, now=now):
            return at
        at = stands_in
    return person_id


_TEAM = PreparedModel(Team, lambda pk: Team.objects.filter(pk=pk, is_active=True))
_ORGANIZATION = PreparedModel(Organization, lambda pk: Organization.objects.filter(pk=pk))


def team(team_id: int) -> Team | None:
    """An active team."""
    found: Team | None = _TEAM.record(team_id)
    return found


def organization(organization_id: int | None) -> Organization | None:
    """An organization by its id, active or not; None has none."""
    found: Organization | None = None if organization_id is None else _ORGANIZATION.record(organization_id)
    return found


def first_line() -> Team | None:
    """Where a ticket goes that names neither team nor service: the first team of line 1."""
    return Team.objects.filter(is_active=True, line=1).order_by("id").first()


def default_team() -> int | None:
    """The id of `first_line`."""
    team = first_line()
    return team.pk if team else None


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


def present_members(team_id: int, *, now: datetime) -> list[int]:
    """Ids of the active members of a team who are not away."""
    rows = members(team_id).values_list("pk", "away_from", "away_until")
    return [person for person, away_from, away_until in rows if not is_away(away_from, away_until, now=now)]


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
    if ids == [organization.pk]:
        return [organization]
    found = {row.pk: row for row in _LINEAGE.records(*ids)}
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


# what an actor may know of: the one scope per kind of record


_DESK_ROLES = frozenset(Role) - {Role.REQUESTER}
_SETUP_ROLES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})


def reach(actor: Actor, roles: frozenset[Role] = _DESK_ROLES) -> frozenset[int] | None:
    """The organizations whose people and records somebody of the desk may know; None: all of them.

    A role in a team reaches the team's organization with all below it; in a team of no organization, everything.
    """
    if actor.is_system:
        return None
    inside: set[int] = set()
    for grant in actor.grants:
        if grant.role not in roles:
            continue
        if grant.scope is ScopeKind.INSTALLATION:
            return None
        if grant.scope is ScopeKind.ORGANIZATION:
            inside |= grant.organizations
            continue
        path = Team.objects.filter(pk=grant.team or 0).values_list("organization__path", flat=True).first()
        if path is None:
            return None
        inside |= set(Organization.objects.filter(path__startswith=path).values_list("id", flat=True))
    return frozenset(inside)


def people_visible_to(actor: Actor) -> QuerySet[Person]:
    """Whom the actor may know: at the desk everybody within reach, else oneself."""
    inside = reach(actor)
    if inside is None:
        return Person.objects.all()
    return Person.objects.filter(Q(organization__in=sorted(inside)) | Q(pk=actor.person or 0))


def teams_visible_to(actor: Actor) -> QuerySet[Team]:
    """The teams the actor may know: at the desk those within reach, one's own, and those that serve all organizations."""
    inside = reach(actor)
    if inside is None:
        return Team.objects.all()
    own = Q(pk__in=sorted(actor.teams))
    if not (actor.is_agent or actor.has_role(Role.ADMINISTRATOR)):
        return Team.objects.filter(own)
    return Team.objects.filter(Q(organization__in=sorted(inside)) | Q(organization=None) | own)


def organizations_visible_to(actor: Actor) -> QuerySet[Organization]:
    """The organizations the actor may know: those within reach, and one's own."""
    inside = reach(actor)
    if inside is None:
        return Organization.objects.all()
    return Organization.objects.filter(Q(pk__in=sorted(inside)) | Q(pk=actor.organization or 0))


def setup_reach(actor: Actor) -> frozenset[int] | None:
    """The organizations whose setup the actor may read; None: all of them."""
    return reach(actor, _SETUP_ROLES)


def ancestors(organization: int | None) -> list[int]:
    """Ids of an organization and all above it."""
    path = Organization.objects.filter(pk=organization).values_list("path", flat=True).first() if organization else None
    return [int(part) for part in (path or "").split("/") if part]


# what permission depends on


def _place(grant: RoleGrant) -> Place:
    if grant.scope == ScopeKind.ORGANIZATION.value:
        return OrganizationFacts(grant.organization_id or 0)
    if grant.scope == ScopeKind.TEAM.value and grant.team is not None:
        return TeamFacts(team=grant.team.pk, organization=grant.team.organization_id)
    return INSTALLATION


def person_facts(person: Person) -> PersonFacts:
    """A person, as permission sees them: where they belong and how far their roles reach."""
    grants = RoleGrant.objects.select_related("team").filter(person=person).exclude(role=Role.REQUESTER.value)
    return PersonFacts(person.pk, person.organization_id, tuple(_place(grant) for grant in grants))


def grant_facts(grant: RoleGrant) -> Place:
    """Where a role is held."""
    return _place(grant)


def team_facts(team: Team) -> TeamFacts:
    """A team, as permission sees it."""
    return TeamFacts(team=team.pk, organization=team.organization_id)


# for the use cases of setup


def any_person(person_id: int) -> Person | None:
    """A person, in use or not."""
    return Person.objects.select_related("organization").filter(pk=person_id).first()


def person_by_ref(external_ref: str) -> Person | None:
    """The person with this key in another system."""
    return Person.objects.filter(external_ref=external_ref).first() if external_ref else None


def organization_by_ref(ref: int | str) -> Organization | None:
    """An organization by id or slug."""
    return Organization.objects.filter(**_ref(ref)).first()


def team_by_ref(ref: int | str) -> Team | None:
    """A team by id or slug, in use or not."""
    return Team.objects.select_related("organization", "lead").filter(**_ref(ref)).first()


def _ref(ref: int | str) -> dict[str, Any]:
    return {"pk": int(ref)} if isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 19) else {"slug": ref}


def grant_by_id(grant_id: int) -> RoleGrant | None:
    """A role somebody holds."""
    return RoleGrant.objects.select_related("person", "organization", "team").filter(pk=grant_id).first()


def grants(person_id: int) -> QuerySet[RoleGrant]:
    """The roles somebody holds."""
    rows = RoleGrant.objects.filter(person=person_id).select_related("organization", "team", "granted_by")
    return rows.order_by("scope", "role", "id")


def administers_alone(person_id: int) -> bool:
    """Whether this person, and nobody else in use, administers the installation."""
    rows = RoleGrant.objects.filter(role=Role.ADMINISTRATOR.value, scope="installation", person__is_active=True)
    return set(rows.values_list("person_id", flat=True)) == {person_id}


def addresses(person_id: int) -> QuerySet[EmailAddress]:
    """A person's addresses, the one for mail first."""
    return EmailAddress.objects.filter(person=person_id).order_by("-is_primary", "id")


def address(address_id: int) -> EmailAddress | None:
    """An address with its person."""
    return EmailAddress.objects.select_related("person").filter(pk=address_id).first()


def tokens(person_id: int) -> QuerySet[Token]:
    """A person's tokens, newest first."""
    return Token.objects.filter(person=person_id).order_by("-id")


def token(token_id: int) -> Token | None:
    """A token with its person."""
    return Token.objects.select_related("person").filter(pk=token_id).first()


def memberships(person_id: int) -> QuerySet[Membership]:
    """The teams somebody works in."""
    return Membership.objects.filter(person=person_id).select_related("team").order_by("team__name")


def works_as_agent_in(person_id: int, team: Team) -> bool:
    """Whether an agent's role of this person covers the team already."""
    covering = [Role.AGENT.value, Role.LEAD.value, Role.DUTY_MANAGER.value]
    above = ancestors(team.organization_id)
    inside = Q(scope="installation") | Q(team=team) | Q(organization__in=above)
    return RoleGrant.objects.filter(inside, person=person_id, role__in=covering).exists()


def all_grants(known: QuerySet[Person]) -> QuerySet[RoleGrant]:
    """The roles these people hold, by role and name; the first 500."""
    rows = RoleGrant.objects.filter(person__in=known).exclude(role=Role.REQUESTER.value)
    return rows.select_related("person", "organization", "team").order_by("role", "person__name", "id")[:500]
