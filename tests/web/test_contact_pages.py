"""The page of how one is reached, and the rooms of a team: what a person sees and does there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from allswell.desk import contacts, page_links
from allswell.kernel import clock
from allswell.notifications import queries
from allswell.notifications.models import ContactMethod
from allswell.notifications.rules import Quiet
from allswell.oncall.models import Page
from tests.desk.test_contacts import CHAT, NUMBER, Carrier, carrier
from tests.support.world import World

__all__ = ["carrier"]

Browser = Callable[..., Client]


def read(client: Client, path: str = "/me/contacts", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_a_phone_is_added_shown_to_work_and_put_in_order(world: World, browser: Browser, carrier: Carrier) -> None:
    jonas = browser(world.jonas)
    assert "Pages reach you by one way only." in read(jonas)
    assert 'name="kind" value="sms"' in read(jonas, "/me/contacts?add=sms")
    added = jonas.post("/me/contacts", {"kind": "sms", "address": "+49 151 12345678", "label": "Work phone"}, follow=True)
    html = added.content.decode()
    assert "A code is on its way there." in html
    assert "Waits for its code" in html
    assert NUMBER not in html
    code, row = carrier.code(), ContactMethod.objects.get()
    wrong = jonas.post(f"/me/contacts/{row.pk}/verify", {"code": "x"}, follow=True)
    assert "This is not the code that was sent." in wrong.content.decode()
    right = jonas.post(f"/me/contacts/{row.pk}/verify", {"code": code}, follow=True).content.decode()
    assert "It works: pages can go there from now on." in right
    assert re.search(r"<b>After 1 minute</b><span>Text message: Work phone</span>", right)
    asked = {"urgency": "urgent", "after-mail": "", f"after-{row.pk}": "0"}
    html = jonas.post("/me/contacts/rules", asked, follow=True).content.decode()
    assert "Your own order" in html
    assert [rule.contact for rule in queries.reachable([world.jonas.pk])[world.jonas.pk].rules] == [row.pk]
    jonas.post("/me/contacts/rules", {"urgency": "urgent", "usual": "1"})
    assert queries.reachable([world.jonas.pk])[world.jonas.pk].rules == ()
    jonas.post(f"/me/contacts/{row.pk}/remove")
    assert "Work phone" not in read(jonas)


@pytest.mark.parametrize(
    ("path", "sent", "said"),
    [
        ("", {"kind": "sms", "address": "0151 1"}, "Write the number with its country"),
        ("", {"kind": "chat", "address": "http://10.0.0.1/x", "flavor": "slack"}, "inside a private network"),
        ("", {"kind": "chat", "address": "x" * 3000, "flavor": "slack"}, "Use at most"),
        ("", {"kind": "nothing"}, "There is no such way."),
        ("", {}, "There is no such way."),
        ("/rules", {"urgency": "urgent"}, "Choose at least one way."),
        ("/rules", {"urgency": "urgent", "after-mail": "soon"}, "Choose among your own contacts"),
        ("/rules", {"urgency": "urgent", "after-999999": "0"}, "Choose among your own contacts"),
        ("/rules", {"urgency": "urgent", "after-mail": "99999"}, "Wait at most an hour."),
        ("/quiet", {"since": "25:00", "until": "07:00"}, "Give a time of day."),
        ("/quiet", {"since": "22:00", "until": ""}, "Give a time of day."),
        ("/quiet", {"since": "22:00", "until": "22:00"}, "Quiet hours end at another time"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(
    world: World, browser: Browser, carrier: Carrier, path: str, sent: dict[str, Any], said: str
) -> None:
    answer = browser(world.jonas).post(f"/me/contacts{path}", sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_quiet_hours_say_their_zone(world: World, browser: Browser) -> None:
    world.jonas.time_zone = "Europe/Berlin"
    world.jonas.save()
    jonas = browser(world.jonas)
    html = jonas.post("/me/contacts/quiet", {"since": "22:00", "until": "06:30"}, follow=True).content.decode()
    assert "Normal pages wait in your quiet hours." in html
    assert "The times are those of Europe/Berlin" in html
    assert 'value="06:30"' in html
    assert queries.reachable([world.jonas.pk])[world.jonas.pk].quiet == Quiet(1320, 390)
    jonas.post("/me/contacts/quiet", {"never": "1"})
    assert queries.reachable([world.jonas.pk])[world.jonas.pk].quiet is None


def test_a_test_page_says_how_it_fared(world: World, browser: Browser, carrier: Carrier) -> None:
    jonas = browser(world.jonas)
    assert "A test is on its way." in jonas.post("/me/contacts/test", follow=True).content.decode()
    carrier.work()
    assert re.search(r"E-mail: Sent", read(jonas))


def test_who_cannot_be_reached_is_told_in_red(world: World, browser: Browser) -> None:
    world.jonas.addresses.update(proof="claimed", is_primary=False)
    html = read(browser(world.jonas))
    assert "No way to you has been shown to work yet." in html
    assert "Add a way first." in html


def test_only_administrators_are_told_which_setting_names_a_carrier(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allswell.notifications.carriers.is_ready", lambda kind: kind not in ("sms", "voice"))
    assert "ALLSWELL_SMS_URL" in read(browser(world.ada))
    html = read(browser(world.jonas), "/me/contacts?add=sms")
    assert "ALLSWELL_SMS_URL" not in html
    assert 'value="sms"' not in html


def test_a_lead_sees_by_what_people_are_reached_but_never_where(world: World, browser: Browser, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, label="Secret label", **world.by(world.amir))
    contacts.verify(row.pk, code=carrier.code(), **world.by(world.amir))
    for person in (world.lena, world.ada):
        html = read(browser(person), f"/people/{world.amir.pk}")
        assert "Reached by pages" in html
        assert "Text message" in html
        assert "678" not in html
        assert "Secret label" not in html
    assert "Reached by pages" not in read(browser(world.jonas), f"/people/{world.amir.pk}")
    html = read(browser(world.lena), "/teams/databases/rooms")
    assert "Text message" in html
    assert "Secret label" not in html
    assert browser(world.jonas).get("/teams/databases/rooms").status_code == 403


def test_a_lead_adds_a_room_of_the_team(world: World, browser: Browser, carrier: Carrier) -> None:
    lena = browser(world.lena)
    assert "How it is reached" in read(lena, "/teams/databases")
    answer = lena.post("/teams/databases/rooms", {"kind": "chat", "flavor": "slack", "address": "nothing", "label": "DBAs"})
    assert answer.status_code == 422
    assert "This is no address of such a chat." in answer.content.decode()
    sent = {"kind": "chat", "flavor": "slack", "address": CHAT, "label": "DBAs"}
    html = lena.post("/teams/databases/rooms", sent, follow=True).content.decode()
    assert "Slack: DBAs" in html
    assert "secret-part" not in html
    row = ContactMethod.objects.get()
    there = "/teams/databases/rooms"
    html = lena.post(f"/me/contacts/{row.pk}/verify", {"code": carrier.code(), "next": there}, follow=True).content.decode()
    assert "It works: pages can go there from now on." in html


def test_the_page_asks_few_questions_of_the_database(
    world: World, browser: Browser, carrier: Carrier, django_assert_max_num_queries: Any
) -> None:
    for n in range(6):
        contacts.add_contact(kind="sms", address=f"+4915112345{n:03d}", **world.by(world.jonas))
    jonas = browser(world.jonas)
    with django_assert_max_num_queries(17):
        read(jonas)


def test_the_desk_can_be_put_on_a_home_screen(browser: Browser) -> None:
    nobody = browser(None)
    manifest = nobody.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    assert {icon["src"] for icon in manifest.json()["icons"]} == {"/app/icon-192.png", "/app/icon-512.png"}
    assert manifest.json()["display"] == "standalone"
    for icon in ("/app/icon-192.png", "/app/icon-512.png"):
        assert nobody.get(icon).content.startswith(b"\x89PNG")
    assert nobody.get("/app/icon-7.png").status_code == 404


def test_the_worker_that_shows_pages_may_do_nothing_else(browser: Browser) -> None:
    worker = browser(None).get("/service-worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert worker["Content-Security-Policy"].startswith("default-src 'none'")
    assert worker["Cache-Control"] == "no-cache"
    assert b"eval" not in worker.content


def test_a_browser_is_added_under_the_name_people_know(world: World, browser: Browser, carrier: Carrier) -> None:
    jonas = browser(world.jonas, HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
    first, again = (jonas.post("/me/contacts/push-key").json()["key"] for _ in range(2))
    assert first == again
    said = {"endpoint": "https://push.example.org/x", "keys": {"p256dh": "BA" + "A" * 85, "auth": "A" * 22}}
    html = jonas.post("/me/contacts", {"kind": "push", "address": json.dumps(said)}, follow=True).content.decode()
    assert "Browser: Firefox on Windows" in html
    row = ContactMethod.objects.get()
    code = carrier.code()
    assert carrier.sent[-1][1].link.endswith(f"/me/contacts#verify-{row.pk}-{code}")


def test_one_practises_and_reads_how_it_went(world: World, browser: Browser) -> None:
    amir = browser(world.amir)
    html = amir.post("/me/contacts/practice", {"urgency": "urgent"}, follow=True).content.decode()
    assert "A practice page is made." in html
    assert "On its way: nobody has answered yet." in html
    page = Page.objects.get(person=world.amir)
    assert "Practice: nothing is broken" in read(amir, "/pages")
    link = page_links.link(page.pk, now=clock.now()).rpartition("/p/")[2]
    phone = Client()
    shown = read(phone, f"/p/{link}")
    assert "This is a drill" in shown
    assert "Pass" not in shown
    answered = phone.post(f"/p/{link}", {"do": "have"}, headers={"accept": "text/html"}, follow=True).content.decode()
    assert "It worked: you have answered." in answered
    assert "Answered after" in read(amir)
    assert "Nothing calls you now." in read(amir, "/pages")
    assert amir.post("/me/contacts/practice", {"urgency": "shrill"}).status_code == 422
    assert amir.post("/me/contacts/practice", {"urgency": "normal", "person": "²" * 50}).status_code == 422


def test_practice_is_answered_at_the_desk(world: World, browser: Browser) -> None:
    amir = browser(world.amir)
    amir.post("/me/contacts/practice", {"urgency": "urgent"})
    page = Page.objects.get(person=world.amir)
    assert amir.post(f"/pages/{page.pk}", {"do": "pass"}).status_code == 409
    answered = amir.post(f"/pages/{page.pk}", {"do": "have"})
    assert answered.headers["Location"] == "/me/contacts#practice"


def test_a_lead_sends_practice_from_the_page_of_the_team(world: World, browser: Browser) -> None:
    lena = browser(world.lena)
    sent = lena.post("/me/contacts/practice", {"urgency": "normal", "person": world.amir.pk, "next": "/teams/databases/rooms"})
    assert sent.headers["Location"] == "/teams/databases/rooms"
    assert "On its way: nobody has answered yet." in read(lena, "/teams/databases/rooms")
    assert "Sent by Lena Frei." in read(browser(world.amir))
    assert browser(world.priya).post("/me/contacts/practice", {"urgency": "normal", "person": world.amir.pk}).status_code == 403
