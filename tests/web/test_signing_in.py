"""Signing in, and what people try at the door (abuse tests A28 to A31 and A33 of the threat model)."""

from __future__ import annotations

import re
import statistics
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk import people as desk_people
from allswell.desk import sign_in as desk
from allswell.desk.sealing import unseal
from allswell.journal.models import Entry
from allswell.kernel import clock
from allswell.kernel.actor import nobody
from allswell.notifications.models import Delivery
from allswell.people import queries
from allswell.people.models import Guess, Person, SentLink
from tests.support.world import World

PASSWORD = "correct horse battery"


class Door:
    """The sign-in pages, a clock that only moves when told to, and the mail that comes."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.now = world.now
        patch.setattr(clock, "now", lambda: self.now)
        self.client = Client()

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def sign_in(self, name: str = "jonas", password: str = PASSWORD, ip: str = "10.0.0.1", **values: str) -> Any:
        form = {"email": f"{name}@example.org", "password": password, **values}
        return self.client.post("/sign-in", form, REMOTE_ADDR=ip)

    @property
    def is_open(self) -> bool:
        return bool(self.client.session.get("_auth_user_id")) and self.client.get("/sign-in").status_code == 303

    def link(self) -> str:
        mail = Delivery.objects.filter(topic="account", channel="email").latest("id")
        found = re.search(r"/account/\S+", unseal(mail.content["link"]))
        assert found
        return found[0]

    def session_key(self) -> str:
        return str(self.client.session.session_key)


@pytest.fixture
def door(world: World, monkeypatch: pytest.MonkeyPatch) -> Door:
    for person in (world.jonas, world.maria, world.ada):
        person.set_password(PASSWORD)
        person.save()
    return Door(world, monkeypatch)


def told(person: Person | None) -> list[str]:
    rows = Entry.objects.filter(about_kind="person", about_id=person.pk if person else 0).order_by("id")
    return list(rows.values_list("verb", flat=True))


def test_an_agent_comes_to_the_desk_and_a_requester_to_the_portal(door: Door) -> None:
    assert door.sign_in("Jonas").headers["Location"] == "/desk/"
    assert door.is_open
    assert told(door.world.jonas) == ["person.signed_in"]
    door.client.post("/sign-out")
    assert not door.is_open
    assert door.sign_in("maria").headers["Location"] == "/"
    assert door.sign_in("Jonas", next="/").headers["Location"] == "/desk/"  # the front door is nowhere in particular


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_after_sign_in_nobody_is_sent_to_strangers(door: Door, there: str) -> None:
    assert door.sign_in(next=there).headers["Location"] == "/desk/"
    assert Client().post("/sign-in", {"email": "jonas@example.org", "password": PASSWORD, "next": "/tickets/7"}).headers[
        "Location"
    ] == ("/tickets/7")


# A29: nobody learns which addresses are known


def test_the_answer_is_the_same_for_unknown_people(door: Door) -> None:
    door.world.rolf.is_active = False
    door.world.rolf.set_password(PASSWORD)
    door.world.rolf.save()
    answers = {
        name: re.sub(rb'(value|data-csrf)="[^"]*"', b"", door.sign_in(name, password).content)
        for name, password in (("jonas", "wrong"), ("stranger", "wrong"), ("rolf", PASSWORD), ("olga", "!"), ("", ""))
    }
    assert len(set(answers.values())) == 1
    assert told(None) == ["person.sign_in_failed"] * 3  # stranger, rolf and "" are nobody
    forgotten = {
        name: re.sub(rb'(value|data-csrf)="[^"]*"', b"", door.client.post("/forgot", {"email": f"{name}@example.org"}).content)
        for name in ("jonas", "stranger", "rolf", "a b")
    }
    assert len(set(forgotten.values())) == 1


def test_it_takes_as_long_for_unknown_people(door: Door) -> None:
    def seconds(address: str) -> float:
        begun = time.perf_counter()
        desk.attempt(email=address, password="wrong", ip=f"10.1.{len(spent)}.1", actor=nobody(), now=door.now)
        return time.perf_counter() - begun

    spent: list[float] = []
    known, unknown = [], []
    for _ in range(7):
        for address, times in (("jonas@example.org", known), ("stranger@example.org", unknown), ("olga@example.org", unknown)):
            times.append(seconds(address))
            spent.append(0)
    assert 0.6 < statistics.median(known) / statistics.median(unknown) < 1.7


def test_a_claimed_address_opens_nothing(door: Door) -> None:
    desk_people.add_address(door.world.jonas.pk, email="claimed@example.org", **door.world.by(door.world.jonas))
    assert door.sign_in("claimed").status_code == 422


# A31: guessing is slowed, and locks nobody else out


def test_guessing_is_slowed_per_account_and_place(door: Door) -> None:
    for _ in range(5):
        assert door.sign_in(password="wrong").status_code == 422
    assert door.sign_in(password="wrong").status_code == 429
    assert door.sign_in().status_code == 429, "the right password does not help while waiting"
    assert door.sign_in(ip="10.0.0.2").status_code == 303, "Jonas himself, elsewhere, is not locked out"
    door.client.post("/sign-out")
    assert door.sign_in("maria").status_code == 303, "nor is anybody else in the same place"
    door.client.post("/sign-out")
    door.forward(minutes=16)
    assert door.sign_in().status_code == 303


def test_one_place_cannot_try_many_accounts(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PER_IP", desk.Limit(8, timedelta(minutes=15)))
    answers = [door.sign_in(f"name{n}", ip=f"2001:db8:1:2::{n}").status_code for n in range(10)]
    assert answers == [422] * 8 + [429] * 2, "an IPv6 network is one place"
    assert door.sign_in("maria", ip="2001:db8:9:9::1").status_code == 303


def test_a_right_password_forgets_the_wrong_ones(door: Door) -> None:
    for _ in range(3):
        for _ in range(4):
            door.sign_in(password="wrong")
        assert door.sign_in().status_code == 303
        door.client.post("/sign-out")


def test_guesses_are_kept_as_keyed_hashes_only(door: Door) -> None:
    door.sign_in(password="hunter2 hunter2")
    rows = list(Guess.objects.values_list("key", flat=True))
    assert rows
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in rows)


# A30: sessions


def test_the_session_changes_at_sign_in(door: Door) -> None:
    session = door.client.session
    session["planted"] = "by somebody else"
    session.save()
    before = door.session_key()
    door.sign_in()
    assert door.session_key() != before
    cookie = door.client.cookies["allswell"]
    assert (bool(cookie["httponly"]), cookie["samesite"]) == (True, "Lax")
    second = Client(headers={"cookie": f"allswell={before}"})
    assert second.get("/sign-in").status_code == 200


def test_sessions_end_with_the_password_and_with_the_person(door: Door) -> None:
    door.sign_in()
    elsewhere = Door.__new__(Door)
    elsewhere.world, elsewhere.now, elsewhere.client = door.world, door.now, Client()
    elsewhere.sign_in()
    jonas = door.world.jonas
    desk_people.set_password(
        jonas.pk, password_hash=desk_people.hash_of("another long one"), **door.world.by(jonas), keep_session=door.session_key()
    )
    assert not elsewhere.is_open
    elsewhere.sign_in(password="another long one")
    assert elsewhere.is_open
    desk_people.deactivate_person(jonas.pk, **door.world.by(door.world.ada))
    assert not elsewhere.is_open
    assert elsewhere.sign_in(password="another long one").status_code == 422


# A28: links sent by mail


def test_a_new_password_by_mail(door: Door) -> None:
    door.client.post("/forgot", {"email": "JONAS@example.org"})
    link = door.link()
    assert door.client.get(link).headers["Location"] == "/account/new-password"
    form = {"password": "a quite new one", "again": "a quite new one"}
    assert door.client.post("/account/new-password", form).headers["Location"] == "/sign-in"
    assert door.sign_in().status_code == 422
    assert door.sign_in(password="a quite new one").status_code == 303
    assert Client().get(link).status_code == 404, "it works once"
    assert queries.addresses(door.world.jonas.pk)[0].proof == "confirmed"


def test_the_link_dies(door: Door) -> None:
    jonas = door.world.jonas

    def fresh() -> str:
        door.forward(hours=2)
        door.client.post("/forgot", {"email": "jonas@example.org"})
        return door.link()

    link = fresh()
    door.forward(minutes=61)
    assert Client().get(link).status_code == 404, "after an hour"
    first, second = fresh(), ""
    door.client.post("/forgot", {"email": "jonas@example.org"})
    second = door.link()
    assert (Client().get(first).status_code, Client().get(second).status_code) == (404, 303), "when a newer one is sent"
    jonas.refresh_from_db()
    desk_people.set_password(jonas.pk, password_hash=desk_people.hash_of("changed meanwhile"), **door.world.by(jonas))
    assert Client().get(second).status_code == 404, "when the password changes"
    third = fresh()
    desk_people.deactivate_person(jonas.pk, **door.world.by(door.world.ada))
    assert Client().get(third).status_code == 404, "when the person goes"


@pytest.mark.parametrize("ref", ["%20", "0-", "1-x", "-1-a", "9" * 40 + "-a", "1-%00", "1%2f..", "١-x", "1-" + "a" * 43])
def test_a_malformed_link_opens_nothing(door: Door, ref: str) -> None:
    door.client.post("/forgot", {"email": "jonas@example.org"})
    assert Client().get(f"/account/new-password/{ref}").status_code == 404
    assert Client().post("/account/new-password", {"password": "x" * 12, "again": "x" * 12}).status_code == 404


def test_links_are_random_and_only_their_digest_is_kept(door: Door) -> None:
    secrets = set()
    for hour in range(3):
        door.forward(hours=hour + 1)
        door.client.post("/forgot", {"email": "jonas@example.org"})
        secrets.add(door.link().rpartition("-")[2])
    assert len(secrets) == 3
    assert not any(digest in secrets for digest in SentLink.objects.values_list("digest", flat=True))


def test_nobody_is_flooded_with_mail(door: Door) -> None:
    for n in range(6):
        assert door.client.post("/forgot", {"email": "jonas@example.org"}, REMOTE_ADDR=f"10.2.0.{n}").status_code == 200
    assert Delivery.objects.filter(topic="account").count() == 3


# the second factor, and A33: it cannot be walked around


def code_at(secret: str, now: datetime) -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return str(format_hotp_value(hotp_value(secret, int(now.timestamp()) // 30)))


@pytest.fixture
def secret(door: Door) -> str:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    door.codes = desk.turn_on_second_factor(  # type: ignore[attr-defined]
        secret=secret, code=code_at(secret, door.now), actor=door.world.actor(door.world.jonas), now=door.now
    )
    return secret


def test_a_code_is_asked_for(door: Door, secret: str) -> None:
    assert door.sign_in().headers["Location"] == "/sign-in/code"
    assert not door.is_open
    assert door.client.get("/sign-in/code").status_code == 200
    assert door.client.post("/sign-in/code", {"code": "000000"}).status_code == 422
    replay = code_at(secret, door.now)
    assert door.client.post("/sign-in/code", {"code": replay}).status_code == 422, "it was used to turn it on"
    door.forward(seconds=31)
    assert door.client.post("/sign-in/code", {"code": code_at(secret, door.now)}).headers["Location"] == "/desk/"
    assert door.is_open


def test_a_recovery_code_opens_once(door: Door, secret: str) -> None:
    code = door.codes[0]  # type: ignore[attr-defined]
    for answer in (303, 422):
        door.sign_in()
        assert door.client.post("/sign-in/code", {"code": code}).status_code == answer
        door.client.post("/sign-out")
    assert queries.recovery_codes_left(door.world.jonas.pk) == 9


def test_codes_cannot_be_guessed(door: Door, secret: str) -> None:
    door.sign_in()
    answers = [door.client.post("/sign-in/code", {"code": f"{n:06}"}, REMOTE_ADDR=f"10.3.0.{n}").status_code for n in range(7)]
    assert answers == [422] * 5 + [429] * 2


def test_the_half_open_door_closes(door: Door, secret: str) -> None:
    door.sign_in()
    door.forward(minutes=11)
    assert door.client.post("/sign-in/code", {"code": code_at(secret, door.now)}).headers["Location"] == "/sign-in"
    assert not door.is_open


def test_a_new_password_does_not_skip_the_code(door: Door, secret: str) -> None:
    door.client.post("/forgot", {"email": "jonas@example.org"})
    door.client.get(door.link())
    door.client.post("/account/new-password", {"password": "a quite new one", "again": "a quite new one"})
    assert not door.is_open
    assert door.sign_in(password="a quite new one").headers["Location"] == "/sign-in/code"


def test_the_secret_is_sealed(door: Door, secret: str) -> None:
    from allauth.mfa.models import Authenticator

    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
