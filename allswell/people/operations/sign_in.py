"""Sessions and second factors. Their tables are the sign-in library's; what happens to them is journaled like all else."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.sealed import row_of
from allswell.people.models import Person

PERIOD = 30  # seconds a code lives; the one before and the one after count too, for clocks that differ


def note_session(person: Person, *, key: str, ip: str, browser: str, now: datetime) -> None:
    """Remember an opened session for the person's list of sessions."""
    values = {"user": person, "ip": ip, "user_agent": browser[:200], "created_at": now, "last_seen_at": now}
    UserSession.objects.update_or_create(session_key=row_of(key), defaults=values)


def end_sessions(person: Person, *, but: str = "", only: int | None = None) -> int:
    """Sign a person out everywhere (or in the session with the id `only`), never in the one with the key `but`.

    Returns how many sessions ended.
    """
    rows = UserSession.objects.filter(user=person).exclude(session_key=row_of(but))
    if only is not None:
        rows = rows.filter(pk=only)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    rows.delete()
    return len(keys)


def rename_session(person: Person, *, before: str, after: str) -> None:
    """The same session under a new key."""
    UserSession.objects.filter(user=person, session_key=row_of(before)).update(session_key=row_of(after))


def _counter_of(secret: str, code: str, *, now: datetime) -> int | None:
    """Which period a code is right for; None when it is wrong."""
    middle = int(now.timestamp()) // PERIOD
    for counter in (middle, middle - 1, middle + 1):
        if constant_time_compare(format_hotp_value(hotp_value(secret, counter)), code):
            return counter
    return None


def turn_on_second_factor(person: Person, *, secret: str, code: str, actor: Actor, now: datetime) -> list[str] | None:
    """Ask for a code at every sign-in from now on. Returns the recovery codes, None when the code is wrong."""
    counter = _counter_of(secret, code, now=now)
    if counter is None:
        return None
    Authenticator.objects.filter(user=person).delete()
    totp = TOTP.activate(person, secret).instance
    Authenticator.objects.filter(pk=totp.pk).update(data={**totp.data, "counter": counter}, created_at=now)
    codes: list[str] = RecoveryCodes.activate(person).generate_codes()
    journal.record(Verb.SECOND_FACTOR_ON, about=("person", person.pk), actor=actor, now=now)
    return codes


def turn_off_second_factor(person: Person, *, actor: Actor, now: datetime) -> bool:
    """Ask for the password alone again; False when it was so."""
    gone, _ = Authenticator.objects.filter(user=person).delete()
    if gone:
        journal.record(Verb.SECOND_FACTOR_OFF, about=("person", person.pk), actor=actor, now=now)
    return bool(gone)


def pass_second_factor(person: Person, *, code: str, now: datetime) -> bool:
    """Whether the code is right, a recovery code among them; it is used up: no code opens twice."""
    rows = {row.type: row for row in Authenticator.objects.select_for_update().filter(user=person)}
    totp, recovery = rows.get(Authenticator.Type.TOTP), rows.get(Authenticator.Type.RECOVERY_CODES)
    code = "".join(code.split())
    if totp is not None and code.isascii():
        counter = _counter_of(decrypt(totp.data["secret"]), code, now=now)
        if counter is not None:
            if counter <= totp.data.get("counter", 0):
                return False
            totp.data["counter"] = counter
            totp.last_used_at = now
            totp.save(update_fields=["data", "last_used_at"])
            return True
    return recovery is not None and bool(RecoveryCodes(recovery).validate_code(code))
