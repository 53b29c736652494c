"""When the watcher pages, how often, and what it remembers over a restart."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.cli import watch_rules as rules
from allswell.cli.watch_rules import State, Word

START = 1_795_000_000.0
EVERY, REPEAT, MISSES = 15.0, 900.0, 4


class Story:
    """A watcher whose looks are told: "x" in vain, "." well. Everybody can be told unless `is_cut_off`."""

    def __init__(self) -> None:
        self.state, self.now, self.is_cut_off = State(), START, False
        self.said: list[tuple[str, float]] = []

    def sees(self, looks: str) -> Story:
        for look in looks:
            seen = rules.missed(self.state, "No answer.", now=self.now) if look == "x" else rules.saw(self.state, now=self.now)
            self.state = seen
            word = rules.due(self.state, misses=MISSES, repeat=REPEAT, now=self.now)
            if word is not None and not self.is_cut_off:
                self.said.append((word.kind, self.now - START))
                self.state = rules.told(self.state, word, now=self.now)
            self.now += EVERY
        return self

    def restarts(self) -> Story:
        self.state = State.from_json(json.loads(json.dumps(self.state.as_json())))
        return self


def test_it_pages_after_four_looks_in_vain_and_not_before() -> None:
    assert Story().sees("xxx.xxx.xxx.").said == []
    assert Story().sees("xxxx").said == [("silent", 45.0)]


def test_it_says_it_again_every_quarter_of_an_hour_also_after_a_restart() -> None:
    story = Story().sees("x" * 20).restarts().sees("x" * 120)
    assert story.said == [("silent", 45.0), ("silent", 945.0), ("silent", 1845.0)]


def test_two_good_looks_end_it_and_are_told_once() -> None:
    story = Story().sees("xxxx").restarts().sees(".x...").restarts().sees("....")
    assert [kind for kind, _at in story.said] == ["silent", "well"]
    assert story.state.pages == 0


def test_how_long_it_was_silent_is_told() -> None:
    story = Story().sees("..xxxxxx")
    story.is_cut_off = True
    story.sees("..")
    word = rules.due(story.state, misses=MISSES, repeat=REPEAT, now=story.now)
    assert word == Word("well", START + 30, START + 135)


def test_who_could_not_be_told_is_told_as_soon_as_it_goes() -> None:
    story = Story()
    story.is_cut_off = True
    story.sees("x" * 10)
    story.is_cut_off = False
    assert story.sees("x").said == [("silent", 150.0)]


def test_a_new_silence_goes_before_the_news_that_the_last_is_over() -> None:
    story = Story().sees("xxxx")
    story.is_cut_off = True
    story.sees("..xxxx")
    story.is_cut_off = False
    story.sees("x")
    assert [kind for kind, _at in story.said] == ["silent", "silent"]
    assert story.sees("...").said[-1][0] == "well"


def test_a_clock_set_back_makes_it_speak_rather_than_be_silent() -> None:
    story = Story().sees("xxxx")
    story.now -= 86_400
    assert story.sees("x").said[-1][0] == "silent"


def test_the_key_is_the_same_when_it_is_tried_again_and_another_when_it_is_said_again() -> None:
    assert Word("silent", START, START + 60).key == Word("silent", START, START + 75, "other").key
    assert Word("silent", START, START, number=1).key != Word("silent", START, START, number=2).key


@pytest.mark.parametrize(
    "told", [None, [], {}, {"misses": 1}, {**State().as_json(), "why": 3}, {**State().as_json(), "pages": True}]
)
def test_a_file_of_something_else_is_not_believed(told: object) -> None:
    with pytest.raises(ValueError, match="state"):
        State.from_json(told)


@given(st.text("x.", max_size=300), st.sets(st.integers(0, 300), max_size=5))
def test_whatever_happens_it_never_repeats_itself_too_soon(looks: str, restarts: set[int]) -> None:
    story = Story()
    for place, look in enumerate(looks):
        if place in restarts:
            story.restarts()
        story.sees(look)
    pages = [at for kind, at in story.said if kind == "silent"]
    wells = [at for kind, at in story.said if kind == "well"]
    assert len(wells) <= len(pages)
    for before, after in pairwise(pages):
        assert after - before >= REPEAT or any(before < at < after for at in wells)
