"""The addresses pages carry: nobody makes one up, none holds for ever, each has one spelling."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.desk import page_links
from allswell.kernel.errors import NotFound

NOW = datetime(2026, 11, 23, 3, 9, 30, tzinfo=UTC)
LETTERS = string.digits + string.ascii_letters


def token_of(page: int) -> str:
    return page_links.link(page, now=NOW).rpartition("/p/")[2]


@given(page=st.integers(min_value=1, max_value=2**40 - 1))
def test_an_address_names_its_page_in_few_characters(page: int) -> None:
    token = token_of(page)
    assert page_links.read(token, now=NOW) == page
    assert len(token) <= 29
    assert token.isalnum()


@given(place=st.integers(0, 40), letter=st.sampled_from(LETTERS))
def test_no_letter_of_it_can_be_changed(place: int, letter: str) -> None:
    token = token_of(1042)
    place %= len(token)
    forged = token[:place] + letter + token[place + 1 :]
    if forged != token:
        with pytest.raises(NotFound):
            page_links.read(forged, now=NOW)


@given(token=st.text(max_size=60))
def test_what_we_did_not_write_opens_nothing(token: str) -> None:
    with pytest.raises(NotFound):
        page_links.read(token, now=NOW)


@pytest.mark.parametrize("forged", ["", "0", "0" * 29, "z" * 29, "Z" * 5000, "ä", "-", "%00", "²"])
def test_nonsense_is_answered_as_nothing(forged: str) -> None:
    with pytest.raises(NotFound):
        page_links.read(forged, now=NOW)
    with pytest.raises(NotFound):
        page_links.read_carrier(f"0{token_of(7)}", now=NOW)


def test_it_holds_for_two_days() -> None:
    token = token_of(7)
    assert page_links.read(token, now=NOW + timedelta(hours=47, minutes=59)) == 7
    with pytest.raises(page_links.LinkExpired):
        page_links.read(token, now=NOW + timedelta(hours=48, minutes=1))


def test_it_outlives_a_change_of_keys_but_not_the_end_of_the_old_one(settings: Any) -> None:
    token, old = token_of(7), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, long enough to count", [old]
    assert page_links.read(token, now=NOW) == 7
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(NotFound):
        page_links.read(token, now=NOW)


def test_the_address_of_a_carrier_opens_no_page() -> None:
    signed = page_links.carrier_link(7, now=NOW).rpartition("/carrier/")[2]
    assert page_links.read_carrier(signed, now=NOW) == 7
    with pytest.raises(NotFound):
        page_links.read(signed, now=NOW)
    with pytest.raises(NotFound):
        page_links.read_carrier(token_of(7), now=NOW)
