"""What promises and clocks are called, and the sentences that explain them; for pages, the API and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from .rules.shapes import PROBLEMS
from .rules.terms import Counting, Target, Within, clock_face
from .telling import Stretch, Telling

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
    "answered": N_("with a public reply"),
    "restored": N_("when the service works again"),
    "resolved": N_("when it is resolved"),
    "closed": N_("when it is closed"),
    "handed_over": N_("when the team hands it over or resolves it"),
}
STATES = {
    "running": N_("Running"),
    "paused": N_("Stopped"),
    "completed": N_("Done"),
    "cancelled": N_("Cancelled"),
    "merged": N_("Merged"),
}
CONDITIONS = {
    "everyone": N_("it holds for everyone"),
    "organization": N_("of the organization"),
    "team": N_("of the team"),
    "kind": N_("of the kind of ticket"),
    "service": N_("of the service"),
    "priority": N_("of the priority"),
}
WAITING_ON = {
    "requester": N_("it waits for the requester"),
    "supplier": N_("it waits for a supplier"),
    "change": N_("it waits for a change"),
}


#: the calendar that is always open; it needs no name in a sentence
AROUND_THE_CLOCK = "always"


def metric(value: str) -> str:
    """What a promise is called."""
    return _(METRICS[value]) if value in METRICS else value


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
        return _("%(time)s of working time in %(calendar)s") % named
    if said.counting is Counting.CALENDAR_DAYS:
        return ngettext("%(n)s day", "%(n)s days", said.amount) % {"n": said.amount}
    days = ngettext("%(n)s working day in %(calendar)s", "%(n)s working days in %(calendar)s", said.amount)
    told = days % {"n": said.amount, "calendar": calendar or said.calendar}
    if said.cutoff is None:
        return told
    faces = {"told": told, "cutoff": clock_face(said.cutoff), "opening": clock_face(said.opening)}
    return _("%(told)s; what comes at or after %(cutoff)s counts from %(opening)s of the next one") % faces


def because(clock: Clock) -> str:
    """Why this agreement holds: "because of the organization and of the priority"."""
    parts = [_(CONDITIONS[name]) for name in clock.why.split() if name in CONDITIONS]
    if not parts:
        return ""
    if clock.why == "everyone":
        return _("It is the first agreement that fits, and it holds for everyone.")
    joined = _(" and ").join(parts)
    return _("It is the first agreement that fits, because %(conditions)s.") % {"conditions": joined}


def pauses(target: Target) -> str:
    """What stops the clock."""
    if not target.pauses:
        return _("Nothing pauses it.")
    reasons = _(", ").join(_(WAITING_ON[one]) for one in sorted(target.pauses, reverse=True))
    return _("It pauses while: %(reasons)s.") % {"reasons": reasons}


def moment(at: datetime, zone: ZoneInfo) -> str:
    """An instant in the zone of the agreement, without the zone: Mon 23 Nov 2026, 09:30 (with seconds where there are any)."""
    local = at.astimezone(zone)
    return dateformat.format(local, "D j N Y, H:i:s" if local.second or local.microsecond else "D j N Y, H:i")


def line(one: Stretch, target: Target) -> str:
    """What a stretch did, in words."""
    told: dict[str, Callable[[], str]] = {
        "running": lambda: _("counts %(time)s") % {"time": used(one.counted, target)},
        "closed": lambda: (
            _("outside the hours: costs nothing")
            if target.within.counting is Counting.WORKING
            else _("a day off, or after the cut-off: costs nothing")
        ),
        "paused": lambda: _("stands still: %(why)s") % {"why": _(WAITING_ON.get(one.why, N_("it waits")))},
        "stopped": lambda: _("was done, until it was reopened: costs nothing"),
        "more": lambda: (
            ngettext("%(n)s more line, %(time)s in all", "%(n)s more lines, %(time)s in all", one.lines)
            % {"n": one.lines, "time": used(one.counted, target)}
        ),
    }
    return told[one.what]()


def outcome(telling: Telling) -> str:
    """How it stands, in a sentence."""
    clock = telling.clock
    if clock.state == "cancelled":
        return _("It was called off and counts nowhere.")
    if clock.state == "merged":
        return _("It ended with the merge and counts nowhere.")
    if clock.problem:
        return _(PROBLEMS[clock.problem].template)
    if clock.due_at is None:
        return _("It stands still with %(left)s left; when it goes on, the due time is worked out again.") % {
            "left": used(telling.left, telling.target)
        }
    distance = apart(abs(telling.until - clock.due_at))
    if telling.is_late:
        said = _("Late by %(time)s.") if not telling.is_open else _("Past its time by %(time)s and still open.")
        told = said % {"time": distance}
        return told + " " + _("Only the change of priority made it late.") if clock.is_rerated else told
    said = _("Kept, %(time)s before its time.") if not telling.is_open else _("%(time)s from now, %(left)s of it counted.")
    return said % {"time": distance, "left": used(telling.left, telling.target)}


def told(telling: Telling, names: Mapping[str, str] | None = None) -> list[str]:
    """The whole explanation as lines of text; `names` are those of the calendars, by slug."""
    called = (names or {}).get(telling.clock.calendar, telling.clock.calendar)
    clock, zone = telling.clock, telling.terms.zone_info
    name = metric(clock.metric)
    lines = [
        _("%(metric)s: %(outcome)s") % {"metric": name, "outcome": outcome(telling)},
        _("Promised: within %(within)s; it stops %(stop)s.")
        % {"within": within(telling.target.within, called), "stop": _(STOPS[telling.target.stop.value])},
        _("By: %(agreement)s, version %(n)s, in force since %(since)s. %(because)s")
        % {
            "agreement": telling.agreement,
            "n": clock.version,
            "since": moment(telling.in_force_from, zone),
            "because": because(clock),
        },
        pauses(telling.target),
        _("Times are those of %(zone)s.") % {"zone": telling.terms.zone},
    ]
    if clock.calendar_version and clock.calendar != AROUND_THE_CLOCK:
        named = {"calendar": called, "n": clock.calendar_version}
        lines.append(_("Counted in the calendar %(calendar)s, version %(n)s.") % named)
    if telling.target.within.counting is Counting.WORKING_DAYS:
        lines.append(_("A working day counts 24 hours, whatever its hours."))
    if telling.began_at != clock.started_at:
        lines.append(_("Counts from %(at)s.") % {"at": moment(telling.began_at, zone)})
    for one in telling.stretches:
        span = f"{moment(one.starts_at, zone)} – {moment(one.ends_at, zone)}"
        lines.append(f"  {span}: {line(one, telling.target)}" + (f" ({_('to come')})" if one.is_ahead else ""))
    if clock.due_at is not None:
        lines.append(_("Due %(at)s.") % {"at": moment(clock.due_at, zone)})
    return lines
