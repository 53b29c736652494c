"""Calendars: when work is done, and what follows for time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, Query, operation
from allswell.api.paging import page
from allswell.calendars import queries, rules
from allswell.desk import calendar_files
from allswell.desk import calendars as desk
from allswell.people.rules import INSTALLATION, Act, require

from .attachments import sent_file
from .shapes import PersonRef, changes, person_ref

TAG = "Calendars"
READ, WRITE = "services:read", "setup:write"

Period = Annotated[str, Meta(max_length=20, description='"08:30-12:00"; a day ends at 24:00.')]
Periods = Annotated[list[Period], Meta(max_length=24)]
Week = Annotated[list[Periods], Meta(min_length=7, max_length=7, description="Seven days, Monday first; an empty one is closed.")]
CalendarName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Zone = Annotated[str, Meta(min_length=1, max_length=60, description="An IANA time zone such as Europe/Zurich.")]
Country = Annotated[str, Meta(max_length=2, pattern="^([A-Z]{2})?$", description="ISO 3166-1, such as CH; empty for none.")]
Subdivision = Annotated[
    str, Meta(max_length=20, description="Its part as in ISO 3166-2, such as ZH; empty for what all of it has.")
]


class OwnDay(Struct):
    """A day that differs: its name, and its hours, none for a day off."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    hours: Periods = []


OwnDays = Annotated[
    dict[str, OwnDay], Meta(max_length=5_000, description='By date, "2026-12-24", or for every year by month and day, "12-24".')
]


class Calendar(Struct):
    """A calendar; `version` is the number of its newest version."""

    id: int
    slug: str
    name: str
    zone: str
    version: int
    is_active: bool


class CalendarVersion(Struct):
    """What a calendar says from `effective_on` on, until a version with a greater number says otherwise.

    The public holidays of the country are known until `holidays_until`; those called as in `left_out` are worked.
    """

    version: int
    effective_on: date
    week: list[list[str]]
    days: dict[str, Any]
    country: str
    subdivision: str
    left_out: list[str]
    holidays_until: date | None
    note: str
    created_at: datetime
    created_by: PersonRef | None


class CalendarDetails(Calendar):
    """A calendar with what its newest version says."""

    newest: CalendarVersion | None = None


_COLUMNS = ("pk", "slug", "name", "zone", "number", "is_active")
_VERSION = (
    *("number", "effective_on", "definition", "own_days", "country", "subdivision", "left_out", "holidays_until", "note"),
    *("created_at", "created_by_id", "created_by__name"),
)


def _version(row: Sequence[Any]) -> CalendarVersion:
    number, first, definition, own, country, part, left_out, until, note, created_at, author, name = row
    who = person_ref(author, name)
    return CalendarVersion(number, first, definition["week"], own, country, part, left_out, until, note, created_at, who)


class CalendarFilters(Paged):
    """Which calendars."""

    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/calendars",
    id="listCalendars",
    summary="Calendars, newest first",
    tag=TAG,
    scope=READ,
    query=CalendarFilters,
    answer=Page[Calendar],
)
def list_calendars(call: Call) -> Page[Calendar]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = queries.calendars()
    if call.query.is_active is not UNSET:
        rows = rows.filter(is_active=call.query.is_active)
    return page(call, rows.values_list(*_COLUMNS), lambda found: [Calendar(*row) for row in found])


@operation(
    "GET",
    "/calendars/{ref}",
    id="getCalendar",
    summary="One calendar, by id or short name",
    tag=TAG,
    scope=READ,
    answer=CalendarDetails,
)
def get(call: Call) -> CalendarDetails:
    return _details(call, call.path["ref"])


def _details(call: Call, ref: int | str) -> CalendarDetails:
    row = desk.calendar_for(ref, Act.SEE_DESK, actor=call.actor)
    newest = queries.versions(row.pk).values_list(*_VERSION).first()
    found = CalendarDetails(row.pk, row.slug, row.name, row.zone, row.number, row.is_active)
    found.newest = _version(newest) if newest else None
    return found


def _shown(call: Call, changed: Any) -> CalendarDetails:
    return _details(call, call.path["ref"])


@operation(
    "GET",
    "/calendars/{ref}/versions",
    id="listCalendarVersions",
    summary="The versions of a calendar, newest first",
    tag=TAG,
    scope=READ,
    query=Paged,
    answer=Page[CalendarVersion],
)
def list_versions(call: Call) -> Page[CalendarVersion]:
    row = desk.calendar_for(call.path["ref"], Act.SEE_DESK, actor=call.actor)
    rows = queries.versions(row.pk).order_by().values_list("pk", *_VERSION)
    return page(call, rows, lambda found: [_version(row[1:]) for row in found])


class Hours(Body):
    """What a version says. Where a version is added, what is left out stays as in the newest one."""

    week: Week | UnsetType = UNSET
    days: OwnDays | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    subdivision: Subdivision | UnsetType = UNSET
    left_out: Annotated[list[Annotated[str, Meta(max_length=120)]], Meta(max_length=200)] | UnsetType = UNSET
    effective_on: Annotated[date, Meta(description="Its first day; today by its clocks when left out.")] | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=200)] = ""


class NewCalendar(Hours, kw_only=True):
    """A calendar to set up."""

    name: CalendarName
    zone: Zone
    week: Week


class NewVersion(Hours):
    """A change from a day on. `seen` is the version you know as the newest: when another came meanwhile, yours is refused."""

    seen: Id | UnsetType = UNSET


def _hours(body: Hours) -> desk.Hours:
    week = None if body.week is UNSET else [_periods(day, name) for name, day in zip(rules.WEEKDAYS, body.week, strict=True)]
    days = (
        None if body.days is UNSET else {key: rules.Day(day.name, _periods(day.hours, "days")) for key, day in body.days.items()}
    )
    plain = {name: value for name in ("country", "subdivision", "left_out") if (value := getattr(body, name)) is not UNSET}
    return desk.Hours(week=week, days=days, **plain)


def _periods(said: Sequence[str], field: str) -> rules.Hours:
    return rules.parse_hours(",".join(said), field=field)


def _first_day(body: Hours) -> date | None:
    return None if body.effective_on is UNSET else body.effective_on


@operation(
    "POST",
    "/calendars",
    id="createCalendar",
    summary="Set up a calendar",
    tag=TAG,
    scope=WRITE,
    body=NewCalendar,
    answer=CalendarDetails,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewCalendar = call.body
    return desk.create_calendar(
        name=body.name,
        zone=body.zone,
        hours=_hours(body),
        effective_on=_first_day(body),
        note=body.note,
        actor=call.actor,
        now=call.now,
    )


def _created(call: Call, row: Any) -> CalendarDetails:
    call.headers["Location"] = f"{BASE}/calendars/{row.slug}"
    return _details(call, row.pk)


class CalendarChange(Body):
    """What to change; hours are changed by a new version."""

    name: CalendarName | UnsetType = UNSET


@operation(
    "PATCH",
    "/calendars/{ref}",
    id="updateCalendar",
    summary="Rename a calendar",
    tag=TAG,
    scope=WRITE,
    body=CalendarChange,
    answer=CalendarDetails,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    if wanted := changes(call.body):
        return desk.rename_calendar(call.path["ref"], actor=call.actor, now=call.now, **wanted)
    return desk.calendar_for(call.path["ref"], Act.SET_UP, actor=call.actor)


@operation(
    "POST",
    "/calendars/{ref}/versions",
    id="addCalendarVersion",
    summary="Change a calendar from a day on",
    tag=TAG,
    scope=WRITE,
    details="What was before that day stays; open clocks are solved again with the new version, completed ones keep theirs.",
    body=NewVersion,
    answer=CalendarDetails,
    status=201,
    present=_shown,
)
def add_version(call: Call) -> Any:
    body: NewVersion = call.body
    return desk.change_calendar(
        call.path["ref"],
        hours=_hours(body),
        effective_on=_first_day(body),
        note=body.note,
        seen=None if body.seen is UNSET else body.seen,
        actor=call.actor,
        now=call.now,
    )


class Import(Query):
    """From which day on it is so, and the version you know as the newest: when another came meanwhile, yours is refused."""

    effective_on: date | UnsetType = UNSET
    seen: Id | UnsetType = UNSET


@operation(
    "POST",
    "/calendars/{ref}/import",
    id="importCalendarDays",
    summary="Close a calendar on the whole-day events of an iCalendar file",
    tag=TAG,
    scope=WRITE,
    details="Makes a new version. Events with a time of day and cancelled ones are passed over; days that are written down already stay "
    f"as they are. At most {calendar_files.LARGEST} bytes, {calendar_files.MOST_EVENTS} events and {calendar_files.MOST_DAYS} days.",
    is_upload=True,
    query=Import,
    answer=CalendarDetails,
    status=201,
    present=_shown,
)
def bring_in(call: Call) -> Any:
    asked: Import = call.query
    desk.calendar_for(call.path["ref"], Act.SET_UP, actor=call.actor)  # before the file is read
    file = sent_file(call, most=calendar_files.LARGEST)
    return desk.bring_in_days(
        call.path["ref"],
        file.read(calendar_files.LARGEST + 1),
        effective_on=None if asked.effective_on is UNSET else asked.effective_on,
        note=(file.name or "")[:200],
        seen=None if asked.seen is UNSET else asked.seen,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "POST",
    "/calendars/{ref}/deactivate",
    id="deactivateCalendar",
    summary="No longer offer a calendar; what counts in it goes on",
    tag=TAG,
    scope=WRITE,
    answer=CalendarDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.deactivate_calendar(call.path["ref"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/calendars/{ref}/activate",
    id="activateCalendar",
    summary="Offer a calendar again",
    tag=TAG,
    scope=WRITE,
    answer=CalendarDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.activate_calendar(call.path["ref"], actor=call.actor, now=call.now)
