"""A program writes escalation policies and says what follows them."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.oncall.models import EscalationPolicy, PolicyUse
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def lena(world: World) -> Program:
    return Program(world, world.lena)


def called(world: World, **more: Any) -> dict[str, Any]:
    """The team, then its lead."""
    team = world.dba_team.pk
    steps = [
        {"targets": [{"kind": "team", "team": team}], "wait": 300},
        {"targets": [{"kind": "lead", "team": team}], "wait": 600},
    ]
    return {"steps": steps, **more}


def test_a_policy_is_written_changed_and_followed(world: World, lena: Program) -> None:
    made = lena.post("/policies", name="Databases", team="databases", definition=called(world), note="First")
    assert made.status_code == 201, made.json()
    assert (made.headers["Location"], made.headers["ETag"]) == ("/api/v1/policies/databases", '"1"')
    said = made.json()["newest"]["definition"]
    assert (said["repeat"], said["promise"], said["starts"], said["steps"][1]["wait"]) == (1, 1800, [1, 2], 600)
    change = {"definition": called(world, repeat=3), "note": "Longer"}
    changed = lena.call("PATCH", "/policies/databases", change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    late = lena.call("PATCH", "/policies/databases", change, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    versions = lena.get("/policies/databases/versions").json()["items"]
    assert [(one["version"], one["note"], one["created_by"]["name"]) for one in versions] == [
        (2, "Longer", "Lena Frei"),
        (1, "First", "Lena Frei"),
    ]
    assert lena.post("/teams/databases/policy", policy="databases").json()["teams"][0]["slug"] == "databases"
    assert lena.post("/services/account-look-up/policy", policy="databases").status_code in (200, 422)
    jonas = Program(world, world.jonas)
    assert [one["slug"] for one in jonas.get("/policies?is_active=true").json()["items"]] == ["databases"]
    assert jonas.get("/policies/databases").json()["teams"][0]["name"] == "Databases"
    assert lena.call("DELETE", "/teams/databases/policy").status_code == 204
    assert not PolicyUse.objects.filter(team__isnull=False).exists()
    assert lena.post("/policies/databases/deactivate").json()["is_active"] is False
    refused = lena.post("/teams/databases/policy", policy="databases")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "policy")
    assert Program(world, world.maria).get("/policies/databases").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": []}, "definition.steps"),
        ({"promise": 10}, "definition.promise"),
        ({"steps": [{"targets": [{"kind": "rota", "rota": 999_999}], "wait": 300}]}, "definition.steps.0.targets.0"),
        ({"steps": [{"targets": [{"kind": "rota"}], "wait": 300}]}, "definition.steps.0.targets.0.rota"),
        ({"steps": [{"targets": [{"kind": "moon"}], "wait": 300}]}, "definition.steps[0].targets[0].kind"),
    ],
)
def test_what_is_wrong_is_named(world: World, lena: Program, change: dict[str, Any], field: str) -> None:
    refused = lena.post("/policies", name="x", team="databases", definition=called(world) | change)
    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (422, [field])
    assert not EscalationPolicy.objects.exists()
