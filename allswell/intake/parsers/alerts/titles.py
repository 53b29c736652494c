"""Titles without the state in them, for senders that send no key: what is "[FIRING:2] X" first is "[RESOLVED] X" in the end."""

from __future__ import annotations

import re

from .shape import Action

_OVER = "resolved|recovered|recovery|ok|up|cleared|closed|normal|success|fixed|back to normal"
_ON = "firing|alerting|alert|triggered|problem|down|critical|crit|warning|warn|error|failure|failed|no data|nodata|open|unknown|pending"
_MARK = re.compile(rf"[\[(](?P<state>{_OVER}|{_ON})(?::\s?\d+)?[\])]", re.IGNORECASE)
_LEAD = re.compile(rf"\s*(?:\*\*\s*)?(?P<state>{_OVER}|{_ON})(?:\s+alert)?\s*(?:[:!-]|\*\*)\s*", re.IGNORECASE)
_TAIL = re.compile(rf"\s+(?:is|has|has been|was)\s+(?:now\s+)?(?P<state>{_OVER}|{_ON})\W{{0,3}}$", re.IGNORECASE)
_IS_OVER = re.compile(_OVER, re.IGNORECASE)
_LONGEST = 1_000


def without_state(title: str) -> str:
    """What is left of a title when its state is taken out: the same for a problem and its recovery."""
    title = _line(title)
    for pattern in (_MARK, _TAIL):
        title = pattern.sub(" ", title)
    lead = _LEAD.match(title)
    return " ".join((title[lead.end() :] if lead else title).split()).lower()


def said_in(title: str) -> Action | None:
    """Whether a title says that something is wrong, or over; None when it says neither."""
    title = _line(title)
    found = _MARK.search(title) or _LEAD.match(title) or _TAIL.search(title)
    if found is None:
        return None
    return Action.RESOLVE if _IS_OVER.fullmatch(found["state"]) else Action.FIRE


def _line(title: str) -> str:
    return " ".join(title[:_LONGEST].split())
