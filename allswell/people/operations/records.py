"""Persons, addresses, teams, organizations, roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Model, QuerySet, Value
from django.db.models.functions import Concat, Substr

from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, Invalid
from allswell.people.models import EmailAddress, Membership, Organization, Person, RoleGrant, Team
from allswell.people.rules import INSTALLATION, OrganizationFacts, Place, Proof, TeamFacts


def free_slug(rows: QuerySet[Any], name: str, *, fallback: str) -> str:
    """A short name made from `name` that none of `rows` has: "databases", else "databases-2" and so on."""
    base = text.slug(name) or fallback
    taken = set(rows.filter(slug__startswith=base[:54]).values_list("slug", flat=True))
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base[:54]}-{number}"
    return slug


def change(row: Model, values: dict[str, Any], *, about: str, actor: Actor, now: datetime) -> Entry | None:
    """Save what differs and write down which fields changed; None when nothing did."""
    return journal.change(row, values, about=about, actor=actor, now=now)


def deactivate(row: Model, *, about: str, actor: Actor, now: datetime) -> Entry | None:
    """Take a record out of use; what refers to it stays whole."""
    return journal.change(row, {"is_active": False}, about=about, actor=actor, now=now, verb=Verb.DEACTIVATED)


def activate(row: Model, *, about: str, actor: Actor, now: datetime) -> Entry | None:
    """Bring a record back into use."""
    return journal.change(row, {"is_active": True}, about=about, actor=actor, now=now, verb=Verb.ACTIVATED)


# organizations


def create_organization(
    *, name: str, slug: str, kind: str, parent: Organization | None, note: str, actor: Actor, now: datetime
) -> Organization:
    """A business unit or customer below `parent`, or a root."""
    row = Organization(name=name, slug=slug, kind=kind, parent=parent, note=note, path="")
    journal.create(row, about="organization", actor=actor, now=now)
    row.path = f"{parent.path if parent else '/'}{row.pk}/"
    row.save(update_fields=["path"])
    return row


def move_organization(row: Organization, *, parent: Organization | None, actor: Actor, now: datetime) -> None:
    """Hang it, with all below it, under another parent. Raises Invalid for a loop."""
    if parent is not None and parent.path.startswith(row.path):
        raise Invalid("An organization cannot stand below itself.", field="parent")
    old, new = row.path, f"{parent.path if parent else '/'}{row.pk}/"
    journal.change(row, {"parent_id": parent.pk if parent else None}, about="organization", actor=actor, now=now)
    below = Organization.objects.filter(path__startswith=old)
    below.update(path=Concat(Value(new), Substr(F("path"), len(old) + 1)))
    row.path = new


# people


def create_person(*, actor: Actor, now: datetime, **values: Any) -> Person:
    """Somebody new (`values` are columns), without a password."""
    row = Person(created_at=now, **values)
    row.set_unusable_password()
    journal.create(row, about="person", actor=actor, now=now)
    return row


def set_password(person: Person, *, password_hash: str, actor: Actor, now: datetime) -> None:
    """Keep the hash of a new password. Every session that was opened with the old one is void from here on."""
    person.password = password_hash
    person.save(update_fields=["password"])
    journal.record(Verb.PASSWORD_SET, about=("person", person.pk), actor=actor, now=now)


def add_address(person: Person, *, address: str, proof: Proof, is_primary: bool, actor: Actor, now: datetime) -> EmailAddress:
    """Another address of a person. Raises Conflict when it is proven to be somebody's already."""
    taken = EmailAddress.objects.filter(address=address).exclude(proof=Proof.CLAIMED.value)
    if EmailAddress.objects.filter(person=person, address=address).exists():
        raise Conflict("This address is in the list already.", field="email")
    if proof is not Proof.CLAIMED and taken.exists():
        raise Conflict("This address belongs to somebody else.", field="email")
    first = not EmailAddress.objects.filter(person=person, is_primary=True).exists()
    row = EmailAddress(
        person=person,
        address=address,
        proof=proof.value,
        is_primary=first and (is_primary or proof is not Proof.CLAIMED),
        added_at=now,
        confirmed_at=now if proof is Proof.CONFIRMED else None,
    )
    row.save(force_insert=True)
    data = {"address": row.pk, "proof": proof.value}
    journal.record(Verb.ADDRESS_ADDED, about=("person", person.pk), actor=actor, now=now, data=data)
    if is_primary and not row.is_primary and proof is not Proof.CLAIMED:
        make_primary(row, actor=actor, now=now)
    return row


def confirm_address(row: EmailAddress, *, actor: Actor, now: datetime) -> None:
    """The link sent to it was opened. Raises Conflict when it became somebody else's meanwhile."""
    others = EmailAddress.objects.filter(address=row.address).exclude(pk=row.pk)
    if others.exclude(proof=Proof.CLAIMED.value).exists():
        raise Conflict("This address belongs to somebody else.", field="email")
    others.delete()  # nobody else can claim it any more
    row.proof, row.confirmed_at = Proof.CONFIRMED.value, now
    if not EmailAddress.objects.filter(person=row.person_id, is_primary=True).exists():
        row.is_primary = True
    row.save(update_fields=["proof", "confirmed_at", "is_primary"])
    about = ("person", row.person_id)
    journal.record(Verb.ADDRESS_CONFIRMED, about=about, actor=actor, now=now, data={"address": row.pk})


def make_primary(row: EmailAddress, *, actor: Actor, now: datetime) -> None:
    """Send mail to this address from now on."""
    EmailAddress.objects.filter(person=row.person_id, is_primary=True).update(is_primary=False)
    row.is_primary = True
    row.save(update_fields=["is_primary"])
    data = {"fields": ["primary_address"], "to": {"primary_address": row.pk}}
    journal.record(Verb.CHANGED, about=("person", row.person_id), actor=actor, now=now, data=data)


def note_mail(person: int, address: str, *, arrives: bool, now: datetime) -> None:
    """Mail to this address of a person is taken (again), or nobody is there."""
    rows = EmailAddress.objects.filter(person=person, address=address, failing_since__isnull=not arrives)
    rows.update(failing_since=None if arrives else now)


def remove_address(row: EmailAddress, *, actor: Actor, now: datetime) -> None:
    """Forget an address."""
    data = {"address": row.pk}
    row.delete()
    journal.record(Verb.ADDRESS_REMOVED, about=("person", row.person_id), actor=actor, now=now, data=data)


# teams and roles


def create_team(*, actor: Actor, now: datetime, **values: Any) -> Team:
    """A new team (`values` are columns)."""
    row = Team(**values)
    journal.create(row, about="team", actor=actor, now=now)
    return row


def join(person: Person, team: Team, *, actor: Actor, now: datetime) -> bool:
    """Make somebody a member; False when they are one already."""
    _, is_new = Membership.objects.get_or_create(person=person, team=team, defaults={"joined_at": now})
    if is_new:
        journal.record(Verb.JOINED_TEAM, about=("person", person.pk), actor=actor, now=now, data={"team": team.pk})
    return is_new


def leave(person: Person, team: Team, *, actor: Actor, now: datetime) -> bool:
    """End a membership; False when there is none."""
    gone, _ = Membership.objects.filter(person=person, team=team).delete()
    if gone:
        journal.record(Verb.LEFT_TEAM, about=("person", person.pk), actor=actor, now=now, data={"team": team.pk})
    return bool(gone)


def grant(person: Person, role: Role, *, place: Place, actor: Actor, now: datetime) -> RoleGrant:
    """Give a role within a scope. Raises Conflict when it is held already."""
    scope: dict[str, Any] = {"scope": "installation", "organization_id": None, "team_id": None}
    if place is not INSTALLATION:
        if isinstance(place, OrganizationFacts):
            scope |= {"scope": "organization", "organization_id": place.organization}
        elif isinstance(place, TeamFacts):
            scope |= {"scope": "team", "team_id": place.team}
    if RoleGrant.objects.filter(person=person, role=role.value, **scope).exists():
        raise Conflict("This role is held already.", field="role")
    row = RoleGrant(person=person, role=role.value, granted_by_id=actor.person, granted_at=now, **scope)
    row.save(force_insert=True)
    _tell_role(Verb.ROLE_GRANTED, row, actor=actor, now=now)
    return row


def revoke(row: RoleGrant, *, actor: Actor, now: datetime) -> None:
    """Take a role away."""
    _tell_role(Verb.ROLE_REVOKED, row, actor=actor, now=now)
    row.delete()


def _tell_role(verb: Verb, row: RoleGrant, *, actor: Actor, now: datetime) -> None:
    data = {"role": row.role, "scope": row.scope, "organization": row.organization_id, "team": row.team_id}
    journal.record(verb, about=("person", row.person_id), actor=actor, now=now, data=data)
