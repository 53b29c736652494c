"""Who is on call, asked at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from allswell.desk import rotas
from allswell.kernel import clock
from tests.cli.conftest import Done
from tests.support.world import World


@pytest.fixture(autouse=True)
def rota(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    layer: dict[str, Any] = {"name": "First", "first_on": "2026-11-23", "people": [world.amir.pk, world.priya.pk]}
    layer["week"] = [["09:00-17:00"]] * 5 + [[], []]
    rotas.create_rota(name="Databases", team="databases", definition={"zone": "UTC", "layers": [layer]}, **world.by(world.lena))


def test_who_is_on_call(world: World, allswell: Callable[..., Done]) -> None:
    done = allswell("oncall", "who", "--service", world.ledger.slug, "--json")
    assert done.code == 0
    (said,) = json.loads(done.out)["items"]
    assert (said["rota"], said["person"], said["is_gap"]) == ("databases", "Amir Haddad", False)
    done = allswell("oncall", "who", "--team", "databases")
    assert done.out.startswith("Databases, level 1: Amir Haddad until 2026-11-23 ")


def test_a_gap_ends_with_one(allswell: Callable[..., Done]) -> None:
    done = allswell("oncall", "who", "--at", "2026-11-28T12:00+00:00")
    assert (done.code, "nobody (a gap)" in done.out) == (1, True)


@pytest.mark.parametrize("wrong", [("--rota", "nothing"), ("--at", "soon"), ("--at", "2150-01-01"), ("--team", "nothing")])
def test_wrong_use_ends_with_two(allswell: Callable[..., Done], wrong: tuple[str, str]) -> None:
    done = allswell("oncall", "who", *wrong)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
