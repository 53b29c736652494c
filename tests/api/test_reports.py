"""Reports over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import reports
from allswell.desk import tickets as desk
from allswell.kernel.actor import engine
from allswell.reporting import telling
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def program(world: World) -> Program:
    return Program(world, world.jonas)


def _work(world: World) -> None:
    world.promise()
    for minutes in (5, 50):
        ticket = world.report(title=f"After {minutes}", service=world.printing.slug)
        world.forward(minutes=minutes)
        desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))
    reports.count_stretches(limit=100, actor=engine(), now=world.now)


def _get(program: Program, path: str) -> Any:
    answer = program.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_every_report_says_how_it_is_counted(program: Program) -> None:
    found = _get(program, "/reports")["items"]
    assert [one["slug"] for one in found] == list(telling.KINDS)
    assert all(one["definition"] and one["columns"] and one["cuts"] for one in found)


def test_the_numbers_of_a_report(world: World, program: Program) -> None:
    _work(world)
    first, last = world.now.date(), world.now.date() + timedelta(days=1)
    found = _get(program, f"/reports/attainment?by=service&from={first}&to={last}")
    assert found["total"]["values"] == {"share": "66.66", "completed": 6, "kept": 4, "broken": 2, "rerated": 0, "open": 0}
    assert [(line["key"], line["name"]) for line in found["lines"]] == [("printing", "Printing")]
    resolved = _get(program, "/reports/resolve?period=3m&service=printing")
    assert resolved["total"]["values"] == {"median": 1650.0, "mean": 1650.0, "p90": 3000.0, "n": 2}
    assert _get(program, "/reports/teams")["total"]["values"]["stays"] == 2


def test_the_rows_behind_a_number_page_by_page(world: World, program: Program) -> None:
    _work(world)
    seen: list[Any] = []
    page = _get(program, "/reports/attainment/rows?part=completed&limit=4")
    seen += page["items"]
    page = _get(program, f"/reports/attainment/rows?part=completed&limit=4&cursor={page['next']}")
    seen += page["items"]
    assert (len(seen), page["next"]) == (6, None)
    late = _get(program, "/reports/attainment/rows?part=broken&by=service&is=printing")["items"]
    assert {row["title"] for row in late} == {"After 50"}


def test_every_number_opens_its_rows(world: World, program: Program) -> None:
    _work(world)
    share = _get(program, "/reports/attainment/rows")["items"]  # the first column
    assert [row["outcome"] for row in share].count("kept") == 4
    for name in ("resolve", "teams"):
        columns = {column["key"]: column for column in _get(program, f"/reports/{name}")["report"]["columns"]}
        assert all(column["definition"] and column["part"] for column in columns.values())
        assert columns["median"]["order"] == "longest"
        page = _get(program, f"/reports/{name}/rows?part=median&limit=1")
        assert [row["seconds"] for row in page["items"]] == [3000.0]
        page = _get(program, f"/reports/{name}/rows?part=median&limit=1&cursor={page['next']}")
        assert ([row["seconds"] for row in page["items"]], page["next"]) == ([300.0], None)


def test_the_cursor_of_another_order_is_refused(world: World, program: Program) -> None:
    _work(world)
    page = _get(program, "/reports/resolve/rows?part=median&limit=1")
    assert program.get(f"/reports/resolve/rows?part=n&cursor={page['next']}").status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reports/nothing", 404),
        ("/reports/nothing/rows", 404),
        ("/reports/attainment?period=x", 422),
        ("/reports/attainment?from=2026-02-31", 422),
        ("/reports/attainment?from=2020-01-01&to=2026-01-01", 422),
        ("/reports/attainment/rows?part=x", 404),
        ("/reports/attainment/rows?cursor=x", 422),
    ],
)
def test_what_is_wrong_is_said(program: Program, path: str, status: int) -> None:
    assert program.get(path).status_code == status


def test_nobody_counts_what_they_do_not_see(world: World, program: Program) -> None:
    _work(world)
    assert Program(world, world.maria).get("/reports/attainment").status_code == 403
    outside = Program(world, world.oskar)
    for name in telling.KINDS:
        found = _get(outside, f"/reports/{name}")
        assert all(line["values"][key] in (0, None, 0.0) for line in found["months"] for key in line["values"])
        assert _get(outside, f"/reports/{name}/rows")["items"] == []
