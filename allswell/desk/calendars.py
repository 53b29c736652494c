"""The use cases of calendars: what is open when, and from which day on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from allswell.calendars import operations as calendars
from allswell.calendars import queries, rules
from allswell.calendars.rules import Definition, OwnDays
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound, Stale
from allswell.people import operations as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.sla import operations as sla

from . import calendar_files, planning, public_holidays, recounting
from .door import use_case

if TYPE_CHECKING:
    from allswell.calendars.models import Calendar, CalendarVersion

Week = Sequence[Iterable[tuple[int, int]]]

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2199, 1, 1)


def calendar_for(calendar: int | str, act: Act, *, actor: Actor) -> Calendar:
    """The calendar (id or slug), if the actor may do this to calendars. Raises NotFound, NotAllowed."""
    require(actor, act, INSTALLATION)
    row = queries.by_ref(calendar)
    if row is None:
        raise NotFound("There is no such calendar.")
    return row


@dataclass(frozen=True, slots=True)
class Hours:
    """What a version says, as it is asked for; what is None stays as in the version before.

    `week`: the periods of seven days, Monday first, in minutes after midnight. `days`: those that differ, by date or, for every year, by
    month and day ("12-24"). `country`, `subdivision`: whose public holidays are closed, but those named in `left_out`.
    """

    week: Week | None = None
    days: OwnDays | None = None
    country: str | None = None
    subdivision: str | None = None
    left_out: Iterable[str] | None = None


@use_case
def create_calendar(
    *, name: str, zone: str, hours: Hours, actor: Actor, now: datetime, effective_on: date | None = None, note: str = ""
) -> Calendar:
    """A new calendar with its first version; `effective_on` is today in its zone unless given. Raises Invalid, NotAllowed."""
    return create_calendar_step(name=name, zone=zone, hours=hours, effective_on=effective_on, note=note, actor=actor, now=now)


def create_calendar_step(
    *,
    name: str,
    zone: str,
    hours: Hours,
    actor: Actor,
    now: datetime,
    effective_on: date | None = None,
    note: str = "",
    slug: str = "",
) -> Calendar:
    """A new calendar; for use cases that do more."""
    require(actor, Act.SET_UP, INSTALLATION)
    name = _name(name)
    place = rules.zone_named(zone)
    columns = _version(place, hours, effective_on=effective_on, note=note, now=now)
    slug = slug or people.free_slug(queries.calendars(), name, fallback="calendar")
    row = calendars.create(name=name, slug=slug, zone=place.key, actor=actor, now=now)
    calendars.add_version(row, actor=actor, now=now, **columns)
    return row


@use_case
def change_calendar(
    calendar: int | str,
    *,
    hours: Hours,
    actor: Actor,
    now: datetime,
    effective_on: date | None = None,
    note: str = "",
    seen: int | None = None,
    name: str | None = None,
) -> CalendarVersion:
    """A new version from `effective_on` on: unless given today in its zone, or when the newest begins. `seen` is the number of the newest
    version the actor knows, if it matters; `name` renames it in the same act. Raises Conflict when nothing differs, Stale, Invalid,
    NotFound, NotAllowed."""
    row = calendar_for(calendar, Act.SET_UP, actor=actor)
    before = queries.newest(row)
    if seen is not None and seen != before.number:
        raise Stale("Somebody has changed this calendar in the meantime. Look at it again.")
    place = rules.zone_named(row.zone)
    first_day = effective_on or max(rules.local_time(place, now).date(), before.effective_on)
    columns = _version(place, _filled(hours, before), effective_on=first_day, note=note, now=now)
    kept = all(getattr(before, column) == columns[column] for column in ("definition", "own_days", "country", "subdivision"))
    is_renamed = name is not None and calendars.rename(row, _name(name), actor=actor, now=now) is not None
    if kept and columns["effective_on"] >= before.effective_on:
        if is_renamed:
            return before
        raise Conflict("Nothing is different from the newest version.")
    version = calendars.add_version(row, actor=actor, now=now, **columns)
    sla.renew()
    recounting.calendar_changed(row.slug, version.number, actor=actor, now=now)
    planning.calendar_changed(row.pk, now=now)
    return version


def bring_in_days(
    calendar: int | str,
    raw: bytes,
    *,
    actor: Actor,
    now: datetime,
    effective_on: date | None = None,
    note: str = "",
    seen: int | None = None,
) -> CalendarVersion:
    """A new version that is closed, too, on the whole days of an iCalendar file, from last year on; days written down already stay as
    they are. Raises Invalid on "file", and what `change_calendar` raises."""
    before = queries.newest(calendar_for(calendar, Act.SET_UP, actor=actor))
    last = date(rules.years_known(now.year)[-1], 12, 31)
    found = calendar_files.days_in(raw, first=date(now.year - 1, 1, 1), last=last)  # takes a while: before the transaction
    if not found.days:
        raise Invalid("No whole days from last year on are in this file.", field="file")
    return change_calendar(
        calendar,
        hours=Hours(days={**found.days, **queries.own_days(before)}),
        effective_on=effective_on,
        note=note,
        seen=before.number if seen is None else seen,
        actor=actor,
        now=now,
    )


def _name(name: str) -> str:
    return text.line(name, field="name", limit=80)


def _filled(hours: Hours, before: CalendarVersion) -> Hours:
    """The hours asked for, with those of the version before where nothing is said. Another country has other parts and other names."""
    same = hours.country is None or hours.country == before.country
    return Hours(
        week=queries.definition(before).week if hours.week is None else hours.week,
        days=queries.own_days(before) if hours.days is None else hours.days,
        country=before.country if hours.country is None else hours.country,
        subdivision=(before.subdivision if same else "") if hours.subdivision is None else hours.subdivision,
        left_out=(before.left_out if same else []) if hours.left_out is None else hours.left_out,
    )


def _version(zone: ZoneInfo, hours: Hours, *, effective_on: date | None, note: str, now: datetime) -> dict[str, Any]:
    """The columns of a version, checked."""
    effective_on = effective_on or rules.local_time(zone, now).date()
    if not FIRST_DAY <= effective_on < LAST_DAY:
        raise Invalid("This is not a day a calendar can begin on.", field="effective_on")
    years = rules.years_known(now.year)
    country, subdivision = hours.country or "", hours.subdivision or ""
    left_out = sorted({text.line(name, field="left_out", limit=120) for name in hours.left_out or ()}) if country else []
    if len(left_out) > 200:
        raise Invalid("Use at most %(limit)s names.", field="left_out", limit=200)
    own = rules.checked_own(hours.days or {})
    public = public_holidays.days_of(country, subdivision, years, left_out=left_out)
    return {
        "effective_on": effective_on,
        "definition": Definition.checked(list(hours.week or ()), public | rules.spread(own, years)).as_json(),
        "own_days": rules.own_as_json(own),
        "country": country,
        "subdivision": subdivision if country else "",
        "left_out": left_out,
        "holidays_until": date(years[-1], 12, 31) if country or any(len(key) == 5 for key in own) else None,
        "note": text.line(note, field="note", limit=200, required=False),
    }


@use_case
def rename_calendar(calendar: int | str, *, name: str, actor: Actor, now: datetime) -> Calendar:
    """Give a calendar another name. Raises Invalid, NotFound, NotAllowed."""
    row = calendar_for(calendar, Act.SET_UP, actor=actor)
    calendars.rename(row, _name(name), actor=actor, now=now)
    return row


@use_case
def deactivate_calendar(calendar: int | str, *, actor: Actor, now: datetime) -> Calendar:
    """No longer offer a calendar for something new; what counts in it goes on."""
    row = calendar_for(calendar, Act.SET_UP, actor=actor)
    calendars.set_active(row, is_active=False, actor=actor, now=now)
    return row


@use_case
def activate_calendar(calendar: int | str, *, actor: Actor, now: datetime) -> Calendar:
    """Offer a calendar again."""
    row = calendar_for(calendar, Act.SET_UP, actor=actor)
    calendars.set_active(row, is_active=True, actor=actor, now=now)
    return row


def around_the_clock(*, actor: Actor, now: datetime) -> None:
    """The calendar that never closes, which every installation starts with. Opens no transaction."""
    if queries.by_ref(queries.BUILT_IN) is None:
        create_calendar_step(
            name="Around the clock",
            slug=queries.BUILT_IN,
            zone="UTC",
            hours=Hours(week=[rules.ALL_DAY] * 7),
            effective_on=FIRST_DAY,
            actor=actor,
            now=now,
        )
