"""The words of pages, in the recipient's language: plain facts in, a message for every channel out. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from . import gsm
from .instants import when
from .letters import PageMessage

#: why a run began; `cause` of an escalation -> words
_CAUSES = {
    "opened": N_("It was opened with this priority."),
    "handed_over": N_("It was handed over to the team you are on call for."),
    "reopened": N_("It was opened again."),
    "raised": N_("Its priority was raised."),
    "by_hand": N_("Somebody asks for you by hand."),
    "not_kept": N_("It was acknowledged, but no word came by the promised time."),
    "drill": N_("This is a drill: nothing is broken."),
}
#: lines of a bundle that name a page; the rest is counted
_LISTED = 10
_TITLE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the page: language and time zone."""

    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page is about. Names of people are spelled out; user text is set in as it is.

    `next_who` and `next_at`: who is paged next if nobody answers ("" and None: nobody is). `blind`: from when to when nobody watched,
    when this page is late because of that. `asked_by` and `reason`: who paged by hand, and their words. `code` is what a reply names.
    """

    key: str
    reference: str
    number: int
    title: str
    priority: int
    since: datetime
    cause: str
    urgency: str
    link: str
    code: str
    service: str = ""
    team: str = ""
    asked_by: str = ""
    reason: str = ""
    next_who: str = ""
    next_at: datetime | None = None
    round: int = 0
    blind: tuple[datetime, datetime] | None = None
    is_drill: bool = False
    callback: str = ""


class Buttons(NamedTuple):
    """What stands on the buttons of a page."""

    open: str
    acknowledge: str


def buttons(locale: str) -> Buttons:
    """The buttons of a page in a language."""
    with translation.override(locale):
        return Buttons(_("Open the page"), _("Acknowledge"))


def pressing(locale: str) -> str:
    """What a voice says about the key that acknowledges."""
    with translation.override(locale):
        return _("Press 4 to acknowledge.")


def pressed(locale: str, *, has_worked: bool) -> str:
    """What a voice says after a key: it is acknowledged, or it is not."""
    with translation.override(locale):
        if has_worked:
            return _("Acknowledged. Thank you.")
        return _("This did not acknowledge the page. Open its link, or acknowledge it at the desk.")


def drill_title(locale: str) -> str:
    """What stands where a ticket's title would, on a page that only tries the ways."""
    with translation.override(locale):
        return _("This is how you are paged")


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, an ellipsis where it was cut."""
    kept = text.encode()
    if len(kept) <= limit:
        return text
    return kept[: limit - 3].decode(errors="ignore").rstrip() + "…"


def message(facts: PageFacts, to: Reader) -> PageMessage:
    """One page in its recipient's words."""
    with translation.override(to.locale):
        return PageMessage(
            key=facts.key,
            reference=facts.reference,
            number=facts.number,
            headline=_headline(facts),
            text="\n".join(_lines(facts, to)),
            short=_short(facts),
            spoken=_spoken(facts),
            link=facts.link,
            urgency=facts.urgency,
            locale=to.locale,
            is_drill=facts.is_drill,
            code=facts.code,
            callback=facts.callback,
        )


def _title(title: str) -> str:
    """A title as one line of a page."""
    return cut(" ".join(title.split()), _TITLE_LIMIT)


def _headline(facts: PageFacts) -> str:
    headline = f"P{facts.priority} {_title(facts.title)}"
    return _("Drill: %(headline)s") % {"headline": headline} if facts.is_drill else headline


def _lines(facts: PageFacts, to: Reader) -> list[str]:
    """What, since when, which service, why you, who is next and when; and that it is late, when it is."""

    def at(instant: datetime) -> str:
        return when(instant, locale=to.locale, zone=to.time_zone)

    about = [facts.reference]
    if facts.service:
        about.append(_("Service: %(service)s") % {"service": facts.service})
    if facts.team:
        about.append(_("Team: %(team)s") % {"team": facts.team})
    lines = [" · ".join(filter(None, about)), _("Since %(when)s") % {"when": at(facts.since)}, _cause(facts)]
    if facts.reason:
        lines.append(f"“{facts.reason}”")
    if facts.blind:
        first, last = (at(instant) for instant in facts.blind)
        lines.append(_("This page is late: nothing was watching from %(first)s to %(last)s.") % {"first": first, "last": last})
    if facts.round:
        lines.append(_("Nobody has answered so far: this is round %(count)s.") % {"count": facts.round + 1})
    lines.append(_next(facts, to))
    return [line for line in lines if line]


def _cause(facts: PageFacts) -> str:
    if facts.cause == "drill" and facts.asked_by:
        return _("%(who)s tries whether pages reach you: nothing is broken.") % {"who": facts.asked_by}
    if facts.cause == "by_hand" and facts.asked_by:
        return _("%(who)s asks for you by hand.") % {"who": facts.asked_by}
    return _(_CAUSES.get(facts.cause, _CAUSES["opened"]))


def _next(facts: PageFacts, to: Reader) -> str:
    if facts.next_at is None:
        return _("Nobody else is paged if you do not answer.")
    at = when(facts.next_at, locale=to.locale, zone=to.time_zone)
    if not facts.next_who:
        return _("If nobody answers, it goes on at %(when)s.") % {"when": at}
    return _("If nobody answers, %(who)s is paged at %(when)s.") % {"who": facts.next_who, "when": at}


def _reply(code: str) -> str:
    return _("Reply: %(words)s") % {"words": f"ack {code}"} if code else ""


def _short(facts: PageFacts) -> str:
    """One SMS. An address too long for it is left out, but never the words to answer with."""
    first = f"P{facts.priority} {facts.reference}".strip()
    reply = _reply(facts.code)
    if facts.is_drill:
        first = _("Drill: %(headline)s") % {"headline": first}
        reply = _reply(facts.code) or _("Reply: %(words)s") % {"words": "ack"}
    after = " ".join(filter(None, (facts.link, reply)))
    if gsm.length(f"{first} {after}") > gsm.PART:
        after = reply
    return gsm.one_message(first, _title(facts.title), after)


def _spoken(facts: PageFacts) -> str:
    """For a voice: the number digit by digit, nothing it would stumble over."""
    named = " ".join(facts.reference.replace("-", ""))
    parts = [
        _("This is Allswell.") if not facts.is_drill else _("This is Allswell. This is a drill."),
        _("Priority %(priority)s.") % {"priority": facts.priority},
        f"{_title(facts.title)}.",
        _("Service: %(service)s") % {"service": facts.service} + "." if facts.service else "",
        f"{named}." if named else "",
    ]
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class BundledPage:
    """One page of a bundle."""

    reference: str
    title: str
    priority: int
    code: str
    link: str


def bundle(pages: Sequence[BundledPage], to: Reader, *, key: str, link: str, urgency: str, is_drill: bool = False) -> PageMessage:
    """One message in the place of many, the most important first. `link` leads to all of them; each is acknowledged by itself."""
    ordered = sorted(pages, key=lambda page: page.priority)
    with translation.override(to.locale):
        headline = ngettext("%(count)s page waits for you", "%(count)s pages wait for you", len(pages)) % {"count": len(pages)}
        if is_drill:
            headline = _("Drill: %(headline)s") % {"headline": headline}
        lines = []
        for page in ordered[:_LISTED]:
            lines += [f"P{page.priority} {page.reference} {_title(page.title)}", *filter(None, [page.link])]
        if more := len(ordered) - _LISTED:
            lines += [ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}] if more > 0 else []
        named = ", ".join(page.reference for page in ordered)
        first = ordered[0] if ordered else None
        return PageMessage(
            key=key,
            reference="",
            number=0,
            headline=headline,
            text="\n".join(lines),
            short=gsm.one_message(f"{headline}:", named, link if gsm.length(link) < gsm.PART - gsm.length(headline) - 3 else ""),
            spoken=" ".join(
                filter(
                    None,
                    (
                        _("This is Allswell.") if not is_drill else _("This is Allswell. This is a drill."),
                        f"{headline}.",
                        _("The most important: %(title)s.") % {"title": _title(first.title)} if first else "",
                    ),
                )
            ),
            link=link,
            urgency=urgency,
            locale=to.locale,
            is_drill=is_drill,
        )
