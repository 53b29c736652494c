"""What is known of a ticket when it opens. What is known only later is no part of it, so nothing can learn from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

#: parts of a ticket that stand when it opens, beside its title, its description and the instant
AT_OPENING = (
    "kind",
    "channel",
    "impact",
    "urgency",
    "priority",
    "requester",
    "reporter",
    "service",
    "unit",
    "category",
    "category_top",
)
#: parts of a ticket that work on it brings about: never looked at, whatever a mapping says
LATER = (
    "acknowledged_at",
    "assignee",
    "at",
    "by",
    "closed_at",
    "handover_count",
    "reopened_count",
    "resolution",
    "resolution_code",
    "resolved_at",
    "restored_at",
    "state",
    "team",
    "updated_at",
    "verb",
    "waiting_on",
)
#: what a field of an organization's own is called that work on a ticket brings about
_LATE = """
active actual agent assigned assignee assignment breach breached cause caused change changed close closed closing
closure comment comments complete completed completion csat done duration elapsed end ended escalated escalation finish
finished first fix fixed group handover hold lead mod modified ontime owner problem queue rating reassigned reassignment
reopen reopened resolution resolve resolved resolver resolving response rfc root satisfaction score sla solution solved
solver spent state status support supporter survey team technician updated updates vendor verdict work worked workaround
"""
_LATE_WORDS = frozenset(_LATE.split())
_PART = re.compile(r"[a-z]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: characters of a description that are looked at: its beginning and its end
HEAD, TAIL = 6_000, 2_000


@dataclass(frozen=True, slots=True)
class Facts:
    """A ticket as it opens. `names`: fields whose values are names or words of a list, own fields of the organization too."""

    title: str = ""
    description: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    opened_at: datetime | None = None

    def without(self, target: str) -> Facts:
        """The facts to tell `target` from: itself and what follows from it are out."""
        out = {target, "category", "category_top"} if target == "category" else {target}
        return replace(self, names={name: value for name, value in self.names.items() if name not in out})


def is_later(name: str) -> bool:
    """Whether a field is known only after a ticket opened, as far as its name tells: close codes, resolvers, whether it was in time."""
    if name in LATER:
        return True
    if name in AT_OPENING:
        return False
    return any(part in _LATE_WORDS for part in _PART.findall(_HUMP.sub(" ", name).lower()))


def facts(
    *, title: str = "", description: str = "", names: Mapping[str, str] | None = None, opened_at: datetime | None = None
) -> Facts:
    """The facts of a ticket; refuses a field that is known only later."""
    late = sorted(name for name in names or {} if name in LATER)
    if late:
        raise ValueError(f"known only later: {', '.join(late)}")
    kept = {name: " ".join(value.split())[:200] for name, value in (names or {}).items() if value and value.strip()}
    return Facts(title[:500], cut(description), kept, opened_at)


def cut(words: str) -> str:
    """The beginning and the end of a long text: a megabyte of log says in its first and last lines what it is about."""
    return words if len(words) <= HEAD + TAIL else f"{words[:HEAD]}\n{words[-TAIL:]}"
