"""The desk in a real browser: keyboard, live rows, the composer, dialogs and the palette, by two agents at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import Enter, Visitor

pytestmark = pytest.mark.browser


def open_ticket(visitor: Visitor, title: str, service: str = "Printing") -> str:
    """Somebody called: open a ticket and come back with its number."""
    visitor.page.goto("/tickets/new")
    visitor.page.get_by_label("Who asks?").press_sequentially("Maria", delay=20)
    visitor.page.get_by_role("option", name="Maria Keller").click()
    visitor.page.get_by_label("In one sentence").fill(title)
    visitor.page.get_by_label("What exactly?").fill("It says **no connection**.")
    visitor.page.get_by_label("Service", exact=True).select_option(label=service)
    visitor.page.get_by_role("button", name="Open the ticket").click()
    visitor.page.wait_for_url(re.compile(r"/tickets/\d+$"))
    return visitor.page.url.rsplit("/", 1)[1]


def test_a_row_is_taken_by_keyboard_and_the_other_agent_sees_it_happen(enter: Enter) -> None:
    jonas, julia = enter("jonas"), enter("amir")
    number = open_ticket(jonas, "Keyboard jam")
    julia.page.goto("/desk/service-desk")
    julia.page.locator("#live:not([hidden])").wait_for()
    jonas.page.goto("/desk/service-desk")
    row = jonas.page.locator(f"#t{number}")
    for _ in range(60):
        if row.get_attribute("aria-current") == "true":
            break
        jonas.page.keyboard.press("j")
    expect(jonas.page.locator("#preview")).to_contain_text("Keyboard jam")
    jonas.page.keyboard.press("a")
    expect(jonas.page.locator(".toast")).to_contain_text("It is yours.")
    expect(julia.page.locator(f"#t{number}")).to_contain_text("In progress")


def test_a_new_ticket_waits_behind_the_pill(enter: Enter) -> None:
    jonas, julia = enter("jonas"), enter("amir")
    open_ticket(jonas, "Before anybody looks")
    julia.page.goto("/desk/service-desk")
    julia.page.locator("#live:not([hidden])").wait_for()
    number = open_ticket(jonas, "Comes while she reads")
    expect(julia.page.get_by_role("button", name="1 new, show")).to_be_visible()
    assert julia.page.locator(f"#t{number}").count() == 0
    julia.page.keyboard.press(".")
    expect(julia.page.locator(f"#t{number}")).to_be_visible()


def test_reply_and_note_cannot_be_confused_and_the_conversation_grows(enter: Enter) -> None:
    jonas, julia = enter("jonas"), enter("amir")
    number = open_ticket(jonas, "Who sees this")
    julia.page.goto(f"/tickets/{number}")
    julia.page.locator("#live:not([hidden])").wait_for()
    page = jonas.page
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="Add internal note")).to_be_visible()
    expect(page.get_by_role("button", name="Send to Maria", exact=False)).to_have_count(0)
    page.keyboard.type("Between us only")
    expect(julia.page.locator("#visitors")).to_contain_text("Jonas is")
    page.get_by_text("Reply to Maria").click()
    expect(page.locator("#composer textarea")).to_have_value("")
    page.locator("#composer textarea").fill("Good morning Maria")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("Sent to Maria")
    expect(julia.page.locator("#story")).to_contain_text("Good morning Maria")
    # the note was kept as a draft, on the server and here
    page.keyboard.press("n")
    expect(page.locator("#composer textarea")).to_have_value("Between us only")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#story .msg.note")).to_contain_text("Between us only")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#story .msg.note")).to_have_count(0)


def test_handing_over_is_a_dialog_that_says_what_is_missing(enter: Enter) -> None:
    jonas = enter("jonas")
    open_ticket(jonas, "For the database people")
    page = jonas.page
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Hand over to another team")
    expect(dialog).to_be_visible()
    jonas.accessible()
    dialog.get_by_label("To which team?").select_option(label="Databases")
    dialog.get_by_label("Why?").fill("Pool is full")
    dialog.get_by_role("button", name="Hand over to another team").click()
    expect(page.locator("#story")).to_contain_text("handed it over from Service desk to Databases")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#facts")).to_contain_text("Service desk")


def test_the_palette_runs_what_is_meant(enter: Enter) -> None:
    jonas = enter("jonas")
    number = open_ticket(jonas, "Palette of colors is wrong")
    page = jonas.page
    page.goto("/desk/")
    page.keyboard.press("Control+k")
    page.keyboard.type("palette of")
    expect(page.locator("#palette-list")).to_contain_text("Palette of colors is wrong")
    jonas.accessible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tickets/{number}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_a_pasted_file_goes_with_the_message(enter: Enter) -> None:
    jonas = enter("jonas")
    open_ticket(jonas, "With a picture")
    page = jonas.page
    page.locator("#composer input[type=file]").set_input_files(
        {"name": "error.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"0" * 64}
    )
    expect(page.locator("#uploads .file")).to_contain_text("error.png")
    page.locator("#composer textarea").fill("See the picture")
    page.keyboard.press("Control+Enter")
    file = page.locator("#story .file", has_text="error.png")
    expect(file).to_be_visible()
    with page.expect_download() as download:
        file.click()
    assert download.value.suggested_filename == "error.png"


def test_a_queue_is_worked_with_keys_alone(enter: Enter) -> None:
    jonas = enter("jonas")
    page = jonas.page
    first, second = open_ticket(jonas, "Keys one"), open_ticket(jonas, "Keys two")
    page.goto("/desk/all?q=keys")
    rows = page.locator(".tk")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/tickets/({first}|{second})$"))
    page.keyboard.press("r")
    expect(page.locator("#composer textarea")).to_be_focused()
    page.keyboard.type("All by keyboard")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#story .msg.mine")).to_contain_text("All by keyboard")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url(re.compile(r"/desk/"))


def test_a_resolution_is_taken_back_from_the_toast(enter: Enter) -> None:
    jonas = enter("jonas")
    page = jonas.page
    open_ticket(jonas, "Resolved too early")
    page.get_by_role("link", name="Resolve", exact=True).click()
    dialog = page.get_by_role("dialog", name="Resolve")
    dialog.get_by_label("What helped?").fill("Nothing yet")
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.locator("#facts")).to_contain_text("Resolved")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Taken back.")
    expect(page.locator("#facts")).not_to_contain_text("Resolved")
