"""Reports: numbers with their definition, drawn and as a table; each opens the tickets behind it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from markupsafe import Markup

from allswell.desk import report_mails
from allswell.desk import reports as desk
from allswell.kernel.errors import DeskError
from allswell.people import queries as people
from allswell.reporting import telling, wording
from allswell.reporting.queries import subscriptions
from allswell.reporting.rules.counting import month_after
from allswell.services import queries as services
from allswell.sla import queries as sla
from allswell.sla import wording as promises
from allswell.web import show, words
from allswell.web.pages import PageRequest, SeeOther, desk_page, is_fragment, page, toast, words_of_error

from .report_drawings import chart, value_text
from .report_rows import asked_of, known, opened

#: the first number of a report on the overview, and what is said beside it
TOLD = {name: tuple(column for column in kind.columns if column.key != "total")[:2] for name, kind in telling.KINDS.items()}


@desk_page
def overview(request: PageRequest) -> HttpResponseBase:
    """Every report by its name; a script fetches the card of each as it comes into view."""
    asked, errors = asked_of(request, "attainment")
    query = urlencode(asked.period.asked())
    return page(
        request,
        "reports/overview.html",
        cards=[(name, f"/reports/{name}?{query}", f"/reports/{name}/card?{query}") for name in telling.KINDS],
        asked=asked,
        errors=errors,
        periods=_periods(request),
        mails=_mails(request),
        wording=wording,
        here="reports",
    )


@desk_page
def card(request: PageRequest, name: str) -> HttpResponseBase:
    """A report in a number and a small drawing, as the overview shows it; without a script the report itself."""
    known(name)
    asked, _errors = asked_of(request, name)
    if not is_fragment(request):
        return HttpResponseRedirect(f"/reports/{name}?{urlencode(asked.period.asked())}")
    found = desk.report(name, asked, actor=request.actor, now=request.now)
    return page(
        request,
        "reports/card.html",
        slug=name,
        report=found,
        told=TOLD[name],
        drawing=Markup("") if found.is_empty else chart(found, is_small=True),
        opened=opened(name, asked),
        value_text=value_text,
        wording=wording,
    )


@desk_page
def report_page(request: PageRequest, name: str) -> HttpResponseBase:
    """A report: its sum, drawn by month, cut into lines, and how it is counted."""
    known(name)
    asked, errors = asked_of(request, name)
    query = urlencode(asked.asked())
    context: dict[str, Any] = {"slug": name, "asked": asked, "query": query, "wording": wording}
    is_later = not (is_fragment(request) or "count" in request.GET) and telling.takes_long(asked)
    if not is_later:
        found = desk.report(name, asked, actor=request.actor, now=request.now)
        drawing = "" if found.is_empty else chart(found)
        context |= {"report": found, "chart": drawing, "value_text": value_text, "opened": opened(name, asked)}
        context["by_month"] = opened(name, asked.cut("month"))
        if is_fragment(request):
            return page(request, "reports/numbers.html", **context)
    return page(
        request,
        "reports/page.html",
        status=422 if errors else 200,
        is_later=is_later,
        errors=errors,
        columns=telling.KINDS[name].columns,
        cuts=tuple(telling.KINDS[name].cuts),
        periods=_periods(request),
        choices=_choices(request, name),
        here="reports",
        **context,
    )


@desk_page
def subscribe(request: PageRequest, name: str) -> HttpResponseBase:
    """Get this report, with its filters, by mail."""
    known(name)
    if request.method != "POST":
        raise Http404
    asked, _errors = asked_of(request, name)
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
