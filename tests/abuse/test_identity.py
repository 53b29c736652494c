"""Who somebody is (A21, A28 to A31): accounts that ended, links that were sent, sessions, guesses."""

from __future__ import annotations

import logging
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client

from allswell.desk import bulk, exporting
from allswell.desk import people as desk_people
from allswell.desk import sign_in as desk_sign_in
from allswell.desk import tickets as desk
from allswell.desk.sealing import unseal
from allswell.kernel import clock
from allswell.kernel.actor import nobody
from allswell.kernel.errors import DeskError
from allswell.notifications.models import Delivery
from allswell.people.models import EmailAddress, RoleGrant, SentLink
from allswell.tickets.models import Ticket
from tests.abuse.test_changing import run as run_jobs
from tests.engine.test_mail import send
from tests.engine.test_webhooks import call as make_calls
from tests.engine.test_webhooks import hook
from tests.support.mailbox import Mailbox
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.world import World
from tests.web.test_signing_in import PASSWORD, Door, code_at, door, secret

__all__ = ["door", "secret"]


def everything_stored() -> str:
    """All rows of all tables, as anybody with a copy of the database reads them."""
    return "\n".join(str(list(model.objects.values())) for model in apps.get_models())


# A21: an account that ended


def test_A21_with_the_account_ends_all_that_was_done_in_its_name(world: World) -> None:
    """Session, token, webhook, links, jobs and mail of somebody who is deactivated are dead at once."""
    world.now = clock.now()
    jonas = world.jonas
    session = Client()
    session.force_login(jonas)
    program = Program(world, jonas)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(jonas))
    job = bulk.start([ticket.pk], verb="note", params={"body": "x"}, **world.by(jonas))
    desk_sign_in.ask_new_password(email="jonas@example.org", ip="10.0.0.1", actor=nobody(), now=world.now)
    link = unseal(Delivery.objects.filter(topic="account").latest("id").content["link"]).partition("/account")[2]
    assert session.get("/desk/").status_code == 200
    assert program.get("/me").status_code == 200
    with Mailbox() as mailbox, Receiver() as receiver:
        hook(world, receiver, owner=jonas.pk)
        desk.watch(ticket.pk, person=jonas.pk, **world.by(world.julia))
        desk.note(ticket.pk, body="Before", **world.by(world.julia))
        desk_people.deactivate_person(jonas.pk, **world.by(world.ada))
        assert session.get("/desk/").headers["Location"].startswith("/sign-in")
        assert session.get(f"/tickets/{ticket.pk}").status_code == 302
        assert program.get("/me").status_code == 401
        assert Client().get(f"/account{link}").status_code == 404
        desk.note(ticket.pk, body="After", **world.by(world.julia))
        run_jobs(world)
        send(world, mailbox.url)
        make_calls(world)
        assert [mail["To"] for mail in mailbox.received if "jonas" in mail["To"]] == []
        assert receiver.calls == []
    job.refresh_from_db()
    assert job.changed == 0


def test_A21_a_role_that_was_taken_away_counts_at_the_next_request(world: World) -> None:
    session, program, ticket = Client(), Program(world, world.jonas), world.report()
    session.force_login(world.jonas)
    assert session.get(f"/tickets/{ticket.pk}").status_code == 200
    assert program.get(f"/tickets/{ticket.pk}").status_code == 200
    grant = RoleGrant.objects.get(person=world.jonas, role="agent")
    desk_people.revoke_role(grant.pk, **world.by(world.ada))
    for path in (f"/tickets/{ticket.pk}", "/desk/all"):
        assert session.get(path).headers["Location"] == "/"
    assert program.get(f"/tickets/{ticket.pk}").status_code == 404


# A28: invitations are links like those for a new password


def test_A28_an_invitation_works_once_for_an_hour_and_for_its_person_alone(door: Door) -> None:
    world = door.world

    def invited(person: Any) -> str:
        desk_sign_in.invite(person.pk, actor=world.actor(world.ada), now=door.now)
        return door.link()

    first = invited(world.rolf)
    number, _, key = first.rpartition("/")[2].partition("-")
    assert len(key) == 43
    other = invited(world.maria).rpartition("/")[2].partition("-")[0]
    for forged in (
        f"{other}-{key}",
        f"{number}-{key[:-1]}",
        f"{number}-{key}x",
        f"{number}-",
        f" {number}-{key}",
        f"{number}-%20",
    ):
        assert Client().get(f"/account/new-password/{forged}").status_code == 404, forged
    door.forward(minutes=61)
    assert Client().get(first).status_code == 404
    second = invited(world.rolf)
    assert Client().get(first).status_code == 404
    client = Client()
    assert client.get(second).status_code == 302 or client.get(second).status_code == 303
    chosen = {"password": "a first password", "again": "a first password"}
    assert client.post("/account/new-password", chosen).headers["Location"] == "/sign-in"
    assert client.post("/account/new-password", chosen).status_code == 404, "the page is as dead as the link"
    assert Client().get(second).status_code == 404
    assert key not in everything_stored()
    assert second.rpartition("/")[2].partition("-")[2] not in everything_stored()
    with pytest.raises(DeskError):
        desk_sign_in.invite(world.rolf.pk, actor=world.actor(world.jonas), now=door.now)


def test_A28_looking_at_the_link_uses_nothing_up_and_sends_it_nowhere(door: Door) -> None:
    """Mail scanners open links; the page after it has no secret in its address that a Referer could carry away."""
    door.client.post("/forgot", {"email": "jonas@example.org"})
    link = door.link()
    for _ in range(3):
        answer = Client().get(link)
        assert answer.headers["Location"] == "/account/new-password"
        assert answer.headers["Referrer-Policy"] == "same-origin"
    assert SentLink.objects.get().used_at is None


# A29: nobody learns which addresses are known


def test_A29_a_new_password_is_asked_for_in_the_same_time(door: Door) -> None:
    def seconds(name: str) -> float:
        begun = time.perf_counter()
        answer = door.client.post("/forgot", {"email": f"{name}@example.org"}, REMOTE_ADDR=f"10.9.{len(spent)}.1")
        spent.append(time.perf_counter() - begun)
        assert answer.status_code == 200
        return spent[-1]

    spent: list[float] = []
    known, unknown = [], []
    for n in range(9):
        door.forward(hours=2)
        known.append(seconds("jonas"))
        unknown.append(seconds(f"stranger{n}"))
    assert statistics.median(known) - statistics.median(unknown) < 0.05, "less than the network wavers"


def test_A29_an_address_that_is_somebodys_is_not_told_to_who_claims_it(door: Door) -> None:
    door.sign_in("maria")
    pages = []
    for name in ("jonas", "nobody-at-all"):
        assert door.client.post("/account/addresses", {"email": f"{name}@example.org"}).headers["Location"] == "/account/security"
        pages.append(door.client.get("/account/security").content.decode().count(f"{name}@example.org"))
        door.client.post(f"/account/addresses/{EmailAddress.objects.latest('pk').pk}/remove")
    assert pages[0] == pages[1] > 0


# A30: sessions


def test_A30_over_https_the_cookies_are_for_this_host_and_https_alone(tmp_path: Path) -> None:
    code = (
        "from allswell.boot import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE,"
        " s.CSRF_COOKIE_SECURE, s.CSRF_COOKIE_HTTPONLY, s.SECURE_HSTS_SECONDS > 0, s.DEBUG)"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ALLSWELL_")}
    environment |= {"ALLSWELL_URL": "https://desk.example.org", "ALLSWELL_DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["__Host-allswell", "True", "True", "Lax", "True", "True", "True", "False"]


def test_A30_the_key_of_a_session_is_in_its_cookie_and_nowhere_else(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the database (nor a backup of it), not in a page, an address, a log, an export or the journal."""
    caplog.set_level(logging.DEBUG)
    answer = door.sign_in()
    key = door.session_key()
    assert answer.cookies["allswell"].value == key
    assert (Session.objects.count(), UserSession.objects.count()) == (1, 1)
    assert key not in everything_stored()
    for path in ("/desk/", "/account/security", "/profile", "/account/second-step", "/nothing-here"):
        page = door.client.get(path)
        assert key not in page.content.decode() + str(page.headers), path
    lines = "".join(exporting.tickets_json(Ticket.objects.all(), **door.world.by(door.world.jonas)))
    assert key not in lines + caplog.text
    stored = Session.objects.get().session_key
    assert Client(headers={"cookie": f"allswell={stored}"}).get("/desk/").status_code == 302, "what is stored opens nothing"
    assert Client(headers={"cookie": f"allswell={key}"}).get("/desk/").status_code == 200
    assert Client().get(f"/desk/?allswell={key}").status_code == 302
    assert Client().get("/desk/", headers={"authorization": f"Bearer {key}", "x-session": key}).status_code == 302


def test_A30_a_session_planted_before_signing_in_is_worth_nothing_after(door: Door, secret: str) -> None:
    """Also between the password and the code, where the key changes, too."""
    planted = Client()
    session = planted.session
    session["theme"] = "dark"
    session.save()
    key = str(session.session_key)
    door.client.cookies["allswell"] = key
    door.sign_in()
    between = door.session_key()
    assert between != key
    door.forward(seconds=31)
    door.client.post("/sign-in/code", {"code": code_at(secret, door.now)})
    assert door.is_open
    assert door.session_key() not in (key, between)
    for old in (key, between):
        assert Client(headers={"cookie": f"allswell={old}"}).get("/desk/").status_code == 302


def test_A30_a_key_of_ones_own_making_is_never_taken(door: Door) -> None:
    for made_up in ("a" * 32, "0" * 40, "x", "../../x", "a" * 5000):
        door.client.cookies["allswell"] = made_up
        door.sign_in()
        assert door.session_key() != made_up
        assert not Session.objects.filter(session_key=made_up[:40]).exists()
        door.client.post("/sign-out")


def test_A30_signing_out_ends_the_session_not_only_the_cookie(door: Door) -> None:
    door.sign_in()
    key = door.session_key()
    thief = Client(headers={"cookie": f"allswell={key}"})
    assert thief.get("/desk/").status_code == 200
    door.client.post("/sign-out")
    assert thief.get("/desk/").status_code == 302
    assert not Session.objects.exists()


def test_A30_a_new_password_ends_every_session_the_link_way_too(door: Door) -> None:
    door.sign_in()
    thief = Client(headers={"cookie": f"allswell={door.session_key()}"})
    Client().post("/forgot", {"email": "jonas@example.org"})
    owner = Client()
    owner.get(door.link())
    owner.post("/account/new-password", {"password": "a quite new one", "again": "a quite new one"})
    assert thief.get("/desk/").status_code == 302


# A31: guessing


def test_A31_headers_that_claim_another_place_start_no_new_count(door: Door) -> None:
    """Nobody but the server's own proxies says where a request comes from."""
    answers = []
    for n in range(8):
        liar = {"x-forwarded-for": f"203.0.113.{n}", "x-real-ip": f"203.0.113.{n}", "forwarded": f"for=203.0.113.{n}"}
        liar |= {"cf-connecting-ip": f"203.0.113.{n}", "true-client-ip": f"203.0.113.{n}", "client-ip": f"203.0.113.{n}"}
        form = {"email": "jonas@example.org", "password": "wrong"}
        answers.append(Client().post("/sign-in", form, headers=liar, REMOTE_ADDR="10.0.0.1").status_code)
    assert answers == [422] * 5 + [429] * 3


def test_A31_spellings_of_an_address_are_one_account(door: Door) -> None:
    spellings = ("jonas@example.org", "JONAS@example.org", " jonas@example.org", "jonas@EXAMPLE.org ", "Jonas@Example.Org")
    answers = [
        door.client.post("/sign-in", {"email": spelling, "password": "wrong"}, REMOTE_ADDR="10.0.0.1").status_code
        for spelling in (*spellings, *spellings)
    ]
    assert answers == [422] * 5 + [429] * 5


def test_A31_nobody_uses_up_the_mails_of_another(door: Door) -> None:
    """Who asks again and again for the confirmation of an address that is not theirs takes nothing from its owner."""
    door.sign_in("jonas")
    door.client.post("/account/addresses", {"email": "jonas@private.example"})
    row = door.world.jonas.addresses.get(address="jonas@private.example")
    maria = Client()
    maria.post("/sign-in", {"email": "maria@example.org", "password": PASSWORD})
    door.forward(hours=2)
    for _ in range(6):
        assert maria.post(f"/account/addresses/{row.pk}/confirm").status_code in (404, 429)
    sent = Delivery.objects.filter(topic="account").count()
    assert door.client.post(f"/account/addresses/{row.pk}/confirm").status_code == 303
    assert Delivery.objects.filter(topic="account").count() == sent + 1


def test_A33_a_code_opens_one_door_only(door: Door, secret: str) -> None:
    """Who looked over the shoulder types it a second later, in vain; and guesses stay counted whatever the address says."""
    door.forward(seconds=31)
    door.sign_in()
    code = code_at(secret, door.now)
    assert door.client.post("/sign-in/code", {"code": code}).status_code == 303
    thief = Door.__new__(Door)
    thief.world, thief.now, thief.client = door.world, door.now, Client()
    assert thief.sign_in().headers["Location"] == "/sign-in/code"
    for spelling in (code, f" {code} ", f"{code[:3]} {code[3:]}"):
        assert thief.client.post("/sign-in/code", {"code": spelling}).status_code == 422
    assert not thief.is_open
    for path in ("/desk/", "/account/security", "/api/v1/me", "/live"):
        assert thief.client.get(path).status_code in (302, 401, 404), path
    assert thief.client.post("/account/second-step/off", {"current": PASSWORD}).status_code in (302, 404)
