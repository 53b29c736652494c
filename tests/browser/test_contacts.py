"""A browser as a way to be reached: its worker shows what comes by push, and hands a code to the page that waits for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import Desk, Enter

pytestmark = pytest.mark.browser

_SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(one => [one.title, one.data.link])"""


def test_a_code_that_comes_by_push_is_typed_in_by_itself(enter: Enter, desk: Desk) -> None:
    jonas = enter("jonas")
    page = jonas.page
    jonas.context.grant_permissions(["notifications"])
    page.goto("/me/contacts?add=ntfy")
    page.get_by_label("Address of the topic").fill("https://ntfy.invalid/pages-of-jonas")
    page.get_by_role("button", name="Add it and send a code there").click()
    waiting = page.locator("form[data-verify]")
    expect(waiting).to_be_visible()
    contact = waiting.get_attribute("data-verify")
    registered: list[dict[str, Any]] = []
    devtools = jonas.context.new_cdp_session(page)
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda said: registered.extend(said["registrations"]))
    devtools.send("ServiceWorker.enable")
    page.evaluate(
        "async () => { await navigator.serviceWorker.register('/service-worker.js'); await navigator.serviceWorker.ready; }"
    )
    expect(page.get_by_text("Nothing but e-mail so far.")).to_be_hidden()
    # one in a million is the code that was really made
    said = {"title": "Your code is 000000", "body": "x", "tag": "x", "link": f"{desk.url}/me/contacts#verify-{contact}-000000"}
    push = {"origin": desk.url, "registrationId": registered[-1]["registrationId"], "data": json.dumps(said)}
    devtools.send("ServiceWorker.deliverPushMessage", push)
    expect(page.get_by_text("This is not the code that was sent.")).to_be_visible()
    page.reload()  # it is not tried again
    expect(waiting.get_by_role("textbox")).to_have_value("000000")
    assert page.evaluate(_SHOWN) == [["Your code is 000000", said["link"]]]
    elsewhere = {"title": "Look here", "link": "https://elsewhere.example.org/p/x"}
    devtools.send("ServiceWorker.deliverPushMessage", {**push, "data": json.dumps(elsewhere)})
    page.wait_for_function(f"async () => (await ({_SHOWN})()).length === 2")
    assert ["Look here", f"{desk.url}/"] in page.evaluate(_SHOWN)
