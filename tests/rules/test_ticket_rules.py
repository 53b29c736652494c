"""Priority, lifecycles, whose turn it is, names of files: what must hold for every input."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.incidents import rules as incidents
from allswell.kernel import text
from allswell.kernel.errors import Conflict, DeskError, Invalid
from allswell.service_requests import rules as requests
from allswell.tickets import rules
from allswell.tickets.rules import DONE_STATES, FINAL_STATES, Lifecycle, Matrix, Move, State

levels = st.integers(min_value=1, max_value=9)
tables = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.integers(1, 5), min_size=width, max_size=width), min_size=1, max_size=6)
)
lifecycles = st.sampled_from([incidents.LIFECYCLE, requests.LIFECYCLE])


@given(levels, levels)
def test_the_default_matrix_is_the_glossary(impact: int, urgency: int) -> None:
    assert rules.DEFAULT_MATRIX.priority(impact, urgency) == min(5, min(impact, 4) + min(urgency, 4) - 1)


@given(levels, levels)
def test_worse_impact_or_urgency_never_lowers_the_priority(impact: int, urgency: int) -> None:
    priority = rules.DEFAULT_MATRIX.priority(impact, urgency)
    assert rules.DEFAULT_MATRIX.priority(impact + 1, urgency) >= priority
    assert rules.DEFAULT_MATRIX.priority(impact, urgency + 1) >= priority


@given(tables, levels, levels)
def test_any_matrix_answers_with_one_of_its_cells(table: list[list[int]], impact: int, urgency: int) -> None:
    matrix = Matrix.parse(table)
    row = table[min(impact, len(table)) - 1]
    assert matrix.priority(impact, urgency) == row[min(urgency, len(row)) - 1]


@given(st.one_of(st.just([]), st.just([[]]), st.just([[1, 2], [1]]), st.just([[0]]), st.just([[6]]), st.just([["1"]])))
def test_what_is_no_matrix_is_refused(table: list[list[int]]) -> None:
    with pytest.raises(Invalid):
        Matrix.parse(table)


@pytest.mark.parametrize("lifecycle", [incidents.LIFECYCLE, requests.LIFECYCLE], ids=["incident", "request"])
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_every_move_from_every_state(lifecycle: Lifecycle, state: State, move: Move) -> None:
    """It leads where the glossary says or is refused; nothing leads out of a final state, nothing ends where it began."""
    if move not in lifecycle.allowed(state):
        with pytest.raises(Conflict):
            lifecycle.after(state, move)
        return
    after = lifecycle.after(state, move)
    assert state not in FINAL_STATES
    assert after is not state
    if move is Move.REOPEN:
        assert state in rules.RESOLVED_STATES
        assert after is State.IN_PROGRESS
    if move is Move.CLOSE:
        assert state in rules.RESOLVED_STATES
        assert after is State.CLOSED
    if move in (Move.RESOLVE, Move.CANCEL):
        assert state not in DONE_STATES
        assert after in DONE_STATES


@given(lifecycles, st.lists(st.sampled_from(list(Move)), max_size=30))
def test_no_way_through_life_leaves_the_states_of_the_kind(lifecycle: Lifecycle, moves: list[Move]) -> None:
    reachable = {State.NEW} | {end for _, end in lifecycle.moves.values()}
    state = State.NEW
    for move in moves:
        if move in lifecycle.allowed(state):
            state = lifecycle.after(state, move)
        assert state in reachable


persons = st.lists(st.integers(1, 50), unique=True, max_size=8)


@given(persons.filter(bool))
def test_in_turn_everybody_has_a_turn_before_anybody_has_two(team: list[int]) -> None:
    last, turns = None, []
    for _ in team:
        last = rules.next_in_turn(team, last=last)
        turns.append(last)
    assert sorted(turns) == sorted(team)


@given(persons, st.dictionaries(st.integers(1, 50), st.integers(0, 5)), st.none() | st.integers(1, 50))
def test_the_least_loaded_has_nobody_below(team: list[int], loads: dict[int, int], last: int | None) -> None:
    chosen = rules.least_loaded(team, loads=loads, last=last)
    assert (chosen is None) is (not team)
    assert all(loads.get(chosen, 0) <= loads.get(person, 0) for person in team)


@given(st.text(max_size=400))
def test_a_file_name_is_always_harmless(name: str) -> None:
    try:
        shown = rules.file_name(name)
    except DeskError:
        return
    assert shown
    assert len(shown) <= 200
    assert not set(shown) & set("/\\\0\u202e\u200b\n\r")
    assert rules.file_name(shown) == shown


@given(st.one_of(st.text(max_size=50), st.text("=+-@;\t\r\n 'a1＝", max_size=12)))
def test_A39_no_cell_begins_like_a_formula(value: str) -> None:
    """Nor would one where a semicolon or a tab ends a cell, as in German Excel."""
    cell = text.spreadsheet_cell(value)
    assert not cell.startswith(("\t", "\r", "\n"))
    for part in re.split(r"[;\t\r\n]", cell):
        assert not part.lstrip(" ").startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert cell.replace("'", "") == value.replace("'", "")
    assert text.spreadsheet_cell("Mail; phone 044-1") == "Mail; phone 044-1"


fields = [
    rules.CustomRule(key="branch", kind="choice", choices=("Bern", "Basel")),
    rules.CustomRule(key="seats", kind="number"),
    rules.CustomRule(key="due", kind="date"),
    rules.CustomRule(key="vip", kind="boolean"),
    rules.CustomRule(key="floor", kind="text"),
]
anything = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(st.dictionaries(st.sampled_from([field.key for field in fields] + ["other"]), anything))
def test_custom_values_pass_or_are_refused_by_name(values: dict[str, object]) -> None:
    try:
        checked = rules.custom_values(fields, values)
    except Invalid as error:
        refused = error.field.removeprefix("custom.")
    else:
        refused = ""
        assert rules.custom_values(fields, checked) == checked
    assert not refused or refused in values
