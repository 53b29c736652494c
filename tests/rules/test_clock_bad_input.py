"""Bad input: refused with a sentence that says what and why, or borne; nothing is lost, and no work is refused for a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.calendars.rules import Definition
from allswell.kernel.errors import Invalid
from allswell.sla.rules.shapes import PROBLEMS, ClockState
from allswell.sla.rules.solving import solve
from allswell.sla.rules.story import TELLING, Facts, Noted, story
from allswell.sla.rules.terms import Audience, Terms
from tests.support.tales import REQUESTER, Book, Tale, agreed, calendar, instant, local, target

EIGHT_HOURS = agreed(target("resolution", "8 h", pauses=["requester"]), target("first_response", "1 h"))


# -- the journal ---------------------------------------------------------------------------------------------------------------


def _brought_in(tale: Tale) -> list[Noted]:
    late = tale.entries[-1].happened_at + timedelta(days=30)
    return [replace(entry, recorded_at=late) for entry in tale.entries]


def test_entries_out_of_order_are_told_in_the_order_in_which_they_happened() -> None:
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 10:00").goes_on("2026-11-23 12:00").resolved("2026-11-23 13:00")
    plain = tale.clocks(EIGHT_HOURS)
    tale.entries = list(reversed(_brought_in(tale)))
    assert tale.clocks(EIGHT_HOURS, now="2026-11-23 13:00") == plain


def test_what_is_brought_in_of_a_ticket_that_lives_on_comes_before_what_happened_here() -> None:
    tale = Tale("2026-11-23 09:00").taken("2026-11-23 09:30")
    tale.entries = _brought_in(tale)
    tale.waits("2026-11-23 12:00").goes_on("2026-11-24 10:00")
    assert tale.due(EIGHT_HOURS) == "Tue 2026-11-24 15:00"


def test_of_two_openings_the_first_counts() -> None:
    tale = Tale("2026-11-23 09:00").taken("2026-11-23 09:30")
    tale.entries.append(replace(tale.entries[0], id=3, happened_at=instant("2026-11-23 12:00")))
    resolution = tale.clock(EIGHT_HOURS)
    assert (local(resolution.started_at), local(resolution.due_at)) == ("Mon 2026-11-23 09:00", "Mon 2026-11-23 17:00")


def test_a_resolution_without_an_opening_has_no_clocks() -> None:
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 10:00")
    del tale.entries[0]
    assert tale.clocks(EIGHT_HOURS) == []


def test_nothing_at_all_has_no_clocks() -> None:
    assert solve([], EIGHT_HOURS, now=datetime(2026, 1, 1, tzinfo=UTC)) == []


def test_an_end_before_the_opening_is_one_at_the_opening() -> None:
    tale = Tale("2026-11-23 09:00").resolved("2026-11-22 10:00")
    clock = tale.clock(EIGHT_HOURS)
    assert (clock.stopped_at, clock.is_met, clock.wall) == (instant("2026-11-23 09:00"), True, timedelta(0))


def test_resolved_twice_is_resolved_once() -> None:
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 10:00").resolved("2026-11-23 12:00").closed("2026-11-23 13:00")
    assert local(tale.clock(EIGHT_HOURS).stopped_at) == "Mon 2026-11-23 10:00"


def test_restored_before_it_began_is_restored_when_it_began() -> None:
    book = agreed(target("restoration", "1 h"))
    clock = Tale("2026-11-23 09:00").restored("2026-11-23 09:30", since="2026-11-22 09:00").clock(book, "restoration")
    assert (local(clock.stopped_at), clock.is_met) == ("Mon 2026-11-23 09:00", True)


RUBBISH: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(-9, 99), st.text(max_size=8), st.sampled_from(["new", "waiting", "resolved", "cancelled", "incident"])
)
NAMES = st.sampled_from(["to", "from", "on", "state", "priority", "team", "service", "into", "restored_at", "before", "kind"])
DATA = st.dictionaries(NAMES, st.one_of(RUBBISH, st.lists(RUBBISH, max_size=3), st.dictionaries(NAMES, RUBBISH, max_size=3)))
WHOLE = st.one_of(
    DATA,
    st.builds(lambda shown: {"shown": shown}, st.lists(RUBBISH, min_size=6, max_size=8)),
    st.builds(lambda changes: {"changes": changes}, st.dictionaries(NAMES, st.lists(RUBBISH, max_size=3))),
)


@given(st.lists(st.tuples(st.sampled_from(sorted(TELLING)), st.integers(-500, 9000), WHOLE), max_size=12))
def test_whatever_a_journal_holds_nothing_is_raised(acts: list[tuple[str, int, dict[str, Any]]]) -> None:
    start = instant("2026-11-23 09:00")
    book = agreed(
        target("resolution", "8 h", pauses=["requester"]), target("next_update", "1 h"), target("restoration", "3 working days")
    ).agree(target("team_time", "2 h"), audience=Audience.INTERNAL)
    entries = [
        Noted(place, verb, start + timedelta(minutes=gap), start + timedelta(minutes=gap), REQUESTER, None, data)
        for place, (verb, gap, data) in enumerate(acts)
    ]
    steps = story(entries, now=Facts(kind="incident", state="new", priority=3, team=1), requester=REQUESTER)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    for clock in solve(steps, book, now=start):
        assert clock.problem == ""


# -- calendars and targets -----------------------------------------------------------------------------------------------------


def _problem(book: Book, opened: str | datetime = "2026-11-23 09:00") -> tuple[str, str]:
    clock = Tale(opened).taken(instant("2026-11-23 09:30")).clock(book)
    assert (clock.state, clock.due_at, clock.warn_at, clock.breached_at) == (ClockState.RUNNING, None, None, None)
    return clock.problem, str(PROBLEMS[clock.problem])


def test_a_target_no_instant_can_meet_says_so() -> None:
    rare = calendar(((540, 541),), "tue")
    book = agreed(target("resolution", "40000 h", warn={"share": 0.5}), calendars={"office": rare})
    assert _problem(book) == ("never-open", "In its calendar, no instant within 50 years is the one by which this is due.")


def test_a_target_in_days_no_instant_can_meet_says_so() -> None:
    rare = calendar(((540, 541),), "tue")
    book = agreed(target("resolution", "1800 working days", warn={"minutes": 5}), calendars={"office": rare})
    assert Tale("2026-11-23 09:00").due(book) == "Tue 2061-05-24 09:00"  # 1800 Tuesdays are 35 years
    closed = {f"{year}-{month:02}-{day:02}": "Closed" for year in range(2026, 2080) for month in range(1, 13) for day in range(1, 32)
              if _is_date(year, month, day)}  # fmt: skip
    book.calendars["office"] = calendar(holidays=closed)
    assert _problem(book)[0] == "never-open"


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return bool(datetime(year, month, day))
    except ValueError:
        return False


def test_a_calendar_that_is_not_there_says_so() -> None:
    book = agreed(target("resolution", "8 h", calendar="gone"))
    assert _problem(book) == ("not-found", "The calendar in which this is counted is not there.")


def test_a_year_before_all_calendars_says_so() -> None:
    book = agreed(target("resolution", "8 h"), since=datetime(1, 1, 2, tzinfo=UTC))
    assert _problem(book, datetime(1890, 1, 1, 12, tzinfo=UTC))[0] == "invalid"


def test_a_clock_that_could_not_be_counted_is_once_its_calendar_is_there() -> None:
    book = agreed(target("resolution", "8 h", calendar="gone"))
    tale = Tale("2026-11-23 09:00")
    assert tale.clock(book).problem == "not-found"
    book.calendars["gone"] = calendar()
    assert (tale.clock(book).problem, tale.due(book)) == ("", "Mon 2026-11-23 17:00")


def test_one_clock_that_cannot_be_counted_leaves_the_others_alone() -> None:
    book = agreed(target("resolution", "8 h", calendar="gone"), target("first_response", "1 h"))
    tale = Tale("2026-11-23 09:00").rated("2026-11-23 09:10", 1).waits("2026-11-23 09:20")
    assert tale.due(book, "first_response") == "Mon 2026-11-23 10:00"


def test_a_calendar_without_open_hours_is_refused() -> None:
    with pytest.raises(Invalid, match="no open hours"):
        Definition.checked([()] * 7)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"zone": "Mars/Olympus", "targets": [target("resolution", "1 h")]}, "zone"),
        ({"zone": "UTC", "targets": []}, "targets"),
        ({"zone": "UTC", "targets": [target("resolution", "0 h")]}, "targets.0.within.amount"),
        ({"zone": "UTC", "targets": [target("resolution", "-1 working days")]}, "targets.0.within.amount"),
        ({"zone": "UTC", "targets": [target("resolution", "99999 calendar days")]}, "targets.0.within.amount"),
        ({"zone": "UTC", "targets": [target("resolution", "1 h", calendar="")]}, "targets.0.within.calendar"),
        ({"zone": "UTC", "targets": [target("resolution", "1 h", cutoff="17:00", opening="08:00")]}, "targets.0.within.cutoff"),
        ({"zone": "UTC", "targets": [target("resolution", "1 h", stop="acknowledged")]}, "targets.0.stop"),
        ({"zone": "UTC", "targets": [target("resolution", "1 h", warn={"share": 1})]}, "targets.0.warn.share"),
        ({"zone": "UTC", "targets": [target("resolution", "1 h", warn={"minutes": 60})]}, "targets.0.warn.minutes"),
        ({"zone": "UTC", "targets": [target("resolution", "1 h", pauses=["tea"])]}, "targets.0.pauses"),
        ({"zone": "UTC", "targets": [target("team_time", "1 h")]}, "targets.0.metric"),
        (
            {"zone": "UTC", "targets": [target("resolution", "1 h"), {**target("resolution", "2 h"), "key": "other"}]},
            "targets.1.priorities",
        ),
    ],
)
def test_terms_that_cannot_be_are_refused_where_they_are_wrong(terms: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Terms.parse(terms, audience=Audience.CUSTOMER)
    assert refused.value.field == field
