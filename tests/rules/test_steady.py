"""Instants never run backwards, and blindness is what nobody watched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from allswell.jobs.rules import BLIND_AFTER, Glance, Why, blindness, is_alive, is_same_move
from allswell.kernel.steady import HELD, NOTICED, Move, Reading, follow

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: what happens between two readings: seconds lived, and by how many the wall clock moved of itself
STEPS = st.lists(
    st.tuples(
        st.floats(0, 4000, allow_nan=False),
        st.one_of(st.just(0.0), st.floats(-HELD.total_seconds() / 40, HELD.total_seconds() / 40, allow_nan=False)),
    ),
    max_size=30,
)


def played(steps: list[tuple[float, float]]) -> list[Reading]:
    found = [Reading(NINE, NINE, 0.0)]
    for seconds, by in steps:
        last = found[-1]
        wall, lived = last.wall + timedelta(seconds=seconds + by), last.lived + seconds
        found.append(follow(last, wall=wall, lived=lived)[0])
    return found


@given(STEPS)
def test_instants_never_run_backwards_and_are_never_behind_the_wall(steps: list[tuple[float, float]]) -> None:
    readings = played(steps)
    assert all(before.at <= after.at for before, after in pairwise(readings))
    assert all(reading.at >= reading.wall for reading in readings)


@given(STEPS)
def test_no_wait_gets_longer_than_a_ninth(steps: list[tuple[float, float]]) -> None:
    """Whatever the wall clock does, what is to happen in five minutes happens in at most five and a half."""
    readings = played(steps)
    for before, after in pairwise(readings):
        lived = timedelta(seconds=after.lived - before.lived)
        assert after.at - before.at >= lived * 0.9 - timedelta(microseconds=2)


def test_a_clock_set_back_by_an_hour_holds_up_nothing() -> None:
    first = Reading(NINE, NINE, 100.0)
    after, moved = follow(first, wall=NINE - HOUR + timedelta(seconds=5), lived=105.0)
    assert after.at == NINE + timedelta(seconds=5)
    assert moved is not None
    assert (moved.is_back, moved.by) == (True, -HOUR)
    later, again = follow(after, wall=after.wall + timedelta(minutes=5), lived=405.0)
    assert again is None
    assert later.at == after.at + timedelta(minutes=4.5)


def test_the_wall_catches_up_in_the_end() -> None:
    now, _ = follow(Reading(NINE, NINE, 0.0), wall=NINE - HOUR, lived=0.0)
    for _ in range(12):
        now, _ = follow(now, wall=now.wall + HOUR, lived=now.lived + 3600)
    assert now.at == now.wall


def test_a_clock_set_forward_is_followed_at_once_and_one_from_another_year_too() -> None:
    after, moved = follow(Reading(NINE, NINE, 0.0), wall=NINE + HOUR, lived=1.0)
    assert after.at == NINE + HOUR
    assert moved == Move(NINE, NINE + HOUR, HOUR - timedelta(seconds=1))
    far, back = follow(after, wall=NINE - timedelta(days=365), lived=2.0)
    assert far.at == NINE - timedelta(days=365)
    assert back is not None
    assert back.is_back


def test_a_clock_that_is_put_right_a_little_is_not_worth_a_word() -> None:
    for by in (NOTICED, -NOTICED):
        assert follow(Reading(NINE, NINE, 0.0), wall=NINE + by + timedelta(seconds=1), lived=1.0)[1] is None


# blindness


def test_a_beat_from_before_a_clock_was_set_back_is_no_life() -> None:
    assert is_alive(NINE, now=NINE + timedelta(seconds=60))
    assert is_alive(NINE, now=NINE - timedelta(minutes=5))
    assert not is_alive(NINE, now=NINE + timedelta(seconds=61))
    assert not is_alive(NINE, now=NINE - HOUR)


def test_an_upgrade_of_seconds_is_no_blindness_and_more_is() -> None:
    glance = Glance("here/1")
    assert blindness(NINE, NINE, glance, now=NINE + timedelta(seconds=3)) == []
    assert blindness(NINE, None, glance, now=NINE + BLIND_AFTER) == []
    (blind,) = blindness(NINE, None, glance, now=NINE + BLIND_AFTER + timedelta(seconds=1))
    assert (blind.from_at, blind.why, blind.length) == (NINE, Why.SILENT, timedelta(seconds=31))


def test_why_nothing_was_watching() -> None:
    later = NINE + timedelta(minutes=16)
    assert [b.why for b in blindness(NINE, NINE, Glance("here/1"), now=later)] == [Why.STOPPED]
    assert [b.why for b in blindness(NINE, None, Glance("here/1", NINE), now=later)] == [Why.SILENT]
    away = Glance("here/1", NINE, could_not_write=True)
    assert [b.why for b in blindness(NINE, None, away, now=later)] == [Why.DATABASE_AWAY]


def test_an_engine_beside_one_whose_clock_is_behind_was_not_blind() -> None:
    here = Glance("here/1", own_at=NINE - timedelta(seconds=5))
    assert blindness(NINE - HOUR, None, here, now=NINE) == []


def test_a_clock_set_forward_is_told_as_that_and_not_as_a_silence() -> None:
    move = Move(NINE, NINE + HOUR, HOUR)
    (blind,) = blindness(NINE, None, Glance("here/1", NINE, moves=(move,)), now=NINE + HOUR)
    assert (blind.why, blind.from_at, blind.until_at) == (Why.CLOCK_MOVED, NINE, NINE + HOUR)


def test_an_engine_started_after_the_clock_was_set_back_says_so() -> None:
    (blind,) = blindness(NINE, NINE, Glance("here/1"), now=NINE - HOUR)
    assert (blind.why, blind.moved, blind.from_at, blind.until_at) == (Why.CLOCK_MOVED, -HOUR, NINE - HOUR, NINE)


def test_two_engines_of_a_machine_tell_of_one_move() -> None:
    move = Move(NINE, NINE - HOUR, -HOUR)
    (blind,) = blindness(NINE, None, Glance("here/1", NINE, moves=(move,)), now=NINE)
    beside = ("here/2", blind.from_at + timedelta(seconds=1), -3600)
    assert is_same_move(blind, "here/1", others=[beside])
    assert not is_same_move(blind, "there/1", others=[beside])
    assert not is_same_move(blind, "here/1", others=[("here/2", blind.from_at - HOUR, -3600)])
