"""What every page has: headers, friendly errors, static files that never change under their name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from allswell.web import show, static_files
from tests.support.world import World

Browser = Callable[..., Client]


def test_an_unknown_page_is_a_friendly_page_with_strict_headers(browser: Browser) -> None:
    response = browser(None).get("/there-is-nothing")
    assert response.status_code == 404
    assert b"There is no such page" in response.content
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response.headers["Permissions-Policy"]


def test_static_files_are_served_for_a_year_and_squeezed(browser: Browser) -> None:
    client = browser(None)
    address = static_files.url("allswell.css")
    response = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] == "gzip"
    assert client.get(address, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
    assert client.get("/static/../settings.py").status_code == 404


def test_every_file_a_style_names_is_there() -> None:
    style = static_files.shelf().files[static_files.url("allswell.css")].content.decode()
    for address in re.findall(r'url\("([^"]+)"\)', style):
        assert address in static_files.shelf().files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("[x](javascript:alert(1))", "[x]"),
        ("see https://example.org/a.", '<a href="https://example.org/a"'),
        ("like INC-1042", '<a href="/INC-1042"'),
        ("`INC-1042`", "<code>INC-1042</code>"),
    ],
)
def test_markdown_of_people_is_harmless(text: str, expected: str) -> None:
    html = show.markdown(text)
    assert expected in html
    assert "<script" not in html
    assert "javascript:" not in html.replace("[x](javascript:alert(1))", "")
    assert "<img" not in show.markdown("![x](https://example.org/pixel.png)")


def test_instants_are_said_as_short_as_they_can_be(world: World) -> None:
    show.set_now(world.now)
    assert show.clock_text(world.now - timedelta(minutes=5)) == "08:55"
    assert show.clock_text(world.now - timedelta(days=1)) == "yesterday 09:00"
    assert show.clock_text(world.now - timedelta(days=3)) == "Fri 09:00"
    assert show.clock_text(world.now + timedelta(days=1)) == "tomorrow 09:00"
    assert show.clock_text(world.now + timedelta(days=6)) == "Sun 29 Nov 09:00"
    assert show.duration(timedelta(hours=1, minutes=52)) == "1 h 52 min"
    show.set_now(None)
