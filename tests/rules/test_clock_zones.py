"""Clocks in zones whose clocks are put forward and back: by an hour, by half an hour, at midnight, by a whole day."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from tests.support.tales import Tale, agreed, calendar, hours, target

ALL_DAY = ((0, 1440),)
NIGHT = ((0, 360),)  # 00:00 to 06:00, the hours in which clocks are changed
DAILY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: zone, the day whose clocks change, how many hours that day has
CHANGES = [
    ("Europe/Paris", "2026-03-29", 23),
    ("Europe/Paris", "2026-10-25", 25),
    ("America/Sao_Paulo", "2018-11-04", 23),
    ("America/Sao_Paulo", "2018-02-17", 25),
    ("Australia/Lord_Howe", "2026-10-04", 23.5),
    ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ("Africa/Cairo", "2024-04-26", 23),
    ("Africa/Cairo", "2024-10-31", 25),
    ("Asia/Beirut", "2025-03-30", 23),
    ("Asia/Beirut", "2025-10-25", 25),
    ("America/Havana", "2026-03-08", 23),
    ("America/Havana", "2026-11-01", 25),
    ("America/Santiago", "2025-09-07", 23),
    ("America/Santiago", "2025-04-05", 25),
    ("America/Nuuk", "2025-03-29", 23),
    ("America/Nuuk", "2025-10-25", 25),
    ("America/New_York", "2026-03-08", 23),
    ("America/New_York", "2026-11-01", 25),
    ("Europe/Zurich", "2026-03-29", 23),
]
IDS = [f"{zone} {day}" for zone, day, _ in CHANGES]


@pytest.mark.parametrize(("zone", "day", "length"), CHANGES, ids=IDS)
def test_elapsed_time_is_time_that_passed(zone: str, day: str, length: float) -> None:
    """30 h around the clock are 30 h, whatever the clocks on the walls show then."""
    book = agreed(target("resolution", "30 h"), zone=zone, calendars={"office": calendar(ALL_DAY, *DAILY, zone=zone)})
    tale = Tale(f"{day} 12:00", zone=zone)
    clock = tale.clock(book)
    assert clock.due_at is not None
    assert clock.due_at.astimezone(UTC) - clock.started_at == hours(30)


@pytest.mark.parametrize(("zone", "day", "length"), CHANGES, ids=IDS)
def test_the_day_has_the_hours_it_has(zone: str, day: str, length: float) -> None:
    book = agreed(target("resolution", "999 h"), zone=zone, calendars={"office": calendar(ALL_DAY, *DAILY, zone=zone)})
    began = Tale(f"{day} 00:00", zone=zone)
    end = Tale(f"{date.fromisoformat(day) + timedelta(days=1)} 00:00", zone=zone).opened_at
    assert began.clock(book, now=end).working == hours(length)


@pytest.mark.parametrize(("zone", "day", "length"), CHANGES, ids=IDS)
def test_a_calendar_day_later_is_the_same_time_of_day(zone: str, day: str, length: float) -> None:
    book = agreed(target("resolution", "2 calendar days"), zone=zone)
    due = Tale(f"{day} 12:00", zone=zone).due(book)
    assert due[4:] == f"{date.fromisoformat(day) + timedelta(days=2)} 12:00"


@pytest.mark.parametrize(("zone", "day", "length"), CHANGES, ids=IDS)
def test_what_is_left_after_the_night_is_what_was_left_before(zone: str, day: str, length: float) -> None:
    """Open at night only; the night of the change is as long as it is, and the pause in it too."""
    book = agreed(
        target("resolution", "20 h", pauses=["requester"]),
        zone=zone,
        calendars={"office": calendar(NIGHT, *DAILY, zone=zone)},
    )
    tale = Tale(f"{day} 00:00", zone=zone)
    plain = tale.clock(book)
    waited = tale.waits(tale.opened_at + hours(1)).goes_on(tale.opened_at + hours(2)).clock(book)
    assert plain.due_at is not None
    assert waited.due_at is not None
    assert waited.due_at - plain.due_at == hours(1) or waited.due_at - plain.due_at > hours(18)
    assert waited.left == waited.target.within.budget - hours(1)


def test_friday_evening_over_the_night_in_which_paris_goes_forward() -> None:
    book = agreed(target("resolution", "2 h"), zone="Europe/Paris", calendars={"office": calendar(zone="Europe/Paris")})
    assert Tale("2026-03-27 16:30", zone="Europe/Paris").due(book) == "Mon 2026-03-30 10:30"
    assert Tale("2026-10-23 16:30", zone="Europe/Paris").due(book) == "Mon 2026-10-26 10:30"


def test_the_midnight_that_sao_paulo_left_out() -> None:
    zone = "America/Sao_Paulo"
    book = agreed(target("resolution", "1 calendar days"), zone=zone)
    assert Tale("2018-11-03 00:00", zone=zone).due(book) == "Sun 2018-11-04 01:00"
    assert Tale("2018-11-03 00:30", zone=zone).due(book) == "Sun 2018-11-04 01:00"
    assert Tale("2018-11-03 01:00", zone=zone).due(book) == "Sun 2018-11-04 01:00"


def test_half_an_hour_on_lord_howe() -> None:
    zone = "Australia/Lord_Howe"
    book = agreed(target("resolution", "4 h"), zone=zone, calendars={"office": calendar(NIGHT, *DAILY, zone=zone)})
    assert Tale("2026-10-04 00:00", zone=zone).due(book) == "Sun 2026-10-04 04:30"
    assert Tale("2026-04-05 00:00", zone=zone).due(book) == "Sun 2026-04-05 03:30"


def test_working_days_over_a_change_keep_the_time_of_day() -> None:
    zone = "America/New_York"
    book = agreed(target("resolution", "2 working days"), zone=zone)
    assert Tale("2026-03-06 14:00", zone=zone).due(book) == "Tue 2026-03-10 14:00"
    assert Tale("2026-10-30 14:00", zone=zone).due(book) == "Tue 2026-11-03 14:00"


def test_the_day_that_samoa_left_out_is_no_day() -> None:
    zone = "Pacific/Apia"
    book = agreed(target("resolution", "1 calendar days"), target("first_response", "4 h"), zone=zone)
    assert Tale("2011-12-29 16:00", zone=zone).due(book) == "Sat 2011-12-31 00:00"  # the 30th never was: it rolls forward
    assert Tale("2011-12-29 16:00", zone=zone).due(book, "first_response") == "Mon 2012-01-02 12:00"
