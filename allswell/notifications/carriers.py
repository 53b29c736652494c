"""Which channels of a page this installation can use: some need a carrier the operator names, the others need none.

A carrier of text messages and calls is anything that speaks the HTTP API Twilio made common; its callbacks are signed the same way.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha1
from importlib.util import find_spec
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

#: channels that need nothing but an address; "desk" is the alarm on an open page of the desk and is sent by nobody
_FREE = frozenset({"desk", "push", "ntfy", "webhook", "chat"})
_PORTS = {"https": 443, "http": 80}


class BadCarrier(ValueError):
    """The address of a carrier cannot be understood; the message says how it is written."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who sends text messages or makes calls: where its API is, the account with its token, and the number it shows."""

    url: str
    account: str
    token: str = field(repr=False)
    sender: str

    @classmethod
    def parse(cls, text: str) -> Carrier:
        """From twilio+https://SID:TOKEN@api.twilio.com/?from=%2B15550100, or twilio+http:// on one's own network. Raises BadCarrier."""
        try:
            parts = urlsplit(text)
            port = f":{parts.port}" if parts.port else ""
            # a plus typed as it is means a plus: no number has a space before it
            sender = "".join(parse_qs(parts.query.replace("+", "%2B")).get("from", [""]))
        except ValueError:
            raise BadCarrier(_HOW) from None
        scheme, account, token = (
            parts.scheme.removeprefix("twilio+"),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )
        is_whole = parts.hostname and account and token and sender and sender.isprintable() and parts.scheme.startswith("twilio+")
        if not is_whole or scheme not in _PORTS or "/" in account:
            raise BadCarrier(_HOW)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return cls(f"{scheme}://{host}{port}{parts.path.rstrip('/')}", account, token, sender)


_HOW = (
    "It must be twilio+https://SID:TOKEN@host/?from=%2B15550100: the account, its token, the host and the number it sends from."
)


def sms() -> Carrier | None:
    """Who sends text messages here."""
    return Carrier.parse(settings.SMS_URL) if settings.SMS_URL else None


def voice() -> Carrier | None:
    """Who makes calls here."""
    return Carrier.parse(settings.VOICE_URL) if settings.VOICE_URL else None


def is_ready(kind: str) -> bool:
    """Whether pages of this kind can be sent: the carrier is configured, or none is needed."""
    if kind == "email":
        return bool(settings.SMTP_URL and settings.MAIL_FROM)
    if kind == "sms":
        return bool(settings.SMS_URL)
    if kind == "voice":
        return bool(settings.VOICE_URL)
    if kind == "apprise":
        return bool(settings.APPRISE) and find_spec("apprise") is not None
    return kind in _FREE


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """What X-Twilio-Signature says of a callback: HMAC-SHA1 under the account's token of the whole address and the sorted fields."""
    said = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), sha1).digest()).decode()


def is_genuine(carrier: Carrier, given: str, *, url: str, fields: Iterable[tuple[str, str]]) -> bool:
    """Whether a callback comes from who knows the carrier's token. `url` is the address we gave out, as the carrier called it.

    Carriers differ in whether they sign the port when it is the usual one; both are right.
    """
    told = list(fields)
    wanted = [signature(carrier.token, written, told) for written in _as_written(url)]
    return any(hmac.compare_digest(given.encode(errors="replace"), one.encode()) for one in wanted)


def _as_written(url: str) -> list[str]:
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme)
    if parts.port is None and usual:
        return [url, parts._replace(netloc=f"{parts.netloc}:{usual}").geturl()]
    if parts.port == usual:
        return [url, parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()]
    return [url]
