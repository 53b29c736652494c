"""Fixtures of all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import flush
from tests.support.world import World

# a busy machine is slow, not wrong
settings.register_profile("house", deadline=None)
settings.load_profile("house")


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
