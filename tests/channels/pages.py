"""Pages for the tests of the channels, and how to send one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.channels.registry import CHANNELS
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer

AT = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
LOCAL = Allowed.parse(["127.0.0.1"])

PAGE = PageMessage(
    key="page.7.41",
    reference="INC-1042",
    number=1042,
    headline="P1 Payments are <stuck> in the queue & more",
    text="INC-1042 · Service: Payments\nSince 23 Nov 2026, 14:05 (Europe/Zurich)",
    short="P1 INC-1042 Payments are stuck https://desk.example.org/p/abc Reply: ack 1042",
    spoken="This is Allswell. Priority 1. Payments are <stuck> & more.",
    link="https://desk.example.org/p/abc?x=1&y=2",
    urgency="urgent",
    locale="en",
    code="1042",
)
DRILL = replace(PAGE, urgency="normal", is_drill=True)


def send(way: Way, message: PageMessage = PAGE, *, allowed: Allowed = LOCAL, **more: Any) -> Answer:
    """One attempt at the same instant."""
    return CHANNELS[way.kind](message, way, allowed=allowed, started_at=AT, now=lambda: AT, **more)
