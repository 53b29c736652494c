"""Why an alert is where it is: worked out of what is kept of it, its rule as it stands now, and its newest episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allswell.intake.parsers.alerts.shape import Severity
from allswell.intake.rules.routing import OTHERWISE, Basis, Facts, Rule, basis_of, case_of
from allswell.kernel.errors import Invalid

from .deciding import How

if TYPE_CHECKING:
    from allswell.intake.models import Alert

_HOWS = frozenset(How)


@dataclass(frozen=True, slots=True)
class Why:
    """How an alert came where it is, by which rule (`rule.number` None: none fitted), and what it shares with its incident.

    `is_changed`: the rule would bring it elsewhere today, so that what it says now may not be what it said then.
    """

    how: How | None
    rule: Rule
    basis: Basis | None
    is_changed: bool


def why(row: Alert, *, outcome: str) -> Why:
    """Why an alert is where it is; `outcome` is that of its newest episode, `row` comes with its source and rule."""
    how = How(outcome) if outcome in _HOWS else None
    rule = OTHERWISE
    if row.rule is not None:
        try:
            rule = Rule.parse(row.rule.definition, number=row.rule.pk, name=row.rule.name)
        except Invalid:  # written by another version
            rule = Rule(row.rule.pk, row.rule.name)
    if not row.case:
        return Why(how, rule, None, False)
    facts = Facts.of(
        source=row.source_id,
        source_slug=row.source.slug,
        key=row.key,
        group=row.group,
        severity=Severity(row.severity),
        title=row.title,
        labels=row.labels,
        service=row.source.service_id,
        team=row.source.team_id,
    )
    is_changed = case_of(facts, rule, row.service_id) != row.case
    return Why(how, rule, None if is_changed else basis_of(rule, row.service_id), is_changed)
