"""The words of notices about shifts. Names of people and of the rota are in the facts by then; instants are ISO texts."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from . import coverage_wording, handover_wording
from .instants import span
from .letters import Said
from .rules import Topic

_ASKED = {
    "shift.asked": {
        "cover": N_("%(who)s asks you to be on call in their stead."),
        "swap": N_("%(who)s asks to swap shifts with you."),
    },
    "shift.accepted": {
        "cover": N_("%(who)s is on call in your stead."),
        "swap": N_("%(who)s swaps shifts with you."),
    },
    "shift.declined": {
        "cover": N_("%(who)s cannot be on call in your stead."),
        "swap": N_("%(who)s does not want to swap shifts."),
    },
    "shift.withdrawn": {
        "cover": N_("%(who)s does not need you to be on call any more."),
        "swap": N_("%(who)s does not want to swap shifts any more."),
    },
    "shift.expired": {
        "cover": N_("Nobody offered to be on call in your stead."),
        "swap": N_("Your swap was not accepted in time."),
    },
}


def subject(said: Said) -> str:
    """The subject line of a mail about shifts."""
    rota = {"rota": said.facts.get("title", "")}
    if said.topic is Topic.HANDOVER:
        return handover_wording.subject(said)
    if said.topic is Topic.UNCOVERED:
        return coverage_wording.sentence(said.facts)
    if said.topic is Topic.SHIFT_STARTS:
        return _("You are on call soon: %(rota)s") % rota
    if said.topic is Topic.SHIFT_ASKED:
        return _("About a shift: %(rota)s") % rota
    return _("Your shifts have moved: %(rota)s") % rota


def sentence(said: Said) -> str:
    """What happened, in one sentence."""
    if said.topic is Topic.HANDOVER:
        return handover_wording.sentence(said)
    if said.topic is Topic.UNCOVERED:
        return coverage_wording.sentence(said.facts)
    names = {"who": said.who or _("Allswell"), "rota": said.facts.get("title", "")}
    if said.topic is Topic.SHIFT_STARTS:
        return _("You are on call soon.")
    if said.topic is Topic.SHIFT_ASKED:
        kinds = _ASKED.get(said.verb, _ASKED["shift.asked"])
        return _(kinds.get(str(said.facts.get("kind")), kinds["cover"])) % names
    if not said.who:
        return _("Your shifts have moved.")
    return _("%(who)s moved your shifts.") % names


def lines(topic: Topic, content: dict[str, Any], *, names: dict[int, str], time_zone: str, locale: str) -> list[str]:
    """Which times it is about, a line each, in the reader's zone."""

    def told(moved: dict[str, Any]) -> str:
        when = span(moved["starts_at"], moved["ends_at"], locale=locale, zone=time_zone)
        level = int(moved.get("level", 1))
        return when if level == 1 else _("%(when)s, level %(level)s") % {"when": when, "level": level}

    if topic is Topic.SHIFT_ASKED:
        found = [told(content)]
        if content.get("in_return"):
            found.append(_("In return: %(when)s") % {"when": told(content["in_return"])})
        return [*found, *filter(None, [str(content.get("note", ""))])]
    if topic in (Topic.SHIFT_STARTS, Topic.HANDOVER):
        return [told(content)]
    found = []
    for moved in content.get("moves", ()):
        other = names.get(moved.get("other") or 0, "")
        texts = _GAINED if moved.get("is_mine") else _LOST
        found.append(_(texts[bool(other)]) % {"when": told(moved), "who": other})
    if more := int(content.get("more", 0)):
        found.append(ngettext("and %(count)s more time", "and %(count)s more times", more) % {"count": more})
    return found


_GAINED = (N_("You are on call: %(when)s"), N_("You are on call instead of %(who)s: %(when)s"))
_LOST = (N_("You are no longer on call: %(when)s"), N_("%(who)s is on call instead of you: %(when)s"))
