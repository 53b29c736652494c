"""The words of a page: what a person woken at night reads first, in their language, short enough for one SMS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.notifications import gsm, page_wording
from allswell.notifications.page_wording import BundledPage, PageFacts, Reader

ADA = Reader("en", "Europe/Zurich")
MARIA = Reader("de", "Europe/Berlin")
FACTS = PageFacts(
    key="page.7.41",
    reference="INC-1042",
    number=1042,
    title="Payments are stuck in the queue",
    priority=1,
    since=datetime(2026, 11, 23, 13, 5, tzinfo=UTC),
    cause="opened",
    urgency="urgent",
    link="https://desk.example.org/p/eyJwIjo3fQ.0123456789abcdef",
    code="1042",
    service="Payments",
    next_who="Lena Frei",
    next_at=datetime(2026, 11, 23, 13, 10, tzinfo=UTC),
)


def test_a_page_says_what_since_when_why_and_who_is_next() -> None:
    page = page_wording.message(FACTS, ADA)
    assert page.headline == "P1 Payments are stuck in the queue"
    assert page.text.splitlines() == [
        "INC-1042 · Service: Payments",
        "Since 23 Nov 2026, 14:05 (Europe/Zurich)",
        "It was opened with this priority.",
        "If nobody answers, Lena Frei is paged at 23 Nov 2026, 14:10 (Europe/Zurich).",
    ]
    assert page.short == (
        "P1 INC-1042 Payments are stuck in the queue https://desk.example.org/p/eyJwIjo3fQ.0123456789abcdef Reply: ack 1042"
    )
    assert page.spoken == ("This is Allswell. Priority 1. Payments are stuck in the queue. Service: Payments. I N C 1 0 4 2.")
    assert (page.link, page.code, page.urgency, page.locale) == (FACTS.link, "1042", "urgent", "en")


def test_a_page_speaks_german() -> None:
    page = page_wording.message(
        replace(FACTS, cause="by_hand", asked_by="Jonas Berg", reason="Bitte schau drauf", is_drill=True), MARIA
    )
    assert page.headline == "Übung: P1 Payments are stuck in the queue"
    assert page.text.splitlines() == [
        "INC-1042 · Service: Payments",
        "Seit 23 Nov. 2026, 14:05 (Europe/Berlin)",
        "Jonas Berg ruft Sie von Hand.",
        "“Bitte schau drauf”",
        "Wenn niemand antwortet, wird Lena Frei gerufen: 23 Nov. 2026, 14:10 (Europe/Berlin).",
    ]
    assert page.short.startswith("Übung: P1 INC-1042 ")
    assert page.short.endswith("Antworten Sie: ack 1042")
    assert page.spoken.startswith("Hier ist Allswell. Das ist eine Übung. Priorität 1.")


def test_a_late_page_says_that_nothing_was_watching() -> None:
    blind = (datetime(2026, 11, 23, 1, 10, tzinfo=UTC), datetime(2026, 11, 23, 1, 26, tzinfo=UTC))
    text = page_wording.message(replace(FACTS, blind=blind, round=1, next_who="", next_at=None), ADA).text
    assert "nothing was watching from 23 Nov 2026, 02:10 (Europe/Zurich) to 23 Nov 2026, 02:26 (Europe/Zurich)." in text
    assert "Nobody has answered so far: this is round 2." in text
    assert text.endswith("Nobody else is paged if you do not answer.")


def test_a_title_of_many_lines_is_one_line_of_a_page() -> None:
    page = page_wording.message(replace(FACTS, title="Down\n\nsince\tthis  morning"), ADA)
    assert page.headline == "P1 Down since this morning"


@given(
    title=st.text(min_size=0, max_size=300),
    length=st.integers(0, 200),
    locale=st.sampled_from(["en", "de"]),
    is_drill=st.booleans(),
)
def test_a_page_is_one_message_whatever_its_title(title: str, length: int, locale: str, is_drill: bool) -> None:
    link = f"https://desk.example.org/p/{'x' * length}"
    short = page_wording.message(replace(FACTS, title=title, link=link, is_drill=is_drill), Reader(locale, "UTC")).short
    assert gsm.fits(short)
    assert short.endswith("ack 1042")
    assert "INC-1042" in short
    assert (link in short) or length > 60


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Küche überflutet – „sofort“", 'Küche überflutet - "sofort"'),
        ("Crêperie façade", "Creperie facade"),
        ("100 € [brutto]", "100 € [brutto]"),
    ],
)
def test_an_sms_keeps_what_its_alphabet_can_say(title: str, said: str) -> None:
    assert f" {said} " in page_wording.message(replace(FACTS, title=title), ADA).short


def test_another_script_goes_out_as_it_is_when_all_fits_into_seventy_and_gives_way_to_the_link_when_not() -> None:
    near = page_wording.message(replace(FACTS, title="Платежи стоят", link="https://a.example/p/x"), ADA).short
    assert near == "P1 INC-1042 Платежи стоят https://a.example/p/x Reply: ack 1042"
    assert len(near) <= 70
    far = page_wording.message(replace(FACTS, title="Платежи стоят"), ADA).short
    assert far == f"P1 INC-1042 {FACTS.link} Reply: ack 1042"


def test_a_storm_is_told_in_one_message_the_worst_first() -> None:
    pages = [BundledPage(f"INC-{1040 + n}", f"Thing {n}", 2 + n % 3, str(n), f"https://d.example/p/{n}") for n in range(12)]
    pages.append(BundledPage("INC-2000", "Payments", 1, "99", "https://d.example/p/99"))
    told = page_wording.bundle(pages, ADA, key="b.1", link="https://d.example/me/pages", urgency="urgent")
    assert told.headline == "13 pages wait for you"
    lines = told.text.splitlines()
    assert lines[:2] == ["P1 INC-2000 Payments", "https://d.example/p/99"]
    assert (len(lines), lines[-1]) == (21, "and 3 more")
    assert told.short.startswith("13 pages wait for you: INC-2000, INC-1040")
    assert told.short.endswith("https://d.example/me/pages")
    assert gsm.fits(told.short)
    assert told.spoken == "This is Allswell. 13 pages wait for you. The most important: Payments."
    assert (told.number, told.reference, told.key) == (0, "", "b.1")
    one = page_wording.bundle(pages[:1], MARIA, key="b.2", link="", urgency="normal")
    assert one.headline == "1 Ruf wartet auf Sie"


def test_what_a_voice_says_about_its_keys() -> None:
    assert page_wording.pressing("de") == "Drücken Sie die 4, um zu bestätigen."
    assert page_wording.pressed("en", has_worked=True) == "Acknowledged. Thank you."
    assert page_wording.pressed("en", has_worked=False).startswith("This did not acknowledge the page.")
