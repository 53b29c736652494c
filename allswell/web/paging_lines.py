"""The lines of paging in a ticket's story."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from markupsafe import Markup

from allswell.journal.rules import Verb

from . import show

if TYPE_CHECKING:
    from allswell.journal.models import Entry


class Named(Protocol):
    """Names of what entries point to."""

    def of(self, kind: str, pk: Any) -> Markup:
        """The name of a thing, in bold."""


_STARTED = {
    "opened": N_("Paging begins: it was opened with this priority"),
    "handed_over": N_("Paging begins: it was handed over"),
    "reopened": N_("Paging begins again: it is open once more"),
    "raised": N_("Paging begins: its priority was raised"),
    "by_hand": N_("%(who)s pages for it"),
    "undone": N_("Paging goes on: the hand-over was taken back"),
}
_ENDED = {
    "restored": N_("Paging ends: the service works again"),
    "handed_over": N_("Paging ends: another team has it"),
    "stopped": N_("%(who)s stopped the paging"),
    "undone": N_("Paging ends: what began it was taken back"),
    "no_policy": N_("Paging ends: another team has it. Nobody of it is paged: no policy"),
    "priority": N_("Paging ends: another team has it. Nobody of it is paged: its policy does not start at this priority"),
}
_NOBODY = {
    "priority": N_("Nobody was paged at step %(step)s: it is for other priorities"),
    "hours": N_("Nobody was paged at step %(step)s: it is for other hours"),
    "nobody": N_("Nobody was paged at step %(step)s: nobody is there"),
}
_UNREACHED = N_("Nobody was reached at step %(step)s")


def _paging_started(kept: dict[str, Any], who: Markup, names: Named, entry: Entry) -> Markup:
    return show.fill(_(_STARTED.get(str(kept.get("cause")), _STARTED["by_hand"])), who=who)


def _paging_ended(kept: dict[str, Any], who: Markup, names: Named, entry: Entry) -> Markup:
    why = kept.get("nobody") or kept.get("reason")
    return show.fill(_(_ENDED.get(str(why), N_("Paging ends: it is done"))), who=who)


def _paged(kept: dict[str, Any], who: Markup, names: Named, entry: Entry) -> Markup:
    step = int(kept.get("step", 0)) + 1
    empty = str(kept.get("empty", ""))
    if empty and empty != "unreachable":
        return show.fill(_(_NOBODY.get(empty, _NOBODY["nobody"])), step=step)
    to = Markup(", ").join(names.of("person", person) for person in kept.get("persons", ()))
    if empty:
        said = show.fill(_(_UNREACHED), step=step)
    elif not to:
        said = show.fill(_("The team's room was told (step %(step)s)"), step=step)
    else:
        said = show.fill(_("%(to)s paged (step %(step)s)"), to=to, step=step)
    return Markup("; ").join([said, *_not_reached(kept, names)])


def _not_reached(kept: dict[str, Any], names: Named) -> list[Markup]:
    """Who of them was not reached, and why."""
    why = {"unreachable": N_("there is no way to %(to)s"), "unseen": N_("%(to)s may not see this ticket")}
    return [
        show.fill(_(said), to=Markup(", ").join(names.of("person", person) for person in kept[kind]))
        for kind, said in why.items()
        if kept.get(kind)
    ]


def _promised(template: str) -> Callable[[dict[str, Any], Markup, Named, Entry], Markup]:
    """A sentence with who promised the next word, and by when."""

    def said(kept: dict[str, Any], who: Markup, names: Named, entry: Entry) -> Markup:
        until = str(kept.get("until", ""))
        return show.fill(_(template), who=who, until=show.clock_text(datetime.fromisoformat(until)) if until else "")

    return said


def _plain(template: str) -> Callable[[dict[str, Any], Markup, Named, Entry], Markup]:
    return lambda kept, who, names, entry: show.fill(_(template), who=who)


SAYINGS: dict[Verb, tuple[str, Callable[[dict[str, Any], Markup, Any, Entry], Markup]]] = {
    Verb.PAGING_STARTED: ("phone-call", _paging_started),
    Verb.PAGED: ("phone-call", _paged),
    Verb.PAGE_ACKNOWLEDGED: ("check", _promised(N_("%(who)s answered the page; next word by %(until)s"))),
    Verb.PAGE_PASSED_ON: ("arrow-forward-up", _plain(N_("%(who)s passed the page on"))),
    Verb.PROMISE_RENEWED: ("check", _promised(N_("%(who)s promises the next word by %(until)s"))),
    Verb.PROMISE_BROKEN: ("phone-call", _plain(N_("No word came by the promised time: paging goes on"))),
    Verb.PAGING_FAILED: ("alert-triangle", _plain(N_("A step of the paging could not be taken and was passed over"))),
    Verb.PAGING_EXHAUSTED: ("alert-triangle", _plain(N_("Everybody was paged, and nobody answered"))),
    Verb.PAGING_ENDED: ("bell", _paging_ended),
}
