"""What senders sign with a secret they share with us: HMAC-SHA256 of the body, in hexadecimal digits, each in a header of its own."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from .reading import instant
from .shape import Request

#: so old or so far ahead a signature with an instant in it may be: what was overheard cannot be played again later
FRESH = timedelta(minutes=5)


def _sentry(request: Request, secret: bytes, now: datetime) -> bool:
    return _fits(_signature(secret, request.body), request.headers.get("sentry-hook-signature", ""))


def _grafana(request: Request, secret: bytes, now: datetime) -> bool:
    """Where Grafana is told to send an instant it signs that, too: `instant:body`."""
    told = request.headers.get("x-grafana-alerting-signature", "")
    at = request.headers.get("x-grafana-alerting-timestamp", "")
    if not at:
        return _fits(_signature(secret, request.body), told)
    signed = instant(at)
    body = at.encode("utf-8", "replace") + b":" + request.body
    return signed is not None and abs(now - signed) <= FRESH and _fits(_signature(secret, body), told)


def _pagerduty(request: Request, secret: bytes, now: datetime) -> bool:
    """`v1=…,v1=…`: while a secret is changed it signs with both."""
    wanted = _signature(secret, request.body)
    told = request.headers.get("x-pagerduty-signature", "").split(",")[:10]
    return any(_fits(f"v1={wanted}", one.strip()) for one in told)


#: the formats whose senders sign
HOW: Mapping[str, Callable[[Request, bytes, datetime], bool]] = {
    "sentry": _sentry,
    "grafana": _grafana,
    "pagerduty-webhook-v3": _pagerduty,
}


def is_signed(kind: str, request: Request, secret: bytes, *, now: datetime) -> bool:
    """Whether a request carries the signature that its sender makes with the secret; not where the format knows of none."""
    return kind in HOW and HOW[kind](request, secret, now)


def _signature(secret: bytes, body: bytes) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def _fits(wanted: str, told: str) -> bool:
    return hmac.compare_digest(wanted.encode(), told.encode("utf-8", "replace"))
