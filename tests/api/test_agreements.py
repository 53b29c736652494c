"""A program agrees on what is promised, and asks what other terms would have come to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allswell.sla.models import Agreement
from allswell.tickets.models import Ticket
from tests.support.program import Program
from tests.support.promises import promise, target
from tests.support.world import World

ONE_HOUR = {"zone": "Europe/Zurich", "targets": [target("resolution", 60)]}


@pytest.fixture
def ada(world: World) -> Program:
    return Program(world, world.ada)


def test_agree_change_put_in_order_and_out_of_use(world: World, ada: Program) -> None:
    promise(world, name="Old")
    made = ada.post("/agreements", name="Bank", organization=world.bank.slug, definition=ONE_HOUR, note="First")
    assert made.status_code == 201
    assert made.headers["Location"] == "/api/v1/agreements/bank"
    found: dict[str, Any] = made.json()
    assert (found["organization"]["slug"], found["version"], found["position"]) == ("northbank", 1, 0)
    assert found["versions"][0]["definition"]["targets"][0]["within"] == {
        "counting": "working", "amount": 60, "calendar": "always"
    }  # fmt: skip
    assert [one["slug"] for one in ada.get("/agreements").json()] == ["bank", "old-0"]
    assert ada.post("/agreements/order", order=["old-0", "bank"]).json()[0]["slug"] == "old-0"
    assert ada.patch("/agreements/bank", name="The bank", organization=None).json()["organization"] is None
    assert ada.post("/agreements/bank/deactivate").json()["is_active"] is False
    assert ada.post("/agreements/bank/activate").json()["is_active"] is True


def test_a_version_in_the_past_says_which_open_tickets_it_touches(world: World, ada: Program) -> None:
    promise(world)
    world._grant(world.ada, "agent")
    ticket = world.report()
    agreed = ada.post("/agreements/standard-0/versions", definition=ONE_HOUR, in_force_from="2026-11-01T00:00:00Z", seen=1)
    assert agreed.status_code == 201
    assert (agreed.json()["version"], agreed.json()["touched"], agreed.json()["numbers"]) == (2, 1, [ticket.pk])
    refused = ada.post("/agreements/standard-0/versions", definition=ONE_HOUR, seen=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "stale")


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"targets": [target("resolution", 60)], "zone": "Mars/Base"}, "definition.zone"),
        ({"targets": [target("team_time", 60)]}, "definition.targets.0.metric"),
        ({"targets": [target("resolution", 60), target("resolution", 30)]}, "definition.targets.1.key"),
        ({"targets": [{"metric": "resolution", "within": {"counting": "working_days", "amount": 5, "calendar": "lunar"}}]},
         "definition.targets.0.within.calendar"),
        ({"targets": [target("resolution", 60)], "services": ["nothing"]}, "definition.services"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_as_it_was_sent(world: World, ada: Program, definition: Any, field: str) -> None:
    refused = ada.post("/agreements", name="New", definition=definition)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field
    assert not Agreement.objects.exists()


def test_what_if_they_had_promised_an_hour(world: World, ada: Program) -> None:
    promise(world, target("resolution", 240))
    ticket = world.report()
    world.forward(hours=2)
    before = list(Ticket.objects.values())
    world._grant(world.ada, "agent")
    asked = ada.post(
        "/what-ifs",
        definition=ONE_HOUR,
        since="2026-11-23T00:00:00Z",
        until=(world.now + timedelta(days=1)).isoformat(),
    )
    assert asked.status_code == 201
    found = ada.get(f"/what-ifs/{asked.json()['id']}").json()
    assert found["finished_at"]
    assert found["targets"][0]["target"] == "resolution"
    assert found["total"] == 1
    assert list(Ticket.objects.values()) == before
    assert ticket.pk
    assert Program(world, world.audrey).get(f"/what-ifs/{asked.json()['id']}").status_code == 404
