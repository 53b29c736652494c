"""What is typed into a calendar: read as people write it, and refused with a sentence that says what is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.calendars import rules
from allswell.calendars.rules import Day, Definition, Hours
from allswell.kernel.errors import Invalid

OFFICE: Hours = ((510, 720), (780, 1020))


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ("", ()),
        ("8:30-12:00, 13:00-17:00", OFFICE),
        ("08.30 – 12.00; 13.00 — 17.00", OFFICE),
        ("13:00–17:00\n8:30-12:00", OFFICE),
        ("08:30-12:00 13:00-17:00", OFFICE),
        ("00:00-24:00", ((0, 1440),)),
        ("09:00-12:00, 12:00-13:00", ((540, 720), (720, 780))),
    ],
)
def test_hours_are_read_as_people_write_them(said: str, hours: Hours) -> None:
    assert rules.parse_hours(said, field="monday") == hours


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("9-12", "9 is no time of day"),
        ("09:00", "is no period"),
        ("09:00-12:00-13:00", "is no period"),
        ("09:60-12:00", "09:60 is no time of day"),
        ("24:01-24:10", "24:01 is no time of day"),
        ("09:00-25:00", "25:00 is no time of day"),
        ("22:00-06:00", "ends before it begins"),
        ("12:00-12:00", "ends before it begins"),
        ("09:00-12:00, 11:00-17:00", "09:00–12:00 and 11:00–17:00 overlap"),
        ("٠٩:٠٠-١٢:٠٠", "is no"),
        ("09:00-12:00" + " " * 100_000 + "x", "at most 600 characters"),
        (",".join(f"{n // 2:02}:{n % 2 * 30:02}-{n // 2:02}:{n % 2 * 30 + 10:02}" for n in range(30)), "at most 24 periods"),
    ],
)
def test_hours_that_make_no_sense_are_refused_in_words(said: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        rules.parse_hours(said, field="monday")
    assert refused.value.field == "monday"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "week"),
        ({"week": [[]] * 7}, "week"),
        ({"week": [["09:00-12:00"]] * 6}, "week"),
        ({"week": [["09:00-12:00"]] * 7, "days": []}, "week"),
        ({"week": [["09:00-12:00"], "09:00-12:00", [], [], [], [], []]}, "tuesday"),
        ({"week": [[], [], [["09:00-12:00"]], [], [], [], []]}, "wednesday"),
        ({"week": [["09:00-12:00"]] * 7, "days": {"2026-02-29": {"name": "No such day"}}}, "days"),
        ({"week": [["09:00-12:00"]] * 7, "days": {"2026-02-28": {"name": ""}}}, "days"),
        ({"week": [["09:00-12:00"]] * 7, "days": {"2026-02-28": {"hours": []}}}, "days"),
        ({"week": [["09:00-12:00"]] * 7, "days": {"2026-02-28": {"name": "X", "hours": ["12:00-09:00"]}}}, "days"),
        ({"week": [["09:00-12:00"]] * 7, "days": {"2026-02-28": {"name": "X" * 121}}}, "days"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(raw: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Definition.parse(raw)
    assert refused.value.field == field


@given(
    st.lists(
        st.lists(st.integers(0, 1440), max_size=8, unique=True).map(
            lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
        ),
        min_size=7,
        max_size=7,
    ).filter(any),
    st.dates(date(1970, 1, 1), date(2100, 1, 1)),
)
def test_what_is_stored_reads_back_the_same(week: list[Hours], day: date) -> None:
    made = Definition.checked(week, {day: Day("Half day", ((480, 720),))})
    again = Definition.parse(made.as_json())
    assert again.week == made.week
    assert again.days == made.days
    assert all(rules.parse_hours(rules.show_hours(hours), field="x") == hours for hours in made.week)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "../../etc/passwd",
        "Europe",
        "x" * 400,
        "Europe/Zürich",
        "\x00",
        "localtime",
        "right/UTC",
        "posix/Europe/Paris",
    ],
)
def test_an_unknown_zone_is_said(name: str) -> None:
    with pytest.raises(Invalid, match="There is no time zone") as refused:
        rules.zone_named(name)
    assert refused.value.field == "zone"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("2026-12-24 09:00-12:00 Christmas Eve", {"2026-12-24": Day("Christmas Eve", ((540, 720),))}),
        ("2026-12-24: 09:00–12:00, 13:00–14:00, Christmas Eve", {"2026-12-24": Day("Christmas Eve", ((540, 720), (780, 840)))}),
        ("12-31 Stock-taking", {"12-31": Day("Stock-taking")}),
        ("02-29 Leap day", {"02-29": Day("Leap day")}),
        ("2026-07-30..2026-08-01 Break", {f"2026-{key}": Day("Break") for key in ("07-30", "07-31", "08-01")}),
        ("2026-07-30 - 2026-07-31 Break", {f"2026-{key}": Day("Break") for key in ("07-30", "07-31")}),
        (
            "2026-07-30 bis 2026-07-31 08:00-10:00 Ferien",
            {f"2026-{key}": Day("Ferien", ((480, 600),)) for key in ("07-30", "07-31")},
        ),
        ("# a word\n\n  2026-05-01   1. Mai ", {"2026-05-01": Day("1. Mai")}),
        ("2026-05-01 24 hours of nothing", {"2026-05-01": Day("24 hours of nothing")}),
    ],
)
def test_own_days_are_read_as_people_write_them(line: str, found: dict[str, Day]) -> None:
    assert rules.parse_own(line) == found
    assert rules.parse_own(rules.show_own(found)) == found
    assert rules.own_from_json(rules.own_as_json(found)) == found


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Christmas", "begins with no date"),
        ("24.12.2026 Christmas Eve", "begins with no date"),
        ("2026-12-25", "has no name"),
        ("2026-02-29 Leap day", "2026-02-29 is no date"),
        ("02-30 Never", "02-30 is no date"),
        ("0001-01-01 Long ago", "is no date"),
        ("2026-12-24 12:00-09:00 Backwards", "ends before it begins"),
        ("2026-12-24..2026-12-20 Backwards", "ends after it begins"),
        ("2026-12-24..2028-12-20 Long", "within a year"),
        ("12-24..12-31 Break", "needs the year"),
        ("2026-12-24 " + "x" * 121, "at most 120"),
        ("2026-12-24 09:00-12:00" + " " * 100_000, "at most 1000 characters"),
        ("12-24 x\n" * 5_001, "at most 5000 days"),
    ],
)
def test_own_days_that_make_no_sense_are_refused_in_words(line: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        rules.parse_own(line)
    assert refused.value.field == "days"


def test_days_of_every_year_become_dates_and_a_date_outweighs_them() -> None:
    own = {"12-24": Day("Eve"), "2026-12-24": Day("Open late", ((540, 1200),)), "02-29": Day("Leap day")}
    found = rules.spread(own, range(2024, 2027))
    assert found[date(2025, 12, 24)] == Day("Eve")
    assert found[date(2026, 12, 24)] == Day("Open late", ((540, 1200),))
    assert [on for on in found if (on.month, on.day) == (2, 29)] == [date(2024, 2, 29)]


def test_what_changed_between_two_versions() -> None:
    before = Definition.checked([OFFICE] * 5 + [(), ()], {date(2026, 5, 1): Day("May Day"), date(2026, 5, 2): Day("Old")})
    after = Definition.checked([OFFICE] * 6 + [()], {date(2026, 5, 1): Day("May Day"), date(2026, 5, 3): Day("New")})
    week, days = rules.changes(before, after)
    assert week == [("saturday", (), OFFICE)]
    assert days == [(date(2026, 5, 2), Day("Old"), None), (date(2026, 5, 3), None, Day("New"))]
    assert rules.changes(before, before) == ([], [])
