"""The use cases of how people are reached by pages: ways and the proof that they work, rules by urgency, quiet hours, rooms of teams.

An address is checked for its form here; where it leads is checked at every call, since names move. Nothing is sent here: codes and
tests wait as messages that the engine takes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_noop as N_

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications import addresses, carriers, queries, rules
from allswell.notifications import operations as notifications
from allswell.notifications.rules import ContactKind, Quiet, Urgency
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may

from .door import use_case
from .rotas import may_edit
from .sealing import seal, unseal
from .sign_in import TooMany

if TYPE_CHECKING:
    from allswell.notifications.models import ContactMethod
    from allswell.people.models import Person, Team

ADDRESS_LIMIT = 2000
LABEL_LIMIT = 80
NOT_THERE = "There is no such contact."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of typing in a code. No guesses left: ask for a new code."""

    is_verified: bool
    guesses_left: int


def oneself(actor: Actor) -> int:
    """Who sets up their own ways: a person to whom the desk is open. Raises NotAllowed."""
    if actor.person is None or not may(actor, Act.SEE_DESK, INSTALLATION):
        raise NotAllowed("Your role does not allow this.")
    return actor.person


def contact_for(contact: int, *, actor: Actor) -> ContactMethod:
    """One's own contact, or a room of a team one leads or administers. Raises NotFound for everybody else's."""
    row = queries.contact(contact)
    if row is not None:
        if row.person_id is not None and row.person_id == actor.person and may(actor, Act.SEE_DESK, INSTALLATION):
            return row
        if row.team is not None and people.knows_team(actor, row.team) and may_edit(row.team, actor=actor):
            return row
    raise NotFound(NOT_THERE)


def team_for_rooms(team: int | str, *, actor: Actor) -> Team:
    """The team (id or slug) whose rooms the actor may set up. Raises NotFound, NotAllowed."""
    row = people.team_by_ref(team)
    if row is None or not people.knows_team(actor, row):
        raise NotFound("There is no such team, or you may not know it.")
    if not may_edit(row, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    return row


def may_know_reach(person: Person, *, actor: Actor) -> bool:
    """Whether the actor may know by what kinds of ways somebody is reached, never where: who sets them up or reads the set-up, or
    leads one of their teams."""
    if person.pk == actor.person or may(actor, Act.READ_SETUP, people.person_facts(person)):
        return True
    return any(may_edit(row.team, actor=actor) for row in people.memberships(person.pk))


# addresses


def opened(kind: str, stored: str) -> str:
    """An address as it is written. Raises cryptography.fernet.InvalidToken when no key of today's opens it."""
    return unseal(stored) if ContactKind(kind) in rules.SECRET else stored


def _stored(kind: ContactKind, address: str) -> str:
    return seal(address) if kind in rules.SECRET else address


def _kind(said: str, allowed: Iterable[ContactKind]) -> ContactKind:
    if said not in [kind.value for kind in allowed]:
        raise Invalid("There is no such way.", field="kind")
    if not carriers.is_ready(said):
        raise Invalid("This installation cannot send that way yet. An administrator has to name a carrier for it.", field="kind")
    return ContactKind(said)


_FORMS = {
    ContactKind.NTFY: N_("Give the address of a topic: https://ntfy.example.org/your-topic"),
    ContactKind.PUSH: N_("This is not what a browser says when it subscribes."),
    ContactKind.WEBHOOK: N_("Give an address that begins with https:// or http:// and has no user name in it."),
    ContactKind.CHAT: N_("This is no address of such a chat."),
}


def _address(kind: ContactKind, said: str, flavor: str) -> str:
    """The address in the form its kind has. Raises Invalid beside the field."""
    if len(said) > ADDRESS_LIMIT:
        raise Invalid("Use at most %(limit)s characters.", field="address", limit=ADDRESS_LIMIT)
    if kind is ContactKind.EMAIL:
        return text.folded_address(said, field="address")
    written = text.line(said, field="address", limit=ADDRESS_LIMIT)
    if kind in (ContactKind.SMS, ContactKind.VOICE):
        number = rules.as_phone(written)
        if number is None:
            raise Invalid("Write the number with its country: +49 151 12345678.", field="address")
        return number
    if kind is ContactKind.APPRISE:
        if not rules.looks_like_apprise(written):
            raise Invalid("Give an address as Apprise writes it, such as matrix://user:password@host.", field="address")
        return written
    try:
        addresses.check(kind.value, written, flavor=flavor)
    except addresses.BadAddress:
        raise Invalid(_FORMS[kind], field="address") from None
    if rules.is_inside(_url(kind, written), allowed=settings.OUTGOING_ALLOW):
        raise Invalid("This address is inside a private network. An administrator can allow it.", field="address")
    return written


def _url(kind: ContactKind, address: str) -> str:
    """Where an address leads, without what else is written in it."""
    return addresses.push(address).endpoint if kind is ContactKind.PUSH else address.split(" ")[0]


def _flavor(kind: ContactKind, said: str) -> str:
    if kind is ContactKind.CHAT:
        if said not in rules.FLAVORS:
            raise Invalid("Say which chat it is.", field="flavor")
        return said
    return text.line(said, field="flavor", limit=40, required=False) if kind is ContactKind.PUSH else ""


@dataclass(frozen=True, slots=True)
class Written:
    """An address in the form its kind has, and what may be shown of it."""

    address: str = field(repr=False)
    shown: str
    flavor: str


def written_address(kind: ContactKind, said: str, flavor: str) -> Written:
    """An address as it would be kept. Raises Invalid beside the field."""
    program = _flavor(kind, flavor)
    address = _address(kind, said, program)
    return Written(address, _shown(kind, address), program)


def _shown(kind: ContactKind, address: str) -> str:
    return rules.masked(kind, address if kind not in rules.SECRET else _url(kind, address))


def bring_way(
    kind: ContactKind,
    address: str,
    *,
    person: int | None,
    team: int | None,
    label: str,
    flavor: str,
    among: Iterable[ContactMethod],
    actor: Actor,
    now: datetime,
) -> ContactMethod:
    """Inside a use case: write a way that stands in a document. No code goes there until its person asks for one."""
    _kind(kind.value, rules.ADDED)
    _refuse_twice(kind, address, among)
    return _written_down(kind, address, person=person, team=team, label=label, flavor=flavor, actor=actor, now=now)


def _refuse_twice(kind: ContactKind, address: str, rows: Iterable[ContactMethod]) -> None:
    rows = list(rows)
    if len(rows) >= rules.MOST_METHODS:
        raise Conflict("These are %(most)s already. Remove one first.", most=rules.MOST_METHODS)
    for row in rows:
        try:
            if row.kind == kind.value and opened(row.kind, row.address) == address:
                raise Invalid("This is in the list already.", field="address")
        except InvalidToken:  # sealed under a key that is gone: it leads nowhere, and cannot be compared
            continue


def own_contacts(*, actor: Actor) -> list[ContactMethod]:
    """The ways the actor has added, the oldest first. Raises NotAllowed."""
    return list(queries.contacts_of(oneself(actor)))


def own_reach(*, actor: Actor) -> rules.Reach:
    """Everything that decides how the actor is reached. Raises NotAllowed."""
    person = oneself(actor)
    return queries.reachable([person])[person]


# adding and showing that it works


@use_case
def add_contact(*, kind: str, address: str, label: str = "", flavor: str = "", actor: Actor, now: datetime) -> ContactMethod:
    """A way to reach the actor. A code goes there at once; until it is typed in, nothing else does. Two may share one number."""
    person = oneself(actor)
    way = _kind(kind, rules.ADDED)
    program = _flavor(way, flavor)
    written = _address(way, address, program)
    _refuse_twice(way, written, queries.contacts_of(person))
    added = _written_down(way, written, person=person, team=None, label=label, flavor=program, actor=actor, now=now)
    _send_code(added, actor=actor, now=now)
    return added


@use_case
def add_room(
    team: int | str, *, kind: str, address: str, label: str = "", flavor: str = "", actor: Actor, now: datetime
) -> ContactMethod:
    """A room of a team: a chat, a topic, a list of addresses or a program. A code goes there at once."""
    row = team_for_rooms(team, actor=actor)
    if actor.person is None:
        raise NotAllowed("Your role does not allow this.")
    way = _kind(kind, rules.ROOMS)
    program = _flavor(way, flavor)
    written = _address(way, address, program)
    _refuse_twice(way, written, queries.rooms_of(row.pk))
    added = _written_down(way, written, person=None, team=row.pk, label=label, flavor=program, actor=actor, now=now)
    _send_code(added, actor=actor, now=now)
    return added


def _written_down(
    kind: ContactKind,
    address: str,
    *,
    person: int | None,
    team: int | None,
    label: str,
    flavor: str,
    actor: Actor,
    now: datetime,
) -> ContactMethod:
    row = notifications.create_contact(
        person=person,
        team=team,
        kind=kind,
        address=_stored(kind, address),
        shown=_shown(kind, address),
        label=text.line(label, field="label", limit=LABEL_LIMIT, required=False),
        flavor=flavor,
        now=now,
    )
    journal.record(Verb.CREATED, about=(notifications.CONTACT, row.pk), actor=actor, now=now, data=_owner(row))
    return row


def _owner(row: ContactMethod) -> dict[str, object]:
    """What the journal says of a contact: whose it is and by what it goes, never where."""
    owner = {"team": row.team_id} if row.team_id is not None else {"person": row.person_id}
    return {"kind": row.kind, **owner}


def _digest(key: str, code: str) -> str:
    return salted_hmac("allswell.contacts.code", f"{key}\n{code}", algorithm="sha256").hexdigest()


def _send_code(row: ContactMethod, *, actor: Actor, now: datetime) -> None:
    asked_by = actor.person or 0
    since = now - rules.CODES_WITHIN
    if (
        queries.messages_since(asked_by, since, purpose="code") >= rules.MOST_MESSAGES
        or queries.messages_to(row.pk, since) >= rules.MOST_CODES
    ):
        raise TooMany("Too many codes within an hour. Wait a little.")
    code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"
    key = f"contact.{row.pk}.{secrets.token_hex(8)}"
    notifications.enqueue_message(
        contact=row.pk, asked_by=asked_by, purpose="code", code=seal(code), digest=_digest(key, code), key=key, now=now
    )


@use_case
def send_code(contact: int, *, actor: Actor, now: datetime) -> ContactMethod:
    """Send a new code there; the former opens nothing any more. Raises TooMany, NotFound, Conflict when it is verified."""
    row = contact_for(contact, actor=actor)
    if row.verified_at is not None:
        raise Conflict("It is verified already.")
    _send_code(row, actor=actor, now=now)
    return row


@use_case
def verify(contact: int, *, code: str, actor: Actor, now: datetime) -> Verdict:
    """The code that arrived there is typed in. A wrong one is an answer, not an error, so that it is counted whatever follows."""
    row = contact_for(contact, actor=actor)
    if row.verified_at is not None:
        return Verdict(is_verified=True, guesses_left=0)
    message = queries.open_code(row.pk, now=now)
    if message is None or not notifications.count_guess(message.pk):
        return Verdict(is_verified=False, guesses_left=0)
    left = max(0, rules.CODE_GUESSES - message.guesses - 1)
    typed = "".join(code[:40].split())
    if not constant_time_compare(_digest(message.key, typed), message.digest) or not notifications.use_code(message.pk, now=now):
        return Verdict(is_verified=False, guesses_left=left)
    notifications.note_contact_verified(row.pk, now=now)
    data = {**_owner(row), "is_verified": True}
    journal.record(Verb.CHANGED, about=(notifications.CONTACT, row.pk), actor=actor, now=now, data=data)
    return Verdict(is_verified=True, guesses_left=left)


@use_case
def remove_contact(contact: int, *, actor: Actor, now: datetime) -> None:
    """Nothing goes there any more; the address is forgotten, and the rules that named it."""
    row = contact_for(contact, actor=actor)
    if notifications.remove_contact(row.pk, now=now):
        journal.record(Verb.REMOVED, about=(notifications.CONTACT, row.pk), actor=actor, now=now, data=_owner(row))


# rules and quiet hours


@use_case
def set_rules(
    urgency: str, *, wanted: Iterable[tuple[int | None, int]], actor: Actor, now: datetime
) -> tuple[tuple[int | None, int], ...]:
    """By what pages of this urgency go, (contact, seconds after the first instant) in order. None: the primary e-mail address.

    Empty: as for everybody who has set nothing. Raises Invalid for what is not verified or not one's own.
    """
    person = oneself(actor)
    if urgency not in [one.value for one in Urgency]:
        raise Invalid("There is no such urgency.", field="urgency")
    rows = list(wanted)[: rules.MOST_RULES + 1]
    if len(rows) > rules.MOST_RULES:
        raise Invalid("At most %(most)s rules.", field="rules", most=rules.MOST_RULES)
    own = {row.pk for row in queries.contacts_of(person) if row.verified_at is not None}
    for contact, after in rows:
        if contact is not None and contact not in own:
            raise Invalid("Choose among your own contacts that are verified.", field="rules")
        if not 0 <= after <= rules.LONGEST_AFTER:
            raise Invalid("Wait at most an hour.", field="rules")
    ordered = tuple(sorted(dict.fromkeys(rows), key=lambda row: row[1]))
    notifications.write_rules(person, Urgency(urgency), ordered)
    data = {"paging_rules": urgency, "count": len(ordered)}
    journal.record(Verb.CHANGED, about=("person", person), actor=actor, now=now, data=data)
    return ordered


@use_case
def set_quiet_hours(*, since: int | None, until: int | None, actor: Actor, now: datetime) -> Quiet | None:
    """Minutes of the day, in one's own zone, between which normal pages wait; None and None: never. Urgent pages pass."""
    person = oneself(actor)
    quiet: Quiet | None = None
    if since is not None or until is not None:
        for field, minute in (("since", since), ("until", until)):
            if minute is None or not 0 <= minute < rules.DAY:
                raise Invalid("Give a time of day.", field=field)
        quiet = Quiet(since or 0, until or 0)
        if quiet.since == quiet.until:
            raise Invalid("Quiet hours end at another time than they begin.", field="until")
    notifications.write_quiet_hours(person, quiet)
    data = {"quiet_hours": None if quiet is None else [quiet.since, quiet.until]}
    journal.record(Verb.CHANGED, about=("person", person), actor=actor, now=now, data=data)
    return quiet


# tests


@use_case
def send_test(*, actor: Actor, now: datetime) -> int:
    """Send a test to oneself by every verified way, and by the primary e-mail address. Answers by how many; raises TooMany, Conflict."""
    person = oneself(actor)
    if queries.tests_since(person, now - timedelta(hours=1)) >= rules.MOST_TESTS:
        raise TooMany("Too many tests within an hour. Wait a little.")
    reach = queries.reachable([person])[person]
    ways = [method for method in reach.methods if method.is_verified and carriers.is_ready(method.kind.value)]
    if not ways:
        raise Conflict("There is no verified way to you yet.")
    for method in ways:
        key = f"contact-test.{method.contact or 0}.{secrets.token_hex(8)}"
        notifications.enqueue_message(
            contact=method.contact, asked_by=person, purpose="test", code="", digest="", key=key, now=now
        )
    return len(ways)
