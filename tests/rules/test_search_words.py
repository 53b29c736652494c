"""What a text is made of, whichever database keeps it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.search.rules import plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ORA-00060: deadlock", "ORA 00060 deadlock"),
        ("/var/log/a_b.log", "var log a b log"),
        ("Störung in Zürich, naïve", "Storung in Zurich naive"),
        ("서울 서버", "서울 서버"),
    ],
)
def test_words_stand_apart_and_without_accents(text: str, words: str) -> None:
    assert " ".join(plain(text).split()) == words


@given(st.text())
def test_no_joint_is_left_and_nothing_changes_twice(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert not set(once) & set(string.punctuation)
    assert len(once) == len(text)
