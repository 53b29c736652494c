"""Writing at the desk in a real browser: naming colleagues, walking from ticket to ticket, and what a kind asks for."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Enter
from .test_the_desk import open_ticket

pytestmark = pytest.mark.browser


def box(page: Page) -> str:
    """What stands in the composer."""
    return page.locator("#composer textarea").input_value()


def test_a_colleague_is_named_with_keys_alone(enter: Enter) -> None:
    jonas = enter("jonas")
    open_ticket(jonas, "Needs a database hand")
    page = jonas.page
    page.keyboard.press("n")
    page.keyboard.type("Have a look, @")
    people = page.get_by_role("listbox", name="People")
    expect(people.get_by_role("option").first).to_be_visible()
    message = page.get_by_role("textbox", name="Message")
    expect(message).to_be_focused()
    expect(message).to_have_attribute("aria-activedescendant", re.compile(r"person-\d+"))
    jonas.accessible()
    page.keyboard.press("Escape")
    expect(people).to_be_hidden()
    expect(page.locator("#composer textarea")).to_be_focused()
    page.keyboard.type("ami")
    expect(people.get_by_role("option", name="Amir Haddad")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    assert box(page) == "Have a look, @Amir Haddad "
    page.keyboard.type("please")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#story .msg.note")).to_contain_text("@Amir Haddad please")


def test_a_colleague_is_named_with_the_mouse(enter: Enter) -> None:
    jonas = enter("jonas")
    open_ticket(jonas, "Pointed at")
    page = jonas.page
    page.keyboard.press("n")
    page.keyboard.type("@ha")
    page.get_by_role("option", name="Amir Haddad").click()
    assert box(page) == "@Amir Haddad "
    expect(page.locator("#composer textarea")).to_be_focused()


def test_a_reply_names_nobody(enter: Enter) -> None:
    jonas = enter("jonas")
    open_ticket(jonas, "Write to info@ami")
    page = jonas.page
    page.keyboard.press("n")
    page.keyboard.type("somebody@ami")
    page.get_by_text("Reply to Maria").click()
    page.keyboard.type("Write to @ami")
    page.wait_for_timeout(400)
    expect(page.get_by_role("listbox", name="People")).to_be_hidden()


def test_one_walks_from_ticket_to_ticket_along_the_view(enter: Enter) -> None:
    jonas = enter("jonas")
    page = jonas.page
    numbers = [open_ticket(jonas, f"Along the view {count}") for count in range(3)]
    page.goto("/desk/all?q=along")
    expect(page.locator(".tk")).to_have_count(3)
    order = page.locator(".tk").evaluate_all("rows => rows.map(row => row.dataset.n)")
    assert sorted(order) == sorted(numbers)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tickets/{order[0]}")
    page.keyboard.press("]")
    page.wait_for_url(f"**/tickets/{order[1]}")
    page.get_by_role("link", name="Next ticket").click()
    page.wait_for_url(f"**/tickets/{order[2]}")
    page.keyboard.press("]")
    expect(page.locator(".toast")).to_contain_text("This is the last ticket of the view.")
    jonas.accessible()
    page.keyboard.press("[")
    page.wait_for_url(f"**/tickets/{order[1]}")
    page.get_by_role("link", name="Back to the desk").click()
    page.wait_for_url("**/desk/all?q=along")
    expect(page.locator(f"#t{order[1]}")).to_have_attribute("aria-current", "true")
    # a ticket one comes to otherwise has no neighbors
    page.goto(f"/tickets/{open_ticket(jonas, 'On its own')}")
    expect(page.get_by_role("link", name="Next ticket")).to_be_hidden()


def test_what_is_typed_survives_the_change_of_kind(enter: Enter) -> None:
    ada, jonas = enter("ada"), enter("jonas")
    ada.page.goto("/setup/fields/new")
    ada.page.get_by_label("What it is called on forms").fill("Cost center")
    ada.page.get_by_label("On", exact=True).select_option(label="Requests")
    ada.page.get_by_role("button", name="Add the field").click()
    page = jonas.page
    page.goto("/tickets/new")
    page.get_by_label("In one sentence").fill("A chair")
    expect(page.get_by_label("Cost center")).to_have_count(0)
    page.get_by_text("Somebody needs something that we deliver").click()
    page.get_by_label("Cost center").fill("4711")
    expect(page.get_by_label("In one sentence")).to_have_value("A chair")
    jonas.accessible()
    page.get_by_role("button", name="Open the ticket").click()
    page.wait_for_url(re.compile(r"/tickets/\d+$"))
    expect(page.locator("#side")).to_contain_text("4711")


def test_everything_of_the_composer_is_there_on_a_phone(enter: Enter) -> None:
    jonas, phone = enter("jonas"), enter("jonas", size="phone")
    number = open_ticket(jonas, "In the pocket")
    page = phone.page
    page.goto(f"/tickets/{number}")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_role("button", name="Send to Maria")).to_be_visible()
    page.get_by_text("Internal note", exact=True).click()
    expect(page.get_by_role("button", name="Add internal note")).to_be_visible()
    page.get_by_text("Reply to Maria").click()
    page.locator("#composer textarea").fill("Which floor is it?")
    page.get_by_role("button", name="Send, then wait for Maria").click()
    expect(page.locator("#facts")).to_contain_text("Waiting for the requester")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#facts")).not_to_contain_text("Waiting")
    expect(page.locator("#story")).not_to_contain_text("Which floor is it?")


def test_a_new_ticket_is_kept_until_it_is_sent(enter: Enter) -> None:
    jonas = enter("jonas")
    page = jonas.page
    page.goto("/tickets/new")
    page.get_by_text("Somebody needs something that we deliver").click()
    page.get_by_label("In one sentence").fill("A desk lamp")
    page.get_by_label("What exactly?").fill("The **warm** one.")
    page.goto("/desk/")
    page.goto("/tickets/new")
    expect(page.get_by_text("This is what you were writing.")).to_be_visible()
    jonas.accessible()
    expect(page.get_by_label("In one sentence")).to_have_value("A desk lamp")
    expect(page.locator("input[name=kind]:checked")).to_have_value("request")
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_label("In one sentence")).to_have_value("")
    page.get_by_label("In one sentence").fill("A desk lamp after all")
    page.get_by_role("button", name="Open the ticket").click()
    page.wait_for_url(re.compile(r"/tickets/\d+$"))
    page.goto("/tickets/new")
    expect(page.get_by_label("In one sentence")).to_have_value("")
    # signing out leaves nothing behind for who comes next
    page.get_by_label("In one sentence").fill("Nobody's business")
    page.locator("details.me summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile(r"/sign-in"))
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('allswell.draft'))") == []
