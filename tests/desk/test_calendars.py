"""Setting up when work is done: versions from a day on, and what was true stays true."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from allswell.calendars import queries, rules
from allswell.calendars.models import Calendar, CalendarVersion
from allswell.calendars.rules import Day
from allswell.desk import calendars as desk
from allswell.desk import setup
from allswell.journal.models import Entry
from allswell.kernel.actor import setup as operator
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound, Stale
from tests.support.world import START, World

NINE_TO_FIVE = rules.parse_hours("09:00-17:00", field="week")
WITH_LUNCH = rules.parse_hours("08:30-12:00, 13:00-17:30", field="week")
OFFICE = [NINE_TO_FIVE] * 5 + [(), ()]
HOUR = timedelta(hours=1)


def office(world: World, **more: object) -> Calendar:
    values = {"name": "Office hours", "zone": "Europe/Zurich", "week": OFFICE, "effective_on": date(2026, 1, 1), **more}
    return desk.create_calendar(**values, **world.by(world.ada))  # type: ignore[arg-type]


def test_ada_sets_up_office_hours_and_they_count(world: World) -> None:
    row = office(world, days={date(2026, 12, 24): Day("Christmas Eve", ((540, 720),))})
    assert (row.slug, row.number, row.zone) == ("office-hours", 1, "Europe/Zurich")
    known = queries.by_slug(row.slug)
    assert known is not None
    # Wednesday the 23rd at 16:00 in Zurich: an hour then, three on the 24th, none on the week-end.
    due = rules.add_working_time(known, datetime(2026, 12, 23, 15, tzinfo=UTC), 5 * HOUR)
    assert due == datetime(2026, 12, 25, 9, tzinfo=UTC)
    assert queries.by_slug("office-hours") is known
    entries = Entry.objects.filter(about_kind="calendar", about_id=row.pk).order_by("id")
    assert [entry.verb for entry in entries] == ["record.created", "record.changed"]


def test_a_change_is_a_version_from_a_day_on_and_the_old_one_stays(world: World) -> None:
    row = office(world)
    before = queries.by_slug(row.slug)
    world.forward(minutes=5)
    version = desk.change_calendar(
        row.pk, week=[WITH_LUNCH] * 5 + [(), ()], effective_on=date(2027, 1, 1), note="Lunch", **world.by(world.ada)
    )
    assert (version.number, version.effective_on, version.created_by_id) == (2, date(2027, 1, 1), world.ada.pk)
    after = queries.by_slug(row.slug)
    assert before is not None
    assert after is not None
    assert (before.number, after.number) == (1, 2)
    assert after.hours_on(date(2026, 12, 30)) == NINE_TO_FIVE
    assert after.hours_on(date(2027, 1, 4)) == WITH_LUNCH
    assert after.upto(1).hours_on(date(2027, 1, 4)) == NINE_TO_FIVE
    assert [found.number for found in queries.versions(row.pk)] == [2, 1]


def test_what_is_left_out_stays(world: World) -> None:
    row = office(world, days={date(2026, 12, 24): Day("Christmas Eve")})
    desk.change_calendar(row.pk, week=[WITH_LUNCH] * 7, **world.by(world.ada))
    desk.change_calendar(row.pk, days={date(2026, 12, 31): Day("Stock-taking")}, **world.by(world.ada))
    second, third = (queries.version(row.pk, number) for number in (2, 3))
    assert second is not None
    assert third is not None
    assert list(queries.own_days(second)) == [date(2026, 12, 24)]
    assert list(queries.own_days(third)) == [date(2026, 12, 31)]
    assert queries.definition(third).week == (WITH_LUNCH,) * 7
    assert second.effective_on == date(2026, 11, 23)


def test_nothing_different_makes_no_version(world: World) -> None:
    row = office(world)
    with pytest.raises(Conflict, match="Nothing is different"):
        desk.change_calendar(row.pk, week=OFFICE, **world.by(world.ada))
    assert CalendarVersion.objects.count() == 1


def test_a_change_to_what_somebody_else_changed_meanwhile_is_refused(world: World) -> None:
    row = office(world)
    desk.change_calendar(row.pk, week=[WITH_LUNCH] * 7, seen=1, **world.by(world.ada))
    with pytest.raises(Stale):
        desk.change_calendar(row.pk, week=[NINE_TO_FIVE] * 7, seen=1, **world.by(world.ada))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"week": [()] * 7}, "week"),
        ({"week": [((540, 720), (700, 800))] + [()] * 6}, "monday"),
        ({"effective_on": date(1900, 1, 1)}, "effective_on"),
        ({"days": {date(2026, 5, 1): Day("")}}, "days"),
        ({"note": "x" * 201}, "note"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(world: World, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        office(world, **values)
    assert refused.value.field == field
    assert not Calendar.objects.exists()


@pytest.mark.parametrize("who", ["maria", "jonas", "lena", "audrey", "oskar"])
def test_only_administrators_of_the_installation_change_calendars(world: World, who: str) -> None:
    row = office(world)
    by = world.by(getattr(world, who))
    tries = [
        lambda: desk.create_calendar(name="Mine", zone="UTC", week=OFFICE, **by),
        lambda: desk.change_calendar(row.pk, week=[WITH_LUNCH] * 7, **by),
        lambda: desk.rename_calendar(row.pk, name="Mine", **by),
        lambda: desk.deactivate_calendar(row.pk, **by),
        lambda: desk.activate_calendar(row.pk, **by),
    ]
    for one in tries:
        with pytest.raises((NotAllowed, NotFound)):
            one()
    assert Calendar.objects.get().name == "Office hours"


def test_rename_and_take_out_of_use(world: World) -> None:
    row = office(world)
    assert desk.rename_calendar("office-hours", name="Bank hours", **world.by(world.ada)).name == "Bank hours"
    assert not desk.deactivate_calendar(row.pk, **world.by(world.ada)).is_active
    assert queries.by_slug("office-hours") is not None
    assert desk.activate_calendar(row.pk, **world.by(world.ada)).is_active
    with pytest.raises(DeskError):
        desk.rename_calendar("no-such", name="X", **world.by(world.ada))


def test_every_installation_starts_with_one_that_never_closes(db: None) -> None:
    assert queries.by_slug("always") is rules.ALWAYS
    setup.first_administrator(name="Ada", email="ada@example.org", organization="Northbank", actor=operator(), now=START)
    row = Calendar.objects.get()
    assert (row.name, row.slug, row.zone) == ("Around the clock", "always", "UTC")
    known = queries.by_slug("always")
    assert known is not None
    assert rules.add_working_time(known, START, 100 * HOUR) == START + 100 * HOUR


def test_many_are_read_in_one_query_once_known(world: World, django_assert_num_queries: object) -> None:
    office(world)
    office(world, name="Night shift", week=[((0, 360), (1320, 1440))] * 7)
    first = queries.by_slugs()
    assert set(first) == {"always", "office-hours", "night-shift"}
    with django_assert_num_queries(1):  # type: ignore[operator]
        again = queries.by_slugs(["office-hours", "night-shift"])
    assert again["office-hours"] is first["office-hours"]
