"""Which announcement answers what somebody types: whatever the language, with typos, while still typing."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from allswell.incidents import rules

TITLE = "Account look-up does not work in branches"
BODY = "The cause is found and we are fixing it. Until then, use Ledger Inquiry."

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüéñαβγжиктяоль"
WORDS = st.text(alphabet=LETTERS, min_size=5, max_size=14)
SENTENCES = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)


@pytest.mark.parametrize(
    "typed",
    [
        "account look-up is down",
        "Account lookup",
        "ACCOUNT LOOK UP DOES NOT WORK",
        "acount lookup is dwon",
        "I cannot look up the account of a client since this morning",
        "accou",
        "lookup broken",
        "accounts cannot be looked up",
    ],
)
def test_it_is_recognized(typed: str) -> None:
    assert rules.is_answer(rules.answers(typed, title=TITLE, body=BODY, service="Account look-up"))


@pytest.mark.parametrize(
    "typed", ["", "is", "the printer jams", "Printer does not work", "new password", "it is not", "coffee machine"]
)
def test_something_else_is_not(typed: str) -> None:
    assert not rules.is_answer(rules.answers(typed, title=TITLE, body=BODY, service="Account look-up"))


@pytest.mark.parametrize(
    ("typed", "title", "service"),
    [
        ("Konto Auskunft geht nicht", "Kontoauskunft in den Filialen gestört", "Kontoauskunft"),
        ("la recherche de compte est en panne", "Recherche de compte indisponible", "Recherche de compte"),
        ("поиск счета не работает", "Поиск счета недоступен", "Поиск счета"),
        ("打印机坏了", "打印机无法使用", "打印机"),
        ("Zürich Zahlungen", "Zahlungen in Zurich verspatet", ""),
    ],
)
def test_in_any_language(typed: str, title: str, service: str) -> None:
    assert rules.is_answer(rules.answers(typed, title=title, service=service))


@given(typed=st.text(max_size=80), title=st.text(max_size=80), body=st.text(max_size=200), service=st.text(max_size=40))
def test_any_text_gets_a_score_between_0_and_1(typed: str, title: str, body: str, service: str) -> None:
    assert 0.0 <= rules.answers(typed, title=title, body=body, service=service) <= 1.0


@given(SENTENCES)
def test_the_title_itself_is_its_best_answer(title: str) -> None:
    assert rules.answers(title, title=title) == 1.0
    assert rules.answers(title.upper(), title=title) == pytest.approx(rules.answers(title, title=title.upper()))


@given(
    title=SENTENCES,
    at=st.integers(min_value=1),
    letter=st.sampled_from(LETTERS),
    how=st.sampled_from(["drop", "replace", "swap"]),
)
def test_one_typo_is_forgiven(title: str, at: int, letter: str, how: str) -> None:
    word = max(title.split(), key=len)
    assume(len(word) >= 6)
    at = 1 + at % (len(word) - 2)
    typo = {
        "drop": word[:at] + word[at + 1 :],
        "replace": word[:at] + letter + word[at + 1 :],
        "swap": word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    }[how]
    assert rules.is_answer(rules.answers(title.replace(word, typo), title=title))


@given(one=WORDS, other=WORDS)
def test_distance_is_the_same_both_ways_and_0_only_for_the_same(one: str, other: str) -> None:
    assert rules.distance(one, other, limit=3) == rules.distance(other, one, limit=3)
    assert (rules.distance(one, other, limit=3) == 0) == (one == other)


@given(st.text(max_size=200))
def test_words_are_distinct_and_few(text: str) -> None:
    found = rules.words(text)
    assert len(found) == len(set(found)) <= 24
