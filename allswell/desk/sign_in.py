"""The use cases of signing in: guesses are counted before they are checked, and nobody learns which addresses are known.

Hashing a password is slow on purpose, so it is never done inside a transaction: `attempt` is the story, told in small ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.hashers import make_password, verify_password

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound
from allswell.notifications import operations as notifications
from allswell.people import operations as people
from allswell.people import queries
from allswell.people.rules import Act, Proof

from .door import use_case
from .people import person_for
from .sealing import seal

if TYPE_CHECKING:
    from allswell.people.models import EmailAddress, Person

UNUSABLE = "!"


class TooMany(DeskError):
    """Too many attempts; wait."""

    code = "too-many"
    http = 429


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` attempts `within` this time."""

    count: int
    within: timedelta


PER_ACCOUNT_AND_IP = Limit(5, timedelta(minutes=15))
PER_IP = Limit(100, timedelta(minutes=15))
PER_CODE = Limit(5, timedelta(minutes=15))
MAILS_PER_ADDRESS = Limit(3, timedelta(hours=1))
MAILS_PER_IP = Limit(20, timedelta(hours=1))


# counting guesses


@use_case
def _count(keys: list[str], *, actor: Actor, now: datetime) -> list[int]:
    """Write the attempt down, in a transaction that is over before anything is checked."""
    return people.note_guess(keys, now=now)


@use_case
def _forget(ids: list[int], *, key: str = "", actor: Actor, now: datetime) -> None:
    """The attempt was right, or was not even looked at."""
    people.forget_guesses(ids, key=key)


def _admit(limits: list[tuple[str, Limit]], *, actor: Actor, now: datetime) -> list[int]:
    """Count an attempt under each key. Raises TooMany when one of them is over its limit."""
    ids = _count([key for key, _ in limits], actor=actor, now=now)
    for key, limit in limits:
        if queries.guesses(key, since=now - limit.within) > limit.count:
            _forget(ids, actor=actor, now=now)
            minutes = int(limit.within.total_seconds() // 60)
            raise TooMany("Too many attempts. Wait %(minutes)s minutes, or set a new password.", minutes=minutes)
    return ids


def network_of(ip: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 one."""
    return ":".join(ip.split(":")[:4]) if ":" in ip and "." not in ip else ip


# signing in


def _folded(email: str) -> str:
    try:
        return text.folded_address(email)
    except Invalid:
        return ""


def attempt(*, email: str, password: str, ip: str, actor: Actor, now: datetime) -> Person | None:
    """The person whose address and password these are; None otherwise, after the same time. Raises TooMany.

    The session is not open yet: a second factor may be asked for, then comes `signed_in`.
    """
    address = _folded(email)
    account = queries.guess_key("sign-in", address, network_of(ip))
    ids = _admit([(account, PER_ACCOUNT_AND_IP), (queries.guess_key("sign-in", network_of(ip)), PER_IP)], actor=actor, now=now)
    person = queries.person_by_address(address) if address else None
    if len(password) > 1024 or (person is not None and not person.is_active):
        person = None
    is_right, is_old_hash = verify_password(password, person.password if person else UNUSABLE)
    if person is None or not is_right:
        _failed(person.pk if person else 0, actor=actor, now=now)
        return None
    _forget(ids, key=account, actor=actor, now=now)
    if is_old_hash:
        _rehash(person, password_hash=make_password(password), actor=actor, now=now)
    return person


@use_case
def _failed(person: int, *, actor: Actor, now: datetime) -> None:
    """A wrong password; about person 0 when nobody has the address."""
    journal.record(Verb.SIGN_IN_FAILED, about=("person", person), actor=actor, now=now)


@use_case
def _rehash(person: Person, *, password_hash: str, actor: Actor, now: datetime) -> None:
    """The same password under a stronger hash."""
    people.set_password(person, password_hash=password_hash, actor=actor, now=now)


def second_factor(person_id: int, *, code: str, ip: str, actor: Actor, now: datetime) -> bool:
    """Whether the code of the second factor, or a recovery code, is right; it is used up. Raises TooMany.

    Counted per person wherever the guesses come from: who gets here knows the password.
    """
    key = queries.guess_key("code", person_id)
    ids = _admit([(key, PER_CODE)], actor=actor, now=now)
    if not _pass_code(person_id, code=code, actor=actor, now=now):
        _failed(person_id, actor=actor, now=now)
        return False
    _forget(ids, key=key, actor=actor, now=now)
    return True


@use_case
def _pass_code(person_id: int, *, code: str, actor: Actor, now: datetime) -> bool:
    person = queries.person(person_id)
    return person is not None and people.pass_second_factor(person, code=code, now=now)


@use_case
def signed_in(*, session_key: str, ip: str, browser: str, actor: Actor, now: datetime) -> None:
    """A session was opened: it is in the person's list and in the journal."""
    person = queries.person(actor.person or 0)
    if person is None:
        raise NotAllowed("Your role does not allow this.")
    people.note_session(person, key=session_key, ip=ip, browser=text.clean(browser), now=now)
    journal.record(Verb.SIGNED_IN, about=("person", person.pk), actor=actor, now=now)


def _oneself(actor: Actor) -> Person:
    person = queries.person(actor.person or 0)
    if person is None or actor.token is not None:
        raise NotAllowed("Sign in to do this.")
    return person


@use_case
def end_session(session_id: int, *, keep: str, actor: Actor, now: datetime) -> None:
    """Sign out elsewhere: one session of one's own, not the present one (`keep`)."""
    people.end_sessions(_oneself(actor), but=keep, only=session_id)


@use_case
def sign_out_everywhere(*, keep: str, actor: Actor, now: datetime) -> int:
    """Sign out in every session but this one (`keep`, its key); how many ended."""
    person = _oneself(actor)
    ended = people.end_sessions(person, but=keep)
    journal.record(Verb.SIGNED_OUT_EVERYWHERE, about=("person", person.pk), actor=actor, now=now)
    return ended


def count_password_check(*, actor: Actor, now: datetime) -> None:
    """Before one's own password is asked again: whoever found an open screen may not guess for ever. Raises TooMany."""
    _admit([(queries.guess_key("password-again", actor.person), PER_CODE)], actor=actor, now=now)


@use_case
def session_renewed(*, before: str, after: str, actor: Actor, now: datetime) -> None:
    """The present session got a new key: keep it in the list under that."""
    people.rename_session(_oneself(actor), before=before, after=after)


def is_password_of(actor: Actor, password: str) -> bool:
    """Whether this is the actor's own password; asked again before what protects the account is changed."""
    person = queries.person(actor.person or 0)
    return person is not None and verify_password(password, person.password)[0]


# a new password by mail


def ask_new_password(*, email: str, ip: str, actor: Actor, now: datetime) -> None:
    """Mail a link to set a new password, if the address is somebody's; nobody learns whether it is. Raises TooMany by IP."""
    address = _folded(email)
    _admit([(queries.guess_key("forgot", network_of(ip)), MAILS_PER_IP)], actor=actor, now=now)
    try:
        _admit([(queries.guess_key("forgot", address), MAILS_PER_ADDRESS)], actor=actor, now=now)
    except TooMany:
        return
    _mail_password_link(address, actor=actor, now=now)


@use_case
def _mail_password_link(address: str, *, actor: Actor, now: datetime) -> None:
    person = queries.person_by_address(address) if address else None
    if person is None or not person.is_active:
        return
    entry = journal.record(Verb.PASSWORD_RESET_ASKED, about=("person", person.pk), actor=actor, now=now)
    primary = queries.addresses(person.pk).filter(is_primary=True).first()
    if primary is not None:
        ref = people.send_link(person, kind="password", address=primary, now=now)
        link = f"{settings.PUBLIC_URL}/account/new-password/{ref}"
        notifications.mail_account(person.pk, address=primary.address, subject="password", link=seal(link), entry=entry, now=now)


@use_case
def invite(person_id: int, *, actor: Actor, now: datetime) -> None:
    """Mail somebody a link to choose their first password, or a new one. Raises Conflict without an address."""
    person = person_for(person_id, Act.SET_UP, actor=actor)
    primary = queries.addresses(person.pk).filter(is_primary=True).first()
    if primary is None or not person.is_active:
        raise Conflict("There is no e-mail address a link could be sent to.")
    entry = journal.record(Verb.PASSWORD_RESET_ASKED, about=("person", person.pk), actor=actor, now=now)
    ref = people.send_link(person, kind="password", address=primary, now=now)
    link = f"{settings.PUBLIC_URL}/account/new-password/{ref}"
    notifications.mail_account(person.pk, address=primary.address, subject="invitation", link=seal(link), entry=entry, now=now)


@use_case
def new_password(ref: str, *, password_hash: str, actor: Actor, now: datetime) -> Person:
    """Set the password through a link sent by mail; every session ends. The second factor stays. Raises NotFound."""
    link = queries.sent_link(ref, kind="password", now=now)
    if link is None or not people.use_link(link, now=now):
        raise NotFound("This link has been used or is too old. Ask for a new one.")
    person = link.person
    if link.address is not None and link.address.proof == Proof.VOUCHED.value:
        people.confirm_address(link.address, actor=actor, now=now)
    people.set_password(person, password_hash=password_hash, actor=actor, now=now)
    people.void_links(person, kind="password", now=now)
    people.end_sessions(person)
    return person


# addresses


def _own_address(address_id: int, *, actor: Actor) -> EmailAddress:
    row = queries.address(address_id)
    if row is None or row.person_id != actor.person:
        raise NotFound("There is no such address.")
    return row


@use_case
def ask_confirmation(address_id: int, *, actor: Actor, now: datetime) -> None:
    """Mail a link to one of one's own addresses, to show that it is. Raises TooMany, NotFound."""
    row = _own_address(address_id, actor=actor)
    if row.proof == Proof.CONFIRMED.value:
        return
    key = queries.guess_key("confirm", address_id)
    if queries.guesses(key, since=now - MAILS_PER_ADDRESS.within) >= MAILS_PER_ADDRESS.count:
        raise TooMany("Too many attempts. Wait %(minutes)s minutes, or set a new password.", minutes=60)
    people.note_guess([key], now=now)
    ref = people.send_link(row.person, kind="address", address=row, now=now)
    entry = journal.record(
        Verb.ADDRESS_ADDED, about=("person", row.person_id), actor=actor, now=now, data={"address": row.pk, "is_asked": True}
    )
    link = f"{settings.PUBLIC_URL}/account/confirm/{ref}"
    notifications.mail_account(row.person_id, address=row.address, subject="address", link=seal(link), entry=entry, now=now)


@use_case
def confirm_address(ref: str, *, actor: Actor, now: datetime) -> None:
    """The link that was sent to one of one's own addresses was opened, signed in. Raises NotFound, Conflict."""
    link = queries.sent_link(ref, kind="address", now=now)
    if link is None or link.address is None or link.person_id != actor.person or not people.use_link(link, now=now):
        raise NotFound("This link has been used or is too old. Ask for a new one.")
    people.confirm_address(link.address, actor=actor, now=now)


# second factor


@use_case
def turn_on_second_factor(*, secret: str, code: str, actor: Actor, now: datetime) -> list[str]:
    """Ask for a code at every sign-in from now on; returns the recovery codes, shown this once. Raises Invalid, Conflict."""
    person = _oneself(actor)
    if queries.has_second_factor(person.pk):
        raise Conflict("The second factor is on already.")
    codes = people.turn_on_second_factor(person, secret=secret, code="".join(code.split()), actor=actor, now=now)
    if codes is None:
        raise Invalid("This code is not right. Look at the clock of your phone, and try the next code.", field="code")
    return codes


@use_case
def turn_off_second_factor(person_id: int, *, actor: Actor, now: datetime) -> bool:
    """Ask for the password alone: by oneself (ask for the password again before), or by an administrator for a lost phone."""
    person = _oneself(actor) if person_id == actor.person else person_for(person_id, Act.SET_UP, actor=actor)
    return people.turn_off_second_factor(person, actor=actor, now=now)


@use_case
def tidy(*, actor: Actor, now: datetime) -> None:
    """Throw away guesses, links and sessions that have lost their meaning."""
    people.tidy(now=now)
