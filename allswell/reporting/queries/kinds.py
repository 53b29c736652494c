"""What all reports have in common: counting by month and line, and listing the rows a number is made of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, IntegerField, Q, QuerySet, Value

from allswell.kernel.actor import Actor
from allswell.reporting.rules.counting import Spread, spread
from allswell.reporting.rules.shapes import After, Column, Line, Numbers, Row
from allswell.reporting.rules.shapes import Value as Number

from . import scope
from .scope import NONE, Asked, Cut

#: up to so many months the rows of a period are few beside all tickets
SHORT = 12
#: what was counted of a month and a line, in whatever form a report adds up
Groups = Mapping[tuple[int, Any], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One report: how its lines may be cut (None: by month; the first unless asked), the filters it knows, its columns.

    `found` is what counts in the period (tickets looked at as `scope.among` says), with a `length` in milliseconds where it has one;
    `at` is the instant that puts it there;
    `part` those a column is made of; `groups` counts by `month` and `line`; `told` says what columns show of some groups
    (none: of nothing), and of how many rows; `fields` and `shown` make a row of what was found.
    """

    cuts: Mapping[str, Cut | None]
    filters: tuple[str, ...]
    columns: tuple[Column, ...]
    drawn: tuple[str, ...]
    at: str
    found: Callable[[Asked, Actor, datetime, bool], QuerySet[Any]]
    part: Callable[[QuerySet[Any], str, datetime], QuerySet[Any]]
    groups: Callable[[QuerySet[Any], datetime], Groups]
    told: Callable[[list[Any]], tuple[int, dict[str, Number]]]
    fields: tuple[str, ...]
    shown: Callable[..., Row]

    def column(self, key: str) -> Column | None:
        """A column by its key."""
        return next((one for one in self.columns if one.key == key), None)


def count(kind: Kind, asked: Asked, *, actor: Actor, now: datetime) -> Numbers:
    """Count a report in one statement (and one for names)."""
    cut, months = kind.cuts[asked.by], asked.period.months
    line: Any = Value(None, output_field=IntegerField()) if cut is None else F(cut.column)
    found = kind.found(asked, actor, now, _is_short(asked))
    groups = kind.groups(found.annotate(month=scope.month(kind.at, months), line=line).order_by(), now)
    by_month: list[list[Any]] = [[] for _month in months]
    by_line: dict[Any, list[Any]] = {}
    for (place, value), group in groups.items():
        by_month[place].append(group)
        by_line.setdefault(value, []).append(group)
    n, numbers = kind.told(list(groups.values()))
    ordered = tuple(Line(one.key, one.key, kind.told(by_month[place])[1]) for place, one in enumerate(months))
    lines = ordered if cut is None else _lines(kind, cut, by_line)
    return Numbers(Line("", "", numbers), ordered, lines, n)


def total(kind: Kind, asked: Asked, key: str, *, actor: Actor, now: datetime) -> Mapping[str, Number]:
    """The numbers of one line, or of all of them."""
    found = _of_line(kind, kind.found(asked, actor, now, _is_short(asked)), asked, key)
    one = Value(0, output_field=IntegerField())
    return kind.told(list(kind.groups(found.annotate(month=one, line=one).order_by(), now).values()))[1]


def _is_short(asked: Asked) -> bool:
    return len(asked.period.months) <= SHORT


def _lines(kind: Kind, cut: Cut, by_line: dict[Any, list[Any]]) -> tuple[Line, ...]:
    names = cut.names(by_line)
    lines = [Line(*names.get(value, (NONE, "")), kind.told(groups)[1]) for value, groups in by_line.items()]
    return tuple(sorted(lines, key=_place))


def _place(line: Line) -> tuple[bool, int, str]:
    return (line.key == NONE, int(line.name) if line.name.isdigit() else 0, line.name.casefold())


def _of_line(kind: Kind, found: QuerySet[Any], asked: Asked, key: str) -> QuerySet[Any]:
    cut = kind.cuts[asked.by]
    if not key:
        return found
    if cut is None:
        when = next((one for one in asked.period.months if one.key == key), None)
        return found.filter(scope.within(kind.at, when)) if when else found.none()
    is_line = cut.is_line(key)
    return found.none() if is_line is None else found.filter(is_line)


def _behind(kind: Kind, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> QuerySet[Any]:
    """What a number is made of, in its order: the longest first, or the latest."""
    found = kind.part(_of_line(kind, kind.found(asked, actor, now, True), asked, key), part, now)
    return found.order_by(f"-{_order(kind, part)}", "-pk")


def _order(kind: Kind, part: str) -> str:
    column = kind.column(part)
    return "length" if column is not None and column.is_by_length else kind.at


def rows(
    kind: Kind,
    asked: Asked,
    part: str,
    key: str,
    *,
    actor: Actor,
    now: datetime,
    after: After = None,
    limit: int = 50,
) -> list[Row]:
    """The rows behind a number, after the row `after` of the page before."""
    found = _behind(kind, asked, part, key, actor=actor, now=now)
    if after is not None:
        order = _order(kind, part)
        if isinstance(after[0], int) != (order == "length"):
            return []  # where the page of another order ended
        found = found.filter(Q(**{f"{order}__lt": after[0]}) | Q(**{order: after[0], "pk__lt": after[1]}))
    return [kind.shown(*row) for row in found.values_list(*kind.fields)[:limit]]


def every_row(kind: Kind, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> Iterator[Row]:
    """All of them, a few hundred at a time."""
    found = _behind(kind, asked, part, key, actor=actor, now=now).values_list(*kind.fields)
    yield from (kind.shown(*row) for row in found.iterator(chunk_size=500))


@dataclass(frozen=True, slots=True)
class Measured:
    """A page of what was measured, the longest first, from the row `start` on; `spread` is told of all of it.

    `before` is the length of the row before the page, None when it is the first.
    """

    spread: Spread
    rows: list[Row]
    start: int
    before: int | None


def measured(
    kind: Kind, asked: Asked, key: str, *, actor: Actor, now: datetime, start: int | None, at: str = "", limit: int = 50
) -> Measured:
    """A page of the rows of a line by their lengths; without a `start` the one that begins where the number `at` (median ...) lies."""
    found = _of_line(kind, kind.found(asked, actor, now, _is_short(asked)), asked, key)
    # a length and its row in one number sorts several times as fast as the two of them
    ordered = sorted((length << 40 | pk for length, pk in found.order_by().values_list("length", "pk")), reverse=True)
    told = spread(one >> 40 for one in ordered)
    if start is None:
        value = {"median": told.median, "mean": told.mean, "p90": told.p90}.get(at)
        place = 0 if value is None else bisect_left(ordered, -value, key=lambda one: -(one >> 40))
        start = max(0, place - limit // 10) if len(ordered) > limit else 0  # some before it, so that one sees where it lies
    here = {one & (1 << 40) - 1: one >> 40 for one in ordered[start : start + limit]}
    fields = [field for field in kind.fields if field != "length"]  # it is the last of them, and known
    named: Any = found.model._default_manager.filter(pk__in=list(here)).values_list(*fields)
    by_number = {row[0]: kind.shown(*row, here[row[0]]) for row in named}
    rows = [by_number[number] for number in here if number in by_number]
    return Measured(told, rows, start, ordered[start - 1] >> 40 if 0 < start <= len(ordered) else None)


def name_of(kind: Kind, asked: Asked, key: str) -> str:
    """What the line with this key is called; the key itself when nothing has it."""
    cut = kind.cuts[asked.by]
    if not key or key == NONE or cut is None or cut.to is None:
        return key
    return str(cut.to._default_manager.filter(slug=key).values_list("name", flat=True).first() or key)


def put_together(rows: Iterable[tuple[int, Any, int]]) -> dict[tuple[int, Any], list[int]]:
    """(month, line, number) as the numbers of each month and line."""
    groups: dict[tuple[int, Any], list[int]] = {}
    for month, line, number in rows:
        try:
            groups[month, line].append(number)
        except KeyError:
            groups[month, line] = [number]
    return groups
