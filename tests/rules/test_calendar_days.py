"""Promises in working days and in calendar days: by the clock on the wall, against a model that walks day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from allswell.calendars import rules
from allswell.calendars.rules import Calendar, Day, Definition, Hours, OffDay, Version
from allswell.kernel.errors import Invalid

BOSTON = "America/New_York"
OFFICE: Hours = ((510, 1020),)
ONE = timedelta(days=1)


def city(zone: str = BOSTON, days: dict[date, Day] | None = None) -> Calendar:
    return Calendar(zone, (Version(1, date(1990, 1, 1), Definition.checked([OFFICE] * 5 + [(), ()], days)),))


def boston(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(BOSTON)).astimezone(UTC)


def promised(said: str, days: int, **more: Any) -> datetime:
    return rules.add_days(city(), boston(said), days, zone=BOSTON, cutoff=1020, opening=510, **more)


# 2012-03-09 is a Friday; the clocks went forward on Sunday the 11th.
@pytest.mark.parametrize(
    ("opened", "days", "due"),
    [
        ("2012-03-07 10:15:20", 1, "2012-03-08 10:15:20"),
        ("2012-03-09 10:15:20", 1, "2012-03-12 10:15:20"),
        ("2012-03-09 16:59:59", 2, "2012-03-13 16:59:59"),
        ("2012-03-09 17:00:00", 1, "2012-03-13 08:30:00"),
        ("2012-03-10 11:00:00", 1, "2012-03-13 11:00:00"),
        ("2012-03-10 18:00:00", 1, "2012-03-14 08:30:00"),
        ("2012-03-11 03:30:00", 1, "2012-03-13 03:30:00"),
        ("2012-03-12 05:00:00", 5, "2012-03-19 05:00:00"),
        ("2012-12-31 12:00:00", 1, "2013-01-01 12:00:00"),
        ("2012-02-28 12:00:00", 1, "2012-02-29 12:00:00"),
        ("2012-02-28 12:00:00", 0, "2012-02-28 12:00:00"),
    ],
)
def test_working_days_with_a_cutoff(opened: str, days: int, due: str) -> None:
    assert promised(opened, days) == boston(due)


def test_calendar_days_are_days_of_the_place() -> None:
    start = boston("2012-03-10 10:00")
    assert rules.add_days(None, start, 1, zone=BOSTON) == boston("2012-03-11 10:00")
    assert rules.add_days(None, start, 1, zone="UTC") == boston("2012-03-11 11:00")
    # 02:30 does not exist on the 11th, and exists twice in November.
    assert rules.add_days(None, boston("2012-03-10 02:30"), 1, zone=BOSTON) == boston("2012-03-11 03:00")
    assert rules.add_days(None, boston("2012-11-03 01:30"), 1, zone=BOSTON) == boston("2012-11-04 01:30")
    assert rules.add_days(None, boston("2012-02-29 12:00"), 365, zone=BOSTON) == boston("2013-02-28 12:00")


def test_a_day_off_can_move_to_the_opening() -> None:
    assert promised("2012-03-10 11:00", 1, off_day="opening") == boston("2012-03-13 08:30")
    own = rules.add_days(city(), boston("2012-03-10 11:00"), 1, zone=BOSTON, off_day="opening")
    assert own == boston("2012-03-13 08:30")
    assert rules.add_days(None, boston("2012-03-10 18:00"), 1, zone=BOSTON, cutoff=1020) == boston("2012-03-12 00:00")


def test_a_pause_over_a_weekend_takes_working_days_only() -> None:
    # From Friday 12:00 until Monday 12:00 one working day passes.
    paused = [(boston("2012-03-09 12:00"), boston("2012-03-12 12:00"))]
    assert promised("2012-03-08 10:00", 3, pauses=paused) == boston("2012-03-14 10:00")
    whole_weekend = [(boston("2012-03-10 00:00"), boston("2012-03-12 00:00"))]
    assert promised("2012-03-08 10:00", 3, pauses=whole_weekend) == boston("2012-03-13 10:00")
    an_hour = [(boston("2012-03-08 12:00"), boston("2012-03-08 13:00"))]
    assert promised("2012-03-08 10:00", 3, pauses=an_hour) == boston("2012-03-13 11:00")
    two_that_overlap = [*an_hour, (boston("2012-03-08 12:30"), boston("2012-03-08 13:30"))]
    assert promised("2012-03-08 10:00", 3, pauses=two_that_overlap) == boston("2012-03-13 11:30")


def test_a_pause_before_the_count_begins_or_after_it_is_due_moves_nothing() -> None:
    before = [(boston("2012-03-09 18:00"), boston("2012-03-12 08:00"))]
    assert promised("2012-03-09 17:30", 1, pauses=before) == boston("2012-03-13 08:30")
    after = [(boston("2012-03-13 08:30"), boston("2012-03-20 08:30"))]
    assert promised("2012-03-09 17:30", 1, pauses=after) == boston("2012-03-13 08:30")


def test_holidays_are_no_working_days() -> None:
    made = city(days={date(2012, 4, 16): Day("Patriots' Day"), date(2012, 4, 21): Day("Open Saturday", OFFICE)})
    assert rules.add_days(made, boston("2012-04-13 10:00"), 1, zone=BOSTON) == boston("2012-04-17 10:00")
    assert rules.add_days(made, boston("2012-04-16 10:00"), 1, zone=BOSTON) == boston("2012-04-18 10:00")
    assert rules.add_days(made, boston("2012-04-20 10:00"), 1, zone=BOSTON) == boston("2012-04-21 10:00")


def test_days_that_never_come_are_refused() -> None:
    with pytest.raises(rules.NeverOpen):
        promised("2012-03-09 10:00", 20_000)
    with pytest.raises(rules.NeverOpen):
        rules.add_days(None, boston("2012-03-09 10:00"), 20_000, zone=BOSTON)
    with pytest.raises(Invalid):
        promised("2012-03-09 10:00", -1)


@settings(max_examples=150, deadline=None)
@given(
    st.datetimes(datetime(1999, 1, 1), datetime(2031, 1, 1)),
    st.integers(0, 60),
    st.sampled_from(["same_time", "opening"]),
    st.one_of(st.none(), st.integers(0, 1440)),
    st.integers(0, 1439),
    st.sets(st.integers(0, 80), max_size=20),
    st.sampled_from(["Europe/Paris", "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "UTC"]),
)
def test_it_is_what_walking_day_by_day_gives(
    opened: datetime, days: int, off_day: OffDay, cutoff: int | None, opening: int, off: set[int], zone: str
) -> None:
    holidays = {(opened.date() + n * ONE): Day("Off") for n in off}
    made = city(zone, holidays)
    start = rules.at_local(zone, opened.date(), opened.hour * 60 + opened.minute, microsecond=opened.second * 1_000_000)
    skipped = date(2011, 12, 30) if zone == "Pacific/Apia" else None

    def works(day: date) -> bool:
        return day.weekday() < 5 and day not in holidays and day != skipped

    def following(day: date) -> date:
        day += ONE
        while not works(day):
            day += ONE
        return day

    local = rules.local_time(ZoneInfo(zone), start)
    opens = timedelta(minutes=opening)
    if not works(local.date()):
        day = following(local.date())
        local = datetime.combine(day, local.time()) if off_day == "same_time" else datetime.combine(day, time()) + opens
    if cutoff is not None and local.hour * 60 + local.minute >= cutoff:
        local = datetime.combine(following(local.date()), time()) + opens
    day = local.date()
    for _ in range(days):
        day = following(day)
    wall = local.time()
    due = rules.at_local(zone, day, wall.hour * 60 + wall.minute, microsecond=wall.second * 1_000_000 + wall.microsecond)
    assert rules.add_days(made, start, days, zone=zone, cutoff=cutoff, opening=opening, off_day=off_day) == due


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 14 * 1440),
    st.integers(0, 3),
    st.lists(st.tuples(st.integers(-500, 8000), st.integers(1, 5000)), max_size=4),
)
@example(7200, 1, [(2200, 5000)])  # used up at midnight before a weekend
def test_pauses_move_it_as_counting_every_half_minute_does(begin: int, days: int, stops: list[tuple[int, int]]) -> None:
    made = city("UTC", {date(2026, 3, 12): Day("Off")})
    start = datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC) + timedelta(minutes=begin)
    pauses = [(start + timedelta(minutes=since), start + timedelta(minutes=since + length)) for since, length in stops]
    due = rules.add_days(made, start, days, zone="UTC", pauses=pauses)
    # Every half minute of a working day that is not paused counts, from where the counting begins.
    half = timedelta(seconds=30)
    at = rules.days_begin(made, start, zone="UTC")
    left = days * 2880
    while left:
        if rules.is_working_day(made, at.date()) and not any(since <= at < until for since, until in pauses):
            left -= 1
        at += half
    # Used up with the last half minute before a day off, it is due when work begins again (midnight on Monday, not the night to
    # Saturday, as "the same time of day" asks), and what paused from before then still moves it.
    while days and (not rules.is_working_day(made, at.date()) or any(since < at < until for since, until in pauses)):
        at += half
    assert due == at
