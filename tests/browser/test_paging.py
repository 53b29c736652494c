"""A page at night: the first passes it on, the second has it with one thumb, and the desk that rang is quiet again."""

from __future__ import annotations

import json
import re
import time

from playwright.sync_api import expect

from tests.browser.conftest import Desk, Enter
from tests.support.receiver import Receiver


def rings(phones: Receiver, who: str) -> str:
    """The address in the page that somebody got."""
    for _ in range(600):
        for call in list(phones.calls):
            if call.path == f"/{who}":
                return str(json.loads(call.body)["data"]["link"])
        time.sleep(0.1)
    raise AssertionError(f"nothing rang at {who}")


def test_the_first_passes_it_on_the_second_has_it(desk: Desk, enter: Enter, phones: Receiver) -> None:
    amir = enter(size="phone", theme="dark")
    amir.page.goto(rings(phones, "amir"))
    expect(amir.page.get_by_role("heading", level=1)).to_have_text("The ledger refuses connections")
    expect(amir.page.get_by_text(re.compile(r"Goes to Priya Nair in \d+:\d\d"))).to_be_visible()
    amir.accessible()
    have = amir.page.get_by_role("button", name="I have it").bounding_box()
    assert have is not None
    assert have["height"] >= 72

    screen = enter("priya")
    screen.page.goto("/oncall/policies")  # every page of the desk rings, the live ones and those that only stand there
    amir.page.get_by_role("button", name="Pass to Priya Nair").click()
    link = rings(phones, "priya")
    banner = screen.page.locator("#alarm")
    expect(banner).to_contain_text("The ledger refuses connections")
    screen.accessible()

    priya = enter(size="phone")
    priya.page.goto(link)
    priya.page.get_by_role("button", name="I have it").click()
    expect(priya.page.get_by_text("You have it.")).to_be_visible()
    priya.accessible()
    priya.page.get_by_role("button", name="1 h").click()
    expect(priya.page.get_by_text("Next word by")).to_be_visible()
    expect(banner).to_be_hidden()

    amir.page.reload()
    expect(amir.page.get_by_text("Priya Nair has it since")).to_be_visible()
    jonas = enter("jonas")
    jonas.page.goto(f"/tickets/{desk.numbers['paged']}")
    expect(jonas.page.get_by_text("Priya Nair has it since")).to_be_visible()
    jonas.page.goto(f"/tickets/{desk.numbers['paged']}/pages")
    jonas.accessible()
