"""Why an alert went where it went, or would go, in words: alike beside an alert and in a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from allswell.desk.alerts.deciding import How
from allswell.desk.alerts.explaining import Why
from allswell.intake.rules.matching import Matcher
from allswell.intake.rules.routing import STORM, Act, Basis, Rule

from . import conditions

if TYPE_CHECKING:
    from allswell.intake.models import Alert

_ENDS = {
    "sender": N_("Over: its source said so."),
    "group": N_("Over: its source said that its whole group is."),
    "left_out": N_("Over: messages that name all of its group name it no more."),
    "unheard": N_("Over: nothing was told of it for as long as its source is waited for."),
    "lease": N_("Over: nobody repeated it in time."),
}


def _alike(basis: Basis | None, labels: Sequence[str]) -> str:
    """What the alerts of its incident have in common."""
    if basis is Basis.LABELS:
        return _("the same %(labels)s") % {"labels": ", ".join(labels)}
    return _("the same group of its source") if basis is Basis.GROUP else _("the same service")


def where(how: How, *, basis: Basis | None, rule: Rule | None) -> str:
    """Why an alert came to its incident, or to none; "" where its silence or window says so."""
    alike = _alike(basis, rule.group_by if rule else ())
    if how is How.OPENED:
        return _("A new incident: none of %(alike)s was open.") % {"alike": alike}
    if how is How.ATTACHED:
        return _("It belongs to the open incident of %(alike)s.") % {"alike": alike}
    if how is How.REOPENED:
        return _("The incident of %(alike)s opens again: it was resolved less than half an hour before.") % {"alike": alike}
    if how is How.STORM:
        told = _(
            "It joins the incident that its source opened last: more than %(n)s within five minutes are one trouble, not many."
        )
        return told % {"n": STORM}
    return only_shown(rule) if how is How.RECORDED else ""


def only_shown(rule: Rule | None) -> str:
    """Why an alert opened nothing."""
    if rule is not None and rule.number is not None and rule.act is Act.RECORD:
        return _("Its rule says that it is only shown.")
    if rule is not None and rule.act is Act.ATTACH:
        return _("Its rule opens nothing, and no incident was open that it could join.")
    return _("Only shown: information and tests open nothing by themselves.")


def told(row: Alert, found: Why) -> list[str]:
    """Why an alert is where it is, sentence by sentence."""
    said = []
    if found.rule.number is not None:
        about = ", ".join(conditions.said(one) for one in found.rule.matchers)
        fits = _("The rule “%(name)s” fits.") if not about else _("The rule “%(name)s” fits: %(conditions)s.")
        said.append(fits % {"name": found.rule.name, "conditions": about})
    else:
        said.append(_("No rule fitted: what is at least a warning is an incident, all else is only shown."))
    if row.silence is not None:
        said.append(_("It is silenced: %(reason)s.") % {"reason": row.silence.reason.rstrip(".")})
    if row.window is not None:
        said.append(_("It belongs to announced work: %(title)s.") % {"title": row.window.title.rstrip(".")})
    if found.is_changed:
        said.append(_("Its rules were changed since: today they would bring it elsewhere."))
    elif found.how is not None and (words := where(found.how, basis=found.basis, rule=found.rule)):
        said.append(words)
    if row.state == "resolved" and row.ended_by in _ENDS:
        said.append(_(_ENDS[row.ended_by]))
    if row.is_flapping:
        said.append(_("It began and ended many times within half an hour: its incident waits until it is calm."))
    return said


def misfit(why: Matcher | str) -> str:
    """Why a rule is not about an alert."""
    if why == "source":
        return _("it is about another source")
    if why == "severity":
        return _("it is about other severities")
    return _("this does not hold: %(condition)s") % {"condition": conditions.said(why) if isinstance(why, Matcher) else why}
