"""Engines that wake at the same moment write one blindness down, once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from allswell.desk import machinery
from allswell.jobs.models import BlindTime, Vigil
from allswell.jobs.rules import Glance
from allswell.kernel.actor import engine
from tests.races.test_clocks_settled import act
from tests.races.test_two_at_once import together
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]
ROUNDS = 8


def test_of_engines_that_wake_together_one_writes(transactional_db: None) -> None:
    world = World()
    own = None
    for number in range(ROUNDS + 1):
        beats = [partial(act, machinery.beat, [], Glance(f"node{one}/1", own), actor=engine(), now=world.now) for one in range(4)]
        written = [answer for answer in together(*beats) if answer != 1]  # "act" makes 1 of an empty answer
        assert [len(answer) for answer in written] == ([1] if number else [])
        assert (BlindTime.objects.count(), Vigil.objects.count()) == (number, 1)
        own = world.now
        world.forward(seconds=timedelta(minutes=20).total_seconds())
