"""The rows a number of a report is made of: as a page, the latest or the longest first, and as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk import reports as desk
from allswell.kernel.errors import Invalid
from allswell.kernel.text import whole
from allswell.reporting import telling, wording
from allswell.reporting.queries.scope import NONE, Asked
from allswell.sla import wording as promises
from allswell.web.pages import PageRequest, desk_page, field_errors, page

from .report_drawings import value_text

PAGE = 50
#: how a row turned out -> (words, tone)
OUTCOMES: dict[str, tuple[Callable[[], str], str]] = {
    "kept": (lambda: _("in time"), "ok-c"),
    "broken": (lambda: _("late"), "bad-c"),
    "rerated": (lambda: _("late by re-rating"), "warn-c"),
    "open": (lambda: _("open, late"), "bad-c"),
    "return": (lambda: _("came back"), "warn-c"),
}
#: what is marked among rows by length, from the longest on
MARKS = ("p90", "mean", "median")


def asked_of(request: PageRequest, name: str) -> tuple[Asked, dict[str, str]]:
    """What the address asks for, and what is wrong with it; a wrong period is answered with the usual one."""
    given = request.GET.dict()
    if given.get("period") and given["period"] == given.get("was") and (given.get("from") or given.get("to")):
        del given["period"]  # the form was sent with days, and the period left as it stood
    zone = request.actor.time_zone
    try:
        return telling.asked(name, given, zone=zone, now=request.now), {}
    except Invalid as wrong:
        kept = {key: value for key, value in given.items() if key not in ("period", "from", "to")}
        return telling.asked(name, kept, zone=zone, now=request.now), field_errors(wrong)


def known(name: str) -> None:
    """Raises Http404 for a report there is not."""
    if name not in telling.KINDS:
        raise Http404


def opened(name: str, asked: Asked) -> Callable[..., str]:
    """The address of the rows behind a number, by its column and line."""

    def address(part: str, key: str = "") -> str:
        return f"/reports/{name}/rows?" + urlencode(asked.asked() | {"part": part} | ({"is": key} if key else {}))

    return address


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of rows: each with the marks before it; addresses of the pages before and after; the numbers of the line."""

    rows: list[tuple[telling.Row, list[tuple[str, int]]]]
    first: str
    former: str
    following: str
    numbers: list[tuple[telling.Column, telling.Value]]


@desk_page
def rows_page(request: PageRequest, name: str) -> HttpResponseBase:
    """The rows a number is made of: where it is a length of time the longest first, with where it lies; else the latest first."""
    known(name)
    asked, errors = asked_of(request, name)
    kind = telling.KINDS[name]
    part, key = request.GET.get("part", ""), request.GET.get("is", "")
    column = kind.column(part) or kind.columns[-1]
    query = asked.asked() | {"part": column.key} | ({"is": key} if key else {})
    shown = (_by_length if column.is_by_length else _by_instant)(request, name, asked, column, key, query)
    return page(
        request,
        "reports/rows.html",
        slug=name,
        asked=asked,
        errors=errors,
        shown=shown,
        column=column,
        line=_line_name(name, asked, key, shown),
        query=urlencode(query),
        back=f"/reports/{name}?{urlencode(asked.asked())}",
        opened=opened(name, asked),
        key=key,
        wording=wording,
        value_text=value_text,
        is_of_clocks=name == "attainment",
        outcome=_outcome,
        what=_what,
        here="reports",
    )


def _by_instant(request: PageRequest, name: str, asked: Asked, column: telling.Column, key: str, query: dict[str, Any]) -> Shown:
    by: dict[str, Any] = {"actor": request.actor, "now": request.now}
    after = _after(request.GET.get("after", ""))
    found = telling.rows(name, asked, column.key, key, after=after, limit=PAGE + 1, **by)
    following = ""
    if len(found) > PAGE:
        last = found[PAGE - 1]
        following = "?" + urlencode(query | {"after": f"{last.at.isoformat()}~{last.id}"})
    numbers: list[tuple[telling.Column, telling.Value]] = []
    if column.what == "share" and found:
        told = telling.total(name, asked, key, **by)
        numbers = [(one, told[one.key]) for one in telling.KINDS[name].columns if one.key in ("share", "kept", "completed")]
    return Shown([(row, []) for row in found[:PAGE]], "?" + urlencode(query) if after else "", "", following, numbers)


def _by_length(request: PageRequest, name: str, asked: Asked, column: telling.Column, key: str, query: dict[str, Any]) -> Shown:
    start = whole(request.GET.get("row", ""), digits=9)
    found = telling.measured(
        name,
        asked,
        column.key,
        key,
        actor=request.actor,
        now=request.now,
        start=None if start is None else max(0, start - 1),
        limit=PAGE,
    )
    told = found.spread
    every: dict[str, Any] = {
        "median": told.median,
        "mean": told.mean,
        "p90": told.p90,
        "total": told.total if told.n else None,
        **dict.fromkeys(("n", "stays", "waits"), told.n),
    }
    numbers = [(one, every.get(one.key)) for one in telling.KINDS[name].columns if one.key in every]
    marks = [(mark, value) for mark in MARKS if (value := every[mark]) is not None]
    marks.sort(key=lambda mark: -mark[1])
    rows, before = [], found.before
    for row in found.rows:
        value = row.value or 0
        rows.append((row, [mark for mark in marks if value <= mark[1] and (before is None or before > mark[1])]))
        before = value
    former = following = ""
    if found.start:
        former = "?" + urlencode(query | {"row": max(1, found.start + 1 - PAGE)})
    if found.start + PAGE < told.n:
        following = "?" + urlencode(query | {"row": found.start + PAGE + 1})
    return Shown(rows, "", former, following, numbers)


def _line_name(name: str, asked: Asked, key: str, shown: Shown) -> str:
    """Which line it is; without rows it keeps the name the address gave it, so that no name is told to who sees nothing of it."""
    if not key:
        return ""
    try:
        return wording.line(asked.by, key, telling.name_of(name, asked, key) if shown.rows else key)
    except (ValueError, KeyError):
        return key


def _outcome(row: telling.Row) -> tuple[str, str]:
    if row.outcome in OUTCOMES:
        said, tone = OUTCOMES[row.outcome]
        return said(), tone
    return row.outcome, ""


def _what(row: telling.Row) -> str:
    if row.what in promises.METRICS:
        return promises.metric(row.what)
    if row.what == NONE:
        return _("No team")
    return "" if row.what in telling.KINDS else wording.reason(row.what) if row.what in wording.REASONS else row.what


def _after(text: str) -> telling.After:
    """Where the page before ended."""
    at, _tilde, number = text.partition("~")
    found = whole(number)
    try:
        since = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (since, found) if found is not None and since.tzinfo is not None else None


@desk_page
def csv_file(request: PageRequest, name: str) -> HttpResponseBase:
    """The report as CSV; with a part, the rows that number is made of."""
    known(name)
    asked, errors = asked_of(request, name)
    if errors:
        raise Http404
    part = request.GET.get("part", "")
    if part:
        lines = desk.rows_csv(name, asked, part, request.GET.get("is", ""), actor=request.actor, now=request.now)
    else:
        lines = desk.figures_csv(name, asked, actor=request.actor, now=request.now)
    response = StreamingHttpResponse((line.encode() for line in lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
