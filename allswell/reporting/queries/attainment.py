"""Service levels kept: clocks completed in time of all that were completed, by the month in which they were due."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When

from allswell.kernel.actor import Actor
from allswell.people.models import Team
from allswell.reporting.rules.counting import share
from allswell.reporting.rules.shapes import Column, Row
from allswell.reporting.rules.shapes import Value as Number
from allswell.sla.models import Agreement, Clock

from . import scope
from .kinds import Groups, Kind
from .scope import Asked, Cut

OPEN = ("running", "paused")
#: which clocks a number counts, and opens; a share opens those it is a share of
PARTS = ("completed", "kept", "broken", "rerated", "open")


def _part(part: str, now: datetime) -> Q:
    completed = Q(state="completed")
    return {
        "completed": completed,
        "kept": completed & Q(breached_at__isnull=True),
        "broken": completed & Q(breached_at__isnull=False),
        "rerated": completed & Q(breached_at__isnull=False, is_rerated=True),
        "open": Q(state__in=OPEN, due_at__lt=now),
    }[part if part in PARTS else "completed"]


def _found(asked: Asked, actor: Actor, now: datetime, one_by_one: bool) -> QuerySet[Clock]:
    """The clocks due in the period that were completed, or are late and still run; `held_by` is the team a clock is put to."""
    narrowing = asked.narrowing
    seen = scope.among(scope.narrowed(narrowing, actor=actor), one_by_one=one_by_one)
    found = Clock.objects.filter(scope.within("due_at", asked.period), _part("completed", now) | _part("open", now), seen)
    if narrowing.agreement:
        found = found.filter(agreement__slug=narrowing.agreement)
    if asked.by == "team":
        found = found.annotate(held_by=Case(When(team__isnull=False, then=F("team")), default=F("ticket__team")))
    return found.filter(metric=narrowing.metric) if narrowing.metric else found


def _counted(found: QuerySet[Any], now: datetime) -> Groups:
    """By month and line (kept, broken, re-rated, open)."""
    parts = {f"n_{part}": Count(Value(1), filter=_part(part, now)) for part in ("kept", "broken", "rerated", "open")}
    return {(month, line): numbers for month, line, *numbers in found.values_list("month", "line").annotate(**parts)}


def _told(groups: list[Any]) -> tuple[int, dict[str, Number]]:
    kept, broken, rerated, late = (sum(group[place] for group in groups) for place in range(4))
    completed = kept + broken
    numbers = {"completed": completed, "kept": kept, "broken": broken, "rerated": rerated, "open": late}
    return completed + late, {"share": share(kept, completed) or None, **numbers}


def _shown(
    number: int,
    ticket: int,
    kind: str,
    title: str,
    metric: str,
    state: str,
    due_at: datetime,
    stopped_at: datetime | None,
    breached_at: datetime | None,
    is_rerated: bool,
    working: int,
) -> Row:
    if state != "completed":
        return Row(number, ticket, kind, title, metric, "open", due_at, None, stopped_at)
    outcome = "kept" if breached_at is None else "rerated" if is_rerated else "broken"
    return Row(number, ticket, kind, title, metric, outcome, due_at, working // 1000, stopped_at)


_OF_TICKET = scope.cuts("ticket__")

KINDS = {
    "attainment": Kind(
        cuts={
            "month": None,
            "agreement": Cut("agreement", Agreement),
            "metric": Cut("metric"),
            "service": _OF_TICKET["service"],
            "team": Cut("held_by", Team),
            "organization": _OF_TICKET["organization"],
            "priority": _OF_TICKET["priority"],
        },
        filters=("organization", "service", "team", "priority", "kind", "agreement", "metric"),
        columns=(Column("share", "share"), *(Column(part) for part in PARTS)),
        drawn=("kept", "broken", "open"),
        at="due_at",
        found=_found,
        part=lambda found, part, now: found.filter(_part(part, now)),
        groups=_counted,
        told=_told,
        fields=(
            *("pk", "ticket_id", "ticket__kind", "ticket__title", "metric", "state", "due_at", "stopped_at", "breached_at"),
            *("is_rerated", "working"),
        ),
        shown=_shown,
    ),
}
