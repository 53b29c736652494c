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


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "x" * 400, "Europe/Zürich", "\x00"])
def test_an_unknown_zone_is_said(name: str) -> None:
    with pytest.raises(Invalid, match="There is no time zone") as refused:
        rules.zone_named(name)
    assert refused.value.field == "zone"
