"""What promises and clocks are called, and the sentences that explain them; for pages, the API and the command line alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from .rules.terms import Counting, Target, Within, clock_face

if TYPE_CHECKING:
    from .models import Clock

METRICS = {
    "acknowledgement": N_("Acknowledgement"),
    "first_response": N_("First response"),
    "next_update": N_("Next update"),
    "restoration": N_("Restoration"),
    "resolution": N_("Resolution"),
    "fulfilment": N_("Fulfillment"),
    "team_time": N_("Time with the team"),
}
#: one word for what has to be done, on the rows of the queue
VERBS = {
    "acknowledgement": N_("Take up"),
    "first_response": N_("Reply"),
    "next_update": N_("Update"),
    "restoration": N_("Restore"),
    "resolution": N_("Resolve"),
    "fulfilment": N_("Fulfill"),
    "team_time": N_("Team time"),
}
STOPS = {
    "acknowledged": N_("when somebody takes it up"),
    "answered": N_("with a public reply, or when it is resolved"),
    "restored": N_("when the service works again"),
    "resolved": N_("when it is resolved"),
    "closed": N_("when it is closed"),
    "handed_over": N_("when the team hands it over or resolves it"),
}
STATES = {
    "running": N_("Running"),
    "paused": N_("Paused"),
    "completed": N_("Done"),
    "cancelled": N_("Cancelled"),
    "merged": N_("Merged"),
}
#: what may be waited for, in a list of them
WAITED_FOR = {"requester": N_("the requester"), "supplier": N_("a supplier"), "change": N_("a change")}


#: the calendar that is always open; it needs no name in a sentence
AROUND_THE_CLOCK = "always"


def metric(value: str) -> str:
    """What a promise is called."""
    return _(METRICS[value]) if value in METRICS else value


def name(clock: Clock) -> str:
    """What a clock is called among those of its ticket: by its promise, with its team or, of updates, its number."""
    if clock.metric == "team_time" and clock.team is not None:
        return _("Time with %(team)s") % {"team": clock.team.name}
    return f"{metric(clock.metric)} {clock.number}" if clock.metric == "next_update" else metric(clock.metric)


def verb(value: str) -> str:
    """What has to be done to keep it, in a word."""
    return _(VERBS[value]) if value in VERBS else value


def length(time: timedelta) -> str:
    """A length of time, exact to the second: 8 h, 1 h 30 min, 2 min 5 s. Hours are not made days: a working day has fewer."""
    seconds = round(time / timedelta(seconds=1))
    if seconds < 0:
        return "−" + length(timedelta(seconds=-seconds))
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [
        _("%(n)s h") % {"n": hours} if hours else "",
        _("%(n)s min") % {"n": minutes} if minutes else "",
        _("%(n)s s") % {"n": seconds} if seconds else "",
    ]
    return " ".join(part for part in parts if part) or _("%(n)s min") % {"n": 0}


def used(time: timedelta, target: Target) -> str:
    """A length of what a target counts: working time in hours, days in days of 24 hours."""
    if target.within.counting is Counting.WORKING or time < timedelta(days=1):
        return length(time)
    days, rest = divmod(time, timedelta(days=1))
    told = _("%(d)s d") % {"d": days}
    return f"{told} {length(rest)}" if rest else told


def allowance(target: Target) -> str:
    """All the time a target gives: 8 h, 5 working days, 3 days."""
    within = target.within
    if within.counting is Counting.WORKING_DAYS:
        return ngettext("%(n)s working day", "%(n)s working days", within.amount) % {"n": within.amount}
    if within.counting is Counting.CALENDAR_DAYS:
        return ngettext("%(n)s day", "%(n)s days", within.amount) % {"n": within.amount}
    return length(within.budget)


def roughly(time: timedelta, target: Target) -> str:
    """As `used`, without the minutes of what took days."""
    return used(time, target) if target.within.counting is Counting.WORKING else apart(time)


def apart(time: timedelta) -> str:
    """A length of time on the wall: from two days on in days and hours, else exact."""
    whole = abs(time) // timedelta(minutes=1)
    if whole < 2 * 1440:
        return length(time)
    days, minutes = divmod(whole, 1440)
    named = {"d": days, "h": minutes // 60}
    return _("%(d)s d %(h)s h") % named if minutes >= 60 else _("%(d)s d") % named


def within(said: Within, calendar: str = "") -> str:
    """How long: "4 h of working time in Office hours", "5 working days", "3 days"."""
    if said.counting is Counting.WORKING and said.calendar == AROUND_THE_CLOCK:
        return _("%(time)s around the clock") % {"time": length(said.budget)}
    if said.counting is Counting.WORKING:
        named = {"time": length(said.budget), "calendar": calendar or said.calendar}
        return _("%(time)s of working time in “%(calendar)s”") % named
    if said.counting is Counting.CALENDAR_DAYS:
        return ngettext("%(n)s day", "%(n)s days", said.amount) % {"n": said.amount}
    days = ngettext("%(n)s working day in “%(calendar)s”", "%(n)s working days in “%(calendar)s”", said.amount)
    told = days % {"n": said.amount, "calendar": calendar or said.calendar}
    if said.cutoff is None:
        return told
    faces = {"told": told, "cutoff": clock_face(said.cutoff), "opening": clock_face(said.opening)}
    return _("%(told)s; what comes in at %(cutoff)s or later counts from %(opening)s of the next working day") % faces


def listed(parts: Sequence[str], last: str) -> str:
    """Words in a row: a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return _(", ").join(parts[:-1]) + f" {last} {parts[-1]}"


def pauses(target: Target) -> str:
    """What stops the clock."""
    if not target.pauses:
        return _("It never pauses.")
    return _("It pauses while the ticket waits for %(reasons)s.") % {"reasons": _waited_for(target)}


def waits(target: Target) -> str:
    """What stops the clock, in few words: "waiting for the requester or a supplier"; "" when nothing does."""
    return _("waiting for %(reasons)s") % {"reasons": _waited_for(target)} if target.pauses else ""


def _waited_for(target: Target) -> str:
    return listed([_(text) for name, text in WAITED_FOR.items() if name in target.pauses], _("or"))


def _faces(local: datetime) -> str:
    return dateformat.format(local, "H:i:s" if local.second or local.microsecond else "H:i")


def moment(at: datetime, zone: ZoneInfo) -> str:
    """An instant in the zone of the agreement, without the zone: Mon 23 Nov 2026, 09:30 (with seconds where there are any)."""
    local = at.astimezone(zone)
    return f"{dateformat.format(local, 'D j M Y')}, {_faces(local)}"


def since(at: datetime, zone: ZoneInfo) -> str:
    """An instant from which something holds: the day alone when it is the beginning of one."""
    local = at.astimezone(zone)
    return moment(at, zone) if local.time() != time.min else dateformat.format(local, "D j M Y")


def span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """From an instant to another, what both share said once: Mon 23 Nov 2026, 08:00–12:00; whole days by their dates alone."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    until, faces = (last.date(), _faces(last)) if last.time() != time.min else (last.date() - timedelta(days=1), "24:00")
    if first.time() == time.min and faces == "24:00":
        begins, ends = "", ""
    else:
        begins, ends = f", {_faces(first)}", f", {faces}"
    if first.date() == until:
        return f"{dateformat.format(until, 'D j M Y')}{begins}{ends.replace(', ', '–')}"
    shown = "D j M" if first.year == until.year else "D j M Y"
    return f"{dateformat.format(first, shown)}{begins} – {dateformat.format(until, 'D j M Y')}{ends}"
