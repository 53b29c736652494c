"""The words of the notice about services that are not covered at all times."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from .instants import span

LACKS = {
    "never_starts": N_("no priority calls by itself"),
    "nobody": N_("nobody is called"),
    "no_person": N_("only rooms and webhooks are called"),
    "no_contact": N_("nobody with a confirmed way that works"),
    "late": N_("nobody in time"),
    "one_way": N_("by one way only"),
}


def sentence(facts: dict[str, Any]) -> str:
    """How many services are not covered, in one sentence."""
    count = int(facts.get("services") or 0)
    return ngettext(
        "%(count)s service of your teams is not covered at all times in the next four weeks",
        "%(count)s services of your teams are not covered at all times in the next four weeks",
        count,
    ) % {"count": count}


def lines(content: dict[str, Any], *, names: dict[int, str], time_zone: str, locale: str) -> list[str]:
    """The first gaps of the services in `names`, a line each, in the reader's zone; how many more there are."""
    found = []
    for gap in content.get("gaps", ()):
        if name := names.get(gap["service"]):
            when = span(gap["starts_at"], gap["ends_at"], locale=locale, zone=time_zone)
            why = _(LACKS.get(str(gap.get("lack")), LACKS["nobody"]))
            found.append(_("%(service)s, %(when)s: %(why)s") % {"service": name, "when": when, "why": why})
    if more := int(content.get("more", 0)):
        found.append(ngettext("and %(count)s more time", "and %(count)s more times", more) % {"count": more})
    if count := int(content.get("without_policy", 0)):
        text = ngettext("%(count)s service has no policy", "%(count)s services have no policy", count)
        found.append(text % {"count": count})
    return found
