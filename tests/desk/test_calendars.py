"""Setting up when work is done: versions from a day on, and what was true stays true."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from allswell.calendars import queries, rules
from allswell.calendars.models import Calendar, CalendarVersion
from allswell.calendars.rules import Day
from allswell.desk import calendars as desk
from allswell.desk import public_holidays, setup
from allswell.desk.calendars import Hours
from allswell.journal.models import Entry
from allswell.kernel.actor import setup as operator
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound, Stale
from tests.support.world import START, World

NINE_TO_FIVE = rules.parse_hours("09:00-17:00", field="week")
WITH_LUNCH = rules.parse_hours("08:30-12:00, 13:00-17:30", field="week")
OFFICE = [NINE_TO_FIVE] * 5 + [(), ()]
HOUR = timedelta(hours=1)


def office(world: World, **more: object) -> Calendar:
    values = {"name": "Office hours", "zone": "Europe/Zurich", "effective_on": date(2026, 1, 1)}
    values |= {name: more.pop(name) for name in list(more) if name not in Hours.__dataclass_fields__}
    return desk.create_calendar(hours=Hours(**{"week": OFFICE, **more}), **values, **world.by(world.ada))  # type: ignore[arg-type]


def test_ada_sets_up_office_hours_and_they_count(world: World) -> None:
    row = office(world, days={"12-24": Day("Christmas Eve", ((540, 720),))})
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
        row.pk, hours=Hours([WITH_LUNCH] * 5 + [(), ()]), effective_on=date(2027, 1, 1), note="Lunch", **world.by(world.ada)
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
    row = office(world, days={"2026-12-24": Day("Christmas Eve")})
    desk.change_calendar(row.pk, hours=Hours([WITH_LUNCH] * 7), **world.by(world.ada))
    desk.change_calendar(row.pk, hours=Hours(days={"2026-12-31": Day("Stock-taking")}), **world.by(world.ada))
    second, third = (queries.version(row.pk, number) for number in (2, 3))
    assert second is not None
    assert third is not None
    assert list(queries.own_days(second)) == ["2026-12-24"]
    assert list(queries.own_days(third)) == ["2026-12-31"]
    assert queries.definition(third).week == (WITH_LUNCH,) * 7
    assert second.effective_on == date(2026, 11, 23)


def test_nothing_different_makes_no_version(world: World) -> None:
    row = office(world)
    with pytest.raises(Conflict, match="Nothing is different"):
        desk.change_calendar(row.pk, hours=Hours(OFFICE), **world.by(world.ada))
    assert CalendarVersion.objects.count() == 1


def test_a_change_to_what_somebody_else_changed_meanwhile_is_refused(world: World) -> None:
    row = office(world)
    desk.change_calendar(row.pk, hours=Hours([WITH_LUNCH] * 7), seen=1, **world.by(world.ada))
    with pytest.raises(Stale):
        desk.change_calendar(row.pk, hours=Hours([NINE_TO_FIVE] * 7), seen=1, **world.by(world.ada))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"week": [()] * 7}, "week"),
        ({"week": [((540, 720), (700, 800))] + [()] * 6}, "monday"),
        ({"effective_on": date(1900, 1, 1)}, "effective_on"),
        ({"days": {"2026-05-01": Day("")}}, "days"),
        ({"days": {"2026-13-01": Day("X")}}, "days"),
        ({"country": "XX"}, "country"),
        ({"country": "CH", "subdivision": "MA"}, "subdivision"),
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
        lambda: desk.create_calendar(name="Mine", zone="UTC", hours=Hours(OFFICE), **by),
        lambda: desk.change_calendar(row.pk, hours=Hours([WITH_LUNCH] * 7), **by),
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
    row = Calendar.objects.get(slug="always")
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


def test_public_holidays_are_written_down_as_dates(world: World) -> None:
    row = office(world, country="CH", subdivision="ZH")
    version = queries.newest(row)
    assert (version.country, version.subdivision, version.holidays_until) == ("CH", "ZH", date(2036, 12, 31))
    known = queries.by_slug(row.slug)
    assert known is not None
    assert rules.kind_of(known, date(2026, 5, 1)) == ("holiday", "Labor Day", ())
    assert rules.kind_of(known, date(1994, 5, 12)) == ("holiday", "Ascension Day", ())
    assert rules.kind_of(known, date(2026, 8, 1)) == ("holiday", "National Day", ())
    # Thursday before Good Friday at 16:00: an hour, then Tuesday.
    due = rules.add_working_time(known, datetime(2026, 4, 2, 14, tzinfo=UTC), 2 * HOUR)
    assert due == datetime(2026, 4, 7, 8, tzinfo=UTC)


def test_a_holiday_that_is_worked_is_left_out_and_own_days_outweigh(world: World) -> None:
    row = office(
        world,
        country="US",
        subdivision="MA",
        left_out=["Patriots' Day"],
        days={"2026-07-03": Day("Half day before the 4th", ((540, 720),)), "12-24": Day("Christmas Eve")},
    )
    known = queries.by_slug(row.slug)
    assert known is not None
    assert rules.kind_of(known, date(2026, 4, 20))[0] == "open"
    assert rules.kind_of(known, date(2026, 7, 3)) == ("short", "Half day before the 4th", ((540, 720),))
    assert [rules.kind_of(known, date(year, 12, 24))[0] for year in (2025, 2026, 2036, 2037)] == ["holiday"] * 3 + ["open"]
    desk.change_calendar(row.pk, hours=Hours(week=[WITH_LUNCH] * 5 + [(), ()]), **world.by(world.ada))
    version = queries.newest(Calendar.objects.get())
    assert (version.country, version.subdivision, version.left_out) == ("US", "MA", ["Patriots' Day"])
    assert set(queries.own_days(version)) == {"2026-07-03", "12-24"}
    desk.change_calendar(row.pk, hours=Hours(country="CH"), **world.by(world.ada))
    moved = queries.newest(Calendar.objects.get())
    assert (moved.subdivision, moved.left_out) == ("", [])


def test_every_country_can_be_chosen() -> None:
    found = dict(public_holidays.countries("de"))
    assert found["CH"] == "Schweiz"
    assert dict(public_holidays.subdivisions("CH"))["ZH"] == "Zürich"
    assert public_holidays.subdivisions("XX") == []
    assert len(found) > 200
    for country in ("CH", "US", "EG", "JP", "IN", "BR", "IL"):
        assert public_holidays.days_of(country, "", rules.years_known(2026))
        assert public_holidays.names_of(country, "", range(2026, 2028))


def test_a_name_is_changed_with_the_hours_or_not_at_all(world: World) -> None:
    row = office(world)
    with pytest.raises(Invalid):
        desk.change_calendar(row.pk, name="Bank hours", hours=Hours([()] * 7), **world.by(world.ada))
    assert Calendar.objects.get().name == "Office hours"
    assert desk.change_calendar(row.pk, name="Bank hours", hours=Hours(), **world.by(world.ada)).number == 1
    assert Calendar.objects.get().name == "Bank hours"
    with pytest.raises(Conflict):
        desk.change_calendar(row.pk, name="Bank hours", hours=Hours(), **world.by(world.ada))
