"""The addresses a page carries: short enough for a text message, and good without signing in because nobody can make them up.

An address names what it is for, until when it holds, and is signed by the installation's key (older keys still count, so that
a change of keys at night voids nothing). It holds 48 hours.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from django.conf import settings

from allswell.kernel.errors import DeskError, NotFound

VALID = timedelta(hours=48)

#: what an address is for: one of a page opens nothing at the carrier's
_PAGE, _CARRIER = b"allswell.page", b"allswell.carrier"
# 40 bits say which, 32 bits until which minute, 96 bits sign: 28 or 29 characters that no program breaks or takes for the end
_ID, _UNTIL, _MARK = 5, 4, 12
_WHOLE = _ID + _UNTIL + _MARK
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST = 29
_MINUTE = timedelta(minutes=1)
_START = datetime(1970, 1, 1, tzinfo=UTC)


class LinkExpired(DeskError):
    """The address was real once."""

    code = "expired"
    http = 410


def link(page: int, *, now: datetime) -> str:
    """The address at which somebody answers a page."""
    return f"{settings.PUBLIC_URL}/p/{_token(page, _PAGE, now=now)}"


def read(token: str, *, now: datetime) -> int:
    """The page a token is for. Raises NotFound for one we did not make, LinkExpired for one that holds no more."""
    return _read(token, _PAGE, now=now)


def carrier_link(delivery: int, *, now: datetime) -> str:
    """Where a carrier reports to about a delivery: "/status" or "/digits" is put behind it."""
    return f"{settings.PUBLIC_URL}/carrier/{_token(delivery, _CARRIER, now=now)}"


def read_carrier(signed: str, *, now: datetime) -> int:
    """The delivery a carrier's address is for. Raises NotFound, LinkExpired."""
    return _read(signed, _CARRIER, now=now)


def _token(number: int, salt: bytes, *, now: datetime) -> str:
    until = (now - _START + VALID) // _MINUTE
    told = number.to_bytes(_ID, "big") + until.to_bytes(_UNTIL, "big")
    return _written(told + _mark(settings.SECRET_KEY, salt, told))


def _read(token: str, salt: bytes, *, now: datetime) -> int:
    whole = _bytes(token)
    told, mark = whole[:-_MARK], whole[-_MARK:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(mark, _mark(key, salt, told)) for key in keys):
        raise NotFound("There is nothing at this address.")
    if _START + _MINUTE * int.from_bytes(told[_ID:], "big") < now:
        raise LinkExpired("This address is older than 48 hours and opens nothing any more.")
    return int.from_bytes(told[:_ID], "big")


def _mark(key: str, salt: bytes, told: bytes) -> bytes:
    derived = hashlib.blake2b(key.encode(), digest_size=32, person=salt).digest()
    return hmac.new(derived, told, hashlib.sha256).digest()[:_MARK]


def _written(whole: bytes) -> str:
    number, letters = int.from_bytes(whole, "big"), ""
    while number:
        number, place = divmod(number, len(_LETTERS))
        letters = _LETTERS[place] + letters
    return letters


def _bytes(token: str) -> bytes:
    """The bytes behind the letters; only as they were written, so that one address has one spelling."""
    number = 0
    for letter in token if len(token) <= _LONGEST else "":
        place = _LETTERS.find(letter)
        if place < 0:
            break
        number = number * len(_LETTERS) + place
    try:
        whole = number.to_bytes(_WHOLE, "big")
    except OverflowError:
        whole = b""
    if not token or _written(whole) != token:
        raise NotFound("There is nothing at this address.")
    return whole
