"""Mails written to hurt: they are refused by name or read, and never cost more than their size."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allswell.intake.parsers.mail import message, quoting
from allswell.intake.parsers.mail.limits import Limits, TooMuch
from allswell.kernel import text as texts

from .letters import HEAD, steps, understand

MIXED = "Content-Type: multipart/mixed; boundary=b\n\n"
HTML = "Content-Type: text/html\n\n"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (HEAD + "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5_000)), "nesting"),
        (HEAD + "Content-Type: message/rfc822\n\n" * 25, "nesting"),
        (HEAD + MIXED + "--b\n\nx\n" * 201 + "--b--", "parts"),
        (HEAD + MIXED + "--b\n\nx\n" * 50_000, "parts"),
        ("".join(f"X-{n}: y\n" for n in range(1_001)), "headers"),
        ("Subject: " + "x" * 300_000, "headers"),
        ("Subject: " + "\n ".join(["=?utf-8?q?a?="] * 20_000), "headers"),
        (HEAD + MIXED + "--bx\n" * 21_000, "boundaries"),
        ("x" * (25 * 1024 * 1024 + 1), "size"),
    ],
)
def test_what_is_beyond_the_limits_is_refused_by_name(raw: str, reason: str) -> None:
    with pytest.raises(TooMuch) as refused:
        message.parse(raw.encode())
    assert refused.value.reason == reason


def test_the_limits_themselves_are_within() -> None:
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(20))
    assert message.parse(f"{HEAD}{nested}\nhello".encode()).text == "hello"
    assert len(message.parse((HEAD + MIXED + "--b\nContent-Type: a/b\n\nx\n" * 199 + "--b--").encode()).attachments) == 199


SHAPES = {
    "encoded words": ("Subject: ", "=?utf-8?q?a?= ", "\n\nx"),
    "half encoded words": ("Subject: ", "=?utf-8?q?", "\n\nx"),
    "comments": ("From: ", "((", "\n\nx"),
    "quotes in names": ("From: ", '"\\', "\n\nx"),
    "groups": ("To: ", "a:b;", "\n\nx"),
    "recipients": ("To: ", "a@x.example, ", "\n\nx"),
    "parameters": ("Content-Type: a/b", ";a*1*=%41", "\n\nx"),
    "references": ("References: ", "<a@b>", "\n\nx"),
    "headers": ("", "X: y\n", "\nx"),
    "results": ("Authentication-Results: mx.desk.example", "; dkim=pass (", "\n\nx"),
    "divs": (HEAD + HTML, "<div>", "x"),
    "quotes in a page": (HEAD + HTML, "<blockquote>x", ""),
    "open tags": (HEAD + HTML, "<a ", ""),
    "open values": (HEAD + HTML, '<a x="', ""),
    "open comments": (HEAD + HTML, "<!--", ""),
    "entities": (HEAD + HTML, "&#1;&am", ""),
    "quote marks": (HEAD + "\n", "> a\n", ""),
    "quotes and answers": (HEAD + "\n", "> a\nb\n", ""),
    "attributions": (HEAD + "\n", "On 1 Jan 2026 somebody\n", ""),
    "mail heads": (HEAD + "\n", "From: x\n", ""),
    "signatures": (HEAD + "\n", "--\n", ""),
    "rules": (HEAD + "\n", "-----\n\n", ""),
    "uuencoded": (HEAD + "\n", "begin 644 x\n", ""),
    "dashes": (HEAD + MIXED, "--", ""),
    "delivery": (HEAD + "Content-Type: message/delivery-status\n\n", "Action: failed\n\n", ""),
    "away": (HEAD + "\n", "ich bin bis ", ""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_mail_costs_at_most_twice_the_steps(shape: str) -> None:
    before, again, after = SHAPES[shape]

    def cost(times: int) -> int:
        raw = (before + again * times + after).encode()
        return steps(lambda: understand(raw))

    cost(400)
    assert cost(800) <= 2.3 * cost(400) + 200


def test_a_page_too_deep_to_sanitize_is_read_but_not_shown() -> None:
    found = message.parse(f"{HEAD}{HTML}{'<div>' * 50_000}deep".encode())
    assert (found.text, found.html) == ("deep", "")
    assert "the page is nested too deeply to be shown" in found.defects
    wide = message.parse(f"{HEAD}{HTML}{'<p>x</p>' * 5_000}".encode())
    assert wide.html != ""


def test_a_row_of_accents_costs_its_length() -> None:
    tower = "a" + "\u0300\u0327" * 30_000
    assert len(texts.clean(tower)) <= len(tower)
    assert texts.clean("e\u0301" * 3_000) == "é" * 3_000
    assert texts.clean("\u1100\u1161\u11a8" * 3_000) == "각" * 3_000


def test_packed_files_stay_packed() -> None:
    bomb = b"PK\x03\x04" + b"\0" * 1_000
    raw = (
        f"{HEAD}Content-Type: application/zip; name=x.zip\nContent-Transfer-Encoding: base64\n\n{base64.b64encode(bomb).decode()}"
    )
    assert [(one.name, one.size) for one in message.parse(raw.encode()).attachments] == [("x.zip", len(bomb))]


def test_recipients_beyond_the_limit_are_cut_and_noted() -> None:
    found = message.parse(("To: " + ", ".join(f"p{n}@x.example" for n in range(5_000)) + "\n\nx").encode())
    assert len(found.to) == 500
    assert "too many recipients" in found.defects


def test_no_text_of_a_mail_holds_what_a_database_refuses() -> None:
    raw = b"From: a\x00b <a@x.example>\nSubject: a\x00\xed\xa0\x80b\n\nText\x00 with \xed\xa0\x80 and \x1b[31m\x07."
    found = message.parse(raw)
    for said in (found.subject, found.text, found.from_.name):
        assert "\x00" not in said
        said.encode()


_FRAGMENTS = st.sampled_from(
    [
        *(
            b"From: a@b.example\n",
            b"Subject: =?utf-8?q?",
            b"?=",
            b"Content-Type: multipart/mixed; boundary=b\n",
            b"\n--b\n",
            b"--b--",
            b"\n\n",
        ),
        *(
            b"Content-Type: message/rfc822\n",
            b"Content-Transfer-Encoding: base64\n",
            b"Content-Type: text/html\n",
            b"<blockquote>",
            b"<!--",
        ),
        *(
            b"9" * 5_000 + b";",
            b"&#x",
            b"Content-Disposition: attachment; filename*0*=utf-8''%ff",
            b"charset=utf-7",
            b"+AAA",
            b"\r",
            b"> ",
        ),
        *(
            b"Content-Type: message/delivery-status\n",
            b"Final-Recipient: rfc822;",
            b"Date: 99 Foo 0 +9999\n",
            b"\x1b$B",
            b"begin 644 x\n",
        ),
        *(b"end\n", b"\n\n", b"<blockquote>", b"On 1 a wrote:\n"),
    ]
)
_LINES = st.sampled_from(
    ["> a\n", "\n", "On 1 Jan 2026, Eva wrote:\n", "-- \n", "Eva\n", "From: x\nSent: y\nTo: z\n", "text", "_____\n"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(_FRAGMENTS, st.binary(max_size=40)), max_size=40).map(b"".join))
def test_no_bytes_whatever_raise_anything_but_too_much(raw: bytes) -> None:
    with suppress(TooMuch):
        understand(raw)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 30), st.integers(0, 5))
def test_narrow_limits_hold(raw: bytes, fields: int, parts: int) -> None:
    limits = Limits(size=300, header_fields=fields, parts=parts, nesting=1)
    try:
        found = message.parse(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + raw, limits)
    except TooMuch:
        return
    assert len(found.attachments) <= parts


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["> a\n", "\n", "On 1 Jan 2026, Eva wrote:\n", "-- \n", "Eva\n", "From: x\nSent: y\nTo: z\n", "text", "_____\n"]
        ),
        max_size=30,
    )
)
def test_nothing_of_a_text_is_thrown_away(lines: list[str]) -> None:
    text = "".join(lines)
    for is_forward in (False, True):
        assert "".join(piece.text for piece in quoting.split(text, is_forward=is_forward).pieces) == text
