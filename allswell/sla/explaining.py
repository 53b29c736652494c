"""Why a clock says what it says, in sentences and lines; for pages, the API and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from .rules.shapes import PROBLEMS, ZERO
from .rules.terms import Counting, Target, clock_face
from .telling import Stretch, Telling
from .wording import AROUND_THE_CLOCK, STOPS, allowance, apart, listed, moment, name, pauses, roughly, since, span, used, within

if TYPE_CHECKING:
    from .models import Clock

CONDITIONS = {
    "organization": N_("organization"),
    "team": N_("team"),
    "kind": N_("kind"),
    "service": N_("service"),
    "priority": N_("priority"),
}
WAITING_ON = {
    "requester": N_("it waits for the requester"),
    "supplier": N_("it waits for a supplier"),
    "change": N_("it waits for a change"),
}
#: what began a line
EVENTS = {
    "opened": N_("opened"),
    "came": N_("came to the team"),
    "updated": N_("the requester was told"),
    "held": N_("went on hold"),
    "resumed": N_("work went on"),
    "done": N_("done"),
    "reopened": N_("reopened"),
    "changed": N_("changed"),
}
#: how a clock came to its end, by what stops it
ENDS = {
    "acknowledged": N_("Taken up %(at)s"),
    "answered": N_("Done %(at)s"),
    "restored": N_("Restored %(at)s"),
    "resolved": N_("Resolved %(at)s"),
    "closed": N_("Closed %(at)s"),
    "handed_over": N_("Done %(at)s"),
}


def because(clock: Clock) -> str:
    """Why this agreement holds: it is the first that fits, and by which of its conditions."""
    parts = [_(CONDITIONS[part]) for part in clock.why.split() if part in CONDITIONS]
    if not parts:
        return _("It is the first agreement that fits, and it holds for everyone.") if clock.why == "everyone" else ""
    return _("It is the first agreement that fits the ticket, by its %(conditions)s.") % {"conditions": listed(parts, _("and"))}


def line(one: Stretch, target: Target) -> str:
    """What a stretch did, in words."""
    told: dict[str, Callable[[], str]] = {
        "running": lambda: _("counts %(time)s") % {"time": used(one.counted, target)},
        "closed": lambda: _closed(one, target),
        "paused": lambda: _("paused: %(why)s") % {"why": _(WAITING_ON.get(one.why, N_("it waits")))},
        "stopped": lambda: _("does not count until it is reopened"),
        "more": lambda: (
            ngettext(
                "and so on: %(n)s more line, of which %(time)s count",
                "and so on: %(n)s more lines, of which %(time)s count",
                one.lines,
            )
            % {"n": one.lines, "time": used(one.counted, target)}
        ),
    }
    return told[one.what]()


def _closed(one: Stretch, target: Target) -> str:
    if target.within.counting is Counting.WORKING:
        return _("outside working hours: does not count")
    if one.why == "cutoff" and target.within.cutoff is not None:
        return _("came in at %(cutoff)s or later: does not count yet") % {"cutoff": clock_face(target.within.cutoff)}
    return _("day off: does not count")


def outcome(telling: Telling) -> str:
    """How it stands, in a sentence or two."""
    clock, target = telling.clock, telling.target
    at = moment(telling.until, telling.terms.zone_info)
    if clock.state == "cancelled":
        return _("Called off %(at)s: it counts nowhere.") % {"at": at}
    if clock.state == "merged":
        return _("The ticket was merged %(at)s: it counts nowhere.") % {"at": at}
    if clock.problem:
        return _(PROBLEMS[clock.problem].template)
    spent = {"used": roughly(_spent(telling), target), "budget": allowance(target)}
    if clock.due_at is None:
        return _("It is paused with %(used)s of its %(budget)s used. When it goes on, the due time is worked out again.") % spent
    distance = {"time": apart(abs(telling.until - clock.due_at)), "done": _(ENDS[target.stop.value]) % {"at": at}}
    if telling.is_late:
        said = _("Past its time by %(time)s and still open.") if telling.is_open else _("%(done)s, late by %(time)s.")
        took = (
            _("It has taken %(used)s instead of %(budget)s.") if telling.is_open else _("It took %(used)s instead of %(budget)s.")
        )
        told = f"{said % distance} {took % spent}"
        return told + " " + _("Only the change of priority made it late.") if clock.is_rerated else told
    said = _("That is in %(time)s.") if telling.is_open else _("%(done)s, %(time)s early.")
    took = _("%(used)s of its %(budget)s are used.") if telling.is_open else _("It took %(used)s of its %(budget)s.")
    return f"{said % distance} {took % spent}"


def verdict(telling: Telling) -> str:
    """When it is or was due, and how it stands."""
    due = telling.clock.due_at
    if due is None or telling.clock.state in ("cancelled", "merged"):
        return outcome(telling)
    at = {"at": moment(due, telling.terms.zone_info)}
    said = _("It is due %(at)s.") if telling.is_open and not telling.is_late else _("It was due %(at)s.")
    return f"{said % at} {outcome(telling)}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the explanation in words; `sign` is a stretch's `what`, or due, unknown (due, but nobody can say when) or end."""

    sign: str
    when: str
    words: str
    event: str = ""
    used: str = ""
    entry: int | None = None
    is_ahead: bool = False


def _in_seconds(one: Stretch) -> Stretch:
    """A stretch counted from second to second, as its instants are shown: so that what is read adds up."""
    if not one.counted:
        return one
    shift = one.starts_at.microsecond - one.ends_at.microsecond
    return replace(one, counted=max(ZERO, one.counted + timedelta(microseconds=shift)))


def _spent(telling: Telling) -> timedelta:
    return sum((_in_seconds(one).counted for one in telling.stretches if not one.is_ahead), ZERO)


def rows(telling: Telling) -> list[Row]:
    """What the clock did, line by line, with the due instant and the end where they belong."""
    clock, target, zone = telling.clock, telling.target, telling.terms.zone_info
    found, total = [], ZERO
    for one in map(_in_seconds, telling.stretches):
        total += one.counted
        row = Row(
            one.what,
            span(one.starts_at, one.ends_at, zone),
            line(one, target),
            _(EVENTS[one.event]) if one.event else "",
            used(total, target),
            one.entry,
            one.is_ahead,
        )
        found.append((one.starts_at, row))
    if not telling.is_open:
        found.append((telling.until, Row("end", moment(telling.until, zone), _end(telling), used=used(total, target))))
    if clock.problem or clock.state in ("cancelled", "merged"):
        return [row for _at, row in found]
    if clock.due_at is None:
        return [*(row for _at, row in found), Row("unknown", "", _("due: known again when it goes on"))]
    budget, due = used(target.within.budget, target), clock.due_at
    is_past = telling.is_open or telling.is_late
    words = _("due: its time is used up") if is_past else _("due: by then its time would have been used up")
    place = next((place for place, (at, _row) in enumerate(found) if at >= due), len(found))
    if not telling.is_late:
        place = len(found)
    found.insert(place, (due, Row("due", moment(due, zone), words, used=budget)))
    return [row for _at, row in found]


def _end(telling: Telling) -> str:
    if telling.clock.state == "cancelled":
        return _("called off: the clock ends")
    if telling.clock.state == "merged":
        return _("merged: the clock ends")
    return _("done, too late: the clock stops") if telling.is_late else _("done in time: the clock stops")


def promised(telling: Telling, calendar: str) -> str:
    """What was promised, in a sentence; `calendar` is the name of the calendar."""
    named = {"within": within(telling.target.within, calendar), "stop": _(STOPS[telling.target.stop.value])}
    told = _("%(within)s. The clock stops %(stop)s.") % named
    if not telling.target.priorities:
        return told
    ranks = listed([str(one) for one in sorted(telling.target.priorities)], _("or"))
    return _("With priority %(ranks)s: %(promise)s") % {"ranks": ranks, "promise": told}


def counting(telling: Telling) -> str:
    """What has to be known to follow the lines of a promise in working days; "" for the others."""
    if telling.target.within.counting is not Counting.WORKING_DAYS:
        return ""
    told = _("A working day is 24 hours here: from a time of day to the same time on the next working day.")
    if telling.began_at == telling.clock.started_at:
        return told
    return told + " " + _("Counting begins %(at)s.") % {"at": moment(telling.began_at, telling.terms.zone_info)}


def agreed(telling: Telling) -> str:
    """By what it was promised: the agreement, its version, and why it is this one."""
    named = {
        "agreement": telling.agreement,
        "n": telling.clock.version,
        "since": since(telling.in_force_from, telling.terms.zone_info),
    }
    said = _("%(agreement)s, version %(n)s, in force since %(since)s.") % named
    return f"{said} {because(telling.clock)}".strip()


def told(telling: Telling, names: Mapping[str, str] | None = None) -> list[str]:
    """The whole explanation as lines of text; `names` are those of the calendars, by slug."""
    clock = telling.clock
    called = (names or {}).get(clock.calendar, clock.calendar)
    lines = [
        _("%(metric)s: %(outcome)s") % {"metric": name(clock), "outcome": verdict(telling)},
        _("Promised: %(promise)s") % {"promise": promised(telling, called)} + " " + pauses(telling.target),
        _("Agreement: %(agreement)s") % {"agreement": agreed(telling)},
        _("Times are those of %(zone)s.") % {"zone": telling.terms.zone},
        counting(telling),
    ]
    if clock.calendar_version and clock.calendar != AROUND_THE_CLOCK:
        lines.append(
            _("Counted in the calendar %(calendar)s, version %(n)s.") % {"calendar": called, "n": clock.calendar_version}
        )
    for row in rows(telling):
        words = f"{row.event}; {row.words}" if row.event else row.words
        when = f"{row.when}: " if row.when else ""
        lines.append(f"  {when}{words}" + (f" ({_('to come')})" if row.is_ahead else ""))
    return [line for line in lines if line]
