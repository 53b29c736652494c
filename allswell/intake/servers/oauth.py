"""Access tokens for mailboxes of providers that take no passwords (RFC 6749 sections 4.4 and 6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from allswell.notifications.channels import guarded_http

from .trouble import Problem, Trouble

_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
_LONGEST = 3600


@dataclass(frozen=True, slots=True)
class Grant:
    """What gets us a token: a refresh token of a person, or none, and then the program signs in for itself."""

    token_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """A token, for how many seconds it serves, and the refresh token that replaces the one used ("": it stays)."""

    token: str = field(repr=False)
    seconds: int
    refresh_token: str = field(default="", repr=False)


class _Answer(msgspec.Struct):
    access_token: str = ""
    expires_in: int | float | str = _LONGEST
    refresh_token: str = ""
    error: str = ""


def access(grant: Grant, *, allowed: guarded_http.Allowed) -> Access:
    """Ask for an access token. Raises Trouble."""
    said = {"client_id": grant.client_id}
    if grant.refresh_token:
        said |= {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    else:
        said |= {"grant_type": "client_credentials"}
    said |= {"client_secret": grant.client_secret} if grant.client_secret else {}
    said |= {"scope": grant.scope} if grant.scope else {}
    try:
        reply = guarded_http.post(grant.token_url, body=urlencode(said).encode(), headers=_FORM, allowed=allowed)
    except guarded_http.Unreachable:
        raise Trouble(Problem.TOKEN) from None
    try:
        told = msgspec.json.decode(reply.body, type=_Answer)
        seconds = int(float(told.expires_in))
    except (ValueError, OverflowError, msgspec.DecodeError):
        raise Trouble(Problem.TOKEN) from None
    if reply.status != 200 or not told.access_token.isascii() or not told.access_token.isprintable() or not told.access_token:
        raise Trouble(Problem.TOKEN, told.error if told.error.isascii() and told.error.isprintable() else "")
    return Access(told.access_token, max(60, min(seconds, _LONGEST)), told.refresh_token)
