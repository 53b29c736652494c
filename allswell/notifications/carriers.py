"""Which channels of a page this installation can use at all: some need a carrier the operator names, the others need none."""

from __future__ import annotations

from django.conf import settings

#: every channel a page can take; "desk" is the alarm on an open page of the desk and is sent by nobody
KINDS = ("desk", "email", "push", "ntfy", "webhook", "chat")


def is_ready(kind: str) -> bool:
    """Whether pages of this kind can be sent: the carrier is configured, or none is needed."""
    if kind == "email":
        return bool(settings.SMTP_URL and settings.MAIL_FROM)
    return kind in KINDS
