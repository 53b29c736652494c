"""A program sets up rotas, asks who is on call, and does what people do with their shifts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from allswell.journal.models import Entry
from allswell.oncall import queries
from tests.support.program import Program
from tests.support.world import World

DAY = timedelta(days=1)


def turns(world: World, **more: Any) -> dict[str, Any]:
    """Amir and Priya by the week, from this Monday 09:00."""
    layer = {"name": "First line", "people": [world.amir.pk, world.priya.pk], "first_on": "2026-11-23", **more}
    return {"zone": "UTC", "layers": [layer]}


@pytest.fixture
def lena(world: World) -> Program:
    return Program(world, world.lena)


@pytest.fixture
def rota(world: World, lena: Program) -> dict[str, Any]:
    made = lena.post("/rotas", name="Databases", team="databases", definition=turns(world))
    assert made.status_code == 201, made.json()
    assert made.headers["Location"] == "/api/v1/rotas/databases"
    assert made.headers["ETag"] == '"1"'
    found: dict[str, Any] = made.json()
    return found


def at(world: World, days: float) -> str:
    return (world.now + days * DAY).isoformat()


def test_a_rota_is_set_up_and_read(world: World, rota: dict[str, Any]) -> None:
    assert (rota["slug"], rota["version"], rota["levels"], rota["team"]["name"]) == ("databases", 1, 1, "Databases")
    assert [one["name"] for one in rota["people"]] == ["Amir Haddad", "Priya Nair"]
    layer = rota["newest"]["definition"]["layers"][0]
    assert (layer["key"], layer["first_time"], layer["unit"], layer["on_leave"]) == (1, "09:00", "week", "next")
    jonas = Program(world, world.jonas)
    assert [one["id"] for one in jonas.get("/rotas").json()["items"]] == [rota["id"]]
    assert jonas.get(f"/rotas/{rota['id']}").json() == rota
    assert Program(world, world.maria).get("/rotas/databases").status_code == 404


def test_what_an_edit_moves_is_seen_before_it_is_made(world: World, lena: Program, rota: dict[str, Any]) -> None:
    asked = turns(world, people=[world.priya.pk, world.amir.pk])
    before = Entry.objects.count()
    seen = lena.post("/rota-previews", rota="databases", definition=asked).json()
    assert seen["moves"][0]["before"]["name"] == "Amir Haddad"
    assert seen["moves"][0]["after"]["name"] == "Priya Nair"
    assert {one["person"]["name"] for one in seen["people"]} == {"Amir Haddad", "Priya Nair"}
    assert seen["moves_total"] == len(seen["moves"]) == 13
    assert Entry.objects.count() == before
    assert lena.get("/rotas/databases").json()["version"] == 1
    alone = turns(world, people=[world.amir.pk], week=[["09:00-17:00"]] * 7)
    alone["maximum_week"] = 60
    fresh = lena.post("/rota-previews", team="databases", definition=alone).json()
    assert fresh["gaps_total"] == len(fresh["gaps"]) == 91
    assert {one["trouble"] for one in fresh["cautions"]} == {"long_week"}
    both = lena.post("/rota-previews", team="databases", rota="databases", definition=asked)
    assert (both.status_code, both.json()["errors"][0]["field"]) == (422, "team")


def test_an_edit_names_the_version_it_was_made_on(world: World, lena: Program, rota: dict[str, Any]) -> None:
    asked = turns(world, people=[world.priya.pk, world.amir.pk])
    made = lena.call("PATCH", "/rotas/databases", {"definition": asked, "note": "New order"}, headers={"If-Match": '"1"'})
    assert (made.status_code, made.json()["version"], made.headers["ETag"]) == (200, 2, '"2"')
    late = lena.call("PATCH", "/rotas/databases", {"definition": turns(world)}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    assert lena.patch("/rotas/databases", definition=asked).status_code == 409
    versions = lena.get("/rotas/databases/versions").json()["items"]
    assert [(one["version"], one["note"], one["created_by"]["name"]) for one in versions] == [
        (2, "New order", "Lena Frei"),
        (1, "", "Lena Frei"),
    ]
    who = lena.get("/on-call?rota=databases").json()["items"]
    assert who[0]["person"]["name"] == "Priya Nair"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"people": [1_000_000_000]}, "definition.layers.0.people"),
        ({"people": []}, "definition.layers[0].people"),
        ({"zone": "Mars/Olympus"}, "definition.layers.0.zone"),
        ({"week": [["09:00-08:00"]] * 7}, "definition.layers.0.week.monday"),
        ({"week": [["09:00-17:00"]]}, "definition.layers.0.week"),
        ({"every": 53}, "definition.layers.0.every"),
        ({"first_on": "1800-01-01"}, "definition.layers.0.first_on"),
        ({"unit": "month"}, "definition.layers[0].unit"),
        ({"begins_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"}, "definition.layers.0.ends_at"),
    ],
)
def test_what_is_wrong_is_named(world: World, lena: Program, change: dict[str, Any], field: str) -> None:
    refused = lena.post("/rotas", name="Databases", team="databases", definition=turns(world, **change))
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert not queries.rotas().exists()


def test_the_shifts_come_page_by_page(world: World, lena: Program, rota: dict[str, Any]) -> None:
    path = f"/rotas/databases/shifts?from={at(world, 0)[:19]}Z&until={at(world, 35)[:19]}Z"
    everything = lena.get(path).json()["items"]
    assert [one["person"]["name"].split()[0] for one in everything] == ["Amir", "Priya", "Amir", "Priya", "Amir"]
    first = lena.get(f"{path}&limit=3").json()
    rest = lena.get(f"{path}&limit=3&cursor={first['next']}").json()
    assert first["items"] + rest["items"] == everything
    assert rest["next"] is None
    far = lena.get(f"/rotas/databases/shifts?from={at(world, 400)[:19]}Z").json()["items"]
    assert {one["person"]["name"] for one in far} == {"Amir Haddad", "Priya Nair"}
    for wrong in (f"?until={at(world, -1)[:19]}Z", f"?until={at(world, 101)[:19]}Z", "?cursor=nonsense"):
        assert lena.get(f"/rotas/databases/shifts{wrong}").status_code == 422


def test_who_is_on_call_for_a_service(world: World, lena: Program, rota: dict[str, Any]) -> None:
    found = Program(world, world.jonas).get(f"/on-call?service={world.ledger.slug}").json()
    assert found["team"]["name"] == "Databases"
    (said,) = found["items"]
    assert (said["person"]["name"], said["next_person"]["name"], said["rota"]["slug"]) == (
        "Amir Haddad",
        "Priya Nair",
        "databases",
    )
    later = lena.get(f"/on-call?team=databases&at={at(world, 8)[:19]}Z").json()["items"]
    assert later[0]["person"]["name"] == "Priya Nair"
    assert lena.get("/on-call?team=service-desk").json()["items"] == []
    assert lena.get("/on-call").status_code == 422
    assert lena.get("/on-call?rota=databases&at=2150-01-01T00:00:00Z").status_code == 422
    for without_offset in ("2026-10-25T02:30:00", "2026-10-25T02:30", "2026-10-25"):  # which 02:30 would it be, and where?
        refused = lena.get(f"/on-call?rota=databases&at={without_offset}")
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "at")
    for offset, instant in (("%2B02:00", "00:30:00Z"), ("%2B01:00", "01:30:00Z")):
        said = lena.get(f"/on-call?rota=databases&at=2026-10-25T02:30:00{offset}").json()
        assert datetime.fromisoformat(said["at"]) == datetime.fromisoformat(f"2026-10-25T{instant}")
    assert Program(world, world.maria).get("/on-call?team=databases").status_code == 403
    world.dba_team.organization = world.bank
    world.dba_team.save()
    for asked in ("rota=databases", "team=databases"):
        assert Program(world, world.oskar).get(f"/on-call?{asked}").status_code == 404


def test_overrides_are_made_listed_and_taken_back(world: World, lena: Program, rota: dict[str, Any]) -> None:
    span = {"starts_at": at(world, 1), "ends_at": at(world, 2)}
    made = lena.post("/rotas/databases/overrides", person=world.priya.pk, reason="Dentist", **span)
    assert made.status_code == 201
    (listed,) = lena.get("/rotas/databases/overrides").json()
    assert listed == made.json()
    when = f"/on-call?rota=databases&at={at(world, 1.5)[:19]}Z"
    assert lena.get(when).json()["items"][0]["person"]["name"] == "Priya Nair"
    assert lena.call("DELETE", f"/rotas/databases/overrides/{listed['id']}").status_code == 204
    assert lena.get("/rotas/databases/overrides").json() == []
    assert lena.get(when).json()["items"][0]["person"]["name"] == "Amir Haddad"
    nobody = lena.call("POST", "/rotas/databases/overrides", {"person": None, **span})
    assert nobody.status_code == 201
    said = lena.get(when).json()["items"][0]
    assert (said["person"], said["why"], said["is_gap"]) == (None, "nobody", False)
    past = lena.post("/rotas/databases/overrides", person=world.priya.pk, starts_at=at(world, -2), ends_at=at(world, -1))
    assert (past.status_code, past.json()["errors"][0]["field"]) == (422, "ends_at")


def test_leave_moves_the_turn(world: World, rota: dict[str, Any]) -> None:
    amir = Program(world, world.amir)
    place = f"/people/{world.amir.pk}/leaves"
    made = amir.post(place, starts_at=at(world, 0), ends_at=at(world, 2), note="Flu")
    assert made.status_code == 201
    assert amir.get("/on-call?rota=databases").json()["items"][0]["person"]["name"] == "Priya Nair"
    assert [one["note"] for one in amir.get(place).json()] == ["Flu"]
    assert Program(world, world.priya).get(place).status_code == 403
    assert amir.call("DELETE", f"/people/{world.priya.pk}/leaves/{made.json()['id']}").status_code == 404
    assert amir.call("DELETE", f"{place}/{made.json()['id']}").status_code == 204
    assert amir.get("/on-call?rota=databases").json()["items"][0]["person"]["name"] == "Amir Haddad"


def test_amir_is_covered_and_priya_swaps(world: World, rota: dict[str, Any]) -> None:
    amir, priya = Program(world, world.amir), Program(world, world.priya)
    made = amir.post("/rotas/databases/covers", starts_at=at(world, 1), ends_at=at(world, 2), note="School play")
    assert made.status_code == 201
    where = made.headers["Location"].removeprefix("/api/v1")
    assert [one["id"] for one in priya.get("/shift-requests?state=open").json()["items"]] == [made.json()["id"]]
    assert priya.post(f"{where}/decline").status_code == 403
    accepted = priya.post(f"{where}/accept").json()
    assert (accepted["state"], accepted["decided_by"]["name"]) == ("accepted", "Priya Nair")
    assert priya.post(f"{where}/accept").status_code == 409
    swap = priya.post(
        "/rotas/databases/swaps",
        starts_at=at(world, 8),
        ends_at=at(world, 9),
        offered_to=world.amir.pk,
        in_return_starts_at=at(world, 15),
        in_return_ends_at=at(world, 16),
    )
    assert (swap.status_code, swap.json()["kind"], swap.json()["in_return"]["level"]) == (201, "swap", 1)
    number = swap.json()["id"]
    assert amir.post(f"/shift-requests/{number}/decline").json()["state"] == "declined"
    assert priya.post(f"/shift-requests/{number}/withdraw").status_code == 409


def test_priya_takes_the_running_shift(world: World, rota: dict[str, Any]) -> None:
    priya = Program(world, world.priya)
    taken = priya.post("/rotas/databases/take", reason="Amir cannot be reached")
    assert (taken.status_code, taken.json()["person"]["name"]) == (200, "Priya Nair")
    said = priya.get("/on-call?rota=databases").json()["items"][0]
    assert (said["person"]["name"], said["stands_for"]["name"]) == ("Priya Nair", "Amir Haddad")
    assert priya.post("/rotas/databases/take").status_code == 409
    assert Program(world, world.jonas).post("/rotas/databases/take").status_code == 403


def test_out_of_use_nobody_is_on_call(world: World, lena: Program, rota: dict[str, Any]) -> None:
    assert lena.post("/rotas/databases/deactivate").json()["is_active"] is False
    assert lena.get("/on-call?rota=databases").json()["items"] == []
    assert lena.post("/rotas/databases/activate").json()["is_active"] is True
    assert lena.get("/on-call?rota=databases").json()["items"][0]["person"]["name"] == "Amir Haddad"


def test_an_address_for_a_calendar_program_is_shown_once(world: World, rota: dict[str, Any]) -> None:
    amir = Program(world, world.amir)
    made = amir.post("/me/calendar-links", rota="databases", headers={"Idempotency-Key": "once"})
    assert made.status_code == 201
    address = made.json()["address"]
    assert address.endswith(".ics")
    assert amir.post("/me/calendar-links", rota="databases", headers={"Idempotency-Key": "once"}).json()["address"] is None
    (listed,) = amir.get("/me/calendar-links").json()
    assert (listed["rota"]["slug"], "address" in listed) == ("databases", False)
    assert Program(world, world.priya).call("DELETE", f"/me/calendar-links/{listed['id']}").status_code == 404
    assert amir.call("DELETE", f"/me/calendar-links/{listed['id']}").status_code == 204
    assert amir.get("/me/calendar-links").json() == []


def test_leave_is_read_out_of_a_calendar_file(world: World, rota: dict[str, Any]) -> None:
    amir = Program(world, world.amir)
    times = [f"DT{edge}:{(world.now + days * DAY):%Y%m%dT%H%M%SZ}" for edge, days in (("START", 1), ("END", 2))]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:1", *times, "END:VEVENT"]
    place = f"/people/{world.amir.pk}/leaves"

    def send(program: Program, asked: str = "", content: str = "\r\n".join([*lines, "END:VCALENDAR", ""])) -> Any:
        headers = {"Authorization": f"Bearer {program.secret}"}
        upload = {"file": SimpleUploadedFile("me.ics", content.encode())}
        return Client().post(f"/api/v1{place}/import{asked}", upload, headers=headers)

    looked = send(amir, "?is_trial=true")
    assert (looked.status_code, [one["outcome"] for one in looked.json()["lines"]]) == (200, ["added"])
    assert amir.get(place).json() == []
    assert send(amir).json() == looked.json()
    assert [one["note"] for one in amir.get(place).json()] == [""]
    assert [one["outcome"] for one in send(amir).json()["lines"]] == ["unchanged"]
    refused = send(amir, content="x")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "file")
    assert send(amir, "?which=some").status_code == 422
    assert send(Program(world, world.priya)).status_code == 403


def test_rotas_go_out_and_come_in_as_a_document(world: World, lena: Program, rota: dict[str, Any]) -> None:
    form = lena.get("/on-call/document?leave=true").json()["document"]
    assert form["rotas"][0]["versions"][0]["definition"]["layers"][0]["people"] == ["amir@example.org", "priya@example.org"]
    assert lena.post("/on-call/document", document=form).json()["items"][0]["outcome"] == "unchanged"
    form["rotas"][0]["name"] = "Data"
    tried = lena.post("/on-call/document", document=form, is_trial=True).json()
    assert (tried["items"][0]["parts"], tried["is_written"]) == (["name"], False)
    assert lena.get("/rotas/databases").json()["name"] == "Databases"
    assert lena.post("/on-call/document", document=form).json()["is_written"] is True
    assert lena.get("/rotas/databases").json()["name"] == "Data"
    form["rotas"][0]["versions"][0]["definition"]["layers"][0]["people"] = ["nobody@example.org"]
    refused = lena.post("/on-call/document", document=form)
    place = "document.rotas.0.versions.0.definition.layers.0.people.0"
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, place)
    assert lena.post("/on-call/document", document={}).json()["errors"][0]["field"] == "document.form"
