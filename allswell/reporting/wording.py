"""What reports, their columns and lines are called, and how every number is counted, for pages, API, files and mail alike."""

from __future__ import annotations

from django.utils.dates import MONTHS_3
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from allswell.sla import wording as sla

TITLES = {
    "attainment": N_("Service levels kept"),
}
#: one sentence that says what a report answers
QUESTIONS = {
    "attainment": N_("How many of the promises that were due did we keep?"),
}
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
}
COLUMNS = {
    "share": N_("Kept"),
    "completed": N_("Completed"),
    "kept": N_("In time"),
    "broken": N_("Late"),
    "rerated": N_("Late by re-rating"),
    "open": N_("Open, late"),
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
}
_NONE = {
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


def cut(key: str) -> str:
    """What the lines are."""
    return _(CUTS[key])


def line(by: str, key: str, name: str) -> str:
    """What a line is called; a month as "Nov 2026"."""
    if key == "-":
        return _(_NONE[by]) if by in _NONE else "–"
    if by == "metric":
        return sla.metric(key)
    if by == "priority":
        return f"P{key}"
    if by == "kind":
        return _(_KINDS[key]) if key in _KINDS else key
    return month(key) if by == "month" else name


def month(key: str) -> str:
    """A month, short: Nov 2026."""
    year, number = key.split("-")
    return f"{short_month(int(number))} {year}"


def short_month(number: int) -> str:
    """The name of a month in three letters or so."""
    return str(MONTHS_3[number]).capitalize()
