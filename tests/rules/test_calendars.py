"""Working time against a model so slow that it must be right: it looks at the clock of the place every minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allswell.calendars import rules
from allswell.calendars.rules import ALL_DAY, ALWAYS, Calendar, Day, Definition, Hours, Version

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OFFICE: Hours = ((540, 1020),)
LUNCH: Hours = ((510, 720), (780, 1050))
# Days on which the clocks of the place changed: by an hour, by half an hour, at midnight, by leaving out a whole day.
CHANGES = [
    ("Europe/Paris", date(2026, 3, 29)),
    ("Europe/Paris", date(2026, 10, 25)),
    ("America/New_York", date(2012, 3, 11)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2019, 2, 17)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Cairo", date(2024, 4, 26)),
    ("Africa/Cairo", date(2024, 11, 1)),
    ("Asia/Beirut", date(2025, 3, 30)),
    ("Asia/Beirut", date(2025, 10, 26)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("America/Santiago", date(2025, 9, 7)),
    ("America/Santiago", date(2025, 4, 6)),
    ("America/Nuuk", date(2025, 3, 30)),
    ("America/Nuuk", date(2025, 10, 26)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Africa/Casablanca", date(2025, 2, 23)),
    ("UTC", date(2024, 2, 29)),
    ("Asia/Kolkata", date(2025, 12, 31)),
]


def calendar(zone: str, *week: Hours, days: dict[date, Day] | None = None) -> Calendar:
    return Calendar(zone, (Version(1, date(1970, 1, 1), Definition.checked(week, days)),))


def weekdays(hours: Hours, zone: str = "Europe/Zurich", days: dict[date, Day] | None = None) -> Calendar:
    return calendar(zone, *[hours] * 5, (), (), days=days)


def _minutes(week: list[Hours]) -> int:
    return sum(until - since for hours in week for since, until in hours)


def at(zone: str, said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def model(zone: str, hours_on: Callable[[date], Hours], start: datetime, end: datetime) -> list[datetime]:
    """Every open minute between two whole minutes. A period begins when the clock of the place first shows its beginning or more, and ends
    when it first shows its end or more: so what counts is the latest that the clock has shown yet."""
    place = ZoneInfo(zone)
    shown = datetime.min
    minute = start - timedelta(days=2)
    found = []
    while minute < end:
        shown = max(shown, minute.astimezone(place).replace(tzinfo=None))
        if minute >= start:
            since = shown.hour * 60 + shown.minute
            if any(begin <= since < until for begin, until in hours_on(shown.date())):
                found.append(minute)
        minute += MINUTE
    return found


def hours_strategy() -> st.SearchStrategy[Hours]:
    edges = st.one_of(st.sampled_from([0, 30, 60, 90, 120, 150, 180, 1380, 1410, 1439, 1440]), st.integers(0, 1440))
    return st.lists(edges, min_size=0, max_size=6, unique=True).map(
        lambda found: tuple(zip(sorted(found)[::2], sorted(found)[1::2], strict=False))
    )


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Calendar, datetime, list[datetime], datetime]:
    """A calendar of several versions, an instant near a change of the clocks, and the open minutes of the days around it."""
    zone, changed = draw(st.sampled_from(CHANGES))
    weeks = draw(st.lists(st.lists(hours_strategy(), min_size=7, max_size=7).filter(any), min_size=1, max_size=3))
    days = draw(st.dictionaries(st.integers(-2, 3), hours_strategy(), max_size=3))
    versions = tuple(
        Version(
            number,
            changed + timedelta(days=draw(st.integers(-2, 3))),
            Definition.checked(week, {changed + timedelta(days=shift): Day("Differs", hours) for shift, hours in days.items()}),
        )
        for number, week in enumerate(weeks, 1)
    )
    made = Calendar(zone, versions)
    start = datetime.combine(changed, datetime.min.time(), tzinfo=UTC) + draw(st.integers(-2000, 1500)) * MINUTE
    end = start + 4 * 1440 * MINUTE

    @lru_cache
    def hours_on(day: date) -> Hours:
        ruling = [version for version in versions if version.effective_on <= day] or [versions[0]]
        definition = max(ruling, key=lambda version: version.number).definition
        return definition.days[day].hours if day in definition.days else definition.week[day.weekday()]

    return made, start, model(zone, hours_on, start, end), end


@settings(max_examples=60, deadline=None)
@given(scenes(), st.integers(0, 5760), st.integers(0, 59_999_999), st.integers(0, 59_999_999))
def test_it_counts_as_the_model_that_looks_every_minute(
    scene: tuple[Calendar, datetime, list[datetime], datetime], length: int, early: int, late: int
) -> None:
    made, start, minutes, _ = scene
    end = start + length * MINUTE
    opened = [minute for minute in minutes if minute < end]
    assert rules.working_time(made, start, end) == len(opened) * MINUTE
    # Not on whole minutes: the parts of the first and of the last one, to the microsecond.
    since, until = start + timedelta(microseconds=early), end + timedelta(microseconds=late)
    exact = sum(
        (max(timedelta(), min(until, minute + MINUTE) - max(since, minute)) for minute in minutes if minute < until), timedelta()
    )
    if length < 5760:
        assert rules.working_time(made, since, until) == exact
    spans = rules.open_spans(made, start, end)
    assert sum((close - begin for begin, close in spans), timedelta()) == len(opened) * MINUTE
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(begin < close for begin, close in spans)
    in_minutes = set(minutes)
    assert all(begin in in_minutes and (close == end or close not in in_minutes) for begin, close in spans)


@settings(max_examples=60, deadline=None)
@given(scenes(), st.integers(0, 3000))
def test_due_is_the_first_instant_at_which_the_time_is_used_up(
    scene: tuple[Calendar, datetime, list[datetime], datetime], amount: int
) -> None:
    made, start, minutes, _ = scene
    if amount == 0:
        assert rules.add_working_time(made, start, timedelta()) == start
    elif amount <= len(minutes):
        assert rules.add_working_time(made, start, amount * MINUTE) == minutes[amount - 1] + MINUTE
        assert rules.add_working_time(made, start, amount * MINUTE - timedelta(microseconds=1)) == minutes[
            amount - 1
        ] + MINUTE - timedelta(microseconds=1)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_next_open_and_next_close_are_the_models(scene: tuple[Calendar, datetime, list[datetime], datetime]) -> None:
    made, start, minutes, end = scene
    opened = set(minutes)
    if minutes:
        assert rules.next_open(made, start) == minutes[0]
    closed = (start + n * MINUTE for n in range(5760) if start + n * MINUTE not in opened)
    first = next(closed, None)
    if first is not None:
        assert rules.next_close(made, start) == first
    assert rules.is_open(made, start) == (start in opened)
    assert rules.is_open(made, end - MINUTE) == (end - MINUTE in opened)
    if minutes:
        after = minutes[-1] + MINUTE
        assert rules.is_open(made, after - timedelta(microseconds=1))
        assert after == end or not rules.is_open(made, after)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([zone for zone, _ in CHANGES]),
    # an hour a week, or 80 days of work would be further away than any answer (that is a test of its own)
    st.lists(hours_strategy(), min_size=7, max_size=7).filter(lambda week: _minutes(week) >= 60),
    st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(), timedelta(days=40)),
    st.timedeltas(timedelta(), timedelta(days=40)),
)
def test_counting_and_solving_agree_over_decades(
    zone: str, week: list[Hours], start: datetime, first: timedelta, second: timedelta
) -> None:
    made = calendar(zone, *week)
    due = rules.add_working_time(made, start, first)
    assert rules.working_time(made, start, due) == first
    assert not first or rules.working_time(made, start, due - timedelta(microseconds=1)) == first - timedelta(microseconds=1)
    assert rules.add_working_time(made, due, second) == rules.add_working_time(made, start, first + second) or not second
    assert rules.working_time(made, start, due + second) == first + rules.working_time(made, due, due + second)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([zone for zone, _ in CHANGES]),
    st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1)),
    st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1)),
)
def test_a_later_local_time_never_comes_earlier(zone: str, one: datetime, other: datetime) -> None:
    first, second = (
        rules.at_local(
            zone, local.date(), local.hour * 60 + local.minute, microsecond=local.second * 1_000_000 + local.microsecond
        )
        for local in sorted((one, other))
    )
    assert first <= second
    assert rules.local_time(ZoneInfo(zone), first) >= min(one, other)


def test_a_local_time_that_does_not_exist_rolls_forward_and_of_two_the_first_counts() -> None:
    assert rules.at_local("Europe/Paris", date(2026, 3, 29), 150) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert rules.at_local("Europe/Paris", date(2026, 10, 25), 150) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert rules.at_local("Australia/Lord_Howe", date(2026, 10, 4), 135) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert rules.at_local("America/Sao_Paulo", date(2018, 11, 4)) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert rules.at_local("Pacific/Apia", date(2011, 12, 30), 600) == rules.at_local("Pacific/Apia", date(2011, 12, 31))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", date(2026, 3, 29), 23),
        ("Europe/Paris", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Havana", date(2026, 3, 8), 23),
        ("America/Havana", date(2026, 11, 1), 25),
        ("Africa/Cairo", date(2024, 4, 26), 23),
        ("Africa/Cairo", date(2024, 10, 31), 25),
        ("Asia/Beirut", date(2025, 3, 30), 23),
        ("America/Santiago", date(2025, 4, 5), 25),
        ("America/Santiago", date(2025, 9, 7), 23),
        ("America/Nuuk", date(2025, 3, 29), 23),
        ("America/Nuuk", date(2025, 10, 25), 25),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("UTC", date(2024, 2, 29), 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_of_the_place_make_it(zone: str, day: date, hours: float) -> None:
    always = calendar(zone, *[ALL_DAY] * 7)
    start, end = rules.at_local(zone, day), rules.at_local(zone, day + timedelta(days=1))
    assert rules.working_time(always, start, end) == hours * HOUR
    only = Calendar(zone, (Version(1, day, Definition.checked([()] * 6 + [ALL_DAY], {day: Day("Open", ALL_DAY)})),))
    if day.weekday() != 6:
        around = rules.working_time(only, start - 20 * HOUR, end + 20 * HOUR)
        assert around >= hours * HOUR


def test_friday_17_30_and_two_hours() -> None:
    made = weekdays(((540, 1080),))
    assert rules.add_working_time(made, at("Europe/Zurich", "2026-03-27 17:30"), 2 * HOUR) == at(
        "Europe/Zurich", "2026-03-30 10:30"
    )


def test_due_is_the_end_of_the_day_not_the_next_morning() -> None:
    made = weekdays(OFFICE)
    assert rules.add_working_time(made, at("Europe/Zurich", "2026-03-27 09:00"), 8 * HOUR) == at(
        "Europe/Zurich", "2026-03-27 17:00"
    )
    over = rules.add_working_time(made, at("Europe/Zurich", "2026-03-27 09:00"), 8 * HOUR + timedelta(microseconds=1))
    assert over == at("Europe/Zurich", "2026-03-30 09:00:00.000001")


def test_eight_working_hours_after_friday_16_with_lunch() -> None:
    made = weekdays(LUNCH)
    assert rules.add_working_time(made, at("Europe/Zurich", "2026-03-27 16:00"), 8 * HOUR) == at(
        "Europe/Zurich", "2026-03-30 16:00"
    )
    assert not rules.is_open(made, at("Europe/Zurich", "2026-03-30 12:00"))
    assert rules.is_open(made, at("Europe/Zurich", "2026-03-30 11:59:59.999999"))
    assert rules.next_open(made, at("Europe/Zurich", "2026-03-30 12:00")) == at("Europe/Zurich", "2026-03-30 13:00")
    assert rules.next_close(made, at("Europe/Zurich", "2026-03-30 13:00")) == at("Europe/Zurich", "2026-03-30 17:30")


def test_opened_on_a_holiday_over_the_end_of_a_year() -> None:
    made = weekdays(OFFICE, days={date(2026, 1, 1): Day("New Year"), date(2025, 12, 31): Day("New Year's Eve", ((540, 720),))})
    assert rules.add_working_time(made, at("Europe/Zurich", "2025-12-31 11:00"), 2 * HOUR) == at(
        "Europe/Zurich", "2026-01-02 10:00"
    )
    assert rules.add_working_time(made, at("Europe/Zurich", "2026-01-01 11:00"), 2 * HOUR) == at(
        "Europe/Zurich", "2026-01-02 11:00"
    )
    assert not rules.is_working_day(made, date(2026, 1, 1))
    assert rules.is_working_day(made, date(2025, 12, 31))


def test_only_tuesday_is_open() -> None:
    made = calendar("Europe/Zurich", (), OFFICE, (), (), (), (), ())
    assert rules.add_working_time(made, at("Europe/Zurich", "2026-03-27 16:00"), 9 * HOUR) == at(
        "Europe/Zurich", "2026-04-07 10:00"
    )


def test_a_night_shift_counts_over_midnight() -> None:
    made = calendar("Europe/Zurich", *[((0, 360), (1320, 1440))] * 7)
    start = at("Europe/Zurich", "2026-03-25 21:00")
    assert rules.add_working_time(made, start, 8 * HOUR) == at("Europe/Zurich", "2026-03-26 06:00")
    assert rules.open_spans(made, start, start + timedelta(days=1)) == [
        (at("Europe/Zurich", "2026-03-25 22:00"), at("Europe/Zurich", "2026-03-26 06:00"))
    ]
    # The night in which the clocks go forward has an hour less.
    assert (
        rules.add_working_time(made, at("Europe/Zurich", "2026-03-28 22:00"), 8 * HOUR)
        == at("Europe/Zurich", "2026-03-29 22:00") + HOUR
    )


def test_around_the_clock_never_closes_and_is_wall_time() -> None:
    start = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert rules.add_working_time(ALWAYS, start, timedelta(days=400)) == start + timedelta(days=400)
    assert rules.next_open(ALWAYS, start) == start
    with pytest.raises(rules.NeverCloses):
        rules.next_close(ALWAYS, start)


def test_a_version_rules_from_its_day_on() -> None:
    first = Version(1, date(2026, 1, 1), Definition.checked([OFFICE] * 5 + [(), ()]))
    second = Version(2, date(2026, 3, 30), Definition.checked([((600, 720),)] * 5 + [(), ()]))
    made = Calendar("Europe/Zurich", (first, second))
    start = at("Europe/Zurich", "2026-03-27 16:00")
    assert rules.add_working_time(made, start, 3 * HOUR) == at("Europe/Zurich", "2026-03-30 12:00")
    assert rules.add_working_time(made.upto(1), start, 3 * HOUR) == at("Europe/Zurich", "2026-03-30 11:00")
    assert made.number == 2
    assert made.upto(1).number == 1
    assert made.version_on(date(2020, 1, 1)) is first
    assert made.version_on(date(2026, 3, 29)) is first
    assert made.version_on(date(2026, 3, 30)) is second


def test_a_later_version_that_begins_earlier_outweighs_all_before_it() -> None:
    first = Version(1, date(2026, 6, 1), Definition.checked([OFFICE] * 7))
    second = Version(2, date(2026, 3, 1), Definition.checked([((600, 720),)] * 7))
    made = Calendar("UTC", (first, second))
    assert made.version_on(date(2026, 2, 1)) is first
    assert made.version_on(date(2026, 6, 2)) is second


def test_the_same_hours_in_another_zone() -> None:
    made = weekdays(OFFICE)
    assert rules.next_open(made.in_zone("America/New_York"), at("UTC", "2026-03-27 12:00")) == at(
        "America/New_York", "2026-03-27 09:00"
    )
    assert made.in_zone("America/New_York") is made.in_zone("America/New_York")
    assert made.in_zone("Europe/Zurich") is made


def test_a_target_that_no_instant_can_meet() -> None:
    once = Version(1, date(2020, 1, 1), Definition.checked([()] * 6 + [((0, 1),)]))
    with pytest.raises(rules.NeverOpen, match="50 years"):
        rules.add_working_time(Calendar("UTC", (once,)), at("UTC", "2026-01-01"), 24 * 60 * HOUR)
    closed = Calendar("UTC", (Version(1, date(2020, 1, 1), Definition(((),) * 7)),))
    with pytest.raises(rules.NeverOpen):
        rules.next_open(closed, at("UTC", "2026-01-01"))
    with pytest.raises(rules.NeverOpen):
        rules.add_working_time(closed, at("UTC", "2026-01-01"), HOUR)
    with pytest.raises(rules.NeverOpen):
        rules.add_days(closed, at("UTC", "2026-01-01"), 1, zone="UTC")
    assert rules.next_close(closed, at("UTC", "2026-01-01")) == at("UTC", "2026-01-01")


@pytest.mark.parametrize("year", [1890, 1900, 2199, 2300])
def test_too_far_away_is_said(year: int) -> None:
    with pytest.raises(rules.NeverOpen.__bases__[0], match="1901 to 2198"):
        rules.add_working_time(ALWAYS, datetime(year, 6, 1, tzinfo=UTC), HOUR)


def test_the_ends_of_the_known_years_can_be_counted_in() -> None:
    made = calendar("Pacific/Kiritimati", *[OFFICE] * 7)
    assert rules.working_time(made, datetime(1901, 1, 1, tzinfo=UTC), datetime(2198, 12, 31, tzinfo=UTC)) > timedelta(days=30_000)
    with pytest.raises(rules.NeverOpen):
        rules.add_working_time(made, datetime(2198, 12, 30, tzinfo=UTC), timedelta(days=300))
