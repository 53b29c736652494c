"""How long it took: acknowledgement, first response, restoring, resolving; each by the month in which it was reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest

from allswell.database.lengths import Milliseconds
from allswell.kernel.actor import Actor
from allswell.reporting.rules.shapes import LENGTHS, Column, Row, Value, lengths
from allswell.sla.models import Agreement, Clock
from allswell.tickets.models import Link, Ticket
from allswell.tickets.rules import LinkKind

from . import scope
from .kinds import Groups, Kind, put_together
from .scope import Asked


@dataclass(frozen=True, slots=True)
class Measure:
    """From when to when; `agreed` is the metric whose clock counts where there is one, `kind` the only kind of ticket that has it."""

    since: str
    until: str
    agreed: str = ""
    kind: str = ""


MEASURES: Mapping[str, Measure] = {
    "acknowledgement": Measure("opened_at", "acknowledged_at", agreed="acknowledgement"),
    "first-response": Measure("opened_at", "first_response_at"),
    "restore": Measure("occurred_at", "restored_at", kind="incident"),
    "resolve": Measure("opened_at", "resolved_at"),
}
FILTERS = ("organization", "service", "team", "priority", "kind")


def counted(found: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Without what counts nowhere: cancelled and merged tickets, duplicates, and children, whose parent counts."""
    others = Link.objects.filter(kind__in=[LinkKind.CHILD_OF.value, LinkKind.DUPLICATE_OF.value]).values("source")
    return found.exclude(state__in=["cancelled", "rejected"]).filter(merged_into__isnull=True).exclude(pk__in=others)


def between(since: Any, until: Any) -> Greatest:
    """The time from one instant to another in milliseconds, as an expression; never less than nothing."""
    return Greatest(Milliseconds(since, until), 0, output_field=BigIntegerField())


def _length(measure: Measure) -> Combinable:
    since = Coalesce("occurred_at", "opened_at") if measure.since == "occurred_at" else F(measure.since)
    wall = between(since, F(measure.until))
    if not measure.agreed:
        return wall
    promises = list(Agreement.objects.filter(audience="customer").values_list("pk", flat=True))
    if not promises:
        return wall
    clocks = Clock.objects.filter(ticket=OuterRef("pk"), metric=measure.agreed, state="completed", agreement__in=promises)
    agreed = Subquery(clocks.order_by("-id").values("working")[:1], output_field=BigIntegerField())
    return Coalesce(agreed / 1000, wall, output_field=BigIntegerField())


def _tickets(measure: Measure, asked: Asked, *, actor: Actor) -> QuerySet[Ticket]:
    found = counted(scope.narrowed(asked.narrowing, actor=actor)).filter(scope.within(measure.until, asked.period))
    if measure.kind:
        found = found.filter(kind=measure.kind)
    return found.annotate(length=_length(measure))


def _lengths(found: QuerySet[Any], now: datetime) -> Groups:
    return put_together(found.values_list("month", "line", "length").iterator(chunk_size=5000))


def _told(groups: list[Any]) -> tuple[int, dict[str, Value]]:
    found, numbers = lengths(chain.from_iterable(groups))
    return found.n, {**numbers, "n": found.n}


def _kind(name: str, measure: Measure) -> Kind:
    def shown(number: int, kind: str, title: str, at: datetime, length: int) -> Row:
        return Row(number, number, kind, title, name, "", at, length)

    return Kind(
        cuts={"month": None, **scope.cuts()},
        filters=FILTERS,
        columns=(*LENGTHS, Column("n")),
        drawn=("median", "p90"),
        at=measure.until,
        found=lambda asked, actor, now, one_by_one: _tickets(measure, asked, actor=actor),
        part=lambda found, part, now: found,
        groups=_lengths,
        told=_told,
        fields=("pk", "kind", "title", measure.until, "length"),
        shown=shown,
    )


KINDS = {name: _kind(name, measure) for name, measure in MEASURES.items()}
