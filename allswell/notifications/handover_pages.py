"""The words of pages about a shift that nobody has taken, in the recipient's language. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from . import gsm
from .instants import when
from .letters import PageMessage
from .page_wording import Reader, cut

_NAME_LIMIT = 100


@dataclass(frozen=True, slots=True)
class HandoverFacts:
    """What such a page is about. `others` are called next, at `passes_on_at`; `held_until`: the outgoing stays on call till then."""

    key: str
    link: str
    urgency: str
    rota: str
    outgoing: str
    incoming: str
    changes_at: datetime
    is_incoming: bool
    others: Sequence[str] = ()
    passes_on_at: datetime | None = None
    held_until: datetime | None = None


def headline(rota: str, *, is_incoming: bool) -> str:
    """The page in a few words."""
    said = _("Take the shift: %(rota)s") if is_incoming else _("Nobody has taken the shift: %(rota)s")
    return said % {"rota": cut(" ".join(rota.split()), _NAME_LIMIT)}


def message(facts: HandoverFacts, to: Reader) -> PageMessage:
    """The page in its recipient's words."""
    with translation.override(to.locale):
        title = headline(facts.rota, is_incoming=facts.is_incoming)
        lines = _lines(facts, to)
        return PageMessage(
            key=facts.key,
            reference="",
            number=0,
            headline=title,
            text="\n".join(lines),
            short=gsm.one_message("Allswell:", title, facts.link),
            spoken=f"{_('This is Allswell.')} {title}. {lines[0]}",
            link=facts.link,
            urgency=facts.urgency,
            locale=to.locale,
        )


def _lines(facts: HandoverFacts, to: Reader) -> list[str]:
    def at(instant: datetime) -> str:
        return when(instant, locale=to.locale, zone=to.time_zone)

    names = {"outgoing": facts.outgoing, "incoming": facts.incoming, "when": at(facts.changes_at)}
    if facts.is_incoming:
        lines = [_("Your shift after %(outgoing)s began at %(when)s, and you have not taken it.") % names]
    else:
        lines = [_("%(incoming)s should have taken the shift at %(when)s and has not answered.") % names]
        lines.append(_("Call them, or take the shift in their place."))
    if facts.held_until:
        lines.append(
            _("%(who)s stays on call until it is taken, at most until %(when)s.")
            % {"who": facts.outgoing, "when": at(facts.held_until)}
        )
    if facts.is_incoming and facts.others and facts.passes_on_at:
        named = ", ".join(facts.others)
        lines.append(
            _("If you do not take it, these are paged at %(when)s: %(who)s.") % {"who": named, "when": at(facts.passes_on_at)}
        )
    return lines
