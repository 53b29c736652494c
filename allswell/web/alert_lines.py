"""The lines of monitoring in a ticket's story."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup

from allswell.journal.rules import Verb

from . import show

if TYPE_CHECKING:
    from allswell.journal.models import Entry


def _joined(kept: dict[str, Any], who: Markup, names: Any, entry: Entry) -> Markup:
    count = int(kept.get("count", 1))
    if kept.get("window"):
        said = ngettext("%(count)s alert of the announced work", "%(count)s alerts of the announced work", count)
    else:
        said = ngettext("%(count)s alert belongs to this", "%(count)s alerts belong to this", count)
    told = show.fill(said, count=count)
    return Markup('<a href="/alerts/?ticket={}&amp;state=">{}</a>').format(entry.ticket_id, told)


def _cleared(kept: dict[str, Any], who: Markup, names: Any, entry: Entry) -> Markup:
    return show.fill(_("All its alerts are over"))


SAYINGS: dict[Verb, tuple[str, Callable[[dict[str, Any], Markup, Any, Entry], Markup]]] = {
    Verb.ALERTS_JOINED: ("bell", _joined),
    Verb.ALERTS_CLEARED: ("check", _cleared),
}
