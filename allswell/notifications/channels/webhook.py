"""Calling a webhook as Standard Webhooks says: id, timestamp of the attempt, one signature per secret in force."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from standardwebhooks import Webhook as Signer

import allswell
from allswell.kernel.text import whole
from allswell.notifications.letters import Call
from allswell.notifications.rules import Answer, Outcome

from . import guarded_http

GONE = 410
_WAIT = frozenset({429, 503})


def headers(call: Call, *, at: datetime) -> dict[str, str]:
    """The headers of an attempt made `at`."""
    text = call.body.decode()
    return {
        "content-type": "application/json",
        "user-agent": f"Allswell/{allswell.__version__}",
        "webhook-id": call.key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(call.key, at.astimezone(UTC), text) for secret in call.secrets),
    }


def send(call: Call, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]) -> Answer:
    """One attempt and what came of it."""
    try:
        reply = guarded_http.post(call.url, body=call.body, headers=headers(call, at=started_at), allowed=allowed)
    except guarded_http.Unreachable as error:
        return Answer(Outcome.RETRY, started_at, now(), detail=str(error))
    if 200 <= reply.status < 300:
        return Answer(Outcome.SENT, started_at, now(), status=reply.status)
    is_gone = reply.status == GONE
    wait = retry_after(reply.headers.get("retry-after", ""), now=started_at) if reply.status in _WAIT else None
    return Answer(
        Outcome.FAILED if is_gone else Outcome.RETRY,
        started_at,
        now(),
        detail=f"It answered {reply.status}.",
        status=reply.status,
        retry_after=wait,
        is_gone=is_gone,
    )


def retry_after(text: str, *, now: datetime) -> timedelta | None:
    """The pause a Retry-After header asks for, in seconds or as a date; None when there is none."""
    if (seconds := whole(text.strip())) is not None:
        return timedelta(seconds=min(seconds, 10 * 24 * 3600))
    with contextlib.suppress(ValueError, TypeError):
        at = parsedate_to_datetime(text)
        return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
    return None
