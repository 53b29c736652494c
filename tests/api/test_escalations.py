"""A program calls somebody, answers, and reads what became of every page."""

from __future__ import annotations

import pytest

from allswell.kernel import clock
from tests.desk.test_paging import dba_policy, down, run, verbs, watch
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture(autouse=True)
def at_world_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls come at the world's time."""
    monkeypatch.setattr(clock, "now", lambda: world.now)


def test_a_program_pages_and_answers(world: World) -> None:
    dba_policy(world)
    ticket = down(world, impact=3, urgency=3)
    lena, amir = Program(world, world.lena), Program(world, world.amir)
    base = f"/tickets/{ticket.pk}"
    made = lena.post(f"{base}/page", team=world.dba_team.pk, reason="Due at noon.")
    assert [one["state"] for one in made.json()] == ["running"]
    assert lena.post(f"{base}/page").status_code == 422
    watch(world)
    [mine] = amir.get("/me/pages").json()
    assert (mine["ticket"], mine["title"]) == (ticket.pk, "Databases are down")
    assert lena.post(f"/pages/{mine['id']}/answer").status_code == 404
    assert amir.post(f"/pages/{mine['id']}/answer", minutes=45).json() == []
    assert run(ticket).acknowledged_by == world.amir
    [told] = lena.get(f"{base}/escalations").json()
    assert told["policy"]["slug"] == "databases"
    assert (told["state"], told["acknowledged_by"]["name"], told["pages"][0]["person"]["name"]) == (
        "acknowledged",
        *["Amir Haddad"] * 2,
    )
    assert told["pages"][0]["events"][0]["what"] == "planned"
    assert lena.post(f"{base}/promise", minutes=10).status_code == 200
    assert lena.post(f"{base}/stop_paging", reason="A drill.").json()[0]["end_reason"] == "stopped"
    assert lena.post(f"{base}/acknowledge_paging").status_code == 409


def test_a_page_is_passed_on(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    amir = Program(world, world.amir)
    [mine] = amir.get("/me/pages").json()
    assert amir.post(f"/pages/{mine['id']}/pass_on").json() == []
    assert verbs(ticket)[-1] == "paging.passed_on"
    assert amir.post(f"/pages/{mine['id']}/pass_on").status_code == 200
    assert verbs(ticket).count("paging.passed_on") == 1
