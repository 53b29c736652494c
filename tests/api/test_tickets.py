"""A program reports, lists and works on tickets."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.tickets.models import Category, CustomField
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def jonas(world: World) -> Program:
    return Program(world, world.jonas)


def test_a_monitoring_program_reports_an_incident(world: World, jonas: Program) -> None:
    answer = jonas.post(
        "/tickets",
        kind="incident",
        title="Pool exhausted",
        description="47 of 47 connections in use",
        requester="maria@example.org",
        service="account-look-up",
        impact=1,
        urgency=2,
    )
    assert answer.status_code == 201
    ticket = answer.json()
    assert ticket["reference"] == f"INC-{ticket['number']}"
    assert answer.headers["Location"] == f"/api/v1/tickets/{ticket['number']}"
    assert (ticket["priority"], ticket["requester"]["name"], ticket["team"]["slug"]) == (2, "Maria Keller", "service-desk")
    assert jonas.get(f"/tickets/{ticket['number']}").json() == ticket
    assert [row["verb"] for row in jonas.get(f"/tickets/{ticket['number']}/journal").json()["items"]] == ["incident.reported"]


@pytest.mark.parametrize("who", ["jonas", "maria", "lena"])
@pytest.mark.parametrize("given", ["", "requester", "service", "team assignee", "category", "occurred", "custom", "promised"])
def test_what_a_report_is_answered_with_is_what_is_read_afterwards(world: World, who: str, given: str) -> None:
    program = Program(world, getattr(world, who))
    category = Category.objects.create(name="Hardware", slug="hardware")
    CustomField.objects.create(key="floor", label="Floor", kind="number", is_in_portal=True)
    values: dict[str, Any] = {
        "requester": {"requester": "maria@example.org"},
        "service": {"service": "account-look-up", "urgency": 1},
        "team assignee": {"team": world.desk_team.pk, "assignee": world.jonas.pk},
        "category": {"category": category.pk},
        "occurred": {"occurred_at": "2026-11-01T09:00:00.123456+05:30"},
        "custom": {"custom": {"floor": 3.0}},
    }.get(given, {})
    if given == "promised":
        world.promise()
    answer = program.post("/tickets", title="It is  slow ", description="Very\n", **values)
    if who == "maria" and given == "team assignee":
        assert answer.status_code == 422
        return
    assert answer.status_code == 201
    read = program.get(f"/tickets/{answer.json()['number']}")
    assert (read.json(), read.headers["ETag"]) == (answer.json(), answer.headers["ETag"])


def test_an_unknown_requester_is_named(jonas: Program) -> None:
    answer = jonas.post("/tickets", title="x", requester="nobody@example.org")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["requester"]


@pytest.mark.parametrize("field", ["organization", "is_restricted", "state", "reporter", "opened_at", "version", "number"])
def test_what_is_not_the_callers_to_set_is_refused(jonas: Program, field: str) -> None:
    answer = jonas.post("/tickets", title="x", **{field: 1})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_from_take_to_resolved(world: World, jonas: Program) -> None:
    number = jonas.post("/tickets", title="Printer jams", requester="maria@example.org").json()["number"]
    taken = jonas.post(f"/tickets/{number}/take")
    assert taken.json()["assignee"]["name"] == "Jonas Berg"
    assert jonas.post(f"/tickets/{number}/reply", body="Looking at it").status_code == 201
    assert jonas.post(f"/tickets/{number}/note", body="Tray 2 again").status_code == 201
    resolved = jonas.post(f"/tickets/{number}/resolve", code="fixed", resolution="New roller").json()
    assert resolved["state"] == "resolved"
    assert jonas.post(f"/tickets/{number}/take").status_code == 409
    maria = Program(world, world.maria)
    seen = maria.get(f"/tickets/{number}").json()
    assert "assignee" not in seen
    assert [comment["body"] for comment in maria.get(f"/tickets/{number}/comments").json()["items"]] == ["Looking at it"]


def test_lists_are_read_page_by_page(world: World, jonas: Program) -> None:
    numbers = [jonas.post("/tickets", title=f"Number {count}").json()["number"] for count in range(5)]
    first = jonas.get("/tickets?limit=2&kind=incident")
    assert [row["number"] for row in first.json()["items"]] == numbers[:2:-1]
    link, _, relation = first.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    second = jonas.get(link.strip("<>").removeprefix("/api/v1"))
    assert [row["number"] for row in second.json()["items"]] == [numbers[2], numbers[1]]
    assert jonas.get("/tickets?cursor=forged").status_code == 422
    assert jonas.get("/tickets?asignee=3").json()["errors"][0]["field"] == "asignee"
    assert [row["number"] for row in jonas.get("/tickets?q=number+3").json()["items"]] == [numbers[3]]


def test_who_saw_an_older_version_is_told(jonas: Program) -> None:
    answer = jonas.post("/tickets", title="x")
    number, tag = answer.json()["number"], answer.headers["ETag"]
    assert jonas.post(f"/tickets/{number}/take", headers={"If-Match": tag}).status_code == 200
    assert jonas.post(f"/tickets/{number}/escalate", reason="why", headers={"If-Match": tag}).status_code == 412
