"""From report to resolve, played by four people in front of real screens."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import Enter, Visitor

pytestmark = pytest.mark.browser

NOTE = "The pool leaks since Monday's release"


def more(visitor: Visitor, act: str) -> None:
    """An act from the menu of a ticket."""
    visitor.page.get_by_label("More actions").click()
    visitor.page.locator(".menu-of[open] .menu").get_by_role("link", name=act, exact=True).click()


def say(visitor: Visitor, text: str, *, note: bool = False) -> None:
    """A reply or a note, written in the composer."""
    page, composer = visitor.page, visitor.page.locator("#composer")
    if not composer.is_visible():
        page.get_by_role("button", name="Reply", exact=True).click()
    composer.get_by_text("Internal note" if note else "Reply to Maria", exact=True).click()
    composer.locator("textarea").fill(text)
    composer.get_by_role("button", name="Add internal note" if note else re.compile("^Send to Maria")).click()
    expect(page.locator("#story .msg.note" if note else "#story .msg.mine").last).to_contain_text(text)


def reports(maria: Visitor, title: str) -> int:
    """Maria says what is broken and gets a number."""
    page = maria.page
    page.goto("/")
    page.get_by_role("link", name="Something is not working").click()
    page.get_by_label("What is not working?").fill(title)
    expect(page.locator("#answers")).to_contain_text("Account look-up")
    page.get_by_text("I am stuck, or a customer is waiting").click()
    page.get_by_label("Anything that helps us").fill("Since nine, every branch. It says `timeout`.")
    page.get_by_role("button", name="Report it").click()
    page.wait_for_url(re.compile(r"/my/\d+"))
    expect(page.get_by_text("We have it", exact=True)).to_be_visible()
    return int(re.findall(r"/my/(\d+)", page.url)[0])


def takes_and_announces(jonas: Visitor, number: int) -> None:
    """Jonas sees it come, takes it and tells everybody concerned."""
    page = jonas.page
    page.get_by_role("button", name="new, show").click()
    page.locator(f"#t{number} a.ttl").click()
    page.wait_for_url(f"**/tickets/{number}")
    page.get_by_role("button", name="Take", exact=False).click()
    expect(page.locator(".toast")).to_contain_text("It is yours.")
    more(jonas, "Announce")
    page.get_by_label("What does not work").fill("Account look-up does not work in branches")
    page.get_by_label("What they can do until then").fill("Use the **ledger inquiry** meanwhile.")
    page.get_by_role("button", name="Announce it").click()
    expect(page.get_by_role("button", name="Tell everybody who follows")).to_be_visible()
    jonas.accessible()


def hands_over(jonas: Visitor, number: int) -> None:
    """Jonas gives it to the database people, with what they need to know."""
    page = jonas.page
    page.goto(f"/tickets/{number}")
    page.get_by_role("link", name=re.compile("^Escalate")).click()
    dialog = page.get_by_role("dialog", name="Hand over to another team")
    dialog.get_by_label("To which team?").select_option(label="Databases")
    dialog.get_by_label("Why?").fill("The connection pool is full")
    dialog.get_by_label("What was tried?").fill("Restarted the service")
    dialog.get_by_role("button", name="Hand over to another team").click()
    expect(page.locator("#story")).to_contain_text("from Service desk to Databases")


def finds_it_known(rolf: Visitor) -> None:
    """Rolf has the same trouble; while he types he learns that it is known, and is counted by one click."""
    page = rolf.page
    page.goto("/report")
    page.get_by_label("What is not working?").press_sequentially("Account look-up is down")
    known = page.locator("#answers .outage", has_text="Account look-up does not work in branches")
    expect(known).to_contain_text("Yes, we know about this one")
    rolf.accessible()
    known.get_by_role("button", name="Same for me").click()
    expect(page.locator(".toast")).to_contain_text("Noted. We tell you when there is news")
    expect(page.locator(".outage", has_text="Account look-up")).to_contain_text("You are counted and will be told.")


def repairs(amir: Visitor, number: int) -> None:
    """Amir answers, notes what only the desk may know, and brings it back."""
    page = amir.page
    page.goto("/desk/databases")
    page.locator(f"#t{number} a.ttl").click()
    page.wait_for_url(f"**/tickets/{number}")
    expect(page.locator("#story")).to_contain_text("The connection pool is full")
    expect(page.locator("#story")).to_contain_text("Restarted the service")
    page.get_by_role("button", name="Take", exact=False).click()
    expect(page.locator(".toast")).to_contain_text("It is yours.")
    say(amir, "Good morning Maria, the cause is found.")
    say(amir, NOTE, note=True)
    more(amir, "It works again")
    page.get_by_role("dialog").get_by_role("button", name="It works again").click()
    expect(page.locator(".toast")).to_contain_text("Noted that it works again.")
    page.get_by_role("link", name="Resolve", exact=True).click()
    dialog = page.get_by_role("dialog", name="Resolve")
    dialog.get_by_label("What helped?").fill("The pool is larger now.")
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.locator("#facts")).to_contain_text("Resolved")
    amir.accessible()


def confirms(maria: Visitor, number: int) -> None:
    """Maria reads what was done, never the note, and says that it is well."""
    page = maria.page
    page.goto(f"/my/{number}")
    expect(page.locator("h1")).to_contain_text("Account look-up is down")
    expect(page.locator(".chip", has_text="Solved")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Good morning Maria, the cause is found.")
    expect(page.locator("main")).to_contain_text("The pool is larger now.")
    assert NOTE not in page.content()
    assert "connection pool is full" not in page.content()
    maria.accessible()
    page.get_by_title("5 stars").click()
    page.get_by_role("button", name="Yes, it is solved").click()
    expect(page.locator(".chip", has_text="Closed")).to_be_visible()
    expect(page.locator("input[name=stars][value='5']")).to_be_checked()


def is_told(rolf: Visitor) -> None:
    """Rolf hears that it works again, in the announcement's words and without a word of Maria's conversation."""
    page = rolf.page
    page.goto("/profile/notices")
    notice = page.locator(".notice", has_text="Account look-up does not work in branches").first
    expect(notice).to_be_visible()
    for secret in (NOTE, "Good morning Maria", "connection pool is full"):
        assert secret not in page.content()
    rolf.accessible()


@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_from_report_to_resolve(enter: Enter, size: str, theme: str) -> None:
    maria, jonas, rolf, amir = (enter(name, size=size, theme=theme) for name in ("maria", "jonas", "rolf", "amir"))
    jonas.page.goto("/desk/service-desk")
    jonas.page.locator("#live:not([hidden])").wait_for(state="attached")
    number = reports(maria, "Account look-up is down")
    takes_and_announces(jonas, number)
    hands_over(jonas, number)
    finds_it_known(rolf)
    repairs(amir, number)
    confirms(maria, number)
    is_told(rolf)


def test_the_portal_works_without_script(enter: Enter) -> None:
    maria = enter("maria", size="phone", script=False)
    page = maria.page
    page.goto("/report?q=Badge+reader+is+dead")
    expect(page.get_by_label("What is not working?")).to_have_value("Badge reader is dead")
    page.get_by_text("It can wait a little").click()
    page.get_by_role("button", name="Report it").click()
    page.wait_for_url(re.compile(r"/my/\d+"))
    page.get_by_label("Your answer").fill("It blinks red now.")
    page.get_by_role("button", name="Send answer").click()
    expect(page.locator(".msg.mine").last).to_contain_text("It blinks red now.")
    rolf = enter("rolf", script=False)
    rolf.page.goto("/")
    announced = rolf.page.locator(".outage", has_text="Printing in color does not work")
    announced.get_by_role("button", name="This affects me too").click()
    expect(announced).to_contain_text("You are counted and will be told.")
