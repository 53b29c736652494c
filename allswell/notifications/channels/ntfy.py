"""A page to a topic of ntfy, as JSON, with a button that opens it and one that acknowledges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from allswell.notifications import addresses, page_wording
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer

from . import calling, guarded_http

#: ntfy makes an attachment of what is longer than 4096 bytes
TEXT_LIMIT = 3800


def body(message: PageMessage, topic: str) -> dict[str, Any]:
    """What ntfy takes: 5 is its highest priority and passes "do not disturb" where the phone allows it, 3 the usual one."""
    said: dict[str, Any] = {
        "topic": topic,
        "title": message.headline,
        "message": page_wording.cut(message.text, TEXT_LIMIT),
        "priority": 5 if message.urgency == "urgent" else 3,
        "tags": [tag for tag in (message.reference, "drill" if message.is_drill else "") if tag],
    }
    if message.link:
        buttons = page_wording.buttons(message.locale)
        said["click"] = message.link
        said["actions"] = [{"action": "view", "label": buttons.open, "url": message.link}]
        if message.takes_answer:
            acknowledge = {"action": "http", "label": buttons.acknowledge, "url": message.link, "method": "POST", "clear": True}
            said["actions"].append(acknowledge)
    return said


def send(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One attempt; ntfy names the message it took."""
    try:
        endpoint = addresses.ntfy(to.address)
    except addresses.BadAddress:
        return calling.unusable("This is no topic of ntfy.", started_at=started_at, now=now)
    headers = {"content-type": "application/json"}
    if endpoint.authorization:
        headers["authorization"] = endpoint.authorization
    call = calling.Outgoing(endpoint.url, calling.as_json(body(message, endpoint.name)), headers)
    return calling.attempt(
        call,
        allowed=allowed,
        started_at=started_at,
        now=now,
        read=lambda reply, answer: calling.named(answer, calling.read_json(reply.body).get("id")),
    )
