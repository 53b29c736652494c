"""The use cases of people: who they are, where they belong, what they may do."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError

from allswell.kernel import text
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.kernel.instants import sensible
from allswell.people import operations as people
from allswell.people import queries
from allswell.people.rules import Act, Place, Proof, TeamFacts, TokenScope, may, place_of, require

from . import planning
from .door import use_case

if TYPE_CHECKING:
    from allswell.people.models import EmailAddress, Organization, Person, RoleGrant, Team, Token

_OWN = frozenset({"phone", "location", "locale", "time_zone", "theme", "has_single_keys"})
_LIMITS = {"name": 120, "title": 120, "phone": 40, "location": 120, "external_ref": 120}


# steps


def person_for(person_id: int, act: Act, *, actor: Actor) -> Person:
    """The person, if the actor may do this to them. Raises NotFound, NotAllowed."""
    person = queries.any_person(person_id)
    if person is None or not queries.knows_person(actor, person):
        raise NotFound("There is no such person, or you may not know them.")
    require(actor, act, queries.person_facts(person))
    return person


def team_for(team: int | str, act: Act, *, actor: Actor) -> Team:
    """The team (id or slug), if the actor may do this to it. Raises NotFound, NotAllowed."""
    row = queries.team_by_ref(team)
    if row is None or not queries.teams_visible_to(actor).filter(pk=row.pk).exists():
        raise NotFound("There is no such team, or you may not know it.")
    require(actor, act, queries.team_facts(row))
    return row


def organization_for(organization: int | str, act: Act, *, actor: Actor) -> Organization:
    """The organization (id or slug), if the actor may do this to it. Raises NotFound, NotAllowed."""
    row = queries.organization_by_ref(organization)
    if row is None or not queries.organizations_visible_to(actor).filter(pk=row.pk).exists():
        raise NotFound("There is no such organization, or you may not know it.")
    require(actor, act, place_of(row.pk))
    return row


def _own_or(person_id: int, *, actor: Actor) -> Person:
    """Oneself, or somebody whom the actor may set up."""
    if person_id == actor.person:
        person = queries.any_person(person_id)
        if person is not None:
            return person
    return person_for(person_id, Act.SET_UP, actor=actor)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid("There is no such time zone.", field="time_zone") from error


def _one_of(value: str, allowed: frozenset[str], field: str) -> str:
    if value and value not in allowed:
        raise Invalid("Choose one of the list.", field=field)
    return value


def _columns(changes: dict[str, Any], *, person: Person | None, actor: Actor) -> dict[str, Any]:
    """Checked columns out of what was entered. Raises Invalid for a name that is no column of a person."""
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name in _LIMITS:
            columns[name] = text.line(value or "", field=name, limit=_LIMITS[name], required=name == "name")
        elif name == "time_zone":
            columns[name] = _zone(value)
        elif name == "locale":
            columns[name] = _one_of(value, frozenset(code for code, _ in settings.LANGUAGES), name)
        elif name == "theme":
            columns[name] = _one_of(value, frozenset({"light", "dark"}), name)
        elif name == "has_single_keys":
            columns[name] = bool(value)
        elif name == "organization":
            row = organization_for(value, Act.SET_UP, actor=actor) if value is not None else None
            if row is None:
                require(actor, Act.SET_UP, place_of(None))
            columns["organization_id"] = row.pk if row else None
        elif name in ("manager", "stands_in"):
            columns[f"{name}_id"] = _colleague(value, person=person, field=name, actor=actor)
        else:
            raise Invalid("A person has no such field.", field=name)
    return columns


def _colleague(person_id: int | None, *, person: Person | None, field: str, actor: Actor) -> int | None:
    if person_id is None:
        return None
    other = queries.people_visible_to(actor).filter(pk=person_id, is_active=True).first()
    if other is None:
        raise Invalid("Nobody is known by this name.", field=field)
    if person is not None and other.pk == person.pk:
        raise Invalid("Choose somebody else.", field=field)
    return other.pk


def hash_of(password: str, *, person: Person | None = None) -> str:
    """The Argon2 hash of a new password. Slow on purpose: call it before a transaction is opened. Raises Invalid."""
    if len(password) > 1024:
        raise Invalid("Use at most %(limit)s characters.", field="password", limit=1024)
    try:
        password_validation.validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password") from error
    return make_password(password)


# people


def create_person_step(
    *,
    name: str,
    email: str,
    organization: int | str | None,
    proof: Proof,
    password_hash: str,
    details: dict[str, Any],
    actor: Actor,
    now: datetime,
) -> Person:
    """Make somebody known; for use cases that do more. Raises Invalid, Conflict, NotAllowed."""
    columns = _columns({"name": name, "organization": organization, **details}, person=None, actor=actor)
    person = people.create_person(actor=actor, now=now, **columns)
    if email:
        folded = text.folded_address(email)
        people.add_address(person, address=folded, proof=proof, is_primary=True, actor=actor, now=now)
    if password_hash:
        people.set_password(person, password_hash=password_hash, actor=actor, now=now)
    return person


@use_case
def create_person(
    *,
    name: str,
    actor: Actor,
    now: datetime,
    email: str = "",
    organization: int | str | None = None,
    proof: Proof = Proof.VOUCHED,
    password_hash: str = "",
    **details: Any,
) -> Person:
    """Make somebody known. `details`: title, phone, location, locale, time_zone, theme, external_ref, manager (id).

    `password_hash` comes from `hash_of`; without it they set one by the link of "Forgot your password?".
    Raises Invalid, Conflict (the address is somebody's), NotAllowed.
    """
    return create_person_step(
        name=name,
        email=email,
        organization=organization,
        proof=proof,
        password_hash=password_hash,
        details=details,
        actor=actor,
        now=now,
    )


@use_case
def edit_person(person_id: int, *, actor: Actor, now: datetime, **changes: Any) -> Person:
    """Change what is written about a person: the details of `create_person`, name, organization. Raises Invalid, NotAllowed."""
    return edit_person_step(person_id, changes=changes, actor=actor, now=now)


def edit_person_step(person_id: int, *, changes: dict[str, Any], actor: Actor, now: datetime) -> Person:
    """Change what is written about a person; for use cases that do more."""
    person = person_for(person_id, Act.SET_UP, actor=actor)
    people.change(person, _columns(changes, person=person, actor=actor), about="person", actor=actor, now=now)
    return person


@use_case
def edit_profile(*, actor: Actor, now: datetime, **changes: Any) -> Person:
    """Change one's own phone, location, locale, time_zone, theme, has_single_keys. Raises Invalid, NotAllowed."""
    if actor.person is None or not set(changes) <= _OWN:
        raise NotAllowed("Your role does not allow this.")
    person = _own_or(actor.person, actor=actor)
    people.change(person, _columns(changes, person=person, actor=actor), about="person", actor=actor, now=now)
    return person


@use_case
def set_away(
    person_id: int,
    *,
    away_from: datetime | None,
    away_until: datetime | None,
    stands_in: int | None,
    actor: Actor,
    now: datetime,
) -> Person:
    """Out of office from `away_from` until `away_until`, somebody standing in; None, None: back. Raises Invalid."""
    person = _own_or(person_id, actor=actor)
    away_from, away_until = sensible(away_from, field="away_from"), sensible(away_until, field="away_until")
    if (away_from is None) != (away_until is None):
        raise Invalid("Give both, from and until.", field="away_until" if away_until is None else "away_from")
    if away_from and away_until and away_until <= away_from:
        raise Invalid("The end is before the beginning.", field="away_until")
    stand_in = _colleague(stands_in, person=person, field="stands_in", actor=actor) if away_from else None
    columns = {"away_from": away_from, "away_until": away_until, "stands_in_id": stand_in}
    if people.change(person, columns, about="person", actor=actor, now=now):
        planning.people_changed([person.pk], actor=actor, now=now)
    return person


@use_case
def deactivate_person(person_id: int, *, actor: Actor, now: datetime) -> Person:
    """Nobody may sign in as them any more: sessions and tokens end at once. What they did stays. Raises Conflict."""
    person = person_for(person_id, Act.SET_UP, actor=actor)
    if person.pk == actor.person:
        raise Conflict("Somebody else has to do this to you.")
    if queries.administers_alone(person.pk):
        raise Conflict("Nobody else administers this installation.")
    people.deactivate(person, about="person", actor=actor, now=now)
    people.end_sessions(person)
    for token in queries.tokens(person.pk).filter(revoked_at__isnull=True):
        people.revoke_token(token, actor=actor, now=now)
    planning.people_changed([person.pk], actor=actor, now=now)
    return person


@use_case
def activate_person(person_id: int, *, actor: Actor, now: datetime) -> Person:
    """Back again. Their tokens stay revoked."""
    person = person_for(person_id, Act.SET_UP, actor=actor)
    people.activate(person, about="person", actor=actor, now=now)
    planning.people_changed([person.pk], actor=actor, now=now)
    return person


@use_case
def set_password(person_id: int, *, password_hash: str, actor: Actor, now: datetime, keep_session: str = "") -> Person:
    """Set a password (its hash from `hash_of`); every session but `keep_session` ends, links sent by mail are void."""
    person = _own_or(person_id, actor=actor)
    people.set_password(person, password_hash=password_hash, actor=actor, now=now)
    people.void_links(person, kind="password", now=now)
    people.end_sessions(person, but=keep_session)
    return person


# addresses


@use_case
def add_address(person_id: int, *, email: str, actor: Actor, now: datetime, is_primary: bool = False) -> EmailAddress:
    """Another address: vouched for by an administrator, only claimed when added by oneself. Raises Conflict, Invalid."""
    person = _own_or(person_id, actor=actor)
    vouched = may(actor, Act.SET_UP, queries.person_facts(person))
    return people.add_address(
        person,
        address=text.folded_address(email),
        proof=Proof.VOUCHED if vouched else Proof.CLAIMED,
        is_primary=is_primary and vouched,
        actor=actor,
        now=now,
    )


def _address_of(address_id: int, *, actor: Actor) -> EmailAddress:
    row = queries.address(address_id)
    if row is None:
        raise NotFound("There is no such address.")
    _own_or(row.person_id, actor=actor)
    return row


@use_case
def make_primary(address_id: int, *, actor: Actor, now: datetime) -> None:
    """Send mail to this address. Raises Conflict while it is only claimed."""
    row = _address_of(address_id, actor=actor)
    if row.proof == Proof.CLAIMED.value:
        raise Conflict("Confirm this address first.")
    people.make_primary(row, actor=actor, now=now)


@use_case
def remove_address(address_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget an address. Raises Conflict for the one mail is sent to."""
    row = _address_of(address_id, actor=actor)
    if row.is_primary:
        raise Conflict("Mail is sent to this address. Choose another one for that first.")
    people.remove_address(row, actor=actor, now=now)


# roles and tokens


def place_for(*, organization: int | str | None, team: int | str | None, act: Act, actor: Actor) -> Place:
    """The scope named, if the actor may do this in it: an organization, a team, or (neither) the installation."""
    if organization is not None and team is not None:
        raise Invalid("Choose an organization or a team, not both.", field="team")
    if team is not None:
        row = team_for(team, act, actor=actor)
        return TeamFacts(team=row.pk, organization=row.organization_id)
    if organization is not None:
        return place_of(organization_for(organization, act, actor=actor).pk)
    require(actor, act, place_of(None))
    return place_of(None)


@use_case
def grant_role(
    person_id: int,
    *,
    role: Role,
    actor: Actor,
    now: datetime,
    organization: int | str | None = None,
    team: int | str | None = None,
) -> RoleGrant:
    """Give a role, in an organization (with all below it), a team, or the installation. Raises Conflict, NotAllowed."""
    place = place_for(organization=organization, team=team, act=Act.SET_UP, actor=actor)
    person = person_for(person_id, Act.SET_UP, actor=actor)
    return people.grant(person, role, place=place, actor=actor, now=now)


@use_case
def revoke_role(grant_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a role away. Raises Conflict when nobody would administer the installation, NotFound, NotAllowed."""
    row = queries.grant_by_id(grant_id)
    if row is None:
        raise NotFound("There is no such role.")
    person_for(row.person_id, Act.SET_UP, actor=actor)
    require(actor, Act.SET_UP, queries.grant_facts(row))
    last = row.role == Role.ADMINISTRATOR.value and row.scope == "installation"
    if last and queries.administers_alone(row.person_id):
        raise Conflict("Nobody else administers this installation.")
    people.revoke(row, actor=actor, now=now)


@use_case
def create_token(
    person_id: int,
    *,
    name: str,
    scopes: list[str],
    actor: Actor,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """A key to the API for a person, and its secret, shown this once. Only oneself (and the operator) may make one.

    `scopes` are values of `TokenScope`. Raises Invalid, NotAllowed.
    """
    person = queries.any_person(person_id)
    if person is None or not (actor.is_system or (person.pk == actor.person and actor.token is None)):
        raise NotAllowed("Everybody makes their own tokens, signed in.")
    known = {scope.value: scope for scope in TokenScope}
    if not scopes or not set(scopes) <= set(known):
        raise Invalid("Choose from %(known)s.", field="scopes", known=", ".join(known))
    expires_at = sensible(expires_at, field="expires_at")
    if expires_at is not None and expires_at <= now:
        raise Invalid("This is in the past.", field="expires_at")
    return people.create_token(
        person,
        name=text.line(name, field="name", limit=80),
        scopes=[known[scope] for scope in scopes],
        expires_at=expires_at,
        actor=actor,
        now=now,
    )


@use_case
def revoke_token(token_id: int, *, actor: Actor, now: datetime) -> None:
    """End a token for ever: one's own, or that of somebody one sets up."""
    row = queries.token(token_id)
    if row is None:
        raise NotFound("There is no such token.")
    _own_or(row.person_id, actor=actor)
    people.revoke_token(row, actor=actor, now=now)
