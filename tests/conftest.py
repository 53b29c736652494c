"""Fixtures of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import flush
from tests.support.world import World

# A busy machine is slow, not wrong. In CI the properties are tried on the same examples each time, so that a change is judged by what it
# changes; everywhere else on new ones, and `make proof` tries many more.
settings.register_profile("house", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture
def world(db: None) -> World:
    """The cast, on a clean database (see support/world.py)."""
    return World()


@pytest.fixture(autouse=True, scope="session")
def _emptying() -> Iterator[None]:
    """Tests that commit may empty the journal after them."""
    with pytest.MonkeyPatch.context() as patch:
        flush.install(patch)
        yield
