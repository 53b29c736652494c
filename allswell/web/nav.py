"""The rail of the desk: what is in it for whom. Entries whose page does not exist in this installation are left out."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as N_

from allswell.kernel.actor import Actor, Role
from allswell.notifications import queries as notifications
from allswell.people.rules import INSTALLATION, Act, may

from .templating import link_if_any


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rail. `name` is the page's URL name, `act` what one must be allowed to do at the installation."""

    name: str
    words: str
    icon: str
    act: Act = Act.SEE_DESK


#: group heading (marked for translation) -> entries
GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("desk", N_("Desk"), "inbox"),
            Entry("oncall", N_("On call"), "phone-call"),
            Entry("alerts", N_("Alerts"), "activity"),
            Entry("announcements", N_("Announcements"), "speakerphone"),
            Entry("search", N_("Search"), "search"),
            Entry("reports", N_("Reports"), "chart-histogram"),
            Entry("notices", N_("Notices"), "bell"),
        ),
    ),
    (
        N_("Look up"),
        (
            Entry("services", N_("Services"), "topology-star-3"),
            Entry("people", N_("People"), "users"),
            Entry("teams", N_("Teams"), "users-group"),
            Entry("calendars", N_("Calendars"), "calendar"),
        ),
    ),
    (N_("Run it"), (Entry("setup", N_("Setup"), "settings", Act.READ_SETUP),)),
)


def _is_open(entry: Entry, actor: Actor) -> bool:
    """Setup is open to administrators and auditors of a part, too."""
    if entry.act is Act.READ_SETUP:
        return actor.has_role(Role.ADMINISTRATOR, Role.AUDITOR)
    return may(actor, entry.act, INSTALLATION)


def for_actor(actor: Actor) -> list[tuple[str, list[tuple[Entry, str]]]]:
    """Groups of (entry, address) the actor may use."""
    found = []
    for heading, entries in GROUPS:
        mine = [(entry, link_if_any(entry.name)) for entry in entries if _is_open(entry, actor)]
        mine = [(entry, address) for entry, address in mine if address]
        if mine:
            found.append((heading, mine))
    return found


def counters(actor: Actor) -> dict[str, int]:
    """Numbers in the rail, by URL name: only where the actor must act."""
    if actor.person is None:
        return {}
    # what calls the actor is counted by the open page itself, as long as it is live
    return {"notices": notifications.unread_counts([actor.person]).get(actor.person, 0), "oncall": 0}
