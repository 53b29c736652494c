"""The words of the dry run and of the proof of coverage: channels, why a step calls nobody, what a gap lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from allswell.desk.coverage import Opened
from allswell.notifications.rules import ContactKind
from allswell.oncall.rules.covering import Lack, Missing, Stretch
from allswell.oncall.rules.escalating import Empty
from allswell.oncall.rules.knowing import Absent

from . import lanes


def channel(kind: ContactKind) -> str:
    """By what a page goes."""
    said = {
        ContactKind.DESK: _("open desk"),
        ContactKind.PUSH: _("push"),
        ContactKind.NTFY: _("ntfy"),
        ContactKind.CHAT: _("chat"),
        ContactKind.EMAIL: _("e-mail"),
        ContactKind.WEBHOOK: _("webhook"),
        ContactKind.APPRISE: _("Apprise"),
        ContactKind.SMS: _("SMS"),
        ContactKind.VOICE: _("call by telephone"),
    }
    return said[kind]


def empty(why: Empty) -> str:
    """Why a step calls nobody."""
    said = {
        Empty.PRIORITY: _("it is for other priorities"),
        Empty.HOURS: _("it is for other hours"),
        Empty.NOBODY: _("nobody is there"),
        Empty.UNREACHABLE: _("there is no way to those it names"),
    }
    return said[why]


def _names(persons: Iterable[int], names: Mapping[int, str]) -> str:
    return ", ".join(names.get(person, f"#{person}") for person in persons)


def lack(gap: Stretch, names: Mapping[int, str], within: int) -> str:
    """What a gap lacks, in a sentence."""
    values = {"names": _names(gap.verdict.persons, names), "n": within, "why": absences(gap.verdict.missing)}
    said = {
        Lack.NO_POLICY: _("No policy: nobody is called for this service"),
        Lack.NEVER_STARTS: _("Its policy starts by itself for no priority"),
        Lack.NOBODY: _("Nobody is called within %(n)s minutes: %(why)s"),
        Lack.NO_PERSON: _("Only rooms and webhooks are called, no person"),
        Lack.NO_CONTACT: _("Only %(names)s, without a confirmed way that works"),
        Lack.LATE: _("Only %(names)s, and not within %(n)s minutes: quiet hours or their own rules delay it"),
        Lack.ONE_WAY: _("Only %(names)s, and by one way only"),
    }
    return said[gap.verdict.lack or Lack.NOBODY] % values


def absences(missing: Iterable[Missing]) -> str:
    """Why the steps reach nobody."""
    said = {
        Absent.OFF_HOURS: _("outside support hours"),
        Absent.ON_PURPOSE: _("nobody, on purpose"),
        Absent.GAP: _("a gap in the rota"),
        Absent.ON_LEAVE: _("on leave"),
        Absent.NOT_PLANNED: _("a rota without this level, or out of use"),
        Absent.NO_LEAD: _("no lead or manager"),
        Absent.NO_MEMBERS: _("a team without members"),
    }
    parts: dict[str, None] = {}
    for one in missing:
        if one.absent is not None:
            parts[_("step %(n)s: %(why)s") % {"n": one.step + 1, "why": said[one.absent]}] = None
    return "; ".join(parts) or _("no step is for this priority")


def opened(found: Iterable[Opened]) -> list[tuple[str, str, int]]:
    """What an edit would leave without cover: the service, when for the first time, and how many more times."""
    return [(one.service.name, lanes.span_text(*one.spans[0]), len(one.spans) - 1) for one in found]
