"""The contract of clocks, row by row: what was agreed among those who count, each row a test."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.sla.rules.shapes import ClockState, Passage
from allswell.sla.rules.terms import Audience
from tests.support.tales import Tale, agreed, calendar, hours, instant, local, pins_of, target, then

EIGHT_HOURS_OR_ONE = agreed(
    target("resolution", "8 h", pauses=["requester"]), target("resolution", "1 h", priorities=[1], pauses=["requester"])
)


# -- priority changes mid-ticket -----------------------------------------------------------------------------------------------


def test_another_priority_counts_from_the_opening_with_the_same_pauses() -> None:
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 09:30").goes_on("2026-11-23 11:30")
    assert tale.due(EIGHT_HOURS_OR_ONE) == "Tue 2026-11-24 11:00"
    assert tale.rated("2026-11-23 11:45", 1).due(EIGHT_HOURS_OR_ONE) == "Mon 2026-11-23 12:00"


def test_a_completed_clock_is_never_solved_again() -> None:
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 12:00").rated("2026-11-23 13:00", 1)
    clock = tale.clock(EIGHT_HOURS_OR_ONE)
    assert (clock.is_met, local(clock.due_at)) == (True, "Mon 2026-11-23 17:00")


def test_a_breach_that_only_another_priority_made_is_marked_so() -> None:
    clock = Tale("2026-11-23 09:00").rated("2026-11-23 14:00", 1).clock(EIGHT_HOURS_OR_ONE)
    assert (local(clock.breached_at), clock.is_rerated) == ("Mon 2026-11-23 10:00", True)


def test_a_breach_before_another_priority_is_nobody_elses() -> None:
    late = Tale("2026-11-23 09:00", priority=1).rated("2026-11-23 11:00", 3).rated("2026-11-23 12:00", 1)
    assert (late.clock(EIGHT_HOURS_OR_ONE).breached_at is not None, late.clock(EIGHT_HOURS_OR_ONE).is_rerated) == (True, False)


def test_a_breach_by_either_priority_is_not_made_by_the_change() -> None:
    tale = Tale("2026-11-23 09:00").rated("2026-11-23 14:00", 1).resolved("2026-11-24 12:00")
    clock = tale.clock(EIGHT_HOURS_OR_ONE)
    assert (local(clock.breached_at), clock.is_rerated) == ("Mon 2026-11-23 10:00", False)


def test_there_and_back_is_as_before() -> None:
    plain = Tale("2026-11-23 09:00").clock(EIGHT_HOURS_OR_ONE, now="2026-11-23 14:00")
    rated = Tale("2026-11-23 09:00").rated("2026-11-23 13:00", 1).rated("2026-11-23 14:00", 3).clock(EIGHT_HOURS_OR_ONE)
    assert (rated.due_at, rated.is_rerated, rated.breached_at) == (plain.due_at, False, None)


def test_a_promise_that_begins_with_a_priority_counts_from_the_opening_and_is_late_only_for_that() -> None:
    book = agreed(target("resolution", "1 h", priorities=[1]))
    tale = Tale("2026-11-23 09:00")
    assert tale.clocks(book) == []
    clock = tale.rated("2026-11-23 12:00", 1).clock(book)
    assert (local(clock.due_at), clock.is_rerated) == ("Mon 2026-11-23 10:00", True)


def test_a_priority_without_a_promise_cancels_and_one_with_it_begins_again() -> None:
    book = agreed(target("resolution", "8 h", priorities=[1, 2]))
    tale = Tale("2026-11-23 09:00", priority=1).rated("2026-11-23 10:00", 4).rated("2026-11-23 11:00", 2)
    first, second = tale.clocks(book)
    assert (first.state, second.state) == (ClockState.CANCELLED, ClockState.RUNNING)
    assert (local(second.started_at), local(second.due_at)) == ("Mon 2026-11-23 09:00", "Mon 2026-11-23 17:00")


# -- reopen --------------------------------------------------------------------------------------------------------------------


def test_a_reopening_resumes_the_clock_and_the_time_while_resolved_does_not_count() -> None:
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 12:00").reopened("2026-11-24 10:00")
    clock = tale.clock(EIGHT_HOURS_OR_ONE, now="2026-11-24 11:00")
    assert (clock.state, local(clock.due_at)) == (ClockState.RUNNING, "Tue 2026-11-24 15:00")
    assert (clock.working, clock.wall) == (hours(4), hours(4))
    assert [segment.passage for segment in clock.segments] == [Passage.RUNNING, Passage.STOPPED, Passage.RUNNING]


@pytest.mark.parametrize("metric", ["restoration", "resolution"])
def test_restoration_and_resolution_both_resume(metric: str) -> None:
    book = agreed(target(metric, "4 h"))
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 10:00").reopened("2026-11-23 12:00").resolved("2026-11-23 13:00")
    clock = tale.clock(book, metric)
    assert (clock.working, clock.is_met, local(clock.stopped_at)) == (hours(2), True, "Mon 2026-11-23 13:00")


def test_a_service_restored_before_it_was_resolved_stands_still_from_then_on() -> None:
    book = agreed(target("restoration", "4 h"))
    tale = Tale("2026-11-23 09:00").restored("2026-11-23 11:00", since="2026-11-23 10:00").resolved("2026-11-23 12:00")
    clock = tale.reopened("2026-11-23 15:00").clock(book, "restoration", now="2026-11-23 16:00")
    assert (clock.working, local(clock.due_at)) == (hours(2), "Tue 2026-11-24 10:00")


def test_a_reopening_after_the_due_instant_reopens_no_response() -> None:
    book = agreed(target("acknowledgement", "1 h"), target("first_response", "2 h"))
    tale = Tale("2026-11-23 09:00").taken("2026-11-23 09:10").answered("2026-11-23 09:20").resolved("2026-11-23 10:00")
    before = tale.clocks(book)
    after = tale.reopened("2026-11-25 09:00").clocks(book)
    assert [clock.is_met for clock in before] == [True, True]
    assert after == before


# -- calendar edited, holiday added --------------------------------------------------------------------------------------------


def test_a_holiday_added_moves_what_is_still_open_and_says_by_which_version() -> None:
    book = agreed(target("resolution", "8 h"), calendars={"office": calendar()})
    tale = Tale("2026-11-23 13:00")
    assert (tale.due(book), tale.clock(book).calendar_number) == ("Tue 2026-11-24 13:00", 1)
    book.calendars["office"] = then(calendar(), on="2026-11-24", holidays={"2026-11-24": "Town fair"})
    assert (tale.due(book), tale.clock(book).calendar_number) == ("Wed 2026-11-25 13:00", 2)


@pytest.mark.parametrize("end", ["resolved", "cancelled"])
def test_what_has_ended_keeps_the_calendar_it_ended_with(end: str) -> None:
    book = agreed(target("resolution", "8 h"), calendars={"office": calendar()})
    tale = getattr(Tale("2026-11-23 13:00"), end)("2026-11-24 12:00")
    before = tale.clocks(book)
    book.calendars["office"] = then(calendar(), on="2026-11-01", hours=((540, 600),))
    assert tale.clocks(book, pins=pins_of(before)) == before
    assert tale.clocks(book) != before


def test_a_reopened_clock_counts_in_the_newest_calendar_again() -> None:
    book = agreed(target("resolution", "8 h"), calendars={"office": calendar()})
    tale = Tale("2026-11-23 13:00").resolved("2026-11-23 14:00")
    pins = pins_of(tale.clocks(book))
    book.calendars["office"] = then(calendar(), on="2026-11-24", holidays={"2026-11-24": "Town fair"})
    clock = tale.reopened("2026-11-23 15:00").clock(book, pins=pins)
    assert (local(clock.due_at), clock.calendar_number) == ("Wed 2026-11-25 14:00", 2)


def test_a_calendar_edited_for_later_leaves_the_days_before_as_they_were() -> None:
    book = agreed(target("resolution", "8 h"), calendars={"office": then(calendar(), on="2026-11-24", hours=((600, 660),))})
    assert Tale("2026-11-23 13:00").due(book) == "Fri 2026-11-27 11:00"  # 4 h on Monday, then an hour a day


# -- resolved straight from waiting --------------------------------------------------------------------------------------------


def test_resolved_straight_from_waiting_closes_the_pause_first() -> None:
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 10:00").resolved("2026-11-25 10:00")
    clock = tale.clock(EIGHT_HOURS_OR_ONE)
    assert (clock.working, clock.wall, clock.is_met) == (hours(1), hours(49), True)
    assert [(one.passage, local(one.ends_at)) for one in clock.segments] == [
        (Passage.RUNNING, "Mon 2026-11-23 10:00"),
        (Passage.PAUSED, "Wed 2026-11-25 10:00"),
    ]
    assert local(clock.due_at) == "Wed 2026-11-25 17:00"


# -- stop point ----------------------------------------------------------------------------------------------------------------


def test_each_target_stops_where_it_says_and_both_are_reported() -> None:
    resolved = agreed(target("resolution", "8 h"))
    closed = agreed(target("resolution", "8 h", stop="closed"))
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 12:00").closed("2026-11-25 12:00")
    assert [local(tale.clock(book).stopped_at) for book in (resolved, closed)] == [
        "Mon 2026-11-23 12:00",
        "Wed 2026-11-25 12:00",
    ]
    assert [tale.clock(book).is_met for book in (resolved, closed)] == [True, False]


def test_one_agreement_can_ask_for_both() -> None:
    book = agreed(target("restoration", "8 h", stop="resolved"), target("resolution", "8 h", stop="closed"))
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 12:00").closed("2026-11-25 12:00")
    assert [(clock.key.metric, clock.is_met) for clock in tale.clocks(book)] == [("restoration", True), ("resolution", False)]


# -- local times that do not exist, or twice -----------------------------------------------------------------------------------


def test_a_local_time_that_does_not_exist_rolls_forward() -> None:
    book = agreed(target("resolution", "1 calendar days"))
    assert Tale("2026-03-28 02:30").due(book) == "Sun 2026-03-29 03:00"


def test_of_an_ambiguous_local_time_the_first_counts() -> None:
    book = agreed(target("resolution", "1 calendar days"))
    due = Tale("2026-10-24 02:30").clock(book).due_at
    assert due == instant("2026-10-25 02:30") == instant("2026-10-25 00:30", "UTC")


# -- warning -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("warn", "at"), [({"share": 0.75}, "Mon 2026-11-23 15:00"), ({"minutes": 30}, "Mon 2026-11-23 16:30")])
def test_a_warning_comes_after_a_share_or_before_an_amount_of_working_time(warn: dict[str, float], at: str) -> None:
    book = agreed(target("resolution", "8 h", warn=warn))
    assert local(Tale("2026-11-23 09:00").clock(book).warn_at) == at


@pytest.mark.parametrize("amount", ["1 working days", "2 working days", "3 working days"])
@pytest.mark.parametrize("opened", ["2026-11-20 12:00", "2026-11-21 00:00", "2026-11-23 09:00", "2026-11-23 16:59"])
@pytest.mark.parametrize("warn", [{"share": 0.5}, {"share": 0.75}, {"minutes": 60}])
def test_a_warning_in_working_days_never_comes_at_midnight_but_in_hours(amount: str, opened: str, warn: dict[str, float]) -> None:
    book = agreed(target("resolution", amount, warn=warn))
    clock = Tale(opened).clock(book)
    assert clock.warn_at is not None
    assert "09:00" <= local(clock.warn_at)[-5:] <= "17:00"
    assert clock.due_at is not None
    assert clock.warn_at < clock.due_at


def test_a_warning_moves_with_the_pauses() -> None:
    book = agreed(target("resolution", "8 h", pauses=["requester"], warn={"minutes": 60}))
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 10:00").goes_on("2026-11-23 12:00")
    assert local(tale.clock(book).warn_at) == "Tue 2026-11-24 10:00"


# -- the order of evaluation ---------------------------------------------------------------------------------------------------


def test_stop_comes_before_pause() -> None:
    """A reply that answers and makes it wait completes the response; it does not pause it."""
    book = agreed(target("first_response", "1 h", pauses=["requester"]))
    clock = Tale("2026-11-23 09:00").answered("2026-11-23 09:30").waits("2026-11-23 09:30").clock(book, "first_response")
    assert (clock.state, clock.working) == (ClockState.COMPLETED, hours(0.5))


def test_an_update_completes_a_cycle_before_it_begins_the_next() -> None:
    book = agreed(target("next_update", "1 h"))
    tale = Tale("2026-11-23 09:00").answered("2026-11-23 09:30").noted("2026-11-23 09:40").asked("2026-11-23 09:45")
    one, two, three = tale.answered("2026-11-23 10:00").answered("2026-11-23 11:30").clocks(book)
    assert [clock.is_met for clock in (one, two)] == [True, False]
    assert (three.key.number, local(three.due_at)) == (3, "Mon 2026-11-23 12:30")
    assert [clock.is_open for clock in tale.resolved("2026-11-23 12:00").clocks(book)] == [False] * 3


def test_a_wait_for_a_reason_that_is_not_named_does_not_pause() -> None:
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 10:00", on="supplier")
    assert tale.clock(EIGHT_HOURS_OR_ONE).state is ClockState.RUNNING


# -- what else the table of the field knows ------------------------------------------------------------------------------------


def test_another_team_leaves_the_customers_clock_alone_and_begins_a_hop() -> None:
    book = agreed(target("resolution", "8 h")).agree(target("team_time", "2 h"), audience=Audience.INTERNAL)
    tale = Tale("2026-11-23 09:00").handed("2026-11-23 10:00", 2).handed("2026-11-23 11:30", 1)
    hops = [one for one in tale.clocks(book, now="2026-11-23 12:00") if one.key.metric == "team_time"]
    assert [(hop.team, hop.key.number, hop.working) for hop in hops] == [
        (1, 1, hours(1)),
        (2, 2, hours(1.5)),
        (1, 3, hours(0.5)),
    ]
    assert tale.due(book) == "Mon 2026-11-23 17:00"


def test_a_team_that_resolves_stops_its_hop_and_has_it_again_when_reopened() -> None:
    book = agreed(target("team_time", "4 h"), audience=Audience.INTERNAL)
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 10:00").reopened("2026-11-23 12:00")
    (hop,) = tale.clocks(book, now="2026-11-23 13:00")
    assert (hop.state, hop.working) == (ClockState.RUNNING, hours(2))


def test_a_promise_between_teams_that_comes_and_goes_with_the_priority_counts_from_the_hand_over() -> None:
    book = agreed(target("team_time", "4 h"), audience=Audience.INTERNAL, priorities=[1])
    tale = Tale("2026-11-23 09:00", priority=1).handed("2026-11-23 10:00", 2).rated("2026-11-23 10:30", 3)
    hops = tale.rated("2026-11-23 11:00", 1).clocks(book)
    assert [(hop.team, hop.state, local(hop.started_at)) for hop in hops][1:] == [
        (2, ClockState.CANCELLED, "Mon 2026-11-23 10:00"),
        (2, ClockState.RUNNING, "Mon 2026-11-23 10:00"),
    ]


def test_what_is_merged_ends_so_and_goes_on_when_that_is_taken_back() -> None:
    tale = Tale("2026-11-23 09:00").merged("2026-11-23 10:00", into=5)
    assert tale.clock(EIGHT_HOURS_OR_ONE).state is ClockState.MERGED
    again = tale.unmerged("2026-11-23 11:00").clock(EIGHT_HOURS_OR_ONE)
    assert (again.state, local(again.due_at)) == (ClockState.RUNNING, "Mon 2026-11-23 17:00")


def test_a_cancelled_ticket_keeps_no_promise_and_breaks_none() -> None:
    clock = Tale("2026-11-23 09:00").cancelled("2026-11-27 10:00").clock(EIGHT_HOURS_OR_ONE)
    assert (clock.state, clock.breached_at, clock.is_met) == (ClockState.CANCELLED, None, False)


def test_an_old_backlog_has_no_clocks_until_the_agreement_is_in_force() -> None:
    book = agreed(target("resolution", "8 h"), since=instant("2026-11-23 12:00"))
    assert Tale("2026-11-23 11:59").taken("2026-11-24 09:00").clocks(book) == []
    assert len(Tale("2026-11-23 12:00").clocks(book)) == 1


def test_what_was_undone_never_happened() -> None:
    plain = Tale("2026-11-23 09:00").taken("2026-11-23 09:10")
    undone = Tale("2026-11-23 09:00").taken("2026-11-23 09:10").waits("2026-11-23 10:00").undone("2026-11-23 10:01")
    assert undone.clocks(EIGHT_HOURS_OR_ONE, now="2026-11-23 12:00") == plain.clocks(EIGHT_HOURS_OR_ONE, now="2026-11-23 12:00")


def test_another_kind_has_other_promises_as_from_the_opening() -> None:
    book = agreed(target("resolution", "8 h"), target("fulfilment", "2 working days"))
    tale = Tale("2026-11-23 09:00").refiled("2026-11-23 10:00", "request")
    assert [(one.key.metric, one.state) for one in tale.clocks(book)] == [
        ("resolution", ClockState.CANCELLED),
        ("fulfilment", ClockState.RUNNING),
    ]
    assert tale.due(book, "fulfilment") == "Wed 2026-11-25 09:00"


def test_two_elapsed_values_are_kept() -> None:
    clock = Tale("2026-11-20 16:00").clock(EIGHT_HOURS_OR_ONE, now="2026-11-23 10:00")
    assert (clock.wall, clock.working) == (timedelta(days=2, hours=18), hours(2))
