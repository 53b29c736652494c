"""Who says the same again and again: a program by the clock or by return of mail, a person when they please."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.intake.rules.repeating import MANY, SAME, is_by_program

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
EACH_MORNING = [START + timedelta(days=day, minutes=minute) for day, minute in enumerate((3, 41, 17, 58, 8))]


def _at(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


def test_a_person_who_says_each_morning_that_the_account_is_locked_is_one() -> None:
    for count in range(1, 6):
        assert not is_by_program(EACH_MORNING[:count], [])
    answered = [at + timedelta(minutes=7) for at in EACH_MORNING]
    assert not is_by_program(EACH_MORNING, answered)


def test_who_answers_soon_but_when_they_please_is_a_person() -> None:
    told = _at(0, 100, 200, 300)
    assert not is_by_program(_at(3, 141, 205, 330), told)
    assert not is_by_program(_at(1, 2, 3, 4), []), "a button pressed four times"


@pytest.mark.parametrize("wait", [0, 0.3, 5, 59])
def test_what_answers_each_mail_as_soon_is_a_program(wait: float) -> None:
    told = _at(0, 70, 195, 400, 2000)
    answers = [at + timedelta(minutes=wait) for at in told]
    assert not is_by_program(answers[:SAME], told)
    assert is_by_program(answers[: SAME + 1], told)
    assert is_by_program([*EACH_MORNING[:1], *answers[1:]], told)


def test_what_comes_by_the_clock_is_a_program() -> None:
    assert is_by_program([START + timedelta(hours=hour, seconds=hour % 3) for hour in range(4)], [])
    assert is_by_program([START + timedelta(days=day) for day in range(4)], [])


def test_a_loop_that_keeps_no_time_ends() -> None:
    told = [START + timedelta(minutes=90 * number) for number in range(MANY + 1)]
    came = [at + timedelta(minutes=(7 * number) % 61) for number, at in enumerate(told)]
    assert not is_by_program(came[:MANY], told)
    assert is_by_program(came, told)


@given(st.lists(st.integers(61, 90_000), min_size=1, max_size=MANY), st.lists(st.integers(1, 90_000), max_size=50))
def test_a_few_are_never_a_program(gaps: list[int], others: list[int]) -> None:
    came = [START + timedelta(seconds=at) for at in accumulate(gaps)]
    told = [START + timedelta(seconds=at) for at in accumulate(others)]
    assert not is_by_program(came[:SAME], told)
