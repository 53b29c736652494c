"""Several at once at one handover: it is drafted once and taken once."""

from __future__ import annotations

import pytest
from django.db import connection

from allswell.desk import handovers
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict
from allswell.oncall.models import Handover
from tests.desk.test_handovers import CHANGE, MINUTE, WANTED, drafted
from tests.desk.test_rotas import dbas
from tests.races.test_two_at_once import together
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def test_of_two_who_take_it_at_once_one_does_and_the_other_is_told(world: World) -> None:
    row = drafted(world)
    handovers.sign(row.pk, **world.by(world.amir))
    by = world.by(world.priya)
    answers = together(*[lambda: handovers.accept(row.pk, **by)] * 3)
    assert sorted(isinstance(answer, Conflict) for answer in answers) == [False, True, True]
    assert Entry.objects.filter(verb="handover.accepted").count() == 1


def test_two_engines_draft_it_once(world: World) -> None:
    dbas(world, handover=WANTED)
    now = world.forward(seconds=(CHANGE - 10 * MINUTE - world.now).total_seconds())
    (turnover,) = handovers.wanted(now, limit=10)
    answers = together(*[lambda: handovers.draft(turnover, actor=engine(), now=now)] * 3)
    assert sorted(answers) == [False, False, True]
    assert Handover.objects.count() == 1
