"""How numbers of reports are counted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.kernel.errors import Invalid
from allswell.reporting.rules import median, month_of, percentile, period, share, spread

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
