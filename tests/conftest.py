"""Fixtures of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.support import flush, kept
from tests.support.world import World

# A busy machine is slow, not wrong. In CI the properties are tried on the same examples each time, so that a change is judged by what it
# changes; everywhere else on new ones, and `make proof` tries many more.
settings.register_profile("house", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")


WORLD = kept.Scene(World)


@pytest.fixture
@kept.begins_with(WORLD)
def world(db: None, keeper: kept.Keeper) -> World:
    """The cast, on a clean database (see support/world.py)."""
    made: World = keeper.copy(WORLD)
    return made


@pytest.fixture(scope="session")
def keeper(django_db_setup: None, django_db_blocker: Any) -> Iterator[kept.Keeper]:
    """Keeps the world, and what else many tests begin with, between the tests (see support/kept.py)."""
    keeper = kept.Keeper()
    yield keeper
    with django_db_blocker.unblock():
        keeper.prepare(None)


@pytest.fixture
def _scene(request: pytest.FixtureRequest, keeper: kept.Keeper, django_db_blocker: Any) -> None:
    """What the test begins with; nothing where it commits."""
    marker = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or bool(marker and marker.kwargs.get("transaction"))
    with django_db_blocker.unblock():
        keeper.prepare(None if commits else kept.wanted(request))


@pytest.fixture
def _django_db_helper(_scene: None, _django_db_helper: None) -> None:
    """The transaction of one test begins above the scene."""


@pytest.fixture(autouse=True, scope="session")
def _emptying() -> Iterator[None]:
    """Tests that commit may empty the journal after them."""
    with pytest.MonkeyPatch.context() as patch:
        flush.install(patch)
        yield
