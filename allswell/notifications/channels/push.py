"""A page to a browser by web push: encrypted for it alone, handed to the push service of its maker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from hashlib import sha256
from typing import Any

from django.conf import settings

from allswell.notifications import addresses, page_wording, push_keys
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer

from . import calling, guarded_http

#: seconds a push service keeps a page for a phone that is off; what is older is told by the next step
KEPT_FOR = {"urgent": 3600, "normal": 4 * 3600}
_GONE = frozenset({404, 410})
_TEXT_LIMIT = 1500


def body(message: PageMessage) -> dict[str, Any]:
    """What the service worker of the desk shows; `tag` lets a page that came twice be shown once."""
    buttons = page_wording.buttons(message.locale)
    return {
        "tag": message.key,
        "title": page_wording.cut(message.headline, 300),
        "body": page_wording.cut(message.text, _TEXT_LIMIT),
        "link": message.link,
        "reference": message.reference,
        "urgency": message.urgency,
        "is_drill": message.is_drill,
        "open": buttons.open,
        "acknowledge": buttons.acknowledge if message.takes_answer else "",
        "locale": message.locale,
    }


def subject() -> str:
    """Whom a push service may write to about us."""
    address = parseaddr(settings.MAIL_FROM)[1]
    return f"mailto:{address}" if address else str(settings.PUBLIC_URL)


def send(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One attempt. A page that waits at the push service is replaced by its own retry."""
    try:
        subscription = addresses.push(to.address)
        headers = {
            "authorization": push_keys.proof(to.secret, subscription.endpoint, subject=subject(), at=started_at),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(KEPT_FOR.get(message.urgency, KEPT_FOR["normal"])),
            "urgency": "high" if message.urgency == "urgent" else "normal",
            "topic": addresses.padless(sha256(message.key.encode()).digest())[:32],
        }
        said = push_keys.encrypted(calling.as_json(body(message)), subscription)
    except ValueError:
        return calling.unusable("The browser's subscription, or our own key, cannot be used.", started_at=started_at, now=now)
    call = calling.Outgoing(subscription.endpoint, said, headers)
    return calling.attempt(call, allowed=allowed, started_at=started_at, now=now, read=_read)


def _read(reply: guarded_http.Reply, answer: Answer) -> Answer:
    """404 and 410: the subscription has ended. What a message taken is called is not kept: whoever knows it may take it back."""
    return replace(answer, is_gone=reply.status in _GONE)
