"""Browsing as a member of the cast, at the world's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from allswell.kernel import clock
from allswell.people.models import Person
from allswell.web import own_words
from tests.support.world import World


@pytest.fixture(autouse=True)
def fresh_words() -> None:
    """No test sees the own words of another, nor asks for them: there are none until labels are saved."""
    own_words._kept.update(dict.fromkeys(("en", "de"), (clock.monotonic() + 1e6, {})))


@pytest.fixture
def at_world_time(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, and every page reads its clock."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def browser(at_world_time: World) -> Callable[[Person | None], Client]:
    """browser(world.jonas) is a client signed in as Jonas; browser(None) is nobody. Forms need no CSRF token here."""

    def opened(person: Person | None = None, **headers: Any) -> Client:
        client = Client(**headers)
        if person is not None:
            client.force_login(person)
        return client

    return opened
