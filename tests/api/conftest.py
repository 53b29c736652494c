"""The API reads the world's clock: what is asked for "now" must not depend on the hour the tests are played at."""

from __future__ import annotations

import pytest

from allswell.kernel import clock


@pytest.fixture(autouse=True)
def at_world_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test has a world, that is the time."""
    if "world" in request.fixturenames:
        world = request.getfixturevalue("world")
        monkeypatch.setattr(clock, "now", lambda: world.now)
