"""Time with teams and time of waiting, by the month in which it ended."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import F, IntegerField, QuerySet
from django.db.models.functions import Cast

from allswell.journal.queries import newest_id
from allswell.kernel.actor import Actor
from allswell.people.models import Team
from allswell.reporting.models import Place, Stretch
from allswell.reporting.rules.shapes import LENGTHS, Column, Row, Value, lengths

from . import scope, times
from .kinds import Groups, Kind, put_together
from .scope import Asked, Cut


def is_behind() -> bool:
    """Whether the journal has entries that are not yet worked out."""
    return newest_id() > (Place.objects.filter(pk=1).values_list("entry", flat=True).first() or 0)


def _stretches(kind: str, asked: Asked, *, actor: Actor, one_by_one: bool) -> QuerySet[Stretch]:
    seen = scope.among(times.counted(scope.narrowed(asked.narrowing, actor=actor)), one_by_one=one_by_one)
    found = Stretch.objects.filter(scope.within("ended_at", asked.period), seen, kind=kind)
    return found.annotate(length=times.between(F("started_at"), F("ended_at")))


def _waits(found: QuerySet[Any], now: datetime) -> Groups:
    """By month and line the lengths."""
    return put_together(found.values_list("month", "line", "length").iterator(chunk_size=5000))


def _waits_told(groups: list[Any]) -> tuple[int, dict[str, Value]]:
    found, numbers = lengths(chain.from_iterable(groups))
    return found.n, {"total": found.total if found.n else None, **numbers, "waits": found.n}


def _stays(found: QuerySet[Any], now: datetime) -> Groups:
    """By month and line the lengths, each with two bits below it: whether it was a hand-over, and a return."""
    later = Cast("is_return", IntegerField())
    rows = found.annotate(returned=later).values_list("month", "line", "length", "hop", "returned").iterator(chunk_size=5000)
    return put_together((month, line, length * 4 + (hop > 1) * 2 + returned) for month, line, length, hop, returned in rows)


def _stays_told(groups: list[Any]) -> tuple[int, dict[str, Value]]:
    found, numbers = lengths(one >> 2 for one in chain.from_iterable(groups))
    hops = sum(one >> 1 & 1 for one in chain.from_iterable(groups))
    returns = sum(one & 1 for one in chain.from_iterable(groups))
    return found.n, {"total": found.total if found.n else None, **numbers, "stays": found.n, "hops": hops, "returns": returns}


def _part(found: QuerySet[Any], part: str, now: datetime) -> QuerySet[Any]:
    if part == "hops":
        return found.filter(hop__gt=1)
    return found.filter(is_return=True) if part == "returns" else found


def _with_team(
    number: int, ticket: int, kind: str, title: str, team: str | None, is_back: bool, at: datetime, length: int
) -> Row:
    return Row(number, ticket, kind, title, team or "-", "return" if is_back else "", at, length)


def _waited(number: int, ticket: int, kind: str, title: str, reason: str, at: datetime, length: int) -> Row:
    return Row(number, ticket, kind, title, reason, "", at, length)


_OF_TICKET = scope.cuts("ticket__")
_TICKET = ("pk", "ticket_id", "ticket__kind", "ticket__title")
_TOTAL = Column("total", "time")

KINDS = {
    "teams": Kind(
        cuts={
            "team": Cut("team", Team),
            "hop": Cut("hop", is_number=True),
            "month": None,
            **{by: _OF_TICKET[by] for by in ("service", "organization", "priority")},
        },
        filters=times.FILTERS,
        columns=(_TOTAL, *LENGTHS, Column("stays"), Column("hops"), Column("returns")),
        drawn=("median", "p90"),
        at="ended_at",
        found=lambda asked, actor, now, one_by_one: _stretches("team", asked, actor=actor, one_by_one=one_by_one),
        part=_part,
        groups=_stays,
        told=_stays_told,
        fields=(*_TICKET, "team__name", "is_return", "ended_at", "length"),
        shown=_with_team,
    ),
    "waiting": Kind(
        cuts={
            "reason": Cut("reason"),
            "month": None,
            **{by: _OF_TICKET[by] for by in ("service", "team", "organization", "priority")},
        },
        filters=times.FILTERS,
        columns=(_TOTAL, *LENGTHS, Column("waits")),
        drawn=("median", "p90"),
        at="ended_at",
        found=lambda asked, actor, now, one_by_one: _stretches("wait", asked, actor=actor, one_by_one=one_by_one),
        part=_part,
        groups=_waits,
        told=_waits_told,
        fields=(*_TICKET, "reason", "ended_at", "length"),
        shown=_waited,
    ),
}
