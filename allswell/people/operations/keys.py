"""Secrets: tokens, links sent by mail, counted guesses. Only digests are kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import Q

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.people.models import EmailAddress, Guess, Person, SentLink, Token
from allswell.people.queries import bound, digest
from allswell.people.rules import TokenScope

PREFIX = "alw_"
LINK_LIVES = timedelta(hours=1)


def create_token(
    person: Person,
    *,
    name: str,
    scopes: Iterable[TokenScope],
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> tuple[Token, str]:
    """A new token and its secret, which nobody can read again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    row = Token(
        person=person,
        name=name,
        digest=digest(secret),
        hint=secret[:10],
        scopes=sorted(scope.value for scope in scopes),
        created_at=now,
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    data = {"person": person.pk, "scopes": row.scopes, "expires_at": expires_at.isoformat() if expires_at else None}
    journal.record(Verb.TOKEN_CREATED, about=("token", row.pk), actor=actor, now=now, data=data)
    return row, secret


def revoke_token(token: Token, *, actor: Actor, now: datetime) -> bool:
    """End a token for ever; False when it ended before."""
    if not Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now):
        return False
    token.revoked_at = now
    journal.record(Verb.TOKEN_REVOKED, about=("token", token.pk), actor=actor, now=now, data={"person": token.person_id})
    return True


def send_link(person: Person, *, kind: str, address: EmailAddress | None, now: datetime) -> str:
    """A single-use link for a mail to the person, as "<id>-<secret>"; earlier ones of this kind are void.

    It is bound to the password hash: when that changes, it opens nothing.
    """
    void_links(person, kind=kind, now=now, address=address if kind == "address" else None)
    secret = secrets.token_urlsafe(32)
    link = SentLink(
        person=person,
        address=address,
        kind=kind,
        digest=bound(secret, person),
        created_at=now,
        expires_at=now + LINK_LIVES,
    )
    link.save(force_insert=True)
    return f"{link.pk}-{secret}"


def use_link(link: SentLink, *, now: datetime) -> bool:
    """Use it up; False when somebody was faster."""
    return bool(SentLink.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=now))


def void_links(person: Person, *, kind: str, now: datetime, address: EmailAddress | None = None) -> None:
    """Make every unused link of this kind (and, if given, of this address) useless."""
    rows = SentLink.objects.filter(person=person, kind=kind, used_at__isnull=True)
    (rows.filter(address=address) if address else rows).update(used_at=now)


def note_guess(keys: Iterable[str], *, now: datetime) -> list[int]:
    """Count an attempt, before it is known whether it is right: a hundred at once are a hundred. Returns the rows' ids."""
    rows = [Guess(key=key, at=now) for key in keys]
    for row in rows:
        row.save(force_insert=True)
    return [row.pk for row in rows]


def forget_guesses(ids: Iterable[int], *, key: str = "") -> None:
    """It was the right person after all: these attempts, and all others under `key`, are forgotten."""
    Guess.objects.filter(pk__in=list(ids)).delete()
    if key:
        Guess.objects.filter(key=key).delete()


def tidy(*, now: datetime) -> None:
    """Throw away what has lost its meaning: old guesses, links and sessions."""
    Guess.objects.filter(at__lt=now - timedelta(days=1)).delete()
    SentLink.objects.filter(Q(used_at__lt=now - timedelta(days=30)) | Q(expires_at__lt=now - timedelta(days=30))).delete()
    Session.objects.filter(expire_date__lt=now).delete()
