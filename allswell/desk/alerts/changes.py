"""What was changed where we watch, as sources tell it: kept for a while, and shown beside what fails afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from allswell.desk.door import use_case
from allswell.intake.operations import changes as writing
from allswell.intake.parsers.alerts.shape import AlertReport
from allswell.intake.queries import alerts as queries
from allswell.intake.queries import changes as reading
from allswell.intake.queries.alerts import Known
from allswell.intake.rules import routing, standing
from allswell.intake.rules.kept import Changed
from allswell.intake.rules.routing import Facts
from allswell.kernel.actor import Actor

#: how long changes are kept, and how many are forgotten at once
KEPT_FOR = timedelta(days=90)
_MOST_FORGOTTEN = 5_000
#: so long before an incident began what was changed may be its reason
BEFORE = timedelta(hours=4)
#: so many are asked for at once
_AT_ONCE = 100


def service_of(source: Known, report: AlertReport, *, rules: Sequence[routing.Rule], services: dict[str, int]) -> int | None:
    """The service a change is about, by the rules and labels by which alerts are matched."""
    facts = Facts.of(
        source=source.id,
        source_slug=source.slug,
        key=report.key,
        group=report.group,
        severity=report.severity,
        title=report.title,
        labels=report.labels,
        service=source.service,
    )
    return routing.service_changed(facts, rules=rules, services=services)


def keep(told: Sequence[tuple[Known, AlertReport, datetime]]) -> None:
    """Keep changes that were told just now (source, report, when it reached us); what a sender tells twice is kept once."""
    if not told:
        return
    rules, services = queries.rules(), queries.service_names()
    rows: dict[tuple[int, datetime, str], Changed] = {}
    for source, report, received_at in told:
        at = standing.instant_of(report, received_at=received_at)
        about = service_of(source, report, rules=rules, services=services)
        row = Changed(source.id, about, report.title, report.text, report.labels, report.links, at, received_at)
        rows.setdefault((source.id, at, report.title), row)
    keys = list(rows)
    for start in range(0, len(keys), _AT_ONCE):
        for key in reading.known(keys[start : start + _AT_ONCE]):
            del rows[key]
    writing.keep(rows.values())


@use_case
def forget(*, actor: Actor, now: datetime) -> int:
    """Forget changes that we heard of three months ago."""
    return writing.sweep(before=now - KEPT_FOR, limit=_MOST_FORGOTTEN)
