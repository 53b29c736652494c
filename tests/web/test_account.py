"""One's own account: profile, password, second step, sessions, addresses, tokens."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from allswell.kernel.sealed import row_of
from allswell.notifications.models import Delivery
from allswell.people import queries
from allswell.people.models import EmailAddress, Person
from allswell.web.account import browsers
from tests.support.world import World
from tests.web.test_signing_in import PASSWORD, Door, code_at, door  # noqa: F401


@pytest.fixture
def jonas(door: Door) -> Door:  # noqa: F811
    door.sign_in()
    return door


def test_every_page_of_the_account_is_shown(jonas: Door) -> None:
    for path in ("/profile", "/account/security", "/account/second-step", "/more"):
        answer = jonas.client.get(path)
        assert answer.status_code == 200, path
        assert " style=" not in answer.content.decode()
    assert Client().get("/profile").headers["Location"] == "/sign-in?next=/profile"


def test_the_profile_is_saved(jonas: Door) -> None:
    form = {"phone": "+41 44 1", "location": "Zürich", "locale": "de", "time_zone": "Europe/Zurich", "theme": "dark"}
    assert jonas.client.post("/profile", form).status_code == 303
    me = Person.objects.get(pk=jonas.world.jonas.pk)
    assert (me.location, me.locale, me.theme, me.has_single_keys) == ("Zürich", "de", "dark", False)
    answer = jonas.client.post("/profile", {**form, "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert b"time_zone-error" in answer.content


def test_being_away_and_back(jonas: Door) -> None:
    form = {"away_from": "2026-11-24T08:00", "away_until": "2026-11-27T18:00", "stands_in": "Julia Roth <julia@example.org>"}
    assert jonas.client.post("/profile/away", form).status_code == 303
    me = Person.objects.get(pk=jonas.world.jonas.pk)
    assert (me.stands_in, me.away_from is not None) == (jonas.world.julia, True)
    assert jonas.client.post("/profile/away", {**form, "stands_in": "Nobody"}).status_code == 422
    jonas.client.post("/profile/away", {"back": "1"})
    assert Person.objects.get(pk=jonas.world.jonas.pk).away_from is None


def test_what_one_is_told(jonas: Door) -> None:
    jonas.client.post("/profile/told", {"wanted": ["assigned.app"]})
    page = jonas.client.get("/profile").content.decode()
    assert re.search(r'value="assigned.app"[^>]* checked', page)
    assert not re.search(r'value="assigned.email"[^>]* checked', page)


def test_the_password_is_changed_and_other_sessions_end(jonas: Door, world: World) -> None:
    other = Client()
    other.post("/sign-in", {"email": "jonas@example.org", "password": PASSWORD})
    before = jonas.session_key()
    wrong = {"current": "wrong", "password": "a quite new one", "again": "a quite new one"}
    assert jonas.client.post("/account/password", wrong).status_code == 422
    assert jonas.client.post("/account/password", {**wrong, "current": PASSWORD}).status_code == 303
    assert jonas.is_open
    assert jonas.session_key() != before
    assert other.get("/profile").status_code == 302
    assert [row.session_key for row in queries.sessions(world.jonas.pk)] == [row_of(jonas.session_key())]


def test_an_open_screen_is_no_place_to_guess(jonas: Door) -> None:
    form = {"current": "wrong", "password": "a quite new one", "again": "a quite new one"}
    answers = [jonas.client.post("/account/password", form).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_the_second_step_is_set_up_and_taken_away(jonas: Door) -> None:
    page = jonas.client.get("/account/second-step").content.decode()
    found = re.search(r'<code class="key">(\w+)</code>', page)
    assert found
    form = {"code": code_at(found[1], jonas.now), "current": PASSWORD}
    assert jonas.client.post("/account/second-step", {**form, "current": "wrong"}).status_code == 422
    done = jonas.client.post("/account/second-step", form).content.decode()
    assert len(re.findall(r"<li><code>\d{10}</code>", done)) == 10
    assert queries.has_second_factor(jonas.world.jonas.pk)
    assert jonas.client.post("/account/second-step/off", {"current": "wrong"}).status_code == 422
    assert jonas.client.post("/account/second-step/off", {"current": PASSWORD}).status_code == 303
    assert not queries.has_second_factor(jonas.world.jonas.pk)


def test_signing_out_elsewhere(jonas: Door, world: World) -> None:
    others = [Client(), Client()]
    for other in others:
        other.post("/sign-in", {"email": "jonas@example.org", "password": PASSWORD})
    row = queries.sessions(world.jonas.pk).get(session_key=row_of(str(others[0].session.session_key)))
    jonas.client.post(f"/account/sessions/{row.pk}/end")
    assert [other.get("/profile").status_code for other in others] == [302, 200]
    jonas.client.post("/account/sign-out-everywhere")
    assert others[1].get("/profile").status_code == 302
    assert jonas.is_open


def test_nobody_ends_the_session_of_somebody_else(jonas: Door, world: World) -> None:
    maria = Client()
    maria.post("/sign-in", {"email": "maria@example.org", "password": PASSWORD})
    row = queries.sessions(world.maria.pk).get()
    jonas.client.post(f"/account/sessions/{row.pk}/end")
    assert maria.get("/profile").status_code == 200


def test_an_address_is_confirmed_by_its_mail(jonas: Door, world: World) -> None:
    jonas.client.post("/account/addresses", {"email": "Jonas@Private.example"})
    row = EmailAddress.objects.get(address="jonas@private.example")
    mail = Delivery.objects.get(topic="account")
    assert (row.proof, mail.address) == ("claimed", "jonas@private.example")
    link = jonas.link()
    maria = Client()
    maria.post("/sign-in", {"email": "maria@example.org", "password": PASSWORD})
    assert maria.post(link).status_code == 404, "only the person it was sent for"
    assert jonas.client.get(link).status_code == 200
    row.refresh_from_db()
    assert row.proof == "claimed", "looking at the page confirms nothing"
    jonas.client.post(link)
    row.refresh_from_db()
    assert row.proof == "confirmed"
    jonas.client.post(f"/account/addresses/{row.pk}/primary")
    assert queries.primary_addresses([world.jonas.pk])[world.jonas.pk] == "jonas@private.example"
    for verb in ("confirm", "primary", "remove"):
        assert maria.post(f"/account/addresses/{row.pk}/{verb}").status_code == 404


def test_a_token_is_shown_once(jonas: Door, world: World) -> None:
    page = jonas.client.post("/account/tokens", {"name": "Script", "days": "30", "scopes": ["tickets:read"]}).content.decode()
    found = re.search(r"alw_[\w-]{43}", page)
    assert found
    assert queries.caller(found[0], now=jonas.now) is not None
    token = queries.tokens(world.jonas.pk).get()
    assert token.expires_at is not None
    assert (token.expires_at - jonas.now).days == 30
    assert found[0] not in jonas.client.get("/account/security").content.decode()
    maria = Client()
    maria.post("/sign-in", {"email": "maria@example.org", "password": PASSWORD})
    assert maria.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    jonas.client.post(f"/account/tokens/{token.pk}/revoke")
    assert queries.caller(found[0], now=jonas.now) is None


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5", "curl/8.5"),
        ("", "Unknown browser"),
    ],
)
def test_a_session_is_known_by_its_browser(sent: str, shown: str) -> None:
    assert browsers.named(sent) == shown
