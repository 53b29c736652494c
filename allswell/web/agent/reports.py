"""Reports: numbers with their definition, drawn and as a table; each opens the tickets behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from markupsafe import Markup

from allswell.desk import report_mails
from allswell.desk import reports as desk
from allswell.kernel.errors import DeskError, Invalid
from allswell.kernel.text import whole
from allswell.people import queries as people
from allswell.reporting import telling, wording
from allswell.reporting.queries import subscriptions
from allswell.reporting.queries.scope import NONE, Asked
from allswell.reporting.rules.counting import month_after
from allswell.services import queries as services
from allswell.sla import queries as sla
from allswell.sla import wording as promises
from allswell.web import charts, show, words
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast, words_of_error

PAGE = 50
#: how a row turned out -> (words, tone)
OUTCOMES: dict[str, tuple[Callable[[], str], str]] = {
    "kept": (lambda: _("in time"), "ok-c"),
    "broken": (lambda: _("late"), "bad-c"),
    "rerated": (lambda: _("late by re-rating"), "warn-c"),
    "open": (lambda: _("open, late"), "bad-c"),
    "return": (lambda: _("came back"), "warn-c"),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A report on the overview: its number, what it says, and how it went by month."""

    name: str
    title: str
    value: str
    detail: str
    drawing: Markup
    address: str


def _asked(request: PageRequest, name: str) -> tuple[Asked, dict[str, str]]:
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


def _known(name: str) -> None:
    if name not in telling.KINDS:
        raise Http404


def value_text(column: telling.Column, value: telling.Value) -> str:
    """A number as the page shows it."""
    if value is None:
        return "–"
    if column.what == "share":
        return f"{value} %"
    return show.duration(int(value) / 1000) if column.what == "time" else f"{int(value):,}".replace(",", "\u202f")


@desk_page
def overview(request: PageRequest) -> HttpResponseBase:
    """Every report in a number and a small drawing."""
    tiles = []
    asked, errors = _asked(request, "attainment")
    for name in telling.KINDS:
        asked, _errors = _asked(request, name)
        found = desk.report(name, asked.cut(telling.KINDS[name].cuts[0]), actor=request.actor, now=request.now)
        tiles.append(_tile(found))
    return page(
        request,
        "reports/overview.html",
        tiles=tiles,
        asked=asked,
        errors=errors,
        periods=_periods(request),
        mails=_mails(request),
        here="reports",
    )


def _tile(found: telling.Report) -> Tile:
    first, second = found.columns[:2]
    query = urlencode(found.asked.period.asked())
    return Tile(
        found.name,
        wording.title(found.name),
        value_text(first, found.total.values[first.key]),
        f"{wording.column(second.key)}: {value_text(second, found.total.values[second.key])}",
        chart(found, is_small=True) if not found.is_empty else Markup(""),
        f"/reports/{found.name}?{query}",
    )


@desk_page
def report_page(request: PageRequest, name: str) -> HttpResponseBase:
    """A report: its sum, drawn by month, cut into lines, and how it is counted."""
    _known(name)
    asked, errors = _asked(request, name)
    found = desk.report(name, asked, actor=request.actor, now=request.now)
    return page(
        request,
        "reports/page.html",
        status=422 if errors else 200,
        slug=name,
        report=found,
        asked=asked,
        query=urlencode(asked.asked()),
        errors=errors,
        chart="" if found.is_empty else chart(found),
        wording=wording,
        cuts=telling.KINDS[name].cuts,
        value_text=value_text,
        opened=_opened(name, asked),
        periods=_periods(request),
        choices=_choices(request, name),
        here="reports",
    )


def _opened(name: str, asked: Asked) -> Callable[..., str]:
    """The address of the rows behind a number."""

    def address(part: str, key: str = "") -> str:
        return f"/reports/{name}/rows?" + urlencode(asked.asked() | {"part": part} | ({"is": key} if key else {}))

    return address


@desk_page
def rows_page(request: PageRequest, name: str) -> HttpResponseBase:
    """The tickets behind a number, newest first."""
    _known(name)
    asked, errors = _asked(request, name)
    part, key = request.GET.get("part", ""), request.GET.get("is", "")
    after = _after(request.GET.get("after", ""))
    found = telling.rows(name, asked, part, key, actor=request.actor, now=request.now, after=after, limit=PAGE + 1)
    query = asked.asked() | {"part": part} | ({"is": key} if key else {})
    following = ""
    if len(found) > PAGE:
        last = found[PAGE - 1]
        following = "?" + urlencode(query | {"after": f"{last.at.isoformat()}~{last.id}"})
    column = next((one for one in telling.KINDS[name].columns if one.part == part), None)
    return page(
        request,
        "reports/rows.html",
        slug=name,
        asked=asked,
        errors=errors,
        rows=found[:PAGE],
        part=wording.column(column.key) if column else "",
        line=_line_name(asked, key, found),
        query=urlencode(query),
        back=f"/reports/{name}?{urlencode(asked.asked())}",
        first_page="?" + urlencode(query) if after else "",
        next_page=following,
        wording=wording,
        is_of_clocks=name == "attainment",
        outcome=_outcome,
        what=_what,
        here="reports",
    )


def _line_name(asked: Asked, key: str, found: Sequence[telling.Row]) -> str:
    """Which line it is, by its name; a line without rows keeps the name the address gave it."""
    if not key:
        return ""
    if asked.by in ("month", "metric", "priority", "kind", "hop", "reason") or key == NONE:
        try:
            return wording.line(asked.by, key, key)
        except (ValueError, KeyError):
            return key
    return key


def _outcome(row: telling.Row) -> tuple[str, str]:
    if row.outcome in OUTCOMES:
        said, tone = OUTCOMES[row.outcome]
        return said(), tone
    return row.outcome, ""


def _what(row: telling.Row) -> str:
    if row.what in promises.METRICS:
        return promises.metric(row.what)
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
    """The report as CSV; with a part, the tickets behind that number."""
    _known(name)
    asked, errors = _asked(request, name)
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


@desk_page
def subscribe(request: PageRequest, name: str) -> HttpResponseBase:
    """Get this report, with its filters, by mail."""
    _known(name)
    if request.method != "POST":
        raise Http404
    asked, _errors = _asked(request, name)
    try:
        row = report_mails.subscribe(name, asked, every=request.POST.get("every", ""), actor=request.actor, now=request.now)
    except DeskError as error:
        toast(request, words_of_error(error), is_bad=True)
    else:
        toast(request, _("You get it by mail, first %(when)s.") % {"when": show.full_text(row.next_at)})
    return SeeOther(f"/reports/{name}?{urlencode(asked.asked())}")


@desk_page
def unsubscribe(request: PageRequest, number: int) -> HttpResponseBase:
    """Get a report by mail no longer."""
    if request.method != "POST" or subscriptions.subscription(number, person=request.person.pk) is None:
        raise Http404
    report_mails.unsubscribe(number, actor=request.actor, now=request.now)
    toast(request, _("You no longer get it by mail."))
    return SeeOther("/reports")


def _mails(request: PageRequest) -> list[tuple[int, str, str, str, datetime]]:
    """What the viewer gets by mail: (number, title, address, how often, when next)."""
    often = {"week": _("every Monday"), "month": _("on the first of every month")}
    return [
        (row.pk, wording.title(row.report), f"/reports/{row.report}?{urlencode(row.asked)}", often[row.every], row.next_at)
        for row in subscriptions.of_person(request.person.pk)
        if row.report in telling.KINDS
    ]


def _periods(request: PageRequest) -> list[tuple[str, str]]:
    """The periods one may choose by a word."""
    today = request.now.astimezone(ZoneInfo(request.actor.time_zone)).date()
    before, quarter = month_after(today, -1), month_after(today, -((today.month - 1) % 3))
    former = month_after(quarter, -3)
    return [
        ("6m", _("The last 6 months")),
        ("12m", _("The last 12 months")),
        ("24m", _("The last 24 months")),
        (f"{today:%Y-%m}", _("This month: %(month)s") % {"month": wording.month(f"{today:%Y-%m}")}),
        (f"{before:%Y-%m}", _("Last month: %(month)s") % {"month": wording.month(f"{before:%Y-%m}")}),
        (_quarter(quarter), _("This quarter")),
        (_quarter(former), _("Last quarter")),
    ]


def _quarter(first: date) -> str:
    return f"{first.year}-Q{(first.month + 2) // 3}"


def _choices(request: PageRequest, name: str) -> dict[str, list[tuple[Any, str]]]:
    """What the filters of a report may be set to."""
    actor = request.actor
    known = telling.KINDS[name].filters
    every: dict[str, Any] = {
        "organization": lambda: list(people.organizations_visible_to(actor).order_by("name").values_list("slug", "name")[:500]),
        "service": lambda: list(services.visible_to(actor).order_by("name").values_list("slug", "name")[:500]),
        "team": lambda: list(people.teams_visible_to(actor).order_by("name").values_list("slug", "name")[:500]),
        "agreement": lambda: list(sla.known_to(actor).values_list("slug", "name")[:200]),
        "metric": lambda: [(key, promises.metric(key)) for key in promises.METRICS],
        "priority": lambda: [(n, f"P{n}") for n in range(1, 6)],
        "kind": lambda: [(kind, words.kind(kind)) for kind in ("incident", "request")],
    }
    return {key: every[key]() for key in every if key in known}


def chart(found: telling.Report, *, is_small: bool = False) -> Markup:
    """A report drawn by month, with the sentence that says what is seen."""
    labels = [wording.short_month(int(line.key[5:])) for line in found.months]
    return (_stacked if found.drawn[0] == "kept" else _curves)(found, labels, is_small)


def _stacked(found: telling.Report, labels: list[str], is_small: bool) -> Markup:
    series = [(key, [line.values[key] for line in found.months]) for key in found.drawn]
    tones = {"kept": "okf", "broken": "badf", "open": "warnf"}
    drawn = [charts.Series(wording.column(key), [int(v or 0) for v in values], tones[key]) for key, values in series]
    tops = [f"{line.values['share']} %" if line.values["share"] is not None else "" for line in found.months]
    told = [f"{wording.month(line.key)} {top or '–'}" for line, top in zip(found.months, tops, strict=True)]
    return charts.stacked(labels, drawn, sentence=f"{wording.title(found.name)}: {', '.join(told)}", tops=tops, is_small=is_small)


def _curves(found: telling.Report, labels: list[str], is_small: bool) -> Markup:
    """Lengths of time as lines, in the unit that reads best."""
    columns = {column.key: column for column in found.columns}
    values = {key: [line.values[key] for line in found.months] for key in found.drawn}
    highest = max((int(value) for series in values.values() for value in series if value is not None), default=0)
    scale, unit = next(
        ((size, unit) for size, unit in ((86_400_000, _("d")), (3_600_000, _("h"))) if highest >= 2 * size),
        (60_000, _("min")),
    )
    tones = ("s1", "s2", "s3")
    drawn = [
        charts.Series(wording.column(key), [None if value is None else int(value) for value in series], tone)
        for (key, series), tone in zip(values.items(), tones, strict=False)
    ]
    told = [
        f"{wording.month(line.key)} " + " / ".join(value_text(columns[key], line.values[key]) for key in found.drawn)
        for line in found.months
    ]
    named = " / ".join(wording.column(key) for key in found.drawn)
    sentence = f"{wording.title(found.name)}, {named}: {', '.join(told)}"
    return charts.lines(labels, drawn, sentence=sentence, scale=scale, unit=unit, is_small=is_small)
