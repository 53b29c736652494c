"""How numbers of reports are counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.kernel.errors import Invalid
from allswell.reporting.rules.counting import median, month_of, percentile, period, share, spread
from allswell.reporting.rules.stretches import stays, waits
from allswell.sla.rules.story import Facts, Step

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_almost_all_is_not_all() -> None:
    assert share(99_951, 100_000) == "99.95"
    assert share(999_999, 1_000_000) == "99.99"
    assert share(7, 7) == "100.00"
    assert share(0, 3) == "0.00"
    assert share(0, 0) == ""


@given(st.integers(1, 10**7).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_never_says_more_than_there_was(numbers: tuple[int, int]) -> None:
    part, whole = numbers
    told = Fraction(share(part, whole))
    assert told <= Fraction(part * 100, whole) < told + Fraction(1, 100)
    assert (told == 100) == (part == whole)


def test_mean_median_and_ninetieth_percentile() -> None:
    found = spread([10, 20, 30, 40, 50, 60, 70, 80, 90, 1000])
    assert (found.n, found.total, found.mean, found.median, found.p90) == (10, 1450, 145, 55, 90)
    one = spread([7])
    assert (one.mean, one.median, one.p90) == (7, 7, 7)
    none = spread([])
    assert (none.n, none.mean, none.median, none.p90) == (0, None, None, None)


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_the_percentile_is_a_value_that_was_there(values: list[int]) -> None:
    ordered = sorted(values)
    p90 = percentile(ordered, 90)
    assert p90 in values
    assert sum(value <= p90 for value in values) * 10 >= len(values) * 9
    assert sum(value < p90 for value in values) * 10 < len(values) * 9
    assert ordered[0] <= median(ordered) <= ordered[-1]


def test_the_month_of_due_is_that_of_the_zone() -> None:
    at = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert month_of(at, "UTC") == "2026-10"
    assert month_of(at, "Europe/Berlin") == "2026-11"
    assert month_of(at, "America/New_York") == "2026-10"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("1m", date(2026, 11, 1), date(2026, 11, 30)),
        ("", date(2026, 6, 1), date(2026, 11, 30)),
        ("12m", date(2025, 12, 1), date(2026, 11, 30)),
    ],
)
def test_a_period_by_its_name(name: str, first: date, last: date) -> None:
    found = period(name, "", "", zone="Europe/Berlin", now=NOW)
    assert (found.first, found.last) == (first, last)


def test_a_period_of_days_is_whole_days_in_the_zone() -> None:
    found = period("", "2026-10-20", "2026-11-02", zone="Europe/Berlin", now=NOW)
    assert found.starts_at == datetime(2026, 10, 19, 22, 0, tzinfo=UTC)  # summer time
    assert found.ends_at == datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
    assert [one.key for one in found.months] == ["2026-10", "2026-11"]
    assert found.months[0].ends_at == found.months[1].starts_at == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "first", "last", "field"),
    [
        ("2026-13", "", "", "period"),
        ("0m", "", "", "period"),
        ("37m", "", "", "period"),
        ("yesterday", "", "", "period"),
        ("", "2026-11-31", "", "from"),
        ("", "", "x", "to"),
        ("", "2026-11-02", "2026-11-01", "to"),
        ("", "2020-01-01", "2026-11-01", "from"),
        ("", "0001-01-01", "0001-01-02", "from"),
    ],
)
def test_what_is_no_period_is_refused_with_its_field(name: str, first: str, last: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        period(name, first, last, zone="UTC", now=NOW)
    assert refused.value.field == field or (refused.value.field in ("from", "to") and field in ("from", "to"))


def _steps(*told: tuple[float, str, int | None] | tuple[float, str, int | None, str]) -> list[Step]:
    """(minutes after the opening, state, team, waiting on) one by one."""
    return [
        Step(
            NOW + timedelta(minutes=one[0]),
            place,
            "",
            Facts(kind="incident", state=one[1], priority=3, team=one[2], waiting_on=one[3] if len(one) > 3 else ""),
        )
        for place, one in enumerate(told)
    ]


def _minutes(at: datetime) -> float:
    return (at - NOW) / timedelta(minutes=1)


def _stays(*told: tuple[float, str, int | None] | tuple[float, str, int | None, str]) -> list[tuple[object, ...]]:
    return [(one.team, one.hop, one.is_return, _minutes(one.starts_at), _minutes(one.ends_at)) for one in stays(_steps(*told))]


def test_stays_hops_and_ping_pong() -> None:
    assert _stays((0, "new", 1), (10, "in_progress", 2), (30, "in_progress", 1), (45, "resolved", 1)) == [
        (1, 1, False, 0, 10),
        (2, 2, False, 10, 30),
        (1, 3, True, 30, 45),
    ]


def test_routing_in_the_first_minute_is_no_hop() -> None:
    assert _stays((0, "new", 1), (1, "new", 2), (9, "resolved", 2)) == [(2, 1, False, 0, 9)]
    assert _stays((0, "new", 1), (1.1, "new", 2), (9, "resolved", 2)) == [(1, 1, False, 0, 1.1), (2, 2, False, 1.1, 9)]


def test_to_be_given_a_first_team_is_no_hop() -> None:
    assert _stays((0, "new", None), (5, "new", 2), (9, "resolved", 2)) == [(None, 1, False, 0, 5), (2, 1, False, 5, 9)]


def test_the_time_while_done_is_nobodys() -> None:
    assert _stays((0, "new", 1), (5, "resolved", 1), (60, "in_progress", 1), (65, "resolved", 1), (99, "closed", 1)) == [
        (1, 1, False, 0, 5),
        (1, 1, False, 60, 65),
    ]


def test_what_lasts_is_not_told_yet() -> None:
    assert _stays((0, "new", 1), (5, "in_progress", 1)) == []
    assert list(waits(_steps((0, "new", 1), (5, "waiting", 1, "requester")))) == []
    assert list(stays([])) == []


def test_waits_by_reason() -> None:
    told = _steps(
        (0, "new", 1),
        (5, "waiting", 1, "requester"),
        (8, "waiting", 1, "requester"),
        (10, "waiting", 1, "supplier"),
        (40, "resolved", 1),
        (60, "waiting", 1, ""),
        (61, "in_progress", 1),
    )
    found = [(one.reason, _minutes(one.starts_at), _minutes(one.ends_at)) for one in waits(told)]
    assert found == [("requester", 5, 10), ("supplier", 10, 40), ("", 60, 61)]
