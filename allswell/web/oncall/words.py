"""The words of rotas: what a layer says, what became of a request, what is not good about a plan."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allswell.calendars.rules import clock_time, show_hours
from allswell.oncall.rules import Caution, Layer, Section, Trouble, Unit
from allswell.web import show
from allswell.web.setup.calendar_pages import weekdays


def turn(layer: Layer) -> str:
    """How long a turn is: every week, every 2 days."""
    if layer.unit is Unit.HOUR:
        return ngettext("every hour", "every %(n)s hours", layer.every) % {"n": layer.every}
    if layer.unit is Unit.DAY:
        return ngettext("every day", "every %(n)s days", layer.every) % {"n": layer.every}
    return ngettext("every week", "every %(n)s weeks", layer.every) % {"n": layer.every}


def handoff(layer: Layer) -> str:
    """When turns change: every week on Monday at 09:00."""
    at = clock_time(layer.first_minute)
    if layer.unit is Unit.WEEK:
        day = dateformat.format(layer.first_on, "l")
        return _("%(turn)s on %(day)s at %(time)s") % {"turn": turn(layer), "day": day, "time": at}
    if layer.unit is Unit.DAY:
        return _("%(turn)s at %(time)s") % {"turn": turn(layer), "time": at}
    return _("%(turn)s, counted from %(day)s, %(time)s") % {
        "turn": turn(layer),
        "day": dateformat.format(layer.first_on, "j F Y"),
        "time": at,
    }


def hours(layer: Layer) -> str:
    """In which hours of the week a layer holds, like days together; always when nothing is said."""
    if not layer.week:
        return _("always")
    names, parts, first = weekdays("D"), [], 0
    for number in range(1, 8):
        if number == 7 or layer.week[number] != layer.week[first]:
            if layer.week[first]:
                spell = names[first] if number - first == 1 else f"{names[first]}–{names[number - 1]}"
                parts.append(f"{spell} {show_hours(layer.week[first])}")
            first = number
    return "; ".join(parts)


def request_state(state: str) -> str:
    """What became of a request."""
    said = {
        "open": _("Nobody has answered yet"),
        "accepted": _("Accepted"),
        "declined": _("Declined"),
        "withdrawn": _("Withdrawn"),
        "expired": _("Its time is over"),
    }
    return said.get(state, state)


def caution(one: Caution, names: Mapping[int, str]) -> str:
    """What is not good about a plan, in a sentence."""
    values: dict[str, object] = {
        "name": names.get(one.person, f"#{one.person}"),
        "length": show.duration(one.worst),
        "n": one.times,
    }
    said = {
        Trouble.SHORT_REST: ngettext(
            "%(name)s has only %(length)s of rest between two shifts, once",
            "%(name)s has only %(length)s of rest between two shifts at worst, %(n)s times",
            one.times,
        ),
        Trouble.LONG_WEEK: _("%(name)s is on call for %(length)s within seven days"),
        Trouble.TWICE: _("%(name)s is on call at two levels at once, and so has no backup"),
        Trouble.ON_LEAVE: _("%(name)s is on call while on leave"),
    }
    return said[one.trouble] % values


def section(one: Section) -> str:
    """Why a ticket stands in a handover, as a heading."""
    said = {
        Section.MAJOR: _("Must not drop: major, priority 1 and 2"),
        Section.UNANSWERED_PAGE: _("Somebody is called and nobody has answered"),
        Section.AT_RISK: _("A promise is due before the next shift ends"),
        Section.WAITING: _("Waits, and the wait ends in the next shift"),
        Section.ASKED: _("Whoever reported it waits for an answer"),
        Section.ANNOUNCED: _("Announced: news are expected"),
        Section.CAME_IN: _("Came in during the shift, still open"),
    }
    return said[one]


def section_in_short(one: Section) -> str:
    """The same beside a ticket that stands under another heading."""
    said = {
        Section.MAJOR: _("must not drop"),
        Section.UNANSWERED_PAGE: _("page without an answer"),
        Section.AT_RISK: _("promise at risk"),
        Section.WAITING: _("wait ends"),
        Section.ASKED: _("waits for an answer"),
        Section.ANNOUNCED: _("announced"),
        Section.CAME_IN: _("new in this shift"),
    }
    return said[one]


def handover_state(state: str) -> str:
    """How far a handover has come."""
    said = {
        "drafted": _("Drafted"),
        "signed": _("Signed"),
        "accepted": _("Taken"),
        "escalated": _("Not taken in time"),
        "lapsed": _("Over"),
    }
    return said.get(state, state)
