"""A shift is handed over: signed at a screen, taken on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import Desk, Enter

pytestmark = pytest.mark.browser


def test_amir_signs_at_his_desk_and_priya_takes_the_shift_on_her_phone(desk: Desk, enter: Enter) -> None:
    address = f"/oncall/handovers/{desk.numbers['handover']}"
    amir, priya = enter("amir"), enter("priya", size="phone", theme="dark")
    amir.page.goto(address)
    expect(amir.page.get_by_text("The ledger refuses connections")).to_be_visible()
    amir.accessible()
    priya.page.goto(address)
    expect(priya.page.get_by_text("You can take it as soon as Amir Haddad has signed")).to_be_visible()
    expect(priya.page.get_by_role("button", name="Take the shift")).to_have_count(0)
    priya.accessible()

    amir.page.get_by_label("In three sentences").fill("The ledger: look at **the standby** first.")
    amir.page.get_by_role("button", name="Sign and hand over").click()
    expect(amir.page.get_by_text("Signed. The next one is told.")).to_be_visible()
    amir.accessible()

    priya.page.reload()
    expect(priya.page.get_by_text("the standby").first).to_be_visible()  # above the tickets, not below them
    take = priya.page.get_by_role("button", name="Take the shift").first
    box = take.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    take.tap()
    expect(priya.page.get_by_text("The shift is yours.")).to_be_visible()
    expect(priya.page.get_by_role("button", name="Take the shift")).to_have_count(0)
    priya.accessible()

    amir.page.reload()
    expect(amir.page.locator("header .chip")).to_have_text("Taken")
    amir.page.goto("/oncall/databases/handovers")
    expect(amir.page.get_by_role("link", name="Amir Haddad to Priya Nair")).to_be_visible()
    amir.accessible_everywhere()
    priya.page.goto("/oncall/databases/handovers")
    priya.accessible()
