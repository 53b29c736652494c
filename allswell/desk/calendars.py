"""The use cases of calendars: what is open when, and from which day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from allswell.calendars import operations as calendars
from allswell.calendars import queries, rules
from allswell.calendars.rules import Day, Definition
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound, Stale
from allswell.people import operations as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.sla import operations as sla

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


@use_case
def create_calendar(
    *,
    name: str,
    zone: str,
    week: Week,
    actor: Actor,
    now: datetime,
    days: Mapping[date, Day] | None = None,
    effective_on: date | None = None,
    note: str = "",
) -> Calendar:
    """A new calendar with its first version. `week`: the periods of seven days, Monday first, in minutes after midnight;
    `days`: those that differ; `effective_on`: today in its zone unless given. Raises Invalid, NotAllowed."""
    return create_calendar_step(
        name=name, zone=zone, week=week, days=days, effective_on=effective_on, note=note, actor=actor, now=now
    )


def create_calendar_step(
    *,
    name: str,
    zone: str,
    week: Week,
    actor: Actor,
    now: datetime,
    days: Mapping[date, Day] | None = None,
    effective_on: date | None = None,
    note: str = "",
    slug: str = "",
) -> Calendar:
    """A new calendar; for use cases that do more."""
    require(actor, Act.SET_UP, INSTALLATION)
    name = text.line(name, field="name", limit=80)
    place = rules.zone_named(zone)
    columns = _version(place, week=week, days=days or {}, effective_on=effective_on, note=note, now=now)
    slug = slug or people.free_slug(queries.calendars(), name, fallback="calendar")
    row = calendars.create(name=name, slug=slug, zone=place.key, actor=actor, now=now)
    calendars.add_version(row, actor=actor, now=now, **columns)
    return row


@use_case
def change_calendar(
    calendar: int | str,
    *,
    actor: Actor,
    now: datetime,
    week: Week | None = None,
    days: Mapping[date, Day] | None = None,
    effective_on: date | None = None,
    note: str = "",
    seen: int | None = None,
) -> CalendarVersion:
    """A new version from `effective_on` (today in its zone unless given) on. What is left out stays as in the newest version;
    `seen` is the number of that, if it matters. Raises Conflict when nothing differs, Stale, Invalid, NotFound, NotAllowed."""
    row = calendar_for(calendar, Act.SET_UP, actor=actor)
    before = queries.newest(row)
    if seen is not None and seen != before.number:
        raise Stale("Somebody has changed this calendar in the meantime. Look at it again.")
    columns = _version(
        rules.zone_named(row.zone),
        week=queries.definition(before).week if week is None else week,
        days=queries.own_days(before) if days is None else days,
        effective_on=effective_on,
        note=note,
        now=now,
    )
    if columns["definition"] == before.definition and columns["effective_on"] >= before.effective_on:
        raise Conflict("Nothing is different from the newest version.")
    version = calendars.add_version(row, actor=actor, now=now, **columns)
    sla.renew()
    return version


def _version(
    zone: ZoneInfo,
    *,
    week: Week,
    days: Mapping[date, Day],
    effective_on: date | None,
    note: str,
    now: datetime,
) -> dict[str, Any]:
    """The columns of a version, checked."""
    effective_on = effective_on or rules.local_time(zone, now).date()
    if not FIRST_DAY <= effective_on < LAST_DAY:
        raise Invalid("This is not a day a calendar can begin on.", field="effective_on")
    own = Definition.checked(week, days)
    return {
        "effective_on": effective_on,
        "definition": own.as_json(),
        "own_days": own.as_json()["days"],
        "note": text.line(note, field="note", limit=200, required=False),
    }


@use_case
def rename_calendar(calendar: int | str, *, name: str, actor: Actor, now: datetime) -> Calendar:
    """Give a calendar another name. Raises Invalid, NotFound, NotAllowed."""
    row = calendar_for(calendar, Act.SET_UP, actor=actor)
    calendars.rename(row, text.line(name, field="name", limit=80), actor=actor, now=now)
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
            week=[rules.ALL_DAY] * 7,
            effective_on=FIRST_DAY,
            actor=actor,
            now=now,
        )
