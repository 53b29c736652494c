"""What people with bad intent try on the pages; the numbers are those of the threat model's abuse tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from allswell.desk import announcements, attachments, outbox, sign_in, webhooks
from allswell.desk import tickets as desk
from allswell.desk.sealing import unseal
from allswell.kernel.text import whole
from allswell.notifications.channels import webhook
from allswell.notifications.letters import Letter
from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.tickets.models import Category, CustomField
from allswell.web import live, show
from tests.support.program import Program
from tests.support.world import World

Browser = Callable[[Person | None], Client]


# A15, A16: names of what one may not know


def test_A15_a_team_of_another_customer_is_not_named_in_the_queue(world: World, browser: Browser) -> None:
    world.desk_team.organization = world.bank
    world.desk_team.save()
    assert browser(world.jonas).get("/desk/service-desk").status_code == 200
    assert browser(world.oskar).get("/desk/service-desk").status_code == 404


def test_A15_filters_name_nothing_and_nobody_the_viewer_may_not_know(world: World, browser: Browser) -> None:
    world.desk_team.organization = world.bank
    world.desk_team.save()
    world.printing.organization = world.bank
    world.printing.save()
    asked: dict[str, str] = {
        "assignee": str(world.maria.pk),
        "service": "printing",
        "team": "service-desk",
        "organization": "northbank",
    }
    names = {"assignee": "Maria Keller", "service": "Printing", "team": "Service desk", "organization": "Northbank"}
    for filter_, value in asked.items():
        assert names[filter_] in browser(world.jonas).get("/desk/all", {filter_: value}).content.decode()
        assert names[filter_] not in browser(world.oskar).get("/desk/all", {filter_: value}).content.decode()


def test_A15_tags_of_tickets_one_may_not_see_are_not_offered(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.tag(ticket.pk, name="fraud-kestrel", **world.by(world.jonas))
    assert "fraud-kestrel" in browser(world.jonas).get("/desk/filter").content.decode()
    assert "fraud-kestrel" not in browser(world.oskar).get("/desk/filter").content.decode()
    desk.restrict(ticket.pk, **world.by(world.jonas))
    assert "fraud-kestrel" not in browser(world.amir).get("/desk/filter").content.decode()


# numbers that are none, NULs, instants before time


@pytest.mark.parametrize("bad", ["²", "９", "9" * 5000, "-1", "1e9", "٣", " ", "%00"])
def test_A35_what_only_looks_like_a_number_breaks_nothing(world: World, browser: Browser, bad: str) -> None:
    ticket = world.report(world.maria)
    jonas, maria = browser(world.jonas), browser(world.maria)
    pages = ["/desk/all?priority={}", "/desk/all?assignee={}", "/desk/all?after={}", "/desk/all?state=done&after={}"]
    pages += ["/desk/all?after={0}.{0}.{0}", "/search?q=x&after={}", "/palette?q=x&on={}", "/people/?after=x|{}"]
    for address in pages:
        assert jonas.get(address.format(bad)).status_code in (200, 400, 404), address
    for address in ("/my/?before={}", "/my/?q=INC-{}", "/profile/notices?before={}"):
        assert maria.get(address.format(bad)).status_code in (200, 400), address
    forms = [("assign", "person"), ("hand-over", "team"), ("split", "comment"), ("take", "version"), ("priority", "priority")]
    for verb, field in forms:
        sent = {field: bad, "reason": "x", "title": "x"}
        assert jonas.post(f"/tickets/{ticket.pk}/{verb}", sent).status_code < 500, verb
    sent_ = {"title": "x", "audience": "some", "organization": bad}
    assert jonas.post(f"/tickets/{ticket.pk}/announce", sent_).status_code < 500
    assert jonas.post("/desk/change", {"verb": "take", "n": bad}).status_code < 500
    assert maria.post("/profile/notices/read", {"up_to": bad}).status_code < 500
    assert maria.post(f"/my/{ticket.pk}/rate", {"stars": bad}).status_code < 500
    assert live.mark_of(bad, world.now) is None
    assert webhook.retry_after(bad, now=world.now) is None


def test_A35_a_page_that_comes_back_from_the_far_future_is_a_new_page(world: World) -> None:
    assert live.mark_of("9" * 18, datetime(2026, 11, 23, tzinfo=UTC)) is None
    assert whole("42") == 42


@pytest.mark.parametrize("address", ["/search?q=a%00", "/find/people?q=ab%00", "/desk/all?q=%00", "/my/?q=%00", "/files/%00"])
def test_A10_a_NUL_in_an_address_is_refused(browser: Browser, world: World, address: str) -> None:
    assert browser(world.jonas).get(address).status_code == (404 if "?" not in address else 400)


def test_A10_a_NUL_in_a_cookie_is_refused(browser: Browser) -> None:
    client = browser(None)
    client.cookies["allswell"] = "a\x00b"
    assert client.get("/").status_code == 400


@pytest.mark.parametrize("when", ["0001-01-01T00:00", "9999-12-31T23:59", "0000-00-00T00:00", "x", "2026-03-29T02:30"])
def test_A11_instants_at_the_ends_of_time_break_nothing(world: World, browser: Browser, when: str) -> None:
    for zone in ("Asia/Tokyo", "America/Anchorage"):
        world.jonas.time_zone = world.maria.time_zone = zone
        world.jonas.save()
        world.maria.save()
        ticket = world.report(world.maria)
        jonas = browser(world.jonas)
        wait = {"on": "supplier", "until": when}
        assert jonas.post(f"/tickets/{ticket.pk}/wait", wait).status_code < 500
        assert jonas.get(f"/tickets/{ticket.pk}").status_code == 200
        edit = {"title": "x", "occurred_at": when}
        assert jonas.post(f"/tickets/{ticket.pk}/edit", edit).status_code < 500
        assert jonas.get(f"/tickets/{ticket.pk}").status_code == 200
        announce = {"title": "x", "audience": "all", "next_update_at": when}
        assert jonas.post(f"/tickets/{ticket.pk}/announce", announce).status_code < 500
        assert jonas.get(f"/tickets/{ticket.pk}").status_code == 200
        assert browser(world.maria).post("/profile/away", {"away_until": when}).status_code < 500
        assert browser(world.maria).get("/profile").status_code == 200
        assert jonas.get("/desk/all").status_code == 200


def test_A35_a_number_too_large_for_a_database_is_no_ticket(world: World, browser: Browser) -> None:
    for number in (2**63, 10**30, 10**300):
        for address in (f"/tickets/{number}", f"/tickets/{number}/take", f"/my/{number}", f"/people/{number}", f"/jobs/{number}"):
            assert browser(world.jonas).get(address).status_code in (404, 405), address
            assert browser(world.jonas).post(address).status_code in (404, 405), address


@pytest.mark.parametrize(
    "after", ["9" * 20 + ".1.1", "1.1." + "9" * 20, "-1.1.1", "1.-1.1", "1.1." + "9" * 19, "a.b.c", "1.1.1.1"]
)
def test_A35_a_place_in_the_queue_nobody_was_given_breaks_nothing(world: World, browser: Browser, after: str) -> None:
    world.report()
    assert browser(world.jonas).get("/desk/all", {"after": after}).status_code == 200


def test_A15_an_administrator_without_a_desk_role_finds_no_ticket(world: World, browser: Browser) -> None:
    assert browser(world.ada).get(f"/tickets/{world.report().pk}").status_code == 404


# A28, A40: links in the outbox


def test_A40_a_link_to_a_new_password_lies_sealed_in_the_outbox(world: World, settings: object) -> None:
    sign_in.ask_new_password(email="maria@example.org", ip="10.0.0.1", actor=world.actor(world.maria), now=world.now)
    mail = Delivery.objects.get(topic="account")
    assert "http" not in str(mail.content)
    assert "/account/new-password/" in unseal(mail.content["link"])
    (claim,) = outbox.claim_mails(1, actor=world.actor(world.maria), now=world.now + timedelta(seconds=1))
    letter = outbox.letter(claim)
    assert isinstance(letter, Letter)
    assert "/account/new-password/" in letter.parts[0][1][0].facts["link"]


def test_A11_programs_cannot_ask_for_the_end_of_time_either(world: World) -> None:
    program = Program(world, world.jonas)
    ticket = world.report()
    for when in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"):
        assert program.post(f"/tickets/{ticket.pk}/wait", on="supplier", until=when).status_code == 422
        assert program.get(f"/tickets?updated_since={when.replace('+', '%2B')}").status_code == 422
        assert program.patch(f"/tickets/{ticket.pk}", occurred_at=when).status_code == 422


# A11, A42: what is long or twisted


TWISTED = ("[", "**_", "[x](", "~~a", "a|b\n-|-\n" + "|\n", "- a\n", "a\n\n", "`", "> ", "<a ", "![](x)", "&#x41;", "INC-1 ")


@pytest.mark.parametrize("piece", TWISTED)
def test_A42_no_text_makes_its_page_slow(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    began = time.process_time()
    show.markdown(text)
    assert time.process_time() - began < 1.5


def test_A42_a_text_full_of_marks_is_shown_as_typed_and_escaped() -> None:
    shown = show.markdown("<script>*" + "*" * 6000)
    assert shown.startswith("<pre><code>&lt;script&gt;*")
    assert "<strong>" in show.markdown("**bold** " + "word " * 15_000)


def test_A11_a_form_that_is_too_large_is_refused_in_words(world: World, browser: Browser) -> None:
    jonas = browser(world.jonas)
    for sent in ({"title": "x", "description": "A" * 3_000_000}, {f"field{number}": "1" for number in range(2100)}):
        answer = jonas.post("/tickets/new", urlencode(sent), content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 413
        assert "This is too large" in answer.content.decode()
    assert jonas.post("/tickets/new", {"title": "A" * 1_000_000}).status_code == 422


# A1, A2: markup wherever people write


EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "{{7*7}}{% raw %}${7*7}",
    "</title></textarea></style><svg/onload=alert(1)>",
)
PAGES: tuple[str, ...] = (
    "/desk/all",
    "/tickets/{}",
    "/tickets/{}/edit",
    "/tickets/{}/link",
    "/tickets/{}/split",
    "/tickets/{}/untag",
    "/search?q={q}",
)
PAGES += (
    "/desk/filter",
    "/tickets/new?title={q}&requester={q}",
    "/palette?q={q}",
    "/palette?on={}",
    "/people/",
    "/people/?q={q}",
)
PAGES += ("/teams/", "/services/", "/desk/save-view?q={q}", "/desk/change?n={}", "/find/people?q={q}", "/announcements")
PAGES += ("/tickets/{}/announce", "/tickets/{}/hand-over", "/desk/all?tag={q}", "/desk/all?q={q}&team={q}&assignee={q}")
MINE: tuple[str, ...] = (
    "/",
    "/my/",
    "/my/{}",
    "/status/",
    "/report?q={q}",
    "/request?q={q}",
    "/my/?q={q}",
    "/profile",
    "/profile/notices",
    "/more",
)
ADMIN: tuple[str, ...] = (
    "/setup/people",
    "/setup/people?q={q}",
    "/setup/roles",
    "/setup/teams",
    "/setup/organizations",
    "/setup/services",
)
ADMIN += ("/setup/categories", "/setup/fields", "/setup/labels", "/setup/webhooks", "/setup/")


@pytest.mark.parametrize("evil", EVIL)
def test_A1_A2_markup_in_any_word_is_shown_and_never_run(world: World, browser: Browser, evil: str) -> None:
    for row in (world.maria, world.amir, world.bank, world.desk_team, world.printing, world.lookup):
        row.name = evil
        row.save()
    Category.objects.create(name=evil, slug="evil")
    CustomField.objects.create(key="evil", label=evil, ticket_kind="incident")
    upload = attachments.upload(BytesIO(b"x"), name=f"{evil}.txt", content_type="text/html", **world.by(world.maria))
    what = {"description": f"{evil}\n\n[x](javascript:alert(1)) [y](data:text/html,x) <javascript:alert(1)>"}
    ticket = world.report(world.maria, title=evil, service=world.printing.slug, attachments=(upload.token,), **what)
    desk.tag(ticket.pk, name=evil[:30].replace(",", " "), **world.by(world.jonas))
    desk.reply(ticket.pk, body=evil, **world.by(world.jonas))
    desk.note(ticket.pk, body=evil, **world.by(world.jonas))
    announcements.announce(ticket.pk, title=evil, body=evil, is_for_all=True, **world.by(world.olga))
    webhooks.create(name=evil, url="https://chat.example.org/", **world.by(world.ada))
    for person, pages in ((world.jonas, PAGES), (world.maria, MINE), (world.ada, ADMIN)):
        client = browser(person)
        for page in pages:
            for headers in ({}, {"hx_request": "true"}):
                answer = client.get(page.replace("{}", str(ticket.pk)).replace("{q}", quote(evil)), headers=headers)
                assert answer.status_code == 200, page
                assert_inert(answer.content.decode(), page)
                policy = answer.headers["Content-Security-Policy"]
                assert "script-src 'self'" in policy
                assert "unsafe" not in policy


def assert_inert(html: str, page: str) -> None:
    """Nothing in the page runs but our own scripts."""
    found = Inert()
    found.feed(html)
    assert not found.wrong, (page, found.wrong)


class Inert(HTMLParser):
    """Collects what could run."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and not (values.get("src") or "").startswith("/static/"):
            self.wrong.append("script")
        if tag in ("iframe", "object", "embed", "base", "style"):
            self.wrong.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style" or (value or "").strip().lower().startswith(("javascript:", "data:text")):
                self.wrong.append(f"{tag} {name}={value}")
