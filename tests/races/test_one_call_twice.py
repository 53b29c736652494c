"""A program repeats a call while the first is still being worked on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from allswell.people.models import IdempotentCall
from allswell.tickets.models import Ticket
from tests.races.test_two_at_once import ROUNDS, together
from tests.support.program import Program
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def test_it_happens_once_and_both_get_the_answer(world: World) -> None:
    program = Program(world, world.jonas)

    def report(key: str) -> Callable[[], Any]:
        headers = {"Authorization": f"Bearer {program.secret}", "Idempotency-Key": key}
        return lambda: Client().post(
            "/api/v1/tickets", json.dumps({"title": "Disk full"}), content_type="application/json", headers=headers
        )

    for turn in range(ROUNDS):
        first, second = together(report(f"k{turn}"), report(f"k{turn}"))
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()
    assert Ticket.objects.count() == IdempotentCall.objects.count() == ROUNDS
