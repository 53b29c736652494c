"""From report to solved, with paging, played by the people of a bank in front of real screens and with real phones."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from tests.support.receiver import Call, Receiver

from .conftest import NUMBER, TEXTS, Enter, Visitor

pytestmark = pytest.mark.browser

NOTE = "The pool leaks since Monday's release"
TITLE = "Account look-up fails"
#: what stands at the ticket in the end, in this order
_TOLD = (
    "Paging begins: it was opened with this priority",
    r"Jonas Berg paged \(step 1\)",
    "Jonas Berg answered the page; next word by",
    "Jonas Berg took it",
    "Jonas Berg announced it to everybody affected",
    "Rolf Meier is affected too",
    "Jonas Berg handed it over from Service desk to Databases",
    "Paging ends: another team has it",
    "Paging begins: it was handed over",
    r"Amir Haddad paged \(step 1\)",
    "Amir Haddad passed the page on",
    r"Priya Nair paged \(step 2\)",
    "Priya Nair answered the page; next word by",
    "Priya Nair took it",
    "Priya Nair promises the next word by",
    NOTE,
    "Priya Nair: the service works again",
    "Paging ends: the service works again",
    "Priya Nair resolved it: Fixed",
    "Priya Nair ended the announcement",
    "Maria Keller confirmed that it is solved",
    "Maria Keller rated it 5 of 5",
)
_LINK = re.compile(r"http\S+/p/\S+")


def rings(phones: Receiver, who: str, number: int) -> str:
    """The address in the page about a ticket that came to somebody's phone."""
    for _ in range(600):
        for call in list(phones.calls):
            if link := _link(call, who, number):
                return link
        time.sleep(0.1)
    raise AssertionError(f"nothing rang at {who}")


def _link(call: Call, who: str, number: int) -> str:
    if call.path == TEXTS:
        said = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        found = _LINK.search(said["Body"])
        return found[0] if who == said["To"] and f"INC-{number}" in said["Body"] and found else ""
    if call.path == f"/{who}":
        page = json.loads(call.body)["data"]
        return str(page["link"]) if page["number"] == number else ""
    return ""


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


def reports(maria: Visitor) -> int:
    """Maria says what is broken and gets a number."""
    page = maria.page
    page.goto("/")
    page.get_by_role("link", name="Something is not working").click()
    page.get_by_label("What is not working?").fill(TITLE)
    expect(page.locator("#answers")).to_contain_text("Account look-up")
    page.get_by_text("I am stuck, or a customer is waiting").click()
    page.get_by_label("Anything that helps us").fill("Since nine, every branch. It says `timeout`.")
    page.get_by_role("button", name="Report it").click()
    page.wait_for_url(re.compile(r"/my/\d+"))
    expect(page.get_by_text("We have it", exact=True)).to_be_visible()
    return int(re.findall(r"/my/(\d+)", page.url)[0])


def has_it_with_one_thumb(phone: Visitor, link: str, screen: Visitor) -> None:
    """Jonas is on call: his phone shows what it is; one tap, and the desk that rang is quiet again."""
    banner = screen.page.locator("#alarm")
    expect(banner).to_contain_text(TITLE)
    screen.accessible()
    page = phone.page
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.get_by_text("Nobody has it yet.")).to_be_visible()
    button = page.get_by_role("button", name="I have it")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 72
    phone.accessible()
    button.click()
    expect(page.get_by_text("You have it.")).to_be_visible()
    expect(banner).to_be_hidden()


def announces(jonas: Visitor, number: int) -> None:
    """Jonas reads that the ticket is his, and tells everybody concerned."""
    page = jonas.page
    page.get_by_role("button", name="new, show").click()
    page.locator(f"#t{number} a.ttl").click()
    page.wait_for_url(f"**/tickets/{number}")
    expect(page.get_by_text("Jonas Berg has it since")).to_be_visible()
    more(jonas, "Announce")
    page.get_by_label("What does not work").fill("Account look-up does not work in branches")
    page.get_by_label("What they can do until then").fill("Use the **ledger inquiry** meanwhile.")
    page.get_by_role("button", name="Announce it").click()
    expect(page.get_by_role("button", name="Tell everybody who follows")).to_be_visible()
    jonas.accessible()


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


def hands_over(jonas: Visitor, number: int) -> None:
    """No solution at first line: Jonas gives it to the database people, with what they need to know."""
    page = jonas.page
    page.goto(f"/tickets/{number}")
    page.get_by_role("link", name=re.compile("^Escalate")).click()
    dialog = page.get_by_role("dialog", name="Hand over to another team")
    dialog.get_by_label("To which team?").select_option(label="Databases")
    dialog.get_by_label("Why?").fill("The connection pool is full")
    dialog.get_by_label("What was tried?").fill("Restarted the service")
    dialog.get_by_role("button", name="Hand over to another team").click()
    expect(page.locator("#story")).to_contain_text("from Service desk to Databases")


def passes_it_on(amir: Visitor, link: str) -> None:
    """Amir cannot: it goes to the next at once."""
    amir.page.goto(link)
    expect(amir.page.get_by_text(re.compile(r"Goes to Priya Nair in \d+:\d\d"))).to_be_visible()
    amir.page.get_by_role("button", name="Pass to Priya Nair").click()
    expect(amir.page.get_by_text("You passed it on.")).to_be_visible()


def promises(priya: Visitor, link: str, number: int) -> None:
    """Priya's screen and phone ring; she has it, says when she speaks next, and opens the ticket."""
    page = priya.page
    expect(page.locator("#alarm")).to_contain_text(TITLE)
    page.goto(link)
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_text("You have it.")).to_be_visible()
    page.get_by_role("button", name="1 h").click()
    expect(page.get_by_text("Next word by")).to_be_visible()
    priya.accessible()
    page.get_by_role("link", name="Open the ticket").click()
    page.wait_for_url(f"**/tickets/{number}")
    expect(page.locator("#story")).to_contain_text("The connection pool is full")
    expect(page.locator("#story")).to_contain_text("Restarted the service")


def repairs(priya: Visitor) -> None:
    """Priya answers, notes what only the desk may know, and brings it back; all on her phone."""
    page = priya.page
    say(priya, "Good morning Maria, the cause is found.")
    say(priya, NOTE, note=True)
    more(priya, "It works again")
    page.get_by_role("dialog").get_by_role("button", name="It works again").click()
    expect(page.locator(".toast")).to_contain_text("Noted that it works again.")
    page.get_by_role("link", name="Resolve", exact=True).click()
    dialog = page.get_by_role("dialog", name="Resolve")
    dialog.get_by_label("What helped?").fill("The pool is larger now.")
    dialog.get_by_role("button", name="Resolve").click()
    expect(page.locator("#facts")).to_contain_text("Resolved")
    priya.accessible()


def confirms(maria: Visitor, number: int) -> None:
    """Maria reads what was done, never the note, and says that it is well."""
    page = maria.page
    page.goto(f"/my/{number}")
    expect(page.locator("h1")).to_contain_text(TITLE)
    expect(page.locator(".chip", has_text="Solved")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Good morning Maria, the cause is found.")
    expect(page.locator("main")).to_contain_text("The pool is larger now.")
    for secret in (NOTE, "connection pool is full", "paged", "Amir"):
        assert secret not in page.content()
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


def reads_it_all(jonas: Visitor, number: int) -> None:
    """What happened stands at the ticket from the first to the last, and what became of every page in its ledger."""
    page = jonas.page
    page.goto(f"/tickets/{number}")
    told = page.locator("#story").inner_text()
    assert re.search(".*".join(_TOLD), told, re.DOTALL), told
    page.goto(f"/tickets/{number}/pages")
    for words in ("Account look-up", "At night", "Amir Haddad", "Priya Nair"):
        expect(page.locator("main")).to_contain_text(words)
    jonas.accessible()


def test_from_report_to_solved(enter: Enter, phones: Receiver) -> None:
    """The story that must always work: reported, paged, announced, handed over, paged again, repaired, told, confirmed."""
    maria, rolf = enter("maria", size="phone"), enter("rolf")
    jonas, priya = enter("jonas"), enter("priya", size="phone", theme="dark")
    jonas.page.goto("/desk/service-desk")
    jonas.page.locator("#live:not([hidden])").wait_for(state="attached")
    number = reports(maria)
    has_it_with_one_thumb(enter(size="phone", theme="dark"), rings(phones, NUMBER, number), jonas)
    announces(jonas, number)
    finds_it_known(rolf)
    priya.page.goto("/oncall/policies")  # every page of the desk rings, the live ones and those that only stand there
    hands_over(jonas, number)
    amir = enter(size="phone")
    passes_it_on(amir, rings(phones, "amir", number))
    promises(priya, rings(phones, "priya", number), number)
    amir.page.reload()
    expect(amir.page.get_by_text("Priya Nair has it since")).to_be_visible()
    repairs(priya)
    confirms(maria, number)
    is_told(rolf)
    reads_it_all(jonas, number)


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
