"""A program that makes up requests from the OpenAPI document finds nothing: no crash, no undocumented answer, no wrong shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings

from allswell.api import bearer
from allswell.boot.wsgi import application
from tests.support.program import Program
from tests.support.world import World

CONFIG = schemathesis.Config.from_path(Path(__file__).parents[2] / "schemathesis.toml")


def closing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The application, and what a web server does when an answer is out: it closes it, and with it the uploaded files."""
    answer = application(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", closing, config=CONFIG)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The test's transaction stays open between the calls, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def ada(world: World, monkeypatch: pytest.MonkeyPatch) -> Program:
    """An administrator who is an agent too, in an installation with some tickets."""
    monkeypatch.setattr(bearer, "GUESSES", 10_000_000)  # each call that is answered is tried with a wrong token, too
    world._grant(world.ada, "agent")
    world._grant(world.ada, "lead")
    for title in ("Account look-up is down", "Printer jams", "Password forgotten"):
        ticket = world.report(title=title, service=world.printing.slug)
        assert ticket.pk
    return Program(world, world.ada)


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_is_found(case: Any, ada: Program, settings: Any) -> None:
    settings.API_RATE = 10_000_000
    case.call_and_validate(headers={"Authorization": f"Bearer {ada.secret}"})
