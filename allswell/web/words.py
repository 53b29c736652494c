"""What states, codes and priorities are called on screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from . import own_words

T = TypeVar("T")

STATES = {
    "new": (N_("New"), "circle-dashed", ""),
    "approving": (N_("Waiting for approval"), "hourglass", "warn-c"),
    "in_progress": (N_("In progress"), "circle-dot", "acc-c"),
    "waiting": (N_("Waiting"), "player-pause", ""),
    "resolved": (N_("Resolved"), "circle-check", "ok-c"),
    "fulfilled": (N_("Fulfilled"), "circle-check", "ok-c"),
    "closed": (N_("Closed"), "archive", ""),
    "cancelled": (N_("Cancelled"), "ban", ""),
    "rejected": (N_("Rejected"), "ban", ""),
}
WAITING_ON = {
    "requester": N_("Waiting for the requester"),
    "supplier": N_("Waiting for a supplier"),
    "change": N_("Waiting for a change"),
}
WAITING_ON_IN_SHORT = {
    "requester": N_("Requester's turn"),
    "supplier": N_("With a supplier"),
    "change": N_("Awaits a change"),
}
KINDS = {"incident": (N_("Incident"), "alert-triangle"), "request": (N_("Request"), "package")}
LEVELS = {1: N_("Extensive"), 2: N_("Significant"), 3: N_("Moderate"), 4: N_("Minor")}
URGENCIES = {1: N_("Critical"), 2: N_("High"), 3: N_("Medium"), 4: N_("Low")}
CODES = {
    "fixed": N_("Fixed"),
    "workaround": N_("Worked around"),
    "explained": N_("Explained"),
    "no_fault_found": N_("No fault found"),
    "by_requester": N_("Solved by the requester"),
    "by_supplier": N_("Solved by a supplier"),
    "by_itself": N_("Over by itself"),
    "duplicate": N_("Duplicate"),
    "not_possible": N_("Not possible"),
    "withdrawn": N_("Withdrawn"),
    "mistake": N_("Opened by mistake"),
    "not_ours": N_("Not ours"),
    "merged": N_("Merged into another"),
}
CHANNELS = {
    "portal": N_("by portal"),
    "desk": N_("at the desk"),
    "phone": N_("by phone"),
    "email": N_("by mail"),
    "api": N_("by API"),
    "import": N_("imported"),
    "walk_in": N_("in person"),
    "monitoring": N_("by monitoring"),
    "engine": N_("automatic"),
}
LINKS = {  # kind: (as the source says it, as the target says it)
    "duplicate_of": (N_("Duplicate of"), N_("Has duplicate")),
    "child_of": (N_("Part of"), N_("Has part")),
    "caused_by": (N_("Caused by"), N_("Cause of")),
    "related": (N_("Related to"), N_("Related to")),
    "follow_up_of": (N_("Follow-up of"), N_("Followed up by")),
    "split_from": (N_("Split from"), N_("Split into")),
}


def state(value: str, waiting_on: str = "", *, own: bool = True) -> str:
    """A state, as the desk calls it; a waiting one says what it waits for. `own`: by the installation's own word, if any."""
    if value == "waiting" and waiting_on in WAITING_ON:
        return (own and own_words.of(f"waiting_on.{waiting_on}")) or _(WAITING_ON[waiting_on])
    found = STATES.get(value)
    return (own and own_words.of(f"state.{value}")) or (_(found[0]) if found else value)


def state_in_short(value: str, waiting_on: str = "") -> str:
    """A state where there is no room for "Waiting for the requester": three of these side by side would all read "Waiting for"."""
    if value == "waiting" and waiting_on in WAITING_ON_IN_SHORT:
        return own_words.of(f"waiting_on.{waiting_on}") or _(WAITING_ON_IN_SHORT[waiting_on])
    return state(value, waiting_on)


def state_icon(value: str) -> str:
    """The shape of a state."""
    return STATES.get(value, ("", "circle", ""))[1]


def state_class(value: str) -> str:
    """The color class of a state's chip."""
    return STATES.get(value, ("", "", ""))[2]


def kind(value: str) -> str:
    """Incident, Request."""
    found = KINDS.get(value)
    return _(found[0]) if found else value


def code(value: str, *, own: bool = True) -> str:
    """How it was resolved, or why it was cancelled. `own`: by the installation's own word, if any."""
    mine = own and (own_words.of(f"code.{value}") or own_words.of(f"reason.{value}"))
    return mine or (_(CODES[value]) if value in CODES else value)


def category(pk: int, name: str) -> str:
    """A category, by the installation's own word in the viewer's language, if any."""
    return own_words.of(f"category.{pk}") or name


def categories(rows: Iterable[tuple[int, T, str]]) -> list[tuple[T, str]]:
    """Categories (key, value, name) as the choices of a select, by the word shown."""
    return sorted(((value, category(pk, name)) for pk, value, name in rows), key=lambda choice: choice[1].casefold())


def impact(value: int) -> str:
    """Impact 1 (highest) to 4 in a word."""
    return _(LEVELS[value]) if value in LEVELS else str(value)


def urgency(value: int) -> str:
    """Urgency 1 (highest) to 4 in a word."""
    return _(URGENCIES[value]) if value in URGENCIES else str(value)


def channel(value: str) -> str:
    """The way something reached us."""
    return _(CHANNELS[value]) if value in CHANNELS else value


def link(value: str, *, is_source: bool) -> str:
    """How two tickets belong together, seen from the source or from the target."""
    pair = LINKS.get(value)
    return _(pair[0 if is_source else 1]) if pair else value


FIELDS = {
    "title": N_("the title"),
    "description": N_("the description"),
    "service": N_("the service"),
    "category": N_("the category"),
    "impact": N_("impact"),
    "urgency": N_("urgency"),
    "occurred_at": N_("when it began"),
    "custom": N_("other details"),
}


def field(name: str) -> str:
    """A field of a ticket within a sentence."""
    return _(FIELDS[name]) if name in FIELDS else name


def waiting_on(value: str) -> str:
    """What a waiting ticket waits for."""
    return _(WAITING_ON[value]) if value in WAITING_ON else _("Waiting")
