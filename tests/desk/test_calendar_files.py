"""Days off out of iCalendar files: read with care, refused in words."""

from __future__ import annotations

from datetime import date

import pytest

from allswell.calendars.rules import Day
from allswell.desk import calendar_files
from allswell.desk.calendar_files import days_in
from allswell.kernel.errors import Invalid

FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)


def file(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//test//EN\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def event(uid: str, start: str, summary: str = "Day off", more: str = "") -> str:
    return f"UID:{uid}\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:{start}\nSUMMARY:{summary}\n{more}"


def read(*events: str) -> dict[str, Day]:
    return days_in(file(*events), first=FIRST, last=LAST).days


def test_whole_days_are_closed_days() -> None:
    assert read(event("a", "20261224", "Heiligabend"), event("b", "20261231")) == {
        "2026-12-24": Day("Heiligabend"),
        "2026-12-31": Day("Day off"),
    }


def test_an_event_of_several_days_is_each_of_them() -> None:
    assert list(read(event("a", "20260720", "Break", "DTEND;VALUE=DATE:20260723"))) == ["2026-07-20", "2026-07-21", "2026-07-22"]


def test_what_repeats_every_year_is_there_in_every_year() -> None:
    found = read(event("a", "20200501", "May Day", "RRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260501"))
    assert list(found) == ["2024-05-01", "2025-05-01", "2027-05-01", "2028-05-01"]


def test_the_fourth_thursday_of_november() -> None:
    found = read(event("a", "20241128", "Thanksgiving", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271231"))
    assert list(found) == ["2024-11-28", "2025-11-27", "2026-11-26", "2027-11-25"]


def test_hours_and_cancelled_events_are_passed_over() -> None:
    timed = "UID:t\nDTSTAMP:20260101T000000Z\nDTSTART:20261224T100000Z\nSUMMARY:Meeting"
    found = days_in(
        file(timed, event("c", "20261225", "Gone", "STATUS:CANCELLED"), event("d", "20261226")), first=FIRST, last=LAST
    )
    assert (list(found.days), found.passed_over) == (["2026-12-26"], 2)


def test_days_outside_are_left_out() -> None:
    assert read(event("a", "20231224"), event("b", "20290101")) == {}


def test_names_are_cleaned() -> None:
    assert read(event("a", "20261224", "  A\\nday\u202e " + "x" * 300))["2026-12-24"].name.startswith("A day xxx")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "not an iCalendar file"),
        (b"name,date\r\nChristmas,2026-12-25\r\n", "not an iCalendar file"),
        (b"\xff\xfe\x00", "not an iCalendar file"),
        (file(event("a", "20261399")), "not an iCalendar file"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (file(*[event(str(n), "20261224") for n in range(2001)]), "more than 2000 events"),
        (file(event("a", "20200101", "Each day", "RRULE:FREQ=DAILY")), "repeats every day or more often"),
        (file(event("a", "20200101", "Each second", "RRULE:FREQ=SECONDLY")), "repeats every day or more often"),
        (file(event("a", "20200101", "Long", "DTEND;VALUE=DATE:20250101")), "longer than a year"),
    ],
)
def test_what_cannot_be_read_is_said(raw: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        days_in(raw, first=FIRST, last=LAST)
    assert refused.value.field == "file"


def test_an_event_that_never_comes_does_not_take_for_ever() -> None:
    rules = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    try:
        found = read(*[event(str(n), "20240101", "Never", rules) for n in range(40)])
    except Invalid as refused:
        assert refused.field == "file"  # noqa: PT017 - either answer is right, a long wait is not
    else:
        assert set(found) <= {"2024-01-01"}


@pytest.mark.parametrize("part", ["BYHOUR=1,2", "BYMINUTE=0,1,2", "BYSECOND=0,1"])
def test_what_repeats_within_the_day_is_refused_before_it_is_counted(part: str) -> None:
    days = ",".join(map(str, range(1, 367)))
    with pytest.raises(Invalid, match="repeats every day or more often"):
        read(event("a", "20260101", more=f"RRULE:FREQ=YEARLY;BYYEARDAY={days};{part}"))


@pytest.mark.parametrize("end", ["DTEND;VALUE=DATE:20250101", "DURATION:-P3D"])
def test_an_end_before_the_beginning_closes_nothing(end: str) -> None:
    with pytest.raises(Invalid, match="ends before it begins"):
        read(event("a", "20260101", more=end))


def test_many_that_repeat_for_ages_and_come_to_no_day_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_files, "SECONDS", 0.0)
    ages = [event(f"{number}", "19000101", more="RRULE:FREQ=WEEKLY;UNTIL=20200101") for number in range(3)]
    with pytest.raises(Invalid, match="take too long") as refused:
        read(*ages)
    assert refused.value.field == "file"


# one of a series, as RFC 5545 says it: a component of its own with the same UID, and RECURRENCE-ID says in whose place it stands

FRIDAYS = event("f", "20261204", "Bridge day", "RRULE:FREQ=WEEKLY;COUNT=4")


def one_of_them(on: str, *more: str, start: str = "") -> str:
    return event("f", start or on, "Bridge day", "\n".join([f"RECURRENCE-ID;VALUE=DATE:{on}", *more]))


def test_one_of_a_series_that_was_cancelled_is_a_day_like_others_and_the_rest_stays() -> None:
    every = ["2026-12-04", "2026-12-11", "2026-12-18", "2026-12-25"]
    off = one_of_them("20261211", "STATUS:CANCELLED")
    assert list(read(FRIDAYS)) == every
    for order in ([FRIDAYS, off], [off, FRIDAYS]):
        assert list(read(*order)) == [every[0], *every[2:]]
    left_out = event("f", "20261204", "Bridge day", "RRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;VALUE=DATE:20261211,20261225")
    assert list(read(left_out)) == [every[0], every[2]]
    assert list(read(FRIDAYS, event("other", "20261211", "Fair"), off)) == every  # another event of that day is another event


def test_one_of_a_series_that_was_moved_or_given_hours_leaves_its_day() -> None:
    assert list(read(FRIDAYS, one_of_them("20261211", start="20261214"))) == [
        "2026-12-04",
        "2026-12-14",
        "2026-12-18",
        "2026-12-25",
    ]
    hours = "UID:f\nDTSTAMP:20260101T000000Z\nDTSTART:20261211T100000Z\nRECURRENCE-ID;VALUE=DATE:20261211\nSUMMARY:Only an hour"
    assert list(read(FRIDAYS, hours)) == ["2026-12-04", "2026-12-18", "2026-12-25"]


def test_a_whole_series_that_was_cancelled_comes_to_nothing_but_what_was_kept_of_it() -> None:
    gone = event("f", "20261204", "Bridge day", "RRULE:FREQ=WEEKLY;COUNT=4\nSTATUS:CANCELLED")
    assert read(gone) == {}
    assert list(read(gone, one_of_them("20261211", "STATUS:CONFIRMED"))) == ["2026-12-11"]


def test_the_later_word_about_one_of_a_series_counts() -> None:
    back = one_of_them("20261211", "SEQUENCE:3")
    off = one_of_them("20261211", "SEQUENCE:2", "STATUS:CANCELLED")
    assert list(read(FRIDAYS, back, off)) == list(read(FRIDAYS))
