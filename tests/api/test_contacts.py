"""How one is reached, through the API."""

from __future__ import annotations

import pytest

from allswell.desk import contacts
from allswell.kernel import clock
from tests.desk.test_contacts import CHAT, NUMBER, Carrier, carrier
from tests.support.program import Program
from tests.support.world import World

__all__ = ["carrier"]


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


@pytest.fixture
def jonas(world: World) -> Program:
    return Program(world, world.jonas)


def test_a_way_is_added_shown_to_work_used_and_removed(world: World, jonas: Program, carrier: Carrier) -> None:
    made = jonas.post("/contacts", kind="sms", address="+49 151 12345678", label="Work phone")
    assert made.status_code == 201
    contact = made.json()
    assert (contact["shown"], contact["verified_at"]) == ("+49 … 678", None)
    assert NUMBER not in made.content.decode()
    path = f"/contacts/{contact['id']}"
    assert jonas.post(f"{path}/verify", code="x").json() == {"is_verified": False, "guesses_left": 4}
    assert jonas.post(f"{path}/verify", code=carrier.code()).json()["is_verified"] is True
    assert jonas.post(f"{path}/code").status_code == 409
    asked = [{"contact": contact["id"], "after": 30}, {"contact": None}]
    paging = jonas.post("/paging/rules", urgency="urgent", rules=asked).json()
    assert paging["urgent"] == {
        "is_own": True,
        "rules": [{"contact": None, "after": 0}, {"contact": contact["id"], "after": 30}],
    }
    assert paging["normal"]["is_own"] is False
    assert jonas.post("/paging/test").json() == {"ways": 2}
    assert jonas.call("DELETE", path).status_code == 204
    assert jonas.get("/contacts").json() == []
    assert jonas.get("/paging").json()["urgent"]["rules"] == [{"contact": None, "after": 0}]


def test_quiet_hours_are_times_of_day(world: World, jonas: Program) -> None:
    hours = jonas.post("/paging/quiet-hours", since="22:00", until="06:30").json()["quiet_hours"]
    assert (hours["since"], hours["until"]) == ("22:00", "06:30")
    for since, until in (("24:00", "06:00"), ("22:00", None), ("22:00", "22:00"), ("10 pm", "06:00"), ("²2:00", "06:00")):
        assert jonas.post("/paging/quiet-hours", since=since, until=until).status_code == 422
    assert jonas.post("/paging/quiet-hours").json()["quiet_hours"] is None


def test_bad_input_names_its_field(world: World, jonas: Program, carrier: Carrier) -> None:
    refused = jonas.post("/contacts", kind="chat", address="http://10.0.0.1/x", flavor="slack")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "address"
    assert jonas.post("/contacts", kind="pigeon", address="x").status_code == 422
    assert jonas.post("/contacts", kind="sms", address="1" * 5000).status_code == 422
    assert jonas.post("/paging/rules", urgency="urgent", rules=[{"contact": 1, "after": 0}]).status_code == 422


def test_a_code_is_sent_once_when_the_call_is_repeated(world: World, jonas: Program, carrier: Carrier) -> None:
    for _ in range(2):
        made = jonas.post("/contacts", kind="sms", address=NUMBER, headers={"Idempotency-Key": "once"})
        assert made.status_code == 201
    carrier.work()
    assert len(carrier.sent) == 1


def test_a_lead_adds_rooms_and_reads_by_what_people_are_reached(world: World, carrier: Carrier) -> None:
    lena, amir = Program(world, world.lena), Program(world, world.amir)
    row = contacts.add_contact(kind="sms", address=NUMBER, label="Secret label", **world.by(world.amir))
    contacts.verify(row.pk, code=carrier.code(), **world.by(world.amir))
    said = lena.get("/teams/databases/reach")
    assert {one["person"]["name"]: one["kinds"] for one in said.json()} == {
        "Amir Haddad": ["email", "sms"],
        "Priya Nair": ["email"],
    }
    assert "Secret label" not in said.content.decode()
    assert amir.get("/teams/databases/reach").status_code == 403
    room = lena.post("/teams/databases/rooms", kind="chat", address=CHAT, flavor="slack")
    assert room.status_code == 201
    assert "secret-part" not in room.content.decode()
    assert lena.post(f"/contacts/{room.json()['id']}/verify", code=carrier.code()).json()["is_verified"] is True
    assert [one["id"] for one in lena.get("/teams/databases/rooms").json()] == [room.json()["id"]]
    assert amir.call("DELETE", f"/contacts/{room.json()['id']}").status_code == 404


def test_practice_is_sent_read_and_answered(world: World, jonas: Program) -> None:
    sent = jonas.post("/paging/practice", urgency="urgent")
    assert sent.status_code == 201
    page = sent.json()
    assert (page["person"]["id"], page["asked_by"]["id"], page["acknowledged_at"]) == (world.jonas.pk, world.jonas.pk, None)
    assert {way["channel"]: way["outcome"] for way in page["ways"]} == {"desk": "sent", "email": ""}
    (waiting,) = jonas.get("/me/pages").json()
    assert (waiting["id"], waiting["ticket"], waiting["reference"]) == (page["id"], None, "")
    assert jonas.post(f"/pages/{page['id']}/answer").json() == []
    (told,) = jonas.get("/paging/practice").json()
    assert told["acknowledged_at"] is not None
    assert {way["outcome"] for way in told["ways"]} == {"sent", "moot"}
    for _ in range(4):
        assert jonas.post("/paging/practice").status_code == 201
    assert jonas.post("/paging/practice").status_code == 429


def test_only_who_leads_sends_practice_to_others(world: World, jonas: Program) -> None:
    lena = Program(world, world.lena)
    assert lena.post("/paging/practice", urgency="normal", person=world.amir.pk).status_code == 201
    assert [one["person"]["name"] for one in lena.get("/paging/practice").json()] == ["Amir Haddad"]
    assert jonas.post("/paging/practice", urgency="normal", person=world.amir.pk).status_code == 403
    assert jonas.post("/paging/practice", urgency="normal", person=10**15).status_code == 422
    assert jonas.post("/paging/practice", urgency="shrill").status_code == 422


def test_how_people_are_reached_is_part_of_the_document_for_who_sets_up(world: World, jonas: Program, carrier: Carrier) -> None:
    ada = Program(world, world.ada)
    person = {"person": "amir@example.org", "ways": [{"kind": "sms", "address": NUMBER}]}
    tried = ada.post("/on-call/document", document={"form": 1, "contacts": [person]}, is_trial=True)
    assert tried.json()["items"][0] == {
        "outcome": "changed",
        "kind": "contacts",
        "name": "amir@example.org",
        "parts": ["ways"],
        "moves": 0,
    }
    assert ada.post("/on-call/document", document={"form": 1, "contacts": [person]}).json()["is_written"] is True
    told = ada.get("/on-call/document?contacts=true")
    assert told.json()["document"]["contacts"][0]["ways"][0]["address"] is None
    assert NUMBER not in told.content.decode()
    wrong = {"form": 1, "contacts": [{"person": "amir@example.org", "ways": [{"kind": "sms", "address": "0151 SECRET"}]}]}
    refused = ada.post("/on-call/document", document=wrong)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "document.contacts.0.ways.0.address")
    assert "SECRET" not in refused.content.decode()
    assert jonas.get("/on-call/document?contacts=true").status_code == 403
    assert jonas.post("/on-call/document", document={"form": 1, "contacts": [person]}).status_code == 403
