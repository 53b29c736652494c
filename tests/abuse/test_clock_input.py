"""Agreements and calendars of any shape: refused with a sentence, or taken and said again the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.calendars.rules import Definition, own_from_json
from allswell.desk import agreements
from allswell.kernel.errors import DeskError, Invalid
from allswell.sla.rules.terms import Audience, Metric, Terms
from tests.support.promises import target
from tests.support.world import World

WORDS = (
    *("always", "08:00", "24:00", "25:99", "working", "working_days", "same_time", "opening", "Europe/Paris", "2026-12-25"),
    *("0001-01-01", "9999-12-31", "acknowledgement", "team_time", "\x00", "\ud800", ""),
)
NAMES = ("zone", "kinds", "targets", "metric", "within", "counting", "amount", "calendar", "warn", "share", "minutes", "name")
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**40), 10**40), st.floats(), st.text(max_size=8), st.sampled_from(WORDS)
)
ANYTHING = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def nearly(right: Any) -> Any:
    """What is right, or anything at all."""
    return st.one_of(right, ANYTHING)


def some(**fields: Any) -> Any:
    """Some of these fields, each right or not."""
    return st.fixed_dictionaries({}, optional={name: nearly(right) for name, right in fields.items()})


WITHIN = some(
    counting=st.sampled_from(["working", "working_days", "calendar_days"]),
    amount=st.integers(1, 100),
    calendar=st.just("always"),
    cutoff=st.sampled_from(["17:00", None]),
    opening=st.sampled_from(["08:00", None]),
    off_day=st.sampled_from(["same_time", "opening"]),
)
TARGET = some(
    metric=st.sampled_from([metric.value for metric in Metric]),
    within=WITHIN,
    key=st.just("k"),
    stop=st.sampled_from(["closed", "resolved"]),
    priorities=st.lists(st.integers(0, 6), max_size=3),
    pauses=st.lists(st.sampled_from(["requester", "supplier", "x"]), max_size=3),
    warn=some(share=st.floats(0, 1), minutes=st.integers(1, 10**30)),
)
TERMS = some(
    zone=st.just("Europe/Paris"),
    targets=st.lists(nearly(TARGET), max_size=3),
    kinds=st.lists(st.sampled_from(["incident", "request"]), max_size=2),
    services=st.lists(st.integers(), max_size=2),
    priorities=st.lists(st.integers(0, 6), max_size=2),
)
DAY = some(name=st.just("Day off"), hours=st.lists(st.sampled_from(["08:00-12:00", "24:00-24:00", "12:00-11:00"]), max_size=2))
WEEK = st.lists(nearly(st.lists(st.sampled_from(["08:00-12:00", "13:00-17:00"]), max_size=2)), min_size=6, max_size=8)
DATES = st.sampled_from(["2026-12-25", "0001-01-01", "9999-12-31", "12-24", "02-30", "2026-W01-1"]) | st.text(max_size=10)
DAYS = st.dictionaries(DATES, nearly(DAY), max_size=3)


def taken(parse: Callable[[], Any]) -> Any:
    """What was made of it, or the refusal. Nothing else may come out."""
    try:
        return parse()
    except Invalid as refusal:
        return refusal


@given(nearly(TERMS), st.sampled_from(Audience))
def test_terms_of_any_shape_are_taken_or_refused_with_a_sentence(said: Any, audience: Audience) -> None:
    answer = taken(lambda: Terms.parse(said, audience=audience))
    if isinstance(answer, Invalid):
        assert answer.field
    else:
        assert Terms.parse(json.loads(json.dumps(answer.as_json())), audience=audience) == answer


@given(nearly(some(week=WEEK, days=DAYS)))
def test_hours_of_any_shape_are_taken_or_refused_with_a_sentence(said: Any) -> None:
    answer = taken(lambda: Definition.parse(said))
    if isinstance(answer, Invalid):
        assert answer.field
    else:
        assert Definition.parse(json.loads(json.dumps(answer.as_json()))).as_json() == answer.as_json()


@given(nearly(DAYS))
def test_days_of_any_shape_are_taken_or_refused_with_a_sentence(said: Any) -> None:
    answer = taken(lambda: own_from_json(said))
    assert answer.field == "days" if isinstance(answer, Invalid) else isinstance(answer, dict)


ODD_TARGETS: tuple[tuple[dict[str, Any], str], ...] = (
    (target("resolution", 60, warn={"minutes": 10**30}), "targets.0.warn.minutes"),
    (target("resolution", 60, warn={"share": float("nan")}), "targets.0.warn.share"),
    (target("resolution", 10**30), "targets.0.within.amount"),
    (
        {"metric": "resolution", "within": {"counting": "working", "amount": 60, "calendar": "a\x00b"}},
        "targets.0.within.calendar",
    ),
    (
        {"metric": "resolution", "within": {"counting": "working", "amount": 60, "calendar": "\ud800"}},
        "targets.0.within.calendar",
    ),
    (
        {"metric": "resolution", "within": {"counting": "working", "amount": 60, "calendar": "a" * 9999}},
        "targets.0.within.calendar",
    ),
    (
        {"metric": "resolution", "within": {"counting": "working_days", "amount": 1, "calendar": "always", "cutoff": "17:00"}},
        "targets.0.within.opening",
    ),
    (
        {"metric": "resolution", "within": {"counting": "working_days", "amount": 1, "calendar": "always", "cutoff": "24:00"}},
        "targets.0.within.cutoff",
    ),
)


@pytest.mark.parametrize(("said", "field"), ODD_TARGETS)
def test_odd_targets_name_their_field_on_either_database(world: World, said: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        agreements.create(name="Odd", definition={"zone": "UTC", "targets": [said]}, **world.by(world.ada))
    assert refused.value.field == field


@pytest.mark.parametrize("ref", [2**70, -1, 0, "a\x00b", "\ud800", "9" * 30, "²", {}, None, True, 1.5])
def test_odd_references_are_refused_not_tripped_over(world: World, ref: Any) -> None:
    definition = {"zone": "UTC", "services": [ref], "targets": [target("resolution", 60)]}
    with pytest.raises(DeskError):
        agreements.create(name="Odd", definition=definition, **world.by(world.ada))
    for party in ("organization", "team"):
        if isinstance(ref, int | str) and not isinstance(ref, bool) and ref:
            with pytest.raises(DeskError):
                agreements.create(name="Odd", audience="internal", **{party: ref}, **world.by(world.ada))
