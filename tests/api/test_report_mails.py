"""Reports by mail over the API: one's own, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk.report_mails import MOST
from allswell.reporting.models import Subscription
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, world.jonas)


def _items(program: Program) -> list[dict[str, Any]]:
    answer = program.get("/report-subscriptions")
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def test_a_report_is_asked_for_listed_and_ended(program: Program) -> None:
    asked = {"report": "attainment", "every": "week", "by": "service", "organization": "northbank", "metric": "resolution"}
    answer = program.post("/report-subscriptions", **asked)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert answer["Location"] == f"/api/v1/report-subscriptions/{made['id']}"
    assert (made["report"], made["every"], made["by"]) == ("attainment", "week", "service")
    assert made["filters"] == {"organization": "northbank", "metric": "resolution"}
    assert made["next_at"] == "2026-11-30T07:00:00Z"
    assert _items(program) == [made]
    assert program.post("/report-subscriptions", **asked).json()["id"] == made["id"]  # the one there is
    assert program.call("DELETE", f"/report-subscriptions/{made['id']}").status_code == 204
    assert _items(program) == []
    assert program.call("DELETE", f"/report-subscriptions/{made['id']}").status_code == 404


def test_lines_unless_said_are_the_first_of_the_report(program: Program) -> None:
    made = program.post("/report-subscriptions", report="waiting", every="month").json()
    assert (made["by"], made["filters"], made["next_at"]) == ("reason", {}, "2026-12-01T07:00:00Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"report": "nothing", "every": "week"}, "report"),
        ({"report": "resolve", "every": "day"}, "every"),
        ({"report": "resolve"}, "every"),
        ({"report": "resolve", "every": "week", "by": "hop"}, "by"),
        ({"report": "resolve", "every": "week", "agreement": "gold"}, "agreement"),
        ({"report": "resolve", "every": "week", "period": "6m"}, "period"),
    ],
)
def test_what_is_wrong_is_said(program: Program, body: dict[str, str], field: str) -> None:
    answer = program.post("/report-subscriptions", **body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.content.decode()
    assert not Subscription.objects.exists()


def test_nobody_sees_or_ends_those_of_others(world: World, program: Program) -> None:
    made = program.post("/report-subscriptions", report="teams", every="week").json()
    for person, status in ((world.julia, 404), (world.oskar, 404), (world.maria, 404)):
        assert Program(world, person).call("DELETE", f"/report-subscriptions/{made['id']}").status_code == status
    assert _items(Program(world, world.julia)) == []
    assert len(_items(program)) == 1
    requester = Program(world, world.maria)
    assert requester.get("/report-subscriptions").status_code == 403
    assert requester.post("/report-subscriptions", report="teams", every="week").status_code == 403


def test_there_is_an_end_to_how_many(program: Program) -> None:
    for number in range(MOST):
        answer = program.post("/report-subscriptions", report="resolve", every="week", service=f"s{number}")
        assert answer.status_code == 201
    answer = program.post("/report-subscriptions", report="resolve", every="week")
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
