"""What the portal calls things: plain words, no practitioner's terms, no priorities."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from allswell.journal.rules import Verb

#: state -> (words, icon, color class of its chip)
STATES = {
    "new": (N_("We have it"), "inbox", ""),
    "approving": (N_("Waiting for approval"), "hourglass", ""),
    "in_progress": (N_("We are on it"), "circle-dot", "acc-c"),
    "waiting": (N_("Waiting for others"), "player-pause", ""),
    "resolved": (N_("Solved"), "check", "ok-c"),
    "fulfilled": (N_("Done"), "check", "ok-c"),
    "closed": (N_("Closed"), "archive", ""),
    "cancelled": (N_("Ended"), "ban", ""),
    "rejected": (N_("Declined"), "ban", ""),
}
WAITING_FOR_YOU = (N_("Waiting for you"), "user-question", "warn-c")

#: what a public journal entry says to the one who asked
HAPPENED = {
    Verb.ACKNOWLEDGED: N_("We are on it"),
    Verb.WAITED: N_("It waits"),
    Verb.RESUMED: N_("We go on with it"),
    Verb.RESTORED: N_("It works again, we are still checking"),
    Verb.RESOLVED: N_("Solved"),
    Verb.FULFILLED: N_("Done"),
    Verb.CONFIRMED: N_("Confirmed as solved"),
    Verb.REOPENED: N_("Opened again"),
    Verb.CLOSED: N_("Closed"),
    Verb.CANCELLED: N_("Ended without a solution"),
    Verb.FOLLOWED_UP: N_("Continued in a new ticket"),
    Verb.RATED: N_("Rated"),
}
ICONS = {
    Verb.ACKNOWLEDGED: "circle-dot",
    Verb.WAITED: "player-pause",
    Verb.RESUMED: "player-play",
    Verb.REOPENED: "refresh",
    Verb.CLOSED: "archive",
    Verb.CANCELLED: "ban",
    Verb.RATED: "star",
}


def state(value: str, waiting_on: str = "") -> tuple[str, str, str]:
    """(words, icon, color class) of a ticket's state."""
    found = WAITING_FOR_YOU if (value, waiting_on) == ("waiting", "requester") else STATES.get(value, (value, "circle", ""))
    return _(found[0]), found[1], found[2]


def happened(verb: str, on: str = "") -> tuple[str, str]:
    """(words, icon) of a public journal entry; `on` is what a waiting ticket waits for."""
    known = Verb(verb)
    if known is Verb.WAITED and on == "requester":
        return _("Waiting for your answer"), "user-question"
    return _(HAPPENED.get(known, verb)), ICONS.get(known, "check")


def can_work(value: str) -> str:
    """The answer to "Can you still work?"."""
    return {"no": _("No"), "detour": _("Only with a detour"), "yes": _("Yes")}.get(value, "")


def greeting(hour: int) -> str:
    """Good morning, good afternoon, good evening."""
    if 4 <= hour < 12:
        return _("Good morning")
    return _("Good afternoon") if 12 <= hour < 18 else _("Good evening")
