"""The lines of monitoring in a ticket's story."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext
from markupsafe import Markup

from allswell.journal.rules import Verb

from . import show

if TYPE_CHECKING:
    from allswell.journal.models import Entry

#: why alerts came to a ticket, and what became of it when they were over, as the journal keeps it
HOWS = {
    "opened": N_("it was opened for them"),
    "attached": N_("they are alike in their service, group or labels"),
    "reopened": N_("it was resolved less than half an hour before"),
    "storm": N_("their source opened many incidents at once"),
}
ENDS = {
    "resolve": N_("it is resolved"),
    "restore": N_("it is restored; whoever works on it resolves it"),
}


def gathered(entries: Iterable[Entry]) -> list[Entry]:
    """Lots of alerts that came one after the other for the same reason are one line: a storm comes in hundreds of them."""
    found: list[Entry] = []
    for entry in entries:
        last = found[-1] if found else None
        if last is not None and last.verb == entry.verb == Verb.ALERTS_JOINED and _reason(last) == _reason(entry):
            last.data = {**last.data, "count": _count(last) + _count(entry)}
        else:
            found.append(entry)
    return found


def _reason(entry: Entry) -> tuple[object, object]:
    return entry.data.get("how"), entry.data.get("window")


def _count(entry: Entry) -> int:
    return int(entry.data.get("count", 1))


def _joined(kept: dict[str, Any], who: Markup, names: Any, entry: Entry) -> Markup:
    count = _count(entry)
    if kept.get("is_planned") and kept.get("window"):
        said = _("Announced work has begun on all that fires, until %(until)s: nobody is called")
    elif kept.get("is_planned"):
        said = _("A planned silence of all that fires has begun, until %(until)s: nobody is called")
    elif kept.get("window"):
        said = ngettext("%(count)s alert of the announced work", "%(count)s alerts of the announced work", count)
    else:
        said = ngettext("%(count)s alert belongs to this", "%(count)s alerts belong to this", count)
    told = show.fill(said, count=count)
    line = Markup('<a href="/alerts/?ticket={}&amp;state=">{}</a>').format(entry.ticket_id, told)
    return _with(line, HOWS.get(str(kept.get("how", ""))))


def _cleared(kept: dict[str, Any], who: Markup, names: Any, entry: Entry) -> Markup:
    if kept.get("is_unheard"):
        return _with(
            show.fill(_("Nothing is told of its last alerts any more: they are over")), ENDS.get(str(kept.get("how", "")))
        )
    return _with(show.fill(_("All its alerts are over")), ENDS.get(str(kept.get("how", ""))))


def _answered(kept: dict[str, Any], who: Markup, names: Any, entry: Entry) -> Markup:
    return show.fill(_("All its alerts that fire are acknowledged at their source"))


def _quieted(kept: dict[str, Any], who: Markup, names: Any, entry: Entry) -> Markup:
    until = show.when(datetime.fromisoformat(kept["until"]))
    if kept.get("window"):
        said = _("%(who)s announced work until %(until)s on all that fires: nobody is called")
    else:
        said = _("%(who)s silenced all that fires until %(until)s: nobody is called")
    return show.fill(said, who=who, until=until)


def _with(line: Markup, reason: str | None) -> Markup:
    return Markup("{}: {}").format(line, _(reason)) if reason else line


SAYINGS: dict[Verb, tuple[str, Callable[[dict[str, Any], Markup, Any, Entry], Markup]]] = {
    Verb.ALERTS_JOINED: ("bell", _joined),
    Verb.ALERTS_CLEARED: ("check", _cleared),
    Verb.ALERTS_ANSWERED: ("bell", _answered),
    Verb.ALERTS_QUIETED: ("player-pause", _quieted),
}
