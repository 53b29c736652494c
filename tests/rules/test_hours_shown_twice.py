"""The hour the clocks show twice: what is shown says which of the two it is, and no other hour is burdened with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from allswell.kernel.instants import clock_at
from allswell.notifications.instants import span, when
from allswell.web import show

ZURICH = ZoneInfo("Europe/Zurich")
FIRST, SECOND = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_clock_says_which_of_the_two_it_is() -> None:
    shown = [clock_at((FIRST + timedelta(minutes=30 * n)).astimezone(ZURICH)) for n in range(-2, 5)]
    assert shown == ["01:30", "02:00 CEST", "02:30 CEST", "02:00 CET", "02:30 CET", "03:00", "03:30"]
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert [clock_at((spring + timedelta(minutes=30 * n)).astimezone(ZURICH)) for n in range(3)] == ["01:30", "03:00", "03:30"]


@pytest.mark.parametrize(
    ("zone", "at", "shown"),
    [
        ("Australia/Lord_Howe", "2026-04-04T14:45:00+00:00", "01:45 +11"),  # half an hour
        ("Australia/Lord_Howe", "2026-04-04T15:15:00+00:00", "01:45 +1030"),
        ("America/New_York", "2026-11-01T06:15:00+00:00", "01:15 EST"),
        ("Asia/Tokyo", "2026-10-25T00:30:00+00:00", "09:30"),
        ("UTC", "2026-10-25T00:30:00+00:00", "00:30"),
    ],
)
def test_wherever_clocks_are_set_back(zone: str, at: str, shown: str) -> None:
    assert clock_at(datetime.fromisoformat(at).astimezone(ZoneInfo(zone))) == shown


def test_messages_say_it() -> None:
    assert when(FIRST, locale="en", zone="Europe/Zurich") == "25 Oct 2026, 02:30 CEST (Europe/Zurich)"
    assert when(SECOND, locale="de", zone="Europe/Zurich").endswith("2026, 02:30 CET (Europe/Zurich)")
    assert when(SECOND + timedelta(hours=1), locale="en", zone="Europe/Zurich") == "25 Oct 2026, 03:30 (Europe/Zurich)"
    said = span(FIRST.isoformat(), SECOND.isoformat(), locale="en", zone="Europe/Zurich")
    assert said == "25 Oct 2026, 02:30 CEST – 25 Oct 2026, 02:30 CET (Europe/Zurich)"


def test_pages_say_it() -> None:
    with timezone.override(ZURICH):
        for now, first, second in (
            (SECOND, "02:30 CEST", "02:30 CET"),
            (SECOND + timedelta(days=1), "yesterday 02:30 CEST", "yesterday 02:30 CET"),
        ):
            show.set_now(now)
            assert (show.clock_text(FIRST), show.clock_text(SECOND)) == (first, second)
            assert ">" + first + "<" in show.when(FIRST)
        show.set_now(None)
