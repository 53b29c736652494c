"""Reading what proves who somebody is: tokens, sent links, second factors, sessions, guesses."""

from __future__ import annotations

import hashlib
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from allswell.people.models import Guess, Person, SentLink, Token


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


def tokens(person_id: int) -> QuerySet[Token]:
    """A person's tokens, newest first."""
    return Token.objects.filter(person=person_id).order_by("-id")


def token(token_id: int) -> Token | None:
    """A token with its person."""
    return Token.objects.select_related("person").filter(pk=token_id).first()
