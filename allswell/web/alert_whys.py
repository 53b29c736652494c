"""Why an alert went where it went, or would go, in words: alike beside an alert and in a dry run."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from allswell.desk.alerts.deciding import How
from allswell.intake.rules.matching import Matcher
from allswell.intake.rules.routing import STORM, Act, Basis, Rule

from . import conditions


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


def misfit(why: Matcher | str) -> str:
    """Why a rule is not about an alert."""
    if why == "source":
        return _("it is about another source")
    if why == "severity":
        return _("it is about other severities")
    return _("this does not hold: %(condition)s") % {"condition": conditions.said(why) if isinstance(why, Matcher) else why}
