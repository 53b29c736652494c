"""Bugs that others shipped, each carried as a test from the first day on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from allswell.sla.rules.shapes import ClockState
from allswell.sla.rules.terms import Metric
from tests.support.tales import Tale, agreed, calendar, hours, instant, local, pins_of, target, then

EIGHT_HOURS = agreed(target("resolution", "8 h", pauses=["requester"]))


def test_friday_half_past_five_plus_two_hours() -> None:
    late = calendar(((510, 1080),))  # 08:30 to 18:00
    assert Tale("2026-11-20 17:30").due(agreed(target("resolution", "2 h"), calendars={"office": late})) == "Mon 2026-11-23 10:00"
    assert Tale("2026-11-20 17:30").due(agreed(target("resolution", "2 h"))) == "Mon 2026-11-23 11:00"


def test_opened_on_a_holiday() -> None:
    book = agreed(target("resolution", "2 h"), calendars={"office": calendar(holidays={"2026-12-25": "Christmas"})})
    assert Tale("2026-12-25 10:00").due(book) == "Mon 2026-12-28 11:00"


def test_opened_on_a_holiday_in_working_days() -> None:
    book = agreed(target("resolution", "1 working days"), calendars={"office": calendar(holidays={"2026-12-25": "Christmas"})})
    assert Tale("2026-12-25 10:00").due(book) == "Tue 2026-12-29 10:00"


def test_a_pause_over_a_weekend_in_a_target_of_days() -> None:
    """The weekend within the pause must not be given back too: one working day was paused, so the due moves by one working day."""
    book = agreed(target("resolution", "3 working days", pauses=["requester"]))
    tale = Tale("2026-11-19 10:00")  # a Thursday
    assert tale.due(book) == "Tue 2026-11-24 10:00"
    assert tale.waits("2026-11-20 10:00").goes_on("2026-11-23 10:00").due(book) == "Wed 2026-11-25 10:00"


def test_a_pause_within_a_weekend_in_a_target_of_days_costs_nothing() -> None:
    book = agreed(target("resolution", "3 working days", pauses=["requester"]))
    tale = Tale("2026-11-19 10:00").waits("2026-11-21 08:00").goes_on("2026-11-22 20:00")
    assert tale.due(book) == "Tue 2026-11-24 10:00"


def test_a_pause_outside_the_hours_costs_nothing() -> None:
    tale = Tale("2026-11-20 16:00").waits("2026-11-20 18:00").goes_on("2026-11-23 08:00")
    assert tale.due(EIGHT_HOURS) == "Mon 2026-11-23 16:00"


def test_priority_raised_while_waiting() -> None:
    book = agreed(
        target("resolution", "8 h", pauses=["requester"]), target("resolution", "2 h", priorities=[1], pauses=["requester"])
    )
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 10:00").rated("2026-11-23 12:00", 1)
    waiting = tale.clock(book)
    assert (waiting.state, waiting.due_at, waiting.working) == (ClockState.PAUSED, None, hours(1))
    assert tale.goes_on("2026-11-23 15:00").due(book) == "Mon 2026-11-23 16:00"


def test_priority_raised_while_waiting_to_a_target_that_does_not_pause() -> None:
    book = agreed(target("resolution", "8 h", pauses=["requester"]), target("resolution", "2 h", priorities=[1]))
    clock = Tale("2026-11-23 09:00").waits("2026-11-23 10:00").rated("2026-11-23 10:30", 1).clock(book)
    assert (clock.state, local(clock.due_at)) == (ClockState.RUNNING, "Mon 2026-11-23 11:00")


def test_resolved_from_waiting() -> None:
    clock = Tale("2026-11-23 09:00").waits("2026-11-23 16:00").resolved("2026-12-01 12:00").clock(EIGHT_HOURS)
    assert (clock.is_met, clock.working) == (True, hours(7))


def test_two_periods_a_day() -> None:
    lunch = calendar(((510, 720), (780, 1050)))  # 08:30 to 12:00, 13:00 to 17:30
    book = agreed(target("resolution", "4 h"), calendars={"office": lunch})
    assert Tale("2026-11-23 10:00").due(book) == "Mon 2026-11-23 15:00"
    assert Tale("2026-11-23 12:30").due(book) == "Mon 2026-11-23 17:00"
    assert Tale("2026-11-23 16:30").due(book) == "Tue 2026-11-24 11:30"


def test_only_tuesday_is_open() -> None:
    book = agreed(target("resolution", "10 h"), calendars={"office": calendar(((540, 1020),), "tue")})
    assert Tale("2026-11-25 09:00").due(book) == "Tue 2026-12-08 11:00"


def test_only_tuesday_is_open_in_working_days() -> None:
    book = agreed(target("resolution", "2 working days"), calendars={"office": calendar(((540, 1020),), "tue")})
    assert Tale("2026-11-24 15:00").due(book) == "Tue 2026-12-08 15:00"


def test_reopened_twice() -> None:
    tale = Tale("2026-11-23 09:00").resolved("2026-11-23 10:00").reopened("2026-11-23 12:00")
    tale.resolved("2026-11-23 13:00").reopened("2026-11-24 09:00")
    clock = tale.clock(EIGHT_HOURS, now="2026-11-24 10:00")
    assert (clock.working, local(clock.due_at)) == (hours(3), "Tue 2026-11-24 15:00")
    assert len([one for one in tale.clocks(EIGHT_HOURS) if one.key.metric is Metric.RESOLUTION]) == 1


def test_reopened_twice_with_waits_on_both_sides() -> None:
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 09:30").resolved("2026-11-23 10:00").reopened("2026-11-23 12:00")
    tale.waits("2026-11-23 12:30").resolved("2026-11-23 14:00").reopened("2026-11-23 15:00")
    assert tale.clock(EIGHT_HOURS, now="2026-11-23 16:00").working == hours(2)


def test_priority_changed_after_the_first_reply_does_not_fail_a_met_response() -> None:
    book = agreed(target("first_response", "4 h"), target("first_response", "15 min", priorities=[1]))
    tale = Tale("2026-11-23 09:00").answered("2026-11-23 10:00").rated("2026-11-23 11:00", 1)
    clock = tale.clock(book, "first_response", now="2026-11-27 10:00")
    assert (clock.is_met, clock.breached_at, clock.target.within.amount) == (True, None, 240)


def test_calendar_replaced_mid_ticket() -> None:
    book = agreed(target("resolution", "8 h"), calendars={"office": calendar()})
    tale = Tale("2026-11-23 13:00")
    assert tale.due(book) == "Tue 2026-11-24 13:00"
    book.calendars["office"] = then(calendar(), on="2026-11-24", hours=((480, 720),))
    assert tale.due(book) == "Tue 2026-11-24 12:00"


def test_calendar_replaced_between_two_resolutions_leaves_the_first_alone() -> None:
    book = agreed(target("resolution", "8 h"), target("first_response", "1 h"), calendars={"office": calendar()})
    tale = Tale("2026-11-23 13:00").answered("2026-11-23 13:30")
    pins = pins_of(tale.clocks(book))
    book.calendars["office"] = then(calendar(), on="2026-11-01", hours=((480, 720),))
    answered = tale.clock(book, "first_response", pins=pins)
    assert (answered.is_met, answered.calendar_number, local(answered.due_at)) == (True, 1, "Mon 2026-11-23 14:00")


def test_99_951_percent_is_not_100_percent() -> None:
    """Of 8 h, 14 s are left: rounded to whole percents it would be over."""
    book = agreed(target("resolution", "8 h"))
    clock = Tale("2026-11-23 09:00").clock(book, now="2026-11-23 16:59:46")
    assert 99.95 < 100 * (clock.working / clock.target.within.budget) < 99.952
    assert (clock.breached_at, clock.left) == (None, timedelta(seconds=14))


def test_at_the_due_instant_it_is_kept_a_microsecond_later_it_is_not() -> None:
    due = instant("2026-11-23 17:00")
    on_time = Tale("2026-11-23 09:00").resolved(due).clock(EIGHT_HOURS)
    late = Tale("2026-11-23 09:00").resolved(due + timedelta(microseconds=1)).clock(EIGHT_HOURS)
    assert (on_time.is_met, late.is_met, late.breached_at) == (True, False, due)


def test_leap_day() -> None:
    book = agreed(target("resolution", "8 h"), target("first_response", "1 calendar days"))
    assert Tale("2028-02-28 13:00").due(book) == "Tue 2028-02-29 13:00"
    assert Tale("2028-02-28 13:00").due(book, "first_response") == "Tue 2028-02-29 13:00"
    assert Tale("2028-02-29 13:00").due(book, "first_response") == "Wed 2028-03-01 13:00"
    assert Tale("2027-02-28 13:00").due(book, "first_response") == "Mon 2027-03-01 13:00"


def test_year_end_with_a_holiday_on_the_first_of_january() -> None:
    free = calendar(holidays={"2027-01-01": "New Year"})
    book = agreed(target("resolution", "8 h"), target("first_response", "2 working days"), calendars={"office": free})
    assert Tale("2026-12-31 13:00").due(book) == "Mon 2027-01-04 13:00"
    assert Tale("2026-12-31 13:00").due(book, "first_response") == "Tue 2027-01-05 13:00"


def test_the_servers_clock_stepping_back_turns_nothing_round() -> None:
    """The act written later happened later, whatever the clock said; no segment is negative, nothing is paused for ever."""
    tale = Tale("2026-11-23 09:00").waits("2026-11-23 10:00").goes_on("2026-11-23 09:58").resolved("2026-11-23 11:00")
    clock = tale.clock(EIGHT_HOURS)
    assert (clock.working, clock.wall, clock.is_met) == (hours(2), hours(2), True)
    assert all(one.ends_at is None or one.ends_at > one.starts_at for one in clock.segments)


def test_a_now_before_the_last_entry_counts_as_that() -> None:
    clock = Tale("2026-11-23 09:00").taken("2026-11-23 10:00").clock(EIGHT_HOURS, now="2026-11-23 08:00")
    assert clock.working == hours(1)


def test_an_hour_before_tuesday_eleven_is_tuesday_ten() -> None:
    """A warning an hour before the end lay on Monday once, because nights were counted."""
    book = agreed(target("resolution", "10 h", warn={"minutes": 60}))
    clock = Tale("2026-11-23 09:00").clock(book)
    assert (local(clock.due_at), local(clock.warn_at)) == ("Tue 2026-11-24 11:00", "Tue 2026-11-24 10:00")


def test_an_hour_before_tuesday_ten_past_nine_is_monday_ten_past_four() -> None:
    book = agreed(target("resolution", "490 min", warn={"minutes": 60}))
    clock = Tale("2026-11-23 09:00").clock(book)
    assert (local(clock.due_at), local(clock.warn_at)) == ("Tue 2026-11-24 09:10", "Mon 2026-11-23 16:10")


def test_an_agent_in_another_zone_than_the_agreement_changes_nothing() -> None:
    """What counts is the zone of the agreement: neither that of who works on it, nor that of the calendar."""
    tokyo = agreed(target("resolution", "2 h"), zone="Asia/Tokyo")
    tale = Tale("2026-11-23 16:30", zone="Asia/Tokyo").taken(instant("2026-11-23 08:31", "Europe/Zurich"))
    assert tale.due(tokyo) == "Tue 2026-11-24 10:30"


def test_updates_more_frequent_than_the_response() -> None:
    """An update within 30 min and a response within 2 h: before the response there is nothing to update."""
    book = agreed(target("first_response", "2 h"), target("next_update", "30 min"))
    tale = Tale("2026-11-23 09:00")
    assert [clock.key.metric for clock in tale.clocks(book)] == ["first_response"]
    assert tale.answered("2026-11-23 10:30").due(book, "next_update") == "Mon 2026-11-23 11:00"


def test_neither_a_note_nor_a_word_of_the_requester_is_a_response() -> None:
    book = agreed(target("first_response", "2 h"))
    tale = Tale("2026-11-23 09:00").noted("2026-11-23 09:10").asked("2026-11-23 09:20")
    assert tale.clock(book, "first_response").is_open


def test_what_a_program_writes_is_no_response() -> None:
    book = agreed(target("first_response", "2 h"))
    tale = Tale("2026-11-23 09:00").answered("2026-11-23 09:01")
    tale.entries[-1] = replace(tale.entries[-1], data={"comment": 1, "before": {}})
    assert tale.clock(book, "first_response").is_open


def test_automatic_assignment_is_no_acknowledgement() -> None:
    book = agreed(target("acknowledgement", "30 min"))
    tale = Tale("2026-11-23 09:00")
    tale.entries.append(
        replace(tale.entries[0], id=2, verb="ticket.assigned", data={"from": None, "to": 8, "by": "least_loaded"})
    )
    assert tale.clock(book, "acknowledgement", now="2026-11-23 09:20").is_open


def test_a_ticket_cancelled_and_taken_up_again_has_one_clock_that_goes_on() -> None:
    tale = Tale("2026-11-23 09:00").cancelled("2026-11-23 10:00").reopened("2026-11-23 12:00").taken("2026-11-23 12:10")
    tale.waits("2026-11-23 13:00").goes_on("2026-11-23 13:30")
    (clock,) = tale.clocks(EIGHT_HOURS, now="2026-11-23 14:00")
    assert (clock.state, clock.working, local(clock.due_at)) == (ClockState.RUNNING, hours(2.5), "Tue 2026-11-24 11:30")


@pytest.mark.parametrize("count", [1, 7])
def test_days_after_a_cut_off_count_from_the_next_opening(count: int) -> None:
    more = {"cutoff": "17:00", "opening": "08:30"}
    book = agreed(target("resolution", f"{count} working days", **more))
    due = {1: ("Wed 2026-11-25 08:30", "Tue 2026-11-24 16:59"), 7: ("Thu 2026-12-03 08:30", "Wed 2026-12-02 16:59")}
    assert (Tale("2026-11-23 17:00").due(book), Tale("2026-11-23 16:59").due(book)) == due[count]


def test_after_the_cut_off_nothing_is_spent_until_the_opening() -> None:
    book = agreed(target("resolution", "1 working days", cutoff="17:00", opening="08:30"))
    clock = Tale("2026-11-23 18:00").clock(book, now="2026-11-24 20:30")
    assert clock.working == hours(12)
