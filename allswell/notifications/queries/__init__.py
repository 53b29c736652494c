"""Reading notices, what people want of them, and how people are reached."""

from __future__ import annotations

from .contacts import (
    contact,
    contacts_by_number,
    contacts_of,
    is_message_due,
    last_messages,
    messages_since,
    open_code,
    reachable,
    rooms_of,
    ways,
)
from .notices import (
    CAP,
    Queue,
    call,
    calls_of,
    inbox,
    is_due,
    is_wanted,
    notices,
    queue,
    unread_counts,
    wanted,
    webhook,
    webhooks,
)

__all__ = [
    "CAP",
    "Queue",
    "call",
    "calls_of",
    "contact",
    "contacts_by_number",
    "contacts_of",
    "inbox",
    "is_due",
    "is_message_due",
    "is_wanted",
    "last_messages",
    "messages_since",
    "notices",
    "open_code",
    "queue",
    "reachable",
    "rooms_of",
    "unread_counts",
    "wanted",
    "ways",
    "webhook",
    "webhooks",
]
