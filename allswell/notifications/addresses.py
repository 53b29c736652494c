"""The addresses a page can go to, as they are typed in, kept and opened. Pure.

Every form is one line of text, so that it can be sealed and kept in one column; `docs/extend/channels.md` shows each.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

#: a subscription of a browser: the length of its public key and of what it agreed on with us
_POINT, _SECRET = 65, 16
#: bytes a secret that signs must have, as Standard Webhooks asks
_LEAST_SECRET = 24


class BadAddress(ValueError):
    """The text is no address of this kind."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to call, and what to say who we are. `name` is what the address names on that server: a topic, a room."""

    url: str = field(repr=False)
    authorization: str = field(default="", repr=False)
    name: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser that takes web push: where, and the keys its messages are encrypted with."""

    endpoint: str = field(repr=False)
    public_key: bytes = field(repr=False)
    secret: bytes = field(repr=False)


def _split(address: str) -> SplitResult:
    """Raises BadAddress for what is no address of the web."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress("no address") from None
    is_plain = "\\" not in address and not any(mark.isspace() for mark in address) and address.isprintable()
    if parts.scheme not in ("http", "https") or not host or not is_plain:
        raise BadAddress("no address")
    return parts


def _bare(parts: SplitResult, path: str, query: str = "") -> str:
    """The address without the name and password in it."""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))


def _authorization(parts: SplitResult) -> str:
    """ ":token@" is a bearer token, "name:password@" is Basic, nothing is nothing."""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if user:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Bearer {password}" if password else ""


def ntfy(address: str) -> Endpoint:
    """https://ntfy.example.org/topic, with :token@ or name:password@ before the host where it asks for one. Raises BadAddress."""
    parts = _split(address)
    before, _slash, topic = parts.path.rstrip("/").rpartition("/")
    if not topic or parts.query or parts.fragment:
        raise BadAddress("no topic")
    return Endpoint(_bare(parts, f"{before}/"), _authorization(parts), unquote(topic))


def webhook(address: str) -> Endpoint:
    """An address and, after a space, the secret that signs the calls ("whsec_…"); without one they are not signed. Raises BadAddress."""
    url, _space, secret = address.strip().partition(" ")
    parts = _split(url)
    if "@" in parts.netloc:
        raise BadAddress("a name or password in it")
    secret = secret.strip()
    if secret:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise BadAddress("no secret") from None
        if not secret.startswith("whsec_") or len(key) < _LEAST_SECRET:
            raise BadAddress("no secret")
    return Endpoint(url, secret=secret)


def chat(address: str, *, flavor: str) -> Endpoint:
    """The address a chat gave for its channel; for Matrix https://:token@server/!room:server. Raises BadAddress."""
    parts = _split(address)
    if flavor != "matrix":
        if "@" in parts.netloc:
            raise BadAddress("a name or password in it")
        return Endpoint(address)
    room = unquote(parts.path.strip("/"))
    authorization = _authorization(parts)
    if not room.startswith("!") or "/" in room or not authorization.startswith("Bearer "):
        raise BadAddress("no room or no token")
    path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/send/m.room.message/"
    return Endpoint(_bare(parts, path), authorization, room)


def push(address: str) -> Subscription:
    """What a browser says of its subscription, as JSON: {"endpoint": …, "keys": {"p256dh": …, "auth": …}}. Raises BadAddress."""
    try:
        told = json.loads(address)
        endpoint, keys = str(told["endpoint"]), told["keys"]
        public_key, secret = unpadded(str(keys["p256dh"])), unpadded(str(keys["auth"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadAddress("no subscription") from None
    parts = _split(endpoint)
    if "@" in parts.netloc or len(public_key) != _POINT or public_key[0] != 4 or len(secret) != _SECRET:
        raise BadAddress("no subscription")
    return Subscription(endpoint, public_key, secret)


def unpadded(text: str) -> bytes:
    """Bytes from the base64 of addresses, its padding left out. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def padless(content: bytes) -> str:
    """Bytes as the base64 of addresses, its padding left out."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def check(kind: str, address: str, *, flavor: str = "") -> None:
    """Whether an address of this kind can be used at all, before it is kept; mail addresses and numbers are checked elsewhere.

    Raises BadAddress.
    """
    if kind == "ntfy":
        ntfy(address)
    elif kind == "webhook":
        webhook(address)
    elif kind == "chat":
        chat(address, flavor=flavor)
    elif kind == "push":
        push(address)
