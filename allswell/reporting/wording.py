"""What reports, their columns and lines are called, and how every number is counted, for pages, API, files and mail alike."""

from __future__ import annotations

from django.utils.dates import MONTHS_3
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from allswell.sla import wording as sla

TITLES = {
    "attainment": N_("Service levels kept"),
    "acknowledgement": N_("Time to acknowledge (MTTA)"),
    "first-response": N_("Time to first response"),
    "restore": N_("Time to restore"),
    "resolve": N_("Time to resolve"),
    "teams": N_("Time with teams, and hand-overs"),
    "waiting": N_("Time of waiting"),
}
#: one sentence that says what a report answers
QUESTIONS = {
    "attainment": N_("How many of the promises that were due did we keep?"),
    "acknowledgement": N_("How long until somebody took it up?"),
    "first-response": N_("How long until the requester was answered?"),
    "restore": N_("How long until the service worked again?"),
    "resolve": N_("How long until it was resolved?"),
    "teams": N_("How long was each team at it, and how often did tickets move on or come back?"),
    "waiting": N_("How long did tickets wait, and on whom?"),
}
_OUT = (
    N_("Cancelled and merged tickets, duplicates, and children of another ticket count nowhere: the parent counts."),
    N_("A mean is always shown with the median, the 90th percentile (the shortest time that 90 % do not exceed) and the number."),
)
#: how it is counted and what is left out, sentence by sentence
DEFINITIONS = {
    "attainment": (
        N_("Kept = clocks completed in time ÷ clocks completed, by the month in which they were due."),
        N_("A clock is one promise about one ticket."),
        N_("Shares are rounded down: 99.999 % is told as 99.99 %, never as 100 %."),
        N_("Clocks that are past their time and still run stand apart as “open, late”; they count once they are completed."),
        N_("“Late by re-rating” are those of the late ones that would have been in time without a change of priority."),
        N_("Cancelled and merged tickets count nowhere; nor do clocks that were not due yet and still run."),
        N_("A team is the one whose time was counted, else the one that has the ticket now."),
        N_("The filter by organization takes in those below it; its lines do not."),
    ),
    "acknowledgement": (
        N_("From opened until a person first took it up, by the month in which they did."),
        N_("Assignment by the program is no acknowledgement; the first one stays, whatever is reopened."),
        N_("Where an agreement promises an acknowledgement, its hours count; elsewhere every hour does."),
        *_OUT,
    ),
    "first-response": (
        N_("From opened until the first public words of a person at the desk, by the month in which they were said."),
        N_("To be told that it is resolved is an answer. Automatic replies and internal notes never count."),
        N_("Every hour counts, nights and weekends too, and no wait is taken out."),
        *_OUT,
    ),
    "restore": (
        N_("From when the harm began (if known, else opened) until the service worked again, by the month in which it did."),
        N_("Incidents only. Every hour counts, nights and weekends too."),
        N_("After a reopening the last restoration counts."),
        *_OUT,
    ),
    "resolve": (
        N_("From opened until resolved or fulfilled for the last time, by the month in which it was."),
        N_("Every hour counts, nights, weekends and waiting too. What was reopened and is not yet resolved again is out."),
        *_OUT,
    ),
    "teams": (
        N_("A stay lasts from when a team got a ticket until it handed it over or resolved it, by the month in which it ended."),
        N_("Every hour counts, nights, weekends and waiting too. After a reopening another stay begins."),
        N_(
            "Hand-overs are stays with a second or later team; returns are those with a team that had the ticket before (ping-pong)."
        ),
        N_("What was routed on in the first minute was no stay and no hand-over; nor is it one to get a first team."),
        N_("Counted from the journal, once a minute. A team's name is that of today, the stay that of then."),
        *_OUT,
    ),
    "waiting": (
        N_("A wait lasts from when a ticket was put on hold until it went on or was done, by the month in which it ended."),
        N_("Every hour counts, nights and weekends too. To wait on somebody else begins another wait."),
        N_("Counted from the journal, once a minute. The team is the one that has the ticket now."),
        *_OUT,
    ),
}
COLUMNS = {
    "share": N_("Kept"),
    "completed": N_("Completed"),
    "kept": N_("In time"),
    "broken": N_("Late"),
    "rerated": N_("Late by re-rating"),
    "open": N_("Open, late"),
    "n": N_("Tickets"),
    "mean": N_("Mean"),
    "median": N_("Median"),
    "p90": N_("90th percentile"),
    "total": N_("In all"),
    "stays": N_("Stays"),
    "hops": N_("Hand-overs"),
    "returns": N_("Returns"),
    "waits": N_("Waits"),
}
#: what the number of a column is
MEANINGS = {
    "share": N_("How many percent of the completed clocks were in time, rounded down."),
    "completed": N_("Clocks stopped by what was promised: acknowledged, answered, restored, resolved."),
    "kept": N_("Completed at or before the due instant."),
    "broken": N_("Completed after the due instant."),
    "rerated": N_("Late, but in time had the priority not been changed."),
    "open": N_("Past their time, and still running or paused."),
    "n": N_("Tickets that got there in the period."),
    "mean": N_("All lengths of time added up, divided by their number."),
    "median": N_("Half took no longer: the value in the middle, or between the two in the middle."),
    "p90": N_("The shortest time that 90 % did not exceed; it is always one that was there."),
    "total": N_("All lengths of time added up."),
    "stays": N_("Times a ticket was with a team, until it was handed over or resolved."),
    "hops": N_("Stays with a second or later team of the ticket."),
    "returns": N_("Stays with a team that had the ticket before (ping-pong)."),
    "waits": N_("Times a ticket was on hold, and no longer is."),
}
REASONS = {
    "requester": N_("The requester"),
    "supplier": N_("A supplier"),
    "change": N_("A change"),
}
CUTS = {
    "month": N_("Month"),
    "agreement": N_("Agreement"),
    "metric": N_("Promise"),
    "service": N_("Service"),
    "team": N_("Team"),
    "organization": N_("Organization"),
    "priority": N_("Priority"),
    "kind": N_("Kind"),
    "hop": N_("Hop"),
    "reason": N_("Waiting on"),
}
_NONE = {
    "reason": N_("Not said"),
    "service": N_("No service"),
    "team": N_("No team"),
    "organization": N_("No organization"),
}
_KINDS = {"incident": N_("Incident"), "request": N_("Request")}


def title(name: str) -> str:
    """What a report is called."""
    return _(TITLES[name])


def question(name: str) -> str:
    """What a report answers."""
    return _(QUESTIONS[name])


def definition(name: str) -> list[str]:
    """How its numbers are counted, and what is left out."""
    return [_(sentence) for sentence in DEFINITIONS[name]]


def column(key: str) -> str:
    """What a column is called."""
    return _(COLUMNS[key])


def meaning(key: str) -> str:
    """What the number of a column is."""
    return _(MEANINGS[key])


def cut(key: str) -> str:
    """What the lines are."""
    return _(CUTS[key])


def line(by: str, key: str, name: str) -> str:
    """What a line is called; a month as "Nov 2026"."""
    if key == "-":
        return _(_NONE[by]) if by in _NONE else "–"
    if by == "metric":
        return sla.metric(key)
    if by == "reason":
        return reason(key)
    if by == "hop":
        return _("Team %(n)s of the ticket") % {"n": key}
    if by == "priority":
        return f"P{key}"
    if by == "kind":
        return _(_KINDS[key]) if key in _KINDS else key
    return month(key) if by == "month" else name


def reason(value: str) -> str:
    """What a ticket waits on."""
    return _(REASONS[value]) if value in REASONS else value or "–"


def month(key: str) -> str:
    """A month, short: Nov 2026."""
    year, number = key.split("-")
    return f"{short_month(int(number))} {year}"


def short_month(number: int) -> str:
    """The name of a month in three letters or so."""
    return str(MONTHS_3[number]).capitalize()
