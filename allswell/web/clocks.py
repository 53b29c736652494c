"""Clocks on screen: a word, what is left, and how much is used."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.sla import wording
from allswell.web import show

if TYPE_CHECKING:
    from allswell.sla.models import Clock


def tone(used: int) -> str:
    """The color of a clock by the percent of its time used: it changes at 50 and at 80."""
    return "bad" if used >= 80 else "warn" if used >= 50 else "ok"


def in_short(metric: str, due_at: datetime, started_at: datetime) -> tuple[str, str, str, int]:
    """(word, what is left, color, percent used) of a running clock."""
    now = show.now()
    whole, gone = due_at - started_at, now - started_at
    used = 100 if due_at <= now or not whole else max(0, min(99, int(gone / whole * 100)))
    return wording.verb(metric), show.duration(due_at - now), tone(used), used


def shown(clock: Clock) -> dict[str, object]:
    """A clock for the template: word, value, color, percent, and what it came to."""
    value, color, used, sign = "", "", 0, ""
    if clock.state == "running" and clock.due_at is not None:
        _word, value, color, used = in_short(clock.metric, clock.due_at, clock.started_at)
        sign = "running"
    elif clock.problem:
        sign = "problem"
    elif clock.state == "paused":
        sign = "paused"
    elif clock.state == "completed":
        sign = "met" if clock.met_at is not None else "missed"
    else:
        sign = clock.state
    return {"clock": clock, "word": wording.name(clock), "value": value, "tone": color, "used": used, "sign": sign}
