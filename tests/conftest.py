"""Fixtures of all tests."""

from __future__ import annotations

import pytest

from tests.support.world import World


@pytest.fixture
def world(db: None) -> World:
    """The cast, on a clean database (see support/world.py)."""
    return World()
