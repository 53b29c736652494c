"""A program sets up calendars and asks them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.support.program import Program
from tests.support.world import World

WEEK = [["08:30-12:00", "13:00-17:30"]] * 5 + [[], []]


@pytest.fixture
def ada(world: World) -> Program:
    return Program(world, world.ada)


@pytest.fixture
def office(ada: Program) -> dict[str, Any]:
    made = ada.post(
        "/calendars",
        name="Office hours",
        zone="Europe/Zurich",
        week=WEEK,
        country="CH",
        subdivision="ZH",
        days={"12-24": {"name": "Christmas Eve", "hours": ["08:30-12:00"]}},
        effective_on="2026-01-01",
    )
    assert made.status_code == 201
    assert made.headers["Location"] == "/api/v1/calendars/office-hours"
    found: dict[str, Any] = made.json()
    return found


def test_a_calendar_is_set_up_and_read(world: World, ada: Program, office: dict[str, Any]) -> None:
    assert (office["slug"], office["zone"], office["version"], office["is_active"]) == ("office-hours", "Europe/Zurich", 1, True)
    newest = office["newest"]
    assert newest["week"] == WEEK
    assert newest["days"] == {"12-24": {"name": "Christmas Eve", "hours": ["08:30-12:00"]}}
    assert (newest["country"], newest["subdivision"], newest["holidays_until"]) == ("CH", "ZH", "2036-12-31")
    assert newest["created_by"]["name"] == "Ada Admin"
    assert Program(world, world.jonas).get("/calendars").json()["items"][0]["slug"] == "office-hours"
    assert Program(world, world.maria).get("/calendars").status_code == 403


def test_a_change_from_a_day_on_keeps_what_was(ada: Program, office: dict[str, Any]) -> None:
    made = ada.post(
        "/calendars/office-hours/versions", week=[["09:00-17:00"]] * 7, effective_on="2027-01-01", note="All week", seen=1
    )
    assert made.status_code == 201
    newest = made.json()["newest"]
    assert (newest["version"], newest["country"], newest["note"]) == (2, "CH", "All week")
    versions = ada.get("/calendars/office-hours/versions").json()["items"]
    assert [(one["version"], one["effective_on"]) for one in versions] == [(2, "2027-01-01"), (1, "2026-01-01")]
    assert ada.post("/calendars/office-hours/versions", week=WEEK, seen=1).status_code == 409
    assert ada.post("/calendars/office-hours/versions").status_code == 409


def test_due_is_told_with_its_days(ada: Program, office: dict[str, Any]) -> None:
    found = ada.get("/calendars/office-hours/due?start=2026-03-27T15:00:00Z&minutes=480").json()
    assert (found["due_at"], found["local"]) == ("2026-03-30T14:00:00Z", "2026-03-30T16:00:00+02:00")
    assert [(day["on"], day["kind"], day["counted_minutes"]) for day in found["days"]] == [
        ("2026-03-27", "open", 90.0),
        ("2026-03-28", "closed", 0.0),
        ("2026-03-29", "closed", 0.0),
        ("2026-03-30", "open", 390.0),
    ]
    days = ada.get("/calendars/office-hours/due?start=2026-12-23T16:30:00Z&working_days=2&cutoff=17:00&opening=08:30").json()
    assert (days["begins_at"], days["due_at"]) == ("2026-12-24T07:30:00Z", "2026-12-29T07:30:00Z")
    every = ada.get("/calendars/office-hours/due?start=2026-12-23T16:30:00Z&calendar_days=2").json()
    assert every["due_at"] == "2026-12-25T16:30:00Z"


def test_working_time_and_days(ada: Program, office: dict[str, Any]) -> None:
    where = "/calendars/office-hours/working-time?start=2026-12-24T10:30:00.000001Z&end=2026-12-28T08:00:00Z"
    assert ada.get(where).json() == {"minutes": 59, "microseconds": 3_599_999_999}
    days = ada.get("/calendars/office-hours/days?first=2026-12-24&last=2026-12-26").json()["items"]
    assert days == [
        {"on": "2026-12-24", "kind": "short", "name": "Christmas Eve", "hours": ["08:30-12:00"]},
        {"on": "2026-12-25", "kind": "holiday", "name": "Christmas Day", "hours": []},
        {"on": "2026-12-26", "kind": "holiday", "name": "Saint Stephen's Day", "hours": []},
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"week": [[]] * 7}, "week"),
        ({"week": [["09:00-12:00", "11:00-17:00"]] + [[]] * 6}, "monday"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"country": "XX"}, "country"),
        ({"days": {"2026-02-29": {"name": "No such day"}}}, "days"),
        ({"effective_on": "1900-01-01"}, "effective_on"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(ada: Program, values: dict[str, Any], field: str) -> None:
    answer = ada.post("/calendars", **{"name": "Office hours", "zone": "UTC", "week": WEEK, **values})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("due?start=2026-03-27T15:00:00Z", "minutes"),
        ("due?start=2026-03-27T15:00:00Z&minutes=1&working_days=1", "working_days"),
        ("due?start=2026-03-27T15:00:00Z&working_days=50000", "amount"),
        ("due?start=1800-03-27T15:00:00Z&minutes=1", ""),
        ("days?first=2026-01-01&last=2028-01-01", "last"),
        ("days?first=2026-01-02&last=2026-01-01", "last"),
    ],
)
def test_questions_without_an_answer(ada: Program, office: dict[str, Any], asked: str, field: str) -> None:
    answer = ada.get(f"/calendars/office-hours/{asked}")
    assert answer.status_code == 422
    assert not field or answer.json()["errors"][0]["field"] == field


def test_rename_and_take_out_of_use(ada: Program, office: dict[str, Any]) -> None:
    assert ada.patch("/calendars/office-hours", name="Bank hours").json()["name"] == "Bank hours"
    assert ada.post("/calendars/office-hours/deactivate").json()["is_active"] is False
    assert ada.get("/calendars?is_active=true").json()["items"] == []
    assert ada.post("/calendars/office-hours/activate").json()["is_active"] is True
    assert ada.get("/calendars/no-such").status_code == 404


def send(program: Program, path: str, content: bytes, name: str = "works.ics") -> Any:
    """Send a file in a multipart request."""
    sent = {"Authorization": f"Bearer {program.secret}"}
    return Client().post(f"/api/v1{path}", {"file": SimpleUploadedFile(name, content)}, headers=sent)


def ics(*events: str) -> bytes:
    """An iCalendar file."""
    told = "".join(f"BEGIN:VEVENT\r\nUID:{number}\r\n{event}\r\nEND:VEVENT\r\n" for number, event in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{told}END:VCALENDAR\r\n".encode()


PICNIC = "SUMMARY:Picnic\r\nDTSTART;VALUE=DATE:20270614"


def test_days_off_come_out_of_a_file(world: World, ada: Program, office: dict[str, Any]) -> None:
    meeting = "SUMMARY:Meeting\r\nDTSTART:20270615T090000Z"
    eve = "SUMMARY:Closed early\r\nDTSTART;VALUE=DATE:20271231"
    made = send(ada, "/calendars/office-hours/import?effective_on=2027-01-01", ics(PICNIC, meeting, eve))
    assert made.status_code == 201, made.content
    newest = made.json()["newest"]
    assert (newest["version"], newest["effective_on"], newest["note"]) == (2, "2027-01-01", "works.ics")
    assert newest["days"] == {
        "12-24": {"name": "Christmas Eve", "hours": ["08:30-12:00"]},
        "2027-06-14": {"name": "Picnic", "hours": []},
        "2027-12-31": {"name": "Closed early", "hours": []},
    }
    assert (newest["week"], newest["country"]) == (WEEK, "CH")
    (day,) = ada.get("/calendars/office-hours/days?first=2027-06-14&last=2027-06-14").json()["items"]
    assert day["hours"] == []


def test_a_file_that_says_nothing_or_too_much_is_refused_with_a_sentence(ada: Program, office: dict[str, Any]) -> None:
    there = "/calendars/office-hours/import"
    daily = f"{PICNIC}\r\nRRULE:FREQ=DAILY"
    for content, sentence in (
        (b"no calendar", "This is not an iCalendar file."),
        (ics("SUMMARY:x\r\nDTSTART:20270615T090000Z"), "No whole days from last year on are in this file."),
        (ics(daily), "Write it as hours of the week."),
        (ics(*[PICNIC] * 2001), "This file holds more than 2000 events."),
        (ics(PICNIC) + b" " * 1_000_000, "This file is larger than 1 MB."),
    ):
        refused = send(ada, there, content)
        assert refused.status_code == 422
        (error,) = refused.json()["errors"]
        assert error["field"] == "file"
        assert sentence in error["detail"]
    assert send(ada, there, b"x" * 1_200_000).status_code == 413
    assert send(ada, f"{there}?seen=7", ics(PICNIC)).status_code in (409, 412)
    assert ada.get("/calendars/office-hours").json()["version"] == 1
