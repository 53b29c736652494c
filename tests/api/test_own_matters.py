"""One's own profile, notices and preferences, addresses of people, and the words of tickets, through the API."""

from __future__ import annotations

import pytest

from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.notifications.models import Delivery, Preference
from allswell.people.models import EmailAddress
from allswell.tickets.models import CustomField
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def ada(world: World) -> Program:
    return Program(world, world.ada)


@pytest.fixture
def maria(world: World) -> Program:
    return Program(world, world.maria)


def test_an_administrator_vouches_for_an_address_and_sends_mail_to_it(world: World, ada: Program) -> None:
    path = f"/people/{world.maria.pk}/addresses"
    added = ada.post(path, email="Maria.New@Example.org ")
    assert added.status_code == 201
    first, second = added.json()["items"]
    assert (first["address"], first["is_primary"]) == ("maria@example.org", True)
    assert (second["address"], second["proof"], second["is_primary"]) == ("maria.new@example.org", "vouched", False)
    assert ada.call("DELETE", f"{path}/{first['id']}").status_code == 409
    now_first = ada.post(f"{path}/{second['id']}/make_primary").json()["items"][0]
    assert now_first["address"] == "maria.new@example.org"
    assert ada.call("DELETE", f"{path}/{first['id']}").status_code == 204
    assert [row["address"] for row in ada.get(path).json()["items"]] == ["maria.new@example.org"]


def test_ones_own_address_is_only_claimed(world: World, maria: Program) -> None:
    path = f"/people/{world.maria.pk}/addresses"
    (_, claimed) = maria.post(path, email="rolf@example.org", is_primary=True).json()["items"]
    assert (claimed["proof"], claimed["is_primary"]) == ("claimed", False)  # nor is it said that it is Rolf's
    assert maria.post(f"{path}/{claimed['id']}/make_primary").status_code == 409
    Delivery.objects.all().delete()
    asked = [maria.post(f"{path}/{claimed['id']}/confirm", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in asked] == [204, 204]
    assert Delivery.objects.filter(person=world.maria, topic="account").count() == 1


def test_an_address_is_found_below_its_person_only(world: World, ada: Program) -> None:
    theirs = EmailAddress.objects.get(person=world.rolf)
    for method, path in (("POST", f"/{theirs.pk}/make_primary"), ("DELETE", f"/{theirs.pk}")):
        assert ada.call(method, f"/people/{world.maria.pk}/addresses{path}").status_code == 404


def test_addresses_say_when_they_changed(world: World, ada: Program) -> None:
    path = f"/people/{world.maria.pk}/addresses"
    tag = ada.get(path).headers["ETag"]
    assert ada.post(path, email="one@example.org", headers={"If-Match": tag}).status_code == 201
    assert ada.post(path, email="two@example.org", headers={"If-Match": tag}).status_code == 412


def test_a_field_is_made_changed_and_taken_out_of_use(world: World, ada: Program, maria: Program) -> None:
    made = ada.post("/fields", label="Floor", kind="choice", choices=["1", "2"], is_in_portal=True)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/fields/floor")
    assert ada.post("/fields", label="Floor").status_code == 409
    tag = ada.get("/fields/floor").headers["ETag"]
    assert ada.patch("/fields/floor", choices=["1", "2", "3"], headers={"If-Match": tag}).json()["choices"] == ["1", "2", "3"]
    assert ada.patch("/fields/floor", choices=["1"], headers={"If-Match": tag}).status_code == 412
    assert ada.patch("/fields/floor", kind="text").json()["errors"][0]["field"] == "kind"
    assert ada.patch("/fields/floor", choices=[]).status_code == 422
    number = maria.post("/tickets", title="Cold", custom={"floor": "3"}).json()["number"]
    assert ada.post("/fields/floor/deactivate").json()["is_active"] is False
    assert maria.get("/fields").json()["items"] == []
    assert maria.get("/fields/floor").status_code == 404
    assert Program(world, world.jonas).get(f"/tickets/{number}").json()["custom"] == {"floor": "3"}
    assert ada.post("/fields/floor/activate").json()["is_active"] is True


def test_the_portal_knows_the_portals_fields_only(ada: Program, maria: Program) -> None:
    ada.post("/fields", label="Rack")
    assert maria.get("/fields").json()["items"] == []
    assert maria.get("/fields/rack").status_code == 404
    assert CustomField.objects.filter(key="rack").exists()


def test_categories_and_ones_own_words(world: World, ada: Program) -> None:
    paper = ada.post("/categories", name="Paper").json()
    jam = ada.post("/categories", name="Jam", parent=paper["id"]).json()
    assert jam["parent"] == paper["id"]
    assert ada.patch(f"/categories/{paper['id']}", parent=jam["id"]).status_code == 422
    assert ada.patch(f"/categories/{jam['id']}", name="Paper jam").json()["parent"] == paper["id"]
    assert ada.post(f"/categories/{jam['id']}/deactivate").json()["is_active"] is False
    word = ada.patch("/labels/de", labels={"state.waiting": "Liegt", f"category.{paper['id']}": "Papier"}).json()["labels"]
    assert word == {f"category.{paper['id']}": "Papier", "state.waiting": "Liegt"}
    assert "state.waiting" not in ada.patch("/labels/de", labels={"state.waiting": ""}).json()["labels"]
    assert ada.patch("/labels/de", labels={"state.lost": "x"}).status_code == 422
    assert ada.patch("/labels/tlh", labels={}).status_code == 422
    assert Program(world, world.jonas).get("/labels/tlh").status_code == 404


def test_notices_are_read(world: World, maria: Program) -> None:
    number = world.report().pk
    desk.reply(number, body="Looking at it", **world.by(world.jonas))
    Delivery.objects.update(due_at=clock.now())
    listed = maria.get("/notices").json()["items"]
    assert [(notice["topic"], notice["who"], notice["body"]) for notice in listed] == [("replied", "Jonas Berg", "Looking at it")]
    assert listed[0]["ticket"]["number"] == number
    assert maria.post("/notices/read", up_to=listed[0]["id"]).json() == {"count": 1}
    assert maria.get("/notices").json()["items"][0]["read_at"] is not None
    assert Program(world, world.rolf).get("/notices").json()["items"] == []


def test_what_one_is_told_of(world: World, maria: Program) -> None:
    assert maria.get("/me/preferences").json()["topics"]["replied"] == {"app": True, "email": True}
    changed = maria.patch("/me/preferences", topics={"replied": {"app": True, "email": False}}).json()["topics"]
    assert changed["replied"] == {"app": True, "email": False}
    assert changed["state"] == {"app": True, "email": True}
    assert Preference.objects.get(person=world.maria, channel="email").is_wanted is False
    assert maria.patch("/me/preferences", topics={"account": {"app": False, "email": False}}).status_code == 422


def test_ones_own_profile(world: World, maria: Program) -> None:
    changed = maria.patch("/me", locale="de", time_zone="Europe/Berlin", phone="12").json()
    assert (changed["locale"], changed["time_zone"], changed["phone"]) == ("de", "Europe/Berlin", "12")
    assert changed == maria.get("/me").json()
    assert maria.patch("/me", time_zone="Mars/Base").json()["errors"][0]["field"] == "time_zone"
    assert maria.patch("/me", name="Somebody else").status_code == 422


def test_who_is_around_a_ticket(world: World, maria: Program) -> None:
    number = world.report().pk
    desk.watch(number, **world.by(world.jonas))
    desk.add_participant(number, person=world.rolf.pk, **world.by(world.jonas))
    inside = Program(world, world.jonas).get(f"/tickets/{number}/watchers").json()["items"]
    assert {(one["person"]["name"], one["kind"]) for one in inside} == {
        ("Jonas Berg", "watcher"),
        (world.rolf.name, "participant"),
    }
    outside = maria.get(f"/tickets/{number}/watchers").json()["items"]
    assert [(one["person"]["name"], one["kind"]) for one in outside] == [(world.rolf.name, "participant")]


def test_a_requester_puts_colleagues_in_copy(world: World, maria: Program) -> None:
    number = world.report().pk
    rolf = Program(world, world.rolf)
    assert rolf.get(f"/tickets/{number}").status_code == 404
    assert maria.post(f"/tickets/{number}/add_participant", person="rolf@example.org").status_code == 200
    assert rolf.get(f"/tickets/{number}").status_code == 200
    refused = [maria.post(f"/tickets/{number}/add_participant", person=who) for who in ("otto@example.org", "none@example.org")]
    assert refused[0].status_code == 422
    assert refused[0].json()["errors"][0]["field"] == "person"
    assert refused[0].content == refused[1].content
    assert maria.post(f"/tickets/{number}/add_participant", person=world.otto.pk).status_code == 422
    assert maria.post(f"/tickets/{number}/remove_participant", person=world.rolf.pk).status_code == 200
    assert rolf.get(f"/tickets/{number}").status_code == 404
