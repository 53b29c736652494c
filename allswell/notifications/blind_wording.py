"""The words for times in which nothing was watching."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from .instants import span

WHY = {
    "stopped": N_("The program was stopped."),
    "silent": N_("The program was killed, or its machine stood still."),
    "database_away": N_("The database could not be reached."),
    "clock_moved": N_("The clock of a machine was set."),
}


def length(seconds: int) -> str:
    """How long something was, in the largest unit that says it well."""
    if seconds < 120:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    if minutes < 120:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}


def sentence(facts: dict[str, Any]) -> str:
    """What happened, in one sentence."""
    seconds = int(facts.get("moved_seconds") or 0)
    if seconds < 0:
        return _("The clock of a machine was set back by %(length)s.") % {"length": length(-seconds)}
    if seconds > 0:
        return _("The clock of a machine was set forward by %(length)s.") % {"length": length(seconds)}
    return _("Nothing was watching for %(length)s.") % {"length": length(int(facts.get("seconds") or 0))}


def why(word: str) -> str:
    """Why nothing was watching."""
    return _(WHY.get(word, WHY["silent"]))


def body(facts: dict[str, Any], *, locale: str, zone: str) -> str:
    """From when to when and why, and what that meant, as Markdown."""
    try:
        when = span(str(facts["from"]), str(facts["until"]), locale=locale, zone=zone)
    except (KeyError, ValueError):
        return ""
    seconds = int(facts.get("moved_seconds") or 0)
    if seconds < 0:
        more = _("Deadlines are kept as before; until the clock has caught up, some things are done early.")
    else:
        more = _("What fell due in that time was done late, and says so.")
    return "\n\n".join([when, *([] if seconds else [why(str(facts.get("why")))]), more])
