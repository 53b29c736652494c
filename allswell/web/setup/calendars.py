"""Setup of calendars: weekly hours, holidays, own days, and from which day on they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.calendars import queries, rules
from allswell.desk import calendar_files, public_holidays
from allswell.desk import calendars as desk
from allswell.kernel.errors import DeskError, Invalid, NotAllowed, NotFound
from allswell.web.account.profile import zones
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast

from .calendar_pages import day_text, hours_in_short, hours_text, now_text, weekdays
from .gate import is_for_all, setup_page

if TYPE_CHECKING:
    from allswell.calendars.models import Calendar, CalendarVersion

OFFICE = "08:30–12:00, 13:00–17:30"
TOLD_CHANGES = 10
SHOWN_VERSIONS = 50


@require_GET
@setup_page
def calendar_list(request: PageRequest) -> HttpResponse:
    """All calendars."""
    rows = list(queries.calendars().order_by("-is_active", "name", "id"))
    known = queries.by_ids([row.pk for row in rows])
    until = queries.holidays_until([row.pk for row in rows])
    shown = [
        (row, now_text(known[row.pk], request.now)[1], hours_in_short(known[row.pk], request.now), until.get(row.pk))
        for row in rows
        if row.pk in known
    ]
    return page(
        request,
        "setup/calendars.html",
        rows=shown,
        soon=date(request.now.year + 1, 12, 31),
        can_save=is_for_all(request),
        here="setup",
        tab="calendars",
    )


@dataclass
class CalendarForm:
    """What stands in the form: as typed, with what is wrong about it."""

    name: str = ""
    zone: str = ""
    week: list[str] = field(default_factory=lambda: [OFFICE] * 5 + ["", ""])
    country: str = ""
    subdivision: str = ""
    left_out: list[str] = field(default_factory=list)
    days: str = ""
    effective_on: str = ""
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    told: str = ""

    @classmethod
    def of(cls, row: Calendar, version: CalendarVersion) -> CalendarForm:
        """The newest version, to be changed."""
        week = [rules.show_hours(hours) for hours in queries.definition(version).week]
        own = rules.show_own(queries.own_days(version))
        return cls(row.name, row.zone, week, version.country, version.subdivision, list(version.left_out), own)

    def take(self, request: PageRequest) -> None:
        """What was sent, as it was typed."""
        sent = request.POST
        for name in ("name", "zone", "country", "subdivision", "days", "effective_on", "note"):
            if name in sent:
                setattr(self, name, sent[name].replace("\r\n", "\n"))
        self.week = [sent.get(day, "") for day in rules.WEEKDAYS]
        if sent.get("country", "") not in public_holidays.codes():
            self.country = ""
        if self.subdivision not in dict(public_holidays.subdivisions(self.country)):
            self.subdivision = ""
        if sent.get("offered_for", "") == f"{self.country}/{self.subdivision}":
            offered, kept = sent.getlist("offered"), set(sent.getlist("observed"))
            self.left_out = [name for name in self.left_out if name not in offered] + [
                name for name in offered if name not in kept
            ]
        else:
            self.left_out = []

    def hours(self) -> desk.Hours:
        """What the form asks for. Raises Invalid."""
        return desk.Hours(
            week=[rules.parse_hours(said, field=day) for day, said in zip(rules.WEEKDAYS, self.week, strict=True)],
            days=rules.parse_own(self.days),
            country=self.country,
            subdivision=self.subdivision,
            left_out=self.left_out,
        )

    def first_day(self) -> date | None:
        """The day it begins to hold. Raises Invalid."""
        try:
            return date.fromisoformat(self.effective_on.strip()) if self.effective_on.strip() else None
        except ValueError as error:
            raise Invalid("Give a date.", field="effective_on") from error

    def read_file(self, request: PageRequest) -> None:
        """Add the days of a file to the own days, for somebody to look at before they are saved. Raises Invalid."""
        upload = request.FILES.get("file")
        if upload is None:
            raise Invalid("Choose a file first.", field="file")
        years = rules.years_known(request.now.year)
        raw = upload.read(calendar_files.LARGEST + 1)
        found = calendar_files.days_in(raw, first=date(request.now.year - 1, 1, 1), last=date(years[-1], 12, 31))
        if not found.days:
            raise Invalid("No whole days from last year on are in this file.", field="file")
        self.days = rules.show_own({**found.days, **rules.parse_own(self.days)})
        self.told = _("%(n)s days of the file stand below with the others. Look at them, then save.") % {"n": len(found.days)}

    def offered(self, now: datetime) -> list[tuple[str, bool]]:
        """The holidays of the chosen country in these years: (name, whether it is kept)."""
        names = public_holidays.names_of(self.country, self.subdivision, range(now.year, now.year + 3)) if self.country else []
        return [(name, name not in self.left_out) for name in names]


def _handle(request: PageRequest, form: CalendarForm, save: Callable[[], Any]) -> Any:
    """Do what the button says: "read" a file, "look" what a country has, else save. What `save` answers, None when the form is shown."""
    if not is_for_all(request):
        raise NotAllowed("Your role does not allow this.")
    form.take(request)
    try:
        if request.POST.get("do") == "read":
            form.read_file(request)
        elif request.POST.get("do") != "look":
            return save()
    except DeskError as error:
        if error.http in (403, 404):
            raise
        form.errors = field_errors(error)
        if not {*form.errors} & {
            "name",
            "zone",
            "country",
            "subdivision",
            "days",
            "effective_on",
            "note",
            "file",
            "week",
            *rules.WEEKDAYS,
        }:
            form.errors[""] = next(iter(form.errors.values()))
    return None


def _show(request: PageRequest, form: CalendarForm, **context: Any) -> HttpResponse:
    language = translation.get_language() or "en"
    return page(
        request,
        "setup/calendar.html",
        status=422 if form.errors else 200,
        form=form,
        weekdays=list(zip(rules.WEEKDAYS, weekdays(), form.week, strict=True)),
        countries=public_holidays.countries(language),
        subdivisions=public_holidays.subdivisions(form.country),
        offered=form.offered(request.now),
        zones=zones(),
        can_save=is_for_all(request),
        day_text=day_text,
        here="setup",
        tab="calendars",
        **context,
    )


@require_http_methods(["GET", "POST"])
@setup_page
def new_calendar(request: PageRequest) -> HttpResponse:
    """A new calendar."""
    form = CalendarForm(zone=request.actor.time_zone)

    def save() -> Calendar:
        return desk.create_calendar(
            name=form.name,
            zone=form.zone,
            hours=form.hours(),
            effective_on=form.first_day(),
            note=form.note,
            actor=request.actor,
            now=request.now,
        )

    if request.method == "POST" and (row := _handle(request, form, save)):
        toast(request, _("%(name)s is added.") % {"name": row.name})
        return SeeOther(f"/calendars/{row.slug}")
    return _show(request, form, row=None, title=_("New calendar"))


@require_http_methods(["GET", "POST"])
@setup_page
def edit_calendar(request: PageRequest, slug: str) -> HttpResponse:
    """The hours of a calendar, to be changed from a day on; below, its versions and what each changed."""
    row = queries.by_ref(slug)
    if row is None:
        raise NotFound("There is no such calendar.")
    newest = queries.newest(row)
    form = CalendarForm.of(row, newest)
    today = rules.local_time(rules.zone_named(row.zone), request.now).date()
    form.effective_on = max(today, newest.effective_on).isoformat()

    def save() -> CalendarVersion:
        return desk.change_calendar(
            row.pk,
            name=form.name,
            hours=form.hours(),
            effective_on=form.first_day(),
            note=form.note,
            seen=_number(request.POST.get("seen", "")),
            actor=request.actor,
            now=request.now,
        )

    if request.method == "POST" and _handle(request, form, save):
        toast(request, _("%(name)s is saved.") % {"name": form.name})
        return SeeOther(f"/setup/calendars/{slug}")
    return _show(
        request,
        form,
        row=row,
        title=row.name,
        place=f"/setup/calendars/{slug}",
        history=_history(row),
        known_until=newest.holidays_until,
        soon=date(request.now.year + 1, 12, 31),
    )


def _number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


@require_POST
@setup_page
def change_calendar(request: PageRequest, slug: str, verb: str) -> HttpResponse:
    """Deactivate or activate."""
    there = f"/setup/calendars/{slug}"
    if verb == "deactivate":
        row = desk.deactivate_calendar(slug, actor=request.actor, now=request.now)
        toast(request, _("%(name)s is out of use.") % {"name": row.name}, undo=f"{there}/activate")
    else:
        row = desk.activate_calendar(slug, actor=request.actor, now=request.now)
        toast(request, _("%(name)s is in use again.") % {"name": row.name})
    return SeeOther(there)


@dataclass(frozen=True, slots=True)
class Told:
    """A version in the history of a calendar, and what it changed, in words."""

    version: CalendarVersion
    author: str
    lines: list[str]
    more: int


def _history(row: Calendar) -> list[Told]:
    versions = list(queries.versions(row.pk).select_related("created_by")[: SHOWN_VERSIONS + 1])
    told = []
    for number, version in enumerate(versions[:SHOWN_VERSIONS]):
        before = versions[number + 1] if number + 1 < len(versions) else None
        lines, more = _changes(before, version) if before else ([], 0)
        told.append(Told(version, version.created_by.name if version.created_by else "", lines, more))
    return told


def _changes(before: CalendarVersion, after: CalendarVersion) -> tuple[list[str], int]:
    """What a version changed in words, and how many days more: those of its first year and the next are told."""
    week, days = rules.changes(queries.definition(before), queries.definition(after))
    names = dict(zip(rules.WEEKDAYS, weekdays(), strict=True))
    lines = [f"{names[day]}: {hours_text(old)} → {hours_text(new)}" for day, old, new in week]
    near = [change for change in days if 0 <= change[0].year - after.effective_on.year <= 1][:TOLD_CHANGES]
    for on, old, new in near:
        both = " → ".join(f"{day.name}, {hours_text(day.hours)}" if day else _("as every week") for day in (old, new))
        lines.append(f"{day_text(on)}: {both}")
    return lines, len(days) - len(near)
