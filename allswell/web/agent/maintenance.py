"""Announced work: maintenance windows of services, in which their alerts call nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk.alerts import quiet
from allswell.desk.alerts import windows as desk
from allswell.intake.rules.matching import parse_all
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.web import conditions, inputs
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast
from allswell.web.show import for_input

from .silences import refuse_readers, services_offered

if TYPE_CHECKING:
    from allswell.intake.models import MaintenanceWindow

PLACE = "/alerts/maintenance"
#: so many that are over are shown
OVER = 20
_REFERENCE = re.compile(r"(?:[A-Za-z]{2,4}-)?(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Told:
    """Announced work as a list shows it: of its services those the viewer may know."""

    row: MaintenanceWindow
    services: list[str]
    conditions: list[str]
    may_change: bool


def _told(request: PageRequest, rows: list[MaintenanceWindow]) -> list[Told]:
    numbers = {one.pk for row in rows for one in row.services.all()}
    known = set(services.visible_to(request.actor).filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set()
    return [
        Told(
            row,
            sorted(one.name for one in row.services.all() if one.pk in known),
            [conditions.said(one) for one in parse_all(row.matchers)],
            desk.may_change(row, actor=request.actor),
        )
        for row in rows
    ]


@require_GET
@desk_page
def maintenance_page(request: PageRequest) -> HttpResponse:
    """Work that goes on, work to come, and the last that is over."""
    known = desk.visible_to(request.actor)
    current = list(known.filter(is_over=False, ends_at__gt=request.now).order_by("starts_at", "id")[:200])
    over = list(known.filter(ends_at__lte=request.now).order_by("-ends_at", "-id")[:OVER])
    told = _told(request, [*current, *over])
    numbers = {one.row.ticket_id for one in told if one.row.ticket_id}
    seen = tickets.visible_to(request.actor).filter(pk__in=numbers).values_list("pk", flat=True) if numbers else ()
    return page(
        request,
        "alerts/maintenance.html",
        running=[one for one in told if one.row.starts_at <= request.now < one.row.ends_at],
        coming=[one for one in told if one.row.starts_at > request.now],
        over=[one for one in told if one.row.ends_at <= request.now],
        seen=set(seen),
        may_work=quiet.works(request.actor),
        here="alerts",
    )


@dataclass
class WindowForm:
    """What stands in the form, as texts."""

    title: str = ""
    services: list[str] = field(default_factory=list)
    starts_at: str = ""
    ends_at: str = ""
    ticket: str = ""
    rows: list[conditions.Row] = field(default_factory=lambda: conditions.rows_of(()))
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: MaintenanceWindow) -> WindowForm:
        """Announced work to be changed."""
        return cls(
            title=row.title,
            services=[str(one.pk) for one in row.services.all()],
            starts_at=for_input(row.starts_at),
            ends_at=for_input(row.ends_at),
            ticket=str(row.ticket_id or ""),
            rows=conditions.rows_of(parse_all(row.matchers)),
        )

    def take(self, request: PageRequest) -> None:
        """What was sent stands in it now."""
        for name in ("title", "starts_at", "ends_at", "ticket"):
            setattr(self, name, request.POST.get(name, "").strip())
        self.services = request.POST.getlist("services")
        self.rows = conditions.typed(request.POST)

    def values(self, request: PageRequest) -> dict[str, Any]:
        """The work as the use cases take it. Raises Invalid."""
        return self.about() | {
            "title": self.title,
            "starts_at": inputs.instant(request.POST, "starts_at"),
            "ends_at": inputs.instant(request.POST, "ends_at"),
        }

    def about(self) -> dict[str, Any]:
        """What it is about. Raises Invalid."""
        return {"services": self.services, "matchers": conditions.read(self.rows)}

    def ticket_number(self) -> int | None:
        """The ticket that was typed, as INC-1042 or 1042. Raises Invalid."""
        if not self.ticket:
            return None
        found = _REFERENCE.fullmatch(self.ticket)
        if found is None:
            raise Invalid("Give the number of a ticket.", field="ticket")
        return int(found[1])


def _form(request: PageRequest, form: WindowForm, *, row: MaintenanceWindow | None) -> HttpResponse:
    """The form, as it stands or as it was sent; saved, the list."""
    seen = None
    if request.method == "POST":
        form.take(request)
        do = request.POST.get("do", "save")
        if do == "another":
            form.rows = [*form.rows, conditions.Row(len(form.rows))]
        else:
            try:
                if do == "try":
                    seen = desk.preview(**form.about(), actor=request.actor)
                else:
                    _save(request, form, row)
                    return SeeOther(PLACE)
            except DeskError as error:
                if error.http in (403, 404) and not error.field:
                    raise
                form.errors = field_errors(error)
    return page(
        request,
        "alerts/maintenance_form.html",
        status=422 if form.errors else 200,
        form=form,
        row=row,
        seen=seen,
        services=services_offered(request),
        operators=conditions.operators(),
        here="alerts",
    )


def _save(request: PageRequest, form: WindowForm, row: MaintenanceWindow | None) -> None:
    values, ticket = form.values(request), form.ticket_number()
    if row is None:
        desk.announce(**values, ticket=ticket, actor=request.actor, now=request.now)
        toast(request, _("The work is announced."))
    else:
        desk.change(row.pk, **values, ticket=ticket or 0, actor=request.actor, now=request.now)
        toast(request, _("Saved."))


@require_http_methods(["GET", "POST"])
@desk_page
def new_window(request: PageRequest) -> HttpResponse:
    """Announce work; `service` says what it begins with."""
    refuse_readers(request)
    chosen = request.GET.get("service", "")
    return _form(request, WindowForm(services=[chosen] if chosen.isascii() and chosen.isdigit() else []), row=None)


@require_http_methods(["GET", "POST"])
@desk_page
def edit_window(request: PageRequest, number: int) -> HttpResponse:
    """Change work that has not begun."""
    row = desk.one(number, actor=request.actor)
    if not desk.may_change(row, actor=request.actor):
        raise NotAllowed("Your role does not allow this.")
    if request.method == "GET" and row.starts_at <= request.now:
        raise Conflict("This has begun. It can only be ended.")
    return _form(request, WindowForm.of(row), row=row)


@require_POST
@desk_page
def end_window(request: PageRequest, number: int) -> HttpResponse:
    """End it now; work that has not begun is taken back."""
    desk.end(number, actor=request.actor, now=request.now)
    toast(request, _("The work is over. What still fires is looked at again."))
    return SeeOther(PLACE)
