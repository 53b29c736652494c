"""Silences: for a while nobody is called for alerts that fit; from an alert, from a ticket, or by conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk.alerts import quiet
from allswell.desk.alerts import silences as desk
from allswell.desk.alerts.quiet import Preview
from allswell.intake.queries import alerts as queries
from allswell.intake.rules.matching import MOST, Matcher, parse_all
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed
from allswell.kernel.text import whole
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.web import conditions, inputs
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast, words_of_error
from allswell.web.show import for_input

if TYPE_CHECKING:
    from allswell.intake.models import Silence

PLACE = "/alerts/silences"
#: so many that are over are shown
OVER = 20
#: how long, as the form offers it
SPANS = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1)}


def services_offered(request: PageRequest) -> list[tuple[int, str]]:
    """Services in use that the viewer may know."""
    rows = services.visible_to(request.actor).filter(is_active=True)
    return list(rows.order_by("name").values_list("id", "name"))


def refuse_readers(request: PageRequest) -> None:
    """Who only reads is not shown the form. Raises NotAllowed."""
    quiet.require_works(request.actor)


@require_GET
@desk_page
def silences_page(request: PageRequest) -> HttpResponse:
    """Silences that run, those to come, and the last that are over."""
    known = desk.visible_to(request.actor)
    current = list(known.filter(is_over=False, ends_at__gt=request.now).order_by("starts_at", "id")[:200])
    over = list(known.filter(ends_at__lte=request.now).order_by("-ends_at", "-id")[:OVER])
    numbers = {row.ticket_id for row in (*current, *over) if row.ticket_id}
    seen = tickets.visible_to(request.actor).filter(pk__in=numbers).values_list("pk", flat=True) if numbers else ()
    told = [(row, [conditions.said(one) for one in parse_all(row.matchers)]) for row in (*current, *over)]
    return page(
        request,
        "alerts/silences.html",
        running=[one for one in told if one[0].starts_at <= request.now < one[0].ends_at],
        coming=[one for one in told if one[0].starts_at > request.now],
        over=[one for one in told if one[0].ends_at <= request.now],
        seen=set(seen),
        changeable=desk.changeable(current, actor=request.actor),
        may_work=quiet.works(request.actor),
        may_all=quiet.works(request.actor) and quiet.may_quiet(None, actor=request.actor),
        here="alerts",
    )


@dataclass
class SilenceForm:
    """What stands in the form, as texts."""

    service: str = ""
    ticket: str = ""
    reason: str = ""
    span: str = "1h"
    starts_at: str = ""
    ends_at: str = ""
    rows: list[conditions.Row] = field(default_factory=lambda: conditions.rows_of(()))
    errors: dict[str, str] = field(default_factory=dict)

    def take(self, request: PageRequest) -> None:
        """What was sent stands in it now."""
        for name in ("service", "ticket", "reason", "span", "starts_at", "ends_at"):
            setattr(self, name, request.POST.get(name, "").strip())
        self.rows = conditions.typed(request.POST)

    def about(self, request: PageRequest) -> dict[str, Any]:
        """What it is about, as the use case takes it. Raises Invalid."""
        sent = request.POST if request.method == "POST" else None
        return {
            "matchers": conditions.read(self.rows),
            "service": inputs.number(sent, "service") if sent is not None else whole(self.service),
            "ticket": inputs.number(sent, "ticket") if sent is not None else whole(self.ticket),
        }

    def time(self, request: PageRequest) -> tuple[datetime | None, datetime | None]:
        """From when until when. Raises Invalid."""
        begin = inputs.instant(request.POST, "starts_at")
        if self.span in SPANS:
            return begin, (begin or request.now) + SPANS[self.span]
        if self.span != "until":
            raise Invalid("Choose one of the list.", field="span")
        return begin, inputs.instant(request.POST, "ends_at")


def _begun(request: PageRequest) -> SilenceForm:
    """The form as a link fills it: with the labels of an alert, or for a ticket."""
    form = SilenceForm()
    if (ticket := whole(request.GET.get("ticket", ""))) is not None:
        form.ticket = str(ticket)
    number = whole(request.GET.get("alert", ""))
    row = queries.visible_to(request.actor).filter(pk=number).first() if number is not None else None
    if row is not None:
        labels = [(name, value) for name, value in sorted(row.labels.items()) if value and len(value) <= 200]
        alike = [Matcher(name, "=", value) for name, value in labels[: MOST - 1]] or [Matcher("title", "=", row.title[:200])]
        form.rows = conditions.rows_of(alike, spare=1)
        form.service = str(row.service_id or "")
    return form


def _previewed(request: PageRequest, form: SilenceForm) -> Preview | None:
    """How many alerts it would be about, once it is about something."""
    try:
        about = form.about(request)
        if not (about["matchers"] or about["service"] or about["ticket"]):
            return None
        return desk.preview(**about, actor=request.actor)
    except DeskError as error:
        form.errors = {**field_errors(error), **form.errors} if request.method == "POST" else form.errors
        return None


@require_http_methods(["GET", "POST"])
@desk_page
def new_silence(request: PageRequest) -> HttpResponse:
    """A new silence, and how many alerts that fire now it fits; `alert` or `ticket` say what it begins with."""
    refuse_readers(request)
    form = _begun(request)
    seen: Preview | None = None
    if request.method == "POST":
        form.take(request)
        do = request.POST.get("do", "save")
        if do == "another":
            form.rows = [*form.rows, conditions.Row(len(form.rows))]
        elif do == "save" and (row := _saved(request, form)) is not None:
            return SeeOther(f"/tickets/{row.ticket_id}" if row.ticket_id else PLACE)
    if request.method == "GET" or request.POST.get("do") == "try":
        seen = _previewed(request, form)
    return page(
        request,
        "alerts/silence_form.html",
        status=422 if form.errors else 200,
        form=form,
        seen=seen,
        services=services_offered(request),
        operators=conditions.operators(),
        here="alerts",
    )


def _saved(request: PageRequest, form: SilenceForm) -> Silence | None:
    try:
        begin, until = form.time(request)
        about = form.about(request)
        row = desk.create(**about, reason=form.reason, starts_at=begin, ends_at=until, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404) and not error.field:
            raise
        form.errors = field_errors(error)
        return None
    toast(request, _("Nobody is called for these."), undo=f"{PLACE}/{row.pk}/end")
    return row


@require_http_methods(["GET", "POST"])
@desk_page
def take_over(request: PageRequest) -> HttpResponse:
    """The silences of a running Alertmanager, pasted as its API tells them."""
    quiet.about_all(actor=request.actor)
    body, errors = request.POST.get("body", ""), {}
    if request.method == "POST":
        try:
            done = desk.take_over(body.encode(), actor=request.actor, now=request.now)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            # what is wrong with one of them stands in the text, too
            errors = {"body": words_of_error(error)}
        else:
            toast(request, _("Taken over: %(made)s. Left out: %(left)s.") % {"made": done.made, "left": done.left_out})
            return SeeOther(PLACE)
    status = 422 if errors else 200
    return page(request, "alerts/silence_import.html", status=status, body=body, errors=errors, here="alerts")


@require_http_methods(["GET", "POST"])
@desk_page
def edit_silence(request: PageRequest, number: int) -> HttpResponse:
    """Let it last longer or less long; `seen` is the end that the viewer saw."""
    row = desk.one(number, actor=request.actor)
    if not desk.may_end(row, actor=request.actor):
        raise NotAllowed("Your role does not allow this.")
    if row.ends_at <= request.now:
        raise Conflict("This is over already.")
    form = SilenceForm(reason=row.reason, starts_at=for_input(row.starts_at), ends_at=for_input(row.ends_at))
    seen = row.ends_at.isoformat()
    if request.method == "POST":
        form.take(request)
        seen = request.POST.get("seen", "")
        try:
            _change(request, row, form, seen)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            form.errors = field_errors(error)
        else:
            toast(request, _("Saved."))
            return SeeOther(PLACE)
    return page(
        request,
        "alerts/silence_edit.html",
        status=422 if form.errors else 200,
        row=row,
        form=form,
        seen=seen,
        is_coming=row.starts_at > request.now,
        about=[conditions.said(one) for one in parse_all(row.matchers)],
        here="alerts",
    )


def _change(request: PageRequest, row: Silence, form: SilenceForm, seen: str) -> None:
    until, begin = inputs.instant(request.POST, "ends_at"), inputs.instant(request.POST, "starts_at")
    desk.change(
        row.pk,
        reason=form.reason,
        # the form tells minutes: what reads as it stood is as it was
        ends_at=until if until and form.ends_at != for_input(row.ends_at) else None,
        starts_at=begin if begin and form.starts_at != for_input(row.starts_at) else None,
        seen_until=parse_datetime(seen) if seen else None,
        actor=request.actor,
        now=request.now,
    )


@require_POST
@desk_page
def end_silence(request: PageRequest, number: int) -> HttpResponse:
    """End it now; one that has not begun is taken back."""
    desk.end(number, actor=request.actor, now=request.now)
    toast(request, _("The silence is over. What still fires is looked at again."))
    ticket = whole(request.POST.get("ticket", ""))  # whoever ends it beside a ticket stays there
    return SeeOther(f"/tickets/{ticket}" if ticket is not None else PLACE)
