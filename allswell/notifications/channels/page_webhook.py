"""A page to a program of a person's or a team's own, as JSON, signed as Standard Webhooks says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from allswell.notifications import addresses
from allswell.notifications.letters import Call, PageMessage, Way
from allswell.notifications.rules import Answer

from . import calling, guarded_http, webhook


def body(message: PageMessage, *, at: datetime) -> dict[str, Any]:
    """What the other program is told; `docs/extend/channels.md` promises this form."""
    return {
        "type": "page",
        "timestamp": at.isoformat(),
        "data": {
            "key": message.key,
            "reference": message.reference,
            "number": message.number,
            "headline": message.headline,
            "text": message.text,
            "short": message.short,
            "spoken": message.spoken,
            "link": message.link,
            "code": message.code,
            "urgency": message.urgency,
            "locale": message.locale,
            "is_drill": message.is_drill,
        },
    }


def send(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One attempt. The id stays the same over retries: the receiver can leave out what it has."""
    try:
        endpoint = addresses.webhook(to.address)
    except addresses.BadAddress:
        return calling.unusable("This is no address of a webhook.", started_at=started_at, now=now)
    said = calling.as_json(body(message, at=started_at))
    headers = webhook.headers(Call(message.key, endpoint.url, said, (endpoint.secret,) if endpoint.secret else ()), at=started_at)
    if not endpoint.secret:
        del headers["webhook-signature"]
    call = calling.Outgoing(endpoint.url, said, headers)
    return calling.attempt(call, allowed=allowed, started_at=started_at, now=now)
