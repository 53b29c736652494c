"""Programs ask what would happen, and whether somebody would be reached."""

from __future__ import annotations

import pytest

from allswell.desk import paging, policies
from allswell.kernel import clock
from tests.api.test_rotas import Program
from tests.desk.test_paging import dba_policy, down, steps_of, watch
from tests.support.world import World


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def test_what_would_happen(world: World) -> None:
    dba_policy(world)
    lena = Program(world, world.lena)
    said = lena.get(f"/on-call/simulation?service={world.ledger.slug}&at=2026-11-24T02:30:00Z").json()
    assert (said["policy"]["slug"], said["starts"]) == ("databases", True)
    calls = [[call["person"]["name"] for call in moment["calls"]] for moment in said["moments"]]
    assert calls == [["Amir Haddad"], ["Priya Nair"], ["Lena Frei"]] * 2 + [[]]
    assert said["moments"][1]["at"] == "2026-11-24T02:35:00Z"
    assert {way["channel"] for way in said["moments"][0]["calls"][0]["ways"]} == {"desk", "email"}
    said = lena.get("/on-call/simulation?policy=databases&answered_step=1&answered_after=2&is_kept=false").json()
    assert [moment["what"] for moment in said["moments"]][:3] == ["step", "answered", "broken"]
    for wrong in (
        "",
        "?policy=databases&team=databases",
        "?policy=databases&at=2150-01-01T00:00:00Z",
        "?policy=databases&priority=0",
    ):
        assert lena.get(f"/on-call/simulation{wrong}").status_code == 422
    assert lena.get("/on-call/simulation?policy=nothing").status_code == 404
    assert Program(world, world.maria).get("/on-call/simulation?policy=databases").status_code == 403


def test_where_somebody_is_missing(world: World) -> None:
    dba_policy(world)
    said = Program(world, world.lena).get("/on-call/coverage?weeks=1").json()
    assert said["lacking"] == 3
    ledger = next(one for one in said["services"] if one["service"]["slug"] == world.ledger.slug)
    assert {gap["lack"] for gap in ledger["gaps"]} == {"one_way"}
    assert (ledger["policy"]["slug"], ledger["missing_minutes"]) == ("databases", 7 * 24 * 60)
    (only,) = Program(world, world.lena).get(f"/on-call/coverage?service={world.printing.pk}").json()["services"]
    assert only["gaps"][0]["lack"] == "no_policy"
    assert Program(world, world.lena).get("/on-call/coverage?weeks=99").status_code == 422
    assert Program(world, world.maria).get("/on-call/coverage").status_code == 403


def test_last_night_under_another_policy(world: World) -> None:
    dba_policy(world)
    world.forward(hours=14)  # 23:00
    began = world.now
    ticket = down(world)
    watch(world)
    world.forward(minutes=5)
    watch(world)
    world.forward(minutes=2)
    paging.acknowledge(ticket.pk, **world.by(world.priya))
    steps = steps_of({"kind": "lead", "team": world.dba_team.pk})
    policies.create_policy(name="Lead first", team="databases", definition={"steps": steps, "repeat": 3}, **world.by(world.lena))
    world.forward(hours=8)
    asked = f"/on-call/replay?policy=lead-first&from={began.isoformat().replace('+00:00', 'Z')}"
    said = Program(world, world.lena).get(asked).json()
    assert "runs" in said, said
    (run,) = said["runs"]
    assert (run["ticket"], run["starts"]) == (ticket.pk, True)
    assert (run["before"], run["after"]) == ({"calls": 2, "reached_after": 0}, {"calls": 2, "reached_after": 0})
    loads = {
        one["person"]["name"]: (one["before"], one["before_at_night"], one["after"], one["after_at_night"])
        for one in said["people"]
    }
    assert loads == {"Amir Haddad": (1, 1, 0, 0), "Priya Nair": (1, 1, 0, 0), "Lena Frei": (0, 0, 2, 2)}
    assert (Program(world, world.oskar).get(asked).json()["runs"], said["is_cut"]) == ([], False)
    assert Program(world, world.maria).get(asked).status_code == 403
    lena = Program(world, world.lena)
    assert lena.get(f"{asked}&of=lead-first").json()["runs"] == []
    assert lena.get("/on-call/replay?policy=lead-first&from=2026-01-01T00:00:00Z").status_code == 422
