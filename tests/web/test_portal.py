"""What people do in the portal: say what is wrong, see that it is known, follow it, answer, reopen; without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import announcements, setup
from allswell.desk import tickets as desk
from allswell.incidents.models import Announcement
from allswell.tickets.models import Comment, Ticket, Watcher
from allswell.tickets.rules import Kind, WaitingOn
from tests.support.world import World

Browser = Callable[..., Client]


def announce(world: World, ticket: Ticket, **values: object) -> Announcement:
    values = {"title": "Account look-up does not work in branches", "body": "Use Ledger Inquiry.", **values}
    if "audience" not in values:
        values["is_for_all"] = True
    return announcements.announce(ticket.pk, **values, **world.by(world.jonas))  # type: ignore[arg-type]


def test_who_says_same_for_me_has_nothing_left_to_write(world: World, browser: Browser) -> None:
    incident = world.report()
    announced = announce(world, incident).pk
    client = browser(world.rolf)
    client.post("/report/draft", {"q": "No connection", "kind": "incident"})
    client.post(f"/announcements/{announced}/same-for-me", {"q": "No connection", "kind": "incident"})
    assert "No connection" not in client.get("/report").content.decode()


def test_the_first_page_asks_what_is_going_on(world: World, browser: Browser) -> None:
    world.report(title="Statement printer jams")
    html = browser(world.maria).get("/").content.decode()
    assert "Maria. What is going on?" in html
    assert "Statement printer jams" in html
    assert "No known problem" in html
    assert "/desk" not in html


def test_the_portal_asks_what_the_installation_wants_to_know_there_and_nothing_else(world: World, browser: Browser) -> None:
    by = world.by(world.ada)
    setup.create_custom_field(key="floor", label="Floor", is_required=True, is_in_portal=True, **by)
    setup.create_custom_field(key="cause", label="Root cause", is_required=True, **by)
    client = browser(world.maria)
    html = client.get("/report").content.decode()
    assert "Floor" in html
    assert "Root cause" not in html
    said = {"q": "The lift stands still", "can_work": "yes"}
    response = client.post("/report", {**said, "custom.floor": ""})
    assert response.status_code == 422
    assert "This is needed." in response.content.decode()
    assert client.post("/report", {**said, "custom.floor": "3", "custom.cause": "unknown"}).status_code == 303
    assert Ticket.objects.get().custom == {"floor": "3"}
    assert client.post("/request", {"q": "A key to the roof", "custom.floor": "9"}).status_code == 303


def test_nobody_is_let_in_unknown(world: World, browser: Browser) -> None:
    for address in ("/", "/report", "/request", "/my/", "/my/1001", "/status/"):
        response = browser(None).get(address)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/sign-in?next=")


def test_it_is_reported_in_own_words_and_gets_a_number_at_once(world: World, browser: Browser) -> None:
    client = browser(world.maria)
    page = client.get("/report?q=Account+look-up+is+down").content.decode()
    assert 'value="Account look-up is down"' in page
    response = client.post("/report", {"q": "Account look-up is down", "can_work": "no", "description": "since 9"})
    ticket = Ticket.objects.get()
    assert response.headers["Location"] == f"/my/{ticket.pk}"
    assert (ticket.kind, ticket.channel, ticket.service_id, ticket.priority) == ("incident", "portal", world.lookup.pk, 1)
    html = client.get(f"/my/{ticket.pk}").content.decode()
    assert f"INC-{ticket.pk}" in html
    assert "We have it" in html
    assert not re.search(r"\bP[1-5]\b", html)


def test_what_was_written_is_kept_when_something_is_missing(world: World, browser: Browser) -> None:
    response = browser(world.maria).post("/report", {"q": "It is broken", "description": "since nine o'clock"})
    assert response.status_code == 422
    html = response.content.decode()
    assert "Choose one of the three." in html
    assert 'value="It is broken"' in html
    assert "since nine o&#39;clock" in html
    assert not Ticket.objects.exists()


def test_what_is_known_answers_while_typing(world: World, browser: Browser) -> None:
    announcement = announce(world, world.report(service=world.lookup.slug))
    client = browser(world.rolf)
    fragment = client.get("/report?q=acount+lookup", headers={"HX-Request": "true"})
    html = fragment.content.decode()
    assert "<html" not in html
    assert "HX-Request" in fragment.headers["Vary"]
    assert "Yes, we know about this one" in html
    assert f'formaction="/announcements/{announcement.pk}/same-for-me"' in html
    assert "Yes, we know" not in client.get("/report?q=printer", headers={"HX-Request": "true"}).content.decode()


def test_same_for_me_is_one_click(world: World, browser: Browser) -> None:
    ticket = world.report()
    announcement = announce(world, ticket)
    client = browser(world.rolf)
    response = client.post(f"/announcements/{announcement.pk}/same-for-me", {"q": "look-up"})
    assert (response.status_code, response.headers["Location"]) == (303, f"/#a-{announcement.pk}")
    assert Watcher.objects.filter(ticket=ticket, person=world.rolf, kind="affected").count() == 1
    assert "You are counted" in client.get("/").content.decode()
    assert client.get(f"/my/{ticket.pk}").status_code == 404


def test_another_organization_sees_neither_ticket_nor_announcement(world: World, browser: Browser) -> None:
    ticket = world.report(title="Vault door is stuck")
    announcement = announce(world, ticket, title="Vault doors are stuck", audience=(world.bank.pk,))
    client = browser(world.otto)
    for address in ("/", "/status/", "/report?q=vault+doors+are+stuck", "/my/", "/my/?q=vault"):
        assert b"ault door" not in client.get(address).content.replace(b'value="vault doors are stuck"', b"")
    assert client.get(f"/my/{ticket.pk}").status_code == 404
    assert client.post(f"/my/{ticket.pk}/reply", {"body": "Let me in"}).status_code == 404
    assert client.post(f"/my/{ticket.pk}/reopen", {"reason": "Let me in"}).status_code == 404
    assert client.post(f"/announcements/{announcement.pk}/same-for-me").status_code == 404
    assert not Comment.objects.exists()


def test_notes_never_show_in_the_portal(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.note(ticket.pk, body="The requester is a pain", **world.by(world.jonas))
    desk.reply(ticket.pk, body="We look at it", **world.by(world.jonas))
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="Secret pool", tried="Secret try", **world.by(world.jonas))
    desk.escalate(ticket.pk, reason="Secret reason", **world.by(world.amir))
    html = browser(world.maria).get(f"/my/{ticket.pk}").content.decode()
    assert "We look at it" in html
    for secret in ("pain", "Secret", "Databases", "escalat", "Lena"):
        assert secret not in html
    for word in ("pain", "Secret"):
        assert "None of your tickets says this." in browser(world.maria).get(f"/my/?q={word}").content.decode()


def test_she_answers_reopens_and_reads_plain_words(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    client = browser(world.maria)
    assert "Waiting for you" in client.get(f"/my/{ticket.pk}").content.decode()
    assert client.post(f"/my/{ticket.pk}/reply", {"body": "  "}).status_code == 422
    assert client.post(f"/my/{ticket.pk}/reply", {"body": "It is counter 2"}).status_code == 303
    html = client.get(f"/my/{ticket.pk}").content.decode()
    assert "We are on it" in html
    assert "It is counter 2" in html
    desk.resolve(ticket.pk, resolution="Restarted the *pool*", **world.by(world.jonas))
    html = client.get(f"/my/{ticket.pk}").content.decode()
    assert "Is it solved?" in html
    assert "<em>pool</em>" in html
    client.post(f"/my/{ticket.pk}/reopen", {"reason": "Still down"})
    ticket.refresh_from_db()
    assert ticket.state == "in_progress"
    assert "Still down" in client.get(f"/my/{ticket.pk}").content.decode()


def test_something_is_asked_for(world: World, browser: Browser) -> None:
    client = browser(world.maria)
    assert client.post("/request", {"q": ""}).status_code == 422
    client.post("/request", {"q": "Access to the mortgage calculator", "description": "From Monday"})
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.description) == ("request", "From Monday")


def test_my_tickets_are_paged_searched_and_split(world: World, browser: Browser) -> None:
    for number in range(25):
        world.report(title=f"Printer {number} jams")
    done = world.report(title="Old printer", kind=Kind.REQUEST)
    desk.cancel(done.pk, reason="withdrawn", **world.by(world.jonas))
    client = browser(world.maria)
    first = client.get("/my/").content.decode()
    assert first.count("row-link") == 20
    more = re.search(r'href="(\?before=\d+)" rel="next"', first)
    assert more
    second = client.get(f"/my/{more[1]}").content.decode()
    assert second.count("row-link") == 5
    assert "Old printer" not in first + second
    assert "Old printer" in client.get("/my/?show=done").content.decode()
    assert client.get("/my/?q=printer+7").content.decode().count("row-link") == 1
    assert client.get(f"/my/?show=done&q=REQ-{done.pk}").content.decode().count("row-link") == 1


def test_status_shows_every_update_and_what_ended(world: World, browser: Browser) -> None:
    announcement = announce(world, world.report(service=world.lookup.slug))
    announcements.update(announcement.pk, body="The cause is **found**.", **world.by(world.jonas))
    client = browser(world.rolf)
    html = client.get("/status/").content.decode()
    assert "<strong>found</strong>" in html
    assert html.index("Account look-up</span>") < html.index("Printing</span>")
    announcements.end(announcement.pk, **world.by(world.jonas))
    html = client.get("/status/").content.decode()
    assert "Nothing is announced." in html
    assert "does not work in branches" in html
    world.forward(days=8)
    assert "does not work in branches" not in client.get("/status/").content.decode()


@pytest.mark.parametrize("address", ["/", "/status/", "/report?q=account+look-up", "/my/", "/my/{number}"])
def test_pages_ask_the_database_little_however_much_there_is(world: World, browser: Browser, address: str) -> None:
    for number in range(6):
        ticket = world.report(title=f"Account look-up {number}", service=world.lookup.slug)
        announcements.update(announce(world, ticket).pk, body="News", **world.by(world.jonas))
        for _ in range(4):
            desk.reply(ticket.pk, body="Hello", **world.by(world.jonas))
            desk.reply(ticket.pk, body="Hello", **world.by(world.maria))
    client = browser(world.maria)
    address = address.format(number=ticket.pk)
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    assert len(queries) <= 15, [query["sql"] for query in queries]


def test_files_are_kept_sent_and_given_out_as_downloads_only(world: World, browser: Browser) -> None:
    client = browser(world.maria)
    picture = SimpleUploadedFile("what I saw.html", b"<script>alert(1)</script>", content_type="text/html")
    refused = client.post("/report", {"q": "It is broken", "files": picture})
    assert refused.status_code == 422
    token = re.search(r'name="kept" value="([\w-]+)"', refused.content.decode())
    assert token
    client.post("/report", {"q": "It is broken", "can_work": "yes", "kept": token[1]})
    ticket = Ticket.objects.get()
    html = client.get(f"/my/{ticket.pk}").content.decode()
    assert "what I saw.html" in html
    sent = client.get(f"/files/{token[1]}")
    assert b"".join(sent.streaming_content) == b"<script>alert(1)</script>"
    assert sent.headers["Content-Disposition"].startswith("attachment;")
    assert sent.headers["Content-Type"] == "application/octet-stream"
    assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in sent.headers["Content-Security-Policy"]
    assert browser(world.otto).get(f"/files/{token[1]}").status_code == 404
    assert browser(world.rolf).get(f"/files/{token[1]}").status_code == 404


def test_nobody_sends_what_somebody_else_uploaded(world: World, browser: Browser) -> None:
    file = SimpleUploadedFile("secret.txt", b"secret")
    refused = browser(world.maria).post("/report", {"q": "It is broken", "files": file})
    token = re.search(r'name="kept" value="([\w-]+)"', refused.content.decode())
    assert token
    browser(world.otto).post("/report", {"q": "It is mine", "can_work": "yes", "kept": token[1]})
    ticket = Ticket.objects.get()
    assert not ticket.attachments.exists()
    assert "secret" not in browser(world.otto).get(f"/my/{ticket.pk}").content.decode()


def test_she_says_it_is_solved_and_how_it_went(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.resolve(ticket.pk, **world.by(world.jonas))
    client = browser(world.maria)
    client.post(f"/my/{ticket.pk}/confirm", {"stars": "5"})
    ticket.refresh_from_db()
    assert (ticket.state, ticket.rating) == ("closed", 5)
    assert client.post(f"/my/{ticket.pk}/rate", {"stars": "9"}).status_code == 422
    client.post(f"/my/{ticket.pk}/rate", {"stars": "4", "comment": "Quick"})
    ticket.refresh_from_db()
    assert (ticket.rating, ticket.rating_comment) == (4, "Quick")
    response = client.post(f"/my/{ticket.pk}/reply", {"body": "It is back"})
    follow_up = Ticket.objects.exclude(pk=ticket.pk).get()
    assert response.headers["Location"].startswith(f"/my/{follow_up.pk}#")


def test_people_in_copy_read_answer_and_leave(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.add_participant(ticket.pk, person=world.rolf.pk, **world.by(world.jonas))
    client = browser(world.rolf)
    assert "you are in copy" in client.get("/my/").content.decode()
    assert client.post(f"/my/{ticket.pk}/reply", {"body": "Me too"}).status_code == 303
    assert client.post(f"/my/{ticket.pk}/confirm").status_code in (403, 409)
    client.post(f"/my/{ticket.pk}/leave")
    assert client.get(f"/my/{ticket.pk}").status_code == 404


def test_she_puts_a_colleague_in_copy_and_takes_him_out(world: World, browser: Browser) -> None:
    ticket = world.report(world.maria, title="Look-up is slow")
    page = f"/my/{ticket.pk}"
    maria, rolf = browser(world.maria), browser(world.rolf)
    assert rolf.get(page).status_code == 404
    assert maria.post(f"{page}/copy", {"person": "rolf@example.org"}).status_code == 303
    html = maria.get(page).content.decode()
    assert "Take Rolf Meier out of copy" in html
    shown = rolf.get(page).content.decode()
    assert "Rolf Meier" in shown
    assert "out of copy" not in shown
    assert 'name="person"' not in shown
    assert "Look-up is slow" in rolf.get("/my/").content.decode()
    assert rolf.post(f"{page}/copy", {"person": "jonas@example.org"}).status_code == 403
    assert "Maria Keller put you in copy" in rolf.get("/profile/notices").content.decode()
    assert maria.post(f"{page}/copy/remove", {"person": world.rolf.pk}).status_code == 303
    assert rolf.get(page).status_code == 404
    assert "Look-up is slow" not in rolf.get("/my/").content.decode()
    assert "Look-up is slow" not in rolf.get("/profile/notices").content.decode()


def test_an_address_elsewhere_is_refused_as_one_that_is_nobodys(world: World, browser: Browser) -> None:
    page = f"/my/{world.report(world.maria).pk}/copy"
    maria = browser(world.maria)
    answers = []
    for address in ("otto@example.org", "none@example.org"):
        refused = maria.post(page, {"person": address})
        assert refused.status_code == 422
        html = refused.content.decode()
        assert address in html, "what was written is kept"
        answers.append(re.sub(r"\b\w{64}\b|" + re.escape(address), "", html))
    assert "Nobody in your organization is known by this address." in answers[0]
    assert answers[0] == answers[1]


def test_notices_say_what_happened_until_read(world: World, browser: Browser) -> None:
    ticket = world.report()
    announcement = announce(world, ticket)
    announcements.same_for_me(announcement.pk, **world.by(world.rolf))
    announcements.update(announcement.pk, body="The cause is found.", **world.by(world.jonas))
    desk.reply(ticket.pk, body="We look at it", **world.by(world.jonas))
    world.forward(minutes=1)
    rolf, maria = browser(world.rolf), browser(world.maria)
    html = rolf.get("/profile/notices").content.decode()
    assert "The cause is found." in html
    assert "We look at it" not in html
    assert f"/my/{ticket.pk}" not in html
    assert f'href="/my/{ticket.pk}"' in maria.get("/profile/notices").content.decode()
    newest = re.search(r'name="up_to" value="(\d+)"', html)
    assert newest
    rolf.post("/profile/notices/read", {"up_to": newest[1]})
    assert "Mark all as read" not in rolf.get("/profile/notices").content.decode()
    assert "Mark all as read" in maria.get("/profile/notices").content.decode()


def test_an_agent_announces_updates_and_ends(world: World, browser: Browser) -> None:
    ticket = world.report(title="lookup broken", service=world.lookup.slug)
    agent = browser(world.jonas)
    page = f"/tickets/{ticket.pk}/announce"
    html = agent.get(page).content.decode()
    assert 'value="lookup broken"' in html
    sent = {
        "title": "Account look-up is down",
        "audience": "some",
        "organization": [str(world.bank.pk)],
        "service": world.lookup.pk,
    }
    missing = agent.post(page, {**sent, "organization": []})
    assert missing.status_code == 422
    assert "Choose who is told." in missing.content.decode()
    assert agent.post(page, {**sent, "next_update_at": "2026-11-23T11:00"}).status_code == 303
    announcement = Announcement.objects.get()
    assert list(announcement.audience.all()) == [world.bank]
    assert announcement.next_update_at.hour == 11
    assert "Account look-up is down" in browser(world.rolf).get("/").content.decode()
    assert "Account look-up is down" in agent.get("/announcements").content.decode()
    assert agent.post(f"{page}/update", {"body": ""}).status_code == 422
    agent.post(f"{page}/update", {"body": "Cause found"})
    assert "Cause found" in browser(world.rolf).get("/status/").content.decode()
    agent.post(f"{page}/update", {"body": "Works for all", "end": "1"})
    assert Announcement.objects.get().ended_at
    assert "Account look-up is down" not in browser(world.rolf).get("/").content.decode()


def test_announcing_is_the_desks_and_within_its_reach(world: World, browser: Browser) -> None:
    ticket = world.report()
    page = f"/tickets/{ticket.pk}/announce"
    assert browser(world.maria).get(page).status_code == 302
    assert browser(world.oskar).get(page).status_code == 404
    assert browser(world.oskar).post(page, {"title": "Down", "audience": "all"}).status_code == 404
    assert "your role does not announce it" in browser(world.audrey).get(page).content.decode()
    assert browser(world.audrey).post(page, {"title": "Down", "audience": "all"}).status_code == 403
    assert not Announcement.objects.exists()


def test_what_she_was_writing_is_there_when_she_comes_back(world: World, browser: Browser) -> None:
    client = browser(world.maria)
    writing = {"kind": "incident", "q": "Printer jams", "description": "since nine", "can_work": "yes"}
    assert client.post("/report/draft", writing).status_code == 204
    html = client.get("/report").content.decode()
    assert "This is what you were writing." in html
    assert 'value="Printer jams"' in html
    assert "since nine" in html
    assert "since nine" not in client.get("/request").content.decode()
    assert "since nine" not in client.get("/report?q=Something+else").content.decode()
    assert "since nine" not in browser(world.rolf).get("/report").content.decode()
    client.post("/report", {"q": "Printer jams", "can_work": "yes"})
    assert "This is what you were writing." not in client.get("/report").content.decode()
    ticket = Ticket.objects.get()
    assert client.post(f"/my/{ticket.pk}/draft", {"body": "It is tray"}).status_code == 204
    assert "It is tray" in client.get(f"/my/{ticket.pk}").content.decode()
    assert browser(world.otto).post(f"/my/{ticket.pk}/draft", {"body": "x"}).status_code == 404
    client.post("/report/draft", {**writing, "drop": "1"})
    assert "This is what you were writing." not in client.get("/report").content.decode()


def test_what_is_announced_stands_above_every_page_of_its_desk(world: World, browser: Browser) -> None:
    announce(world, world.report())
    for address in ("/desk/", "/announcements", "/profile/notices"):
        assert 'class="ribbon"' in browser(world.jonas).get(address).content.decode()
        assert 'class="ribbon"' not in browser(world.oskar).get(address).content.decode()
    assert 'class="ribbon"' not in browser(world.maria).get("/profile/notices").content.decode()
