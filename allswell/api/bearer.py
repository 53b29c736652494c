"""Who calls: the bearer token, its rate, and guesses at tokens.

Rates are counted in memory, by each web process for itself: a token gets at least the rate the operator set, and at most that
times the number of web processes. Session cookies do not open the API, so no other site can make a browser call it.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest

from allswell.desk.calls import note_token_use
from allswell.desk.rates import Rate
from allswell.kernel import clock
from allswell.kernel.actor import Actor
from allswell.people import queries as people

from .problems import Refusal

#: wrong tokens an address may send per minute before it has to wait
GUESSES = 30


calls = Rate()
guesses = Rate()


def address_of(request: HttpRequest) -> str:
    """The caller's address; X-Forwarded-For is believed from a trusted proxy only."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
    while forwarded and _is_trusted(address):
        address = forwarded.pop()
    return address


def _is_trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)


def _unknown(detail: str, error: str = "") -> Refusal:
    challenge = 'Bearer realm="allswell"' + (f', error="{error}"' if error else "")
    return Refusal(401, "not-signed-in", detail, headers={"WWW-Authenticate": challenge})


def actor_of(request: HttpRequest, *, now: datetime) -> Actor:
    """The actor behind the request's token, through the API. Raises Refusal (401, 429)."""
    kind, _, secret = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise _unknown("Send a token: Authorization: Bearer …")
    actor = people.caller(secret.strip(), now=now)
    if actor is None:  # a right token is let in all the same: others behind the address are not locked out
        left, wait = guesses.take(address_of(request), per_minute=GUESSES, at=clock.monotonic())
        if left < 0:
            raise Refusal(429, "too-many-guesses", "Too many wrong tokens. Wait a moment.", headers={"Retry-After": str(wait)})
        raise _unknown("This token is not valid, or not any more.", "invalid_token")
    return actor


def count(actor: Actor) -> dict[str, str]:
    """Count a call of the actor's token; the headers that tell its rate. Raises Refusal (429)."""
    rate = settings.API_RATE
    left, wait = calls.take(str(actor.token), per_minute=rate, at=clock.monotonic())
    headers = {"RateLimit-Limit": str(rate), "RateLimit-Remaining": str(max(left, 0)), "RateLimit-Reset": str(wait)}
    if left < 0:
        headers["Retry-After"] = str(wait)
        raise Refusal(429, "too-many-requests", "This token makes too many requests. Wait a moment.", headers=headers)
    return headers


#: what a scope gives besides itself
_INCLUDED: dict[str, frozenset[str]] = {
    "tickets:write": frozenset({"tickets:read"}),
    "people:write": frozenset({"people:read"}),
    "setup:write": frozenset({"people:read", "people:write", "services:read"}),
}


def holds(actor: Actor, scope: str) -> bool:
    """Whether the token carries a scope, or one that includes it."""
    held = actor.scopes or frozenset()
    return "all" in held or scope in held or any(scope in _INCLUDED.get(other, ()) for other in held)


def require_scope(actor: Actor, scope: str) -> None:
    """Raise Refusal (403) unless the token carries the scope; writing includes reading."""
    if not scope or holds(actor, scope):
        return
    raise Refusal(
        403,
        "scope-missing",
        f"This token lacks the scope {scope}.",
        headers={"WWW-Authenticate": f'Bearer realm="allswell", error="insufficient_scope", scope="{scope}"'},
    )


#: token -> when this process last wrote down that it was used
_USED: dict[int, datetime] = {}


def note_use(actor: Actor, *, now: datetime) -> None:
    """Write down that the token was used, at most once a minute and after the answer is made."""
    if actor.token is None:
        return
    last = _USED.get(actor.token)
    if last is None or abs(now - last) >= timedelta(minutes=1):
        _USED[actor.token] = now
        note_token_use(actor.token, actor=actor, now=now)
