"""How an answer came about, line by line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from allswell.calendars import rules
from allswell.calendars.rules import Calendar, Day, DayKind, Definition, Version

OFFICE = rules.parse_hours("08:30-12:00, 13:00-17:30", field="x")
DAYS = {
    date(2026, 4, 3): Day("Good Friday"),
    date(2026, 4, 6): Day("Easter Monday"),
    date(2026, 4, 2): Day("Maundy Thursday", ((510, 720),)),
    date(2026, 4, 11): Day("Open Saturday", OFFICE),
    date(2026, 4, 12): Day("Named Sunday"),
}
CALENDAR = Calendar("Europe/Zurich", (Version(1, date(2020, 1, 1), Definition.checked([OFFICE] * 5 + [(), ()], DAYS)),))


def test_eight_hours_over_easter_are_told_day_by_day() -> None:
    start = rules.at_local("Europe/Zurich", date(2026, 4, 2), 11 * 60)
    due = rules.add_working_time(CALENDAR, start, timedelta(hours=8))
    told = [(line.on.day, line.kind, line.name, line.counted, line.total) for line in rules.lines(CALENDAR, start, due)]
    hour = timedelta(hours=1)
    assert told == [
        (2, DayKind.SHORT, "Maundy Thursday", hour, hour),
        (3, DayKind.HOLIDAY, "Good Friday", 0 * hour, hour),
        (4, DayKind.CLOSED, "", 0 * hour, hour),
        (5, DayKind.CLOSED, "", 0 * hour, hour),
        (6, DayKind.HOLIDAY, "Easter Monday", 0 * hour, hour),
        (7, DayKind.OPEN, "", 7 * hour, 8 * hour),
    ]


def test_what_a_day_is() -> None:
    assert rules.kind_of(CALENDAR, date(2026, 4, 11)) == (DayKind.EXTRA, "Open Saturday", OFFICE)
    assert rules.kind_of(CALENDAR, date(2026, 4, 12)) == (DayKind.HOLIDAY, "Named Sunday", ())
    assert rules.kind_of(CALENDAR, date(2026, 4, 8)) == (DayKind.OPEN, "", OFFICE)


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(), timedelta(days=900)),
)
def test_the_lines_add_up_and_stay_few(start: datetime, length: timedelta) -> None:
    end = start + length
    told = list(rules.lines(CALENDAR, start, end))
    assert len(told) <= 40
    assert told[-1].total == sum((line.counted for line in told), timedelta()) == rules.working_time(CALENDAR, start, end)
    assert all(
        line.counted == sum((close - begin for begin, close in line.spans), timedelta()) for line in told if line.on == line.until
    )
