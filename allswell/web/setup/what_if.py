"""What if other terms had held: the question, and its answer drawn as bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from allswell.desk import agreements as desk
from allswell.desk import what_if
from allswell.desk.what_if import Compared, Question
from allswell.kernel.errors import Conflict, DeskError, Invalid
from allswell.people.rules import Act
from allswell.sla import queries, wording
from allswell.web import show
from allswell.web.pages import PageRequest, SeeOther, field_errors, page

from . import choices
from .agreements import calendar_names
from .gate import is_for_all, setup_page

if TYPE_CHECKING:
    from allswell.jobs.models import Job

DAYS = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """Promises as lengths of a bar of 100, and what it comes to in words; "" where none has ended."""

    kept: float
    missed: float
    open: float
    share: str
    ended: int


@dataclass(frozen=True, slots=True)
class Line:
    """A promise, as it was and as it would have been."""

    title: str
    priorities: str
    within: str
    before: Bar
    after: Bar


def bar(tally: tuple[int, int, int]) -> Bar:
    """How (kept, missed, still open) are drawn and told. The share is cut, not rounded: 99.951 % is not 100 %."""
    kept, missed, _still = tally
    total, ended = sum(tally), kept + missed
    parts = [round(100 * one / total, 3) if total else 0.0 for one in tally]
    share = _("%(share)s %%") % {"share": formats.number_format(kept * 1000 // ended / 10, 1)} if ended else ""
    return Bar(parts[0], parts[1], parts[2], share, ended)


def _line(row: Compared, names: dict[str, str]) -> Line:
    said = row.target
    return Line(
        title=wording.metric(row.metric.value),
        priorities=", ".join(f"P{one}" for one in sorted(said.priorities)) if said else "",
        within=wording.within(said.within, names.get(said.within.calendar, "")) if said else _("not promised any more"),
        before=bar(row.before),
        after=bar(row.after),
    )


def period(request: PageRequest) -> tuple[datetime, datetime]:
    """The days the form names, both whole, in the viewer's zone. Raises Invalid."""
    first, last = _date(request.POST.get("first", ""), "first"), _date(request.POST.get("last", ""), "last")
    zone = timezone.get_current_timezone()
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def _date(said: str, field: str) -> date:
    try:
        found = date.fromisoformat(said.strip())
    except ValueError as error:
        raise Invalid("Give a date.", field=field) from error
    if not 1970 <= found.year < 2199:
        raise Invalid("Give a date.", field=field)
    return found


@require_http_methods(["GET", "POST"])
@setup_page
def ask(request: PageRequest, slug: str) -> HttpResponse:
    """What if this agreement had held, for whom and in which days?"""
    row = desk.agreement_for(slug, Act.READ_SETUP, actor=request.actor)
    today = timezone.localtime(request.now).date()
    sent = {
        "first": (today - timedelta(days=DAYS)).isoformat(),
        "last": today.isoformat(),
        "organization": str(row.organization_id or ""),
    }
    errors: dict[str, str] = {}
    if request.method == "POST":
        sent = {name: request.POST.get(name, "") for name in sent}
        try:
            newest = next(iter(queries.versions(row.pk)), None)
            if newest is None:
                raise Conflict("This agreement says nothing yet.")
            since, until = period(request)
            question = Question(
                definition=newest.definition,
                since=since,
                until=until,
                audience=row.audience,
                organization=sent["organization"] or None,
                team=row.team_id,
                name=row.name,
            )
            return SeeOther(f"/setup/what-ifs/{what_if.ask(question, actor=request.actor, now=request.now).pk}")
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors = field_errors(error)
            if not errors.keys() & {"first", "last", "organization"}:
                errors = {"last" if "until" in errors or "since" in errors else "": next(iter(errors.values()))}
    return page(
        request,
        "setup/what_if_ask.html",
        status=422 if errors else 200,
        row=row,
        sent=sent,
        errors=errors,
        organizations=choices.organizations(request),
        is_for_all=is_for_all(request),
        here="setup",
        tab="agreements",
    )


@require_GET
@setup_page
def answer(request: PageRequest, job: int) -> HttpResponse:
    """What was kept and what would have been, promise by promise, and the first tickets that differ."""
    found = what_if.answer(job, actor=request.actor)
    names = calendar_names()
    shown = page(
        request,
        "setup/what_if.html",
        job=found,
        lines=[_line(row, names) for row in what_if.compared(found)],
        tickets=what_if.differences(found, actor=request.actor),
        differences=found.params["differences"],
        since=show.day(_instant(found, "since")),
        until=show.day(_instant(found, "until") - timedelta(microseconds=1)),
        fared={"kept": _("kept"), "missed": _("missed"), "open": _("still open"), "none": _("not promised")},
        metric=wording.metric,
        here="setup",
        tab="agreements",
    )
    if found.finished_at is None:
        shown.headers["Refresh"] = "3"  # the browser asks again by itself, without any script
    return shown


def _instant(job: Job, name: str) -> datetime:
    return datetime.fromisoformat(job.params[name])
