"""Each sender fires, repeats, flaps, acknowledges where it can, meets a desk that is down, and resolves: one incident, and it is over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.desk import Desk

from . import clients, monitors
from .stage import Secure, Stage

#: SENDERS="Nagios 4,Icinga 2" plays these only
ONLY = os.environ.get("SENDERS", "").split(",")
CAST = {name: tale for name, tale in {**clients.CAST, **monitors.CAST}.items() if name in ONLY or ONLY == [""]}
SOURCES = [name for _, its in CAST.values() for name, _ in its]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All of them have played."""
    folder = tmp_path_factory.mktemp("senders")
    home = folder / "desk"
    home.mkdir()
    desk = Desk(home)
    desk.set_up()
    stage = Stage(desk, folder, float(os.environ.get("SENDERS_DOWN", "8")))
    tales = [(tale, [stage.source(name, kind) for name, kind in its]) for tale, its in CAST.values()]
    stage.make_sources()
    try:
        desk.start()
        with Secure(folder, desk.port) as secure:
            clients.SECURE.append(secure)
            stage.play(tales)
        yield stage
    finally:
        desk.stop()


@pytest.fixture
def told(stage: Stage, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What came of the sender."""
    source = next(one for one in stage.sources if one.name == request.param)
    if source.error is not None:
        raise source.error
    found: dict[str, Any] = stage.ended["sources"][source.name]
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("told", SOURCES, indirect=True)
def test_a_sender_comes_to_one_incident_which_is_over(told: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["told"]
    assert [state for _, state, *_ in told["alerts"]] == ["resolved"] * len(told["alerts"]), told
    assert len(told["incidents"]) == 1, told
    ((_, _, state, code, again),) = told["incidents"]
    assert (state, code) == ("resolved", "by_itself"), told
    assert again >= 1, told
    assert max(total for _, _, total, *_ in told["alerts"]) >= 2, told
    assert told["refusal"] == "", told
    assert any(is_acknowledged for *_, is_acknowledged, _ in told["alerts"]) is (name in ACKNOWLEDGES), told


ACKNOWLEDGES = {*clients.ACKNOWLEDGE, *monitors.ACKNOWLEDGE}


def test_nothing_else_came_of_them(stage: Stage) -> None:
    assert stage.ended["unread"] == 0
    assert stage.ended["all"] == len(SOURCES)
