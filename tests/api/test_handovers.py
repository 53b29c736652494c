"""Handovers by a program: the same as on the page."""

from __future__ import annotations

import pytest

from allswell.kernel import clock
from tests.desk.test_handovers import CHANGE, HOLDING, MINUTE, at, drafted
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def test_written_signed_and_taken_by_programs(world: World) -> None:
    down = world.report(title="Ledger is down", service=world.ledger.pk, impact=1, urgency=1)
    row = drafted(world, HOLDING)
    amir, priya = Program(world, world.amir), Program(world, world.priya)
    (listed,) = amir.get("/handovers?state=drafted").json()["items"]
    assert (listed["id"], listed["incoming"]["name"], listed["rota"]["slug"]) == (row.pk, "Priya Nair", "databases")
    path = f"/handovers/{row.pk}"
    assert amir.patch(path, notes="Look at 4.18").json()["notes"] == "Look at 4.18"
    early = priya.post(f"{path}/accept")
    assert (early.status_code, "has not signed it yet" in early.json()["detail"]) == (409, True)
    signed = amir.post(f"{path}/sign", notes="Look at 4.19").json()
    assert (signed["state"], signed["notes"]) == ("signed", "Look at 4.19")
    assert signed["tickets"][0] == {"number": down.pk, "reasons": ["major", "asked", "came_in"]}
    at(world, CHANGE + MINUTE)
    (now,) = priya.get("/on-call?rota=databases").json()["items"]
    assert (now["person"]["name"], now["held"]["name"]) == ("Priya Nair", "Amir Haddad")
    assert priya.post(f"{path}/accept").json()["state"] == "accepted"
    (now,) = priya.get("/on-call?rota=databases").json()["items"]
    assert now["held"] is None
    assert Program(world, world.jonas).get(path).status_code == 404
    assert Program(world, world.jonas).get("/handovers").json()["items"] == []
