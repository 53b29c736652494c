"""Administrators change the same agreements at the same moment."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection

from allswell.desk import agreements as desk
from allswell.desk import clocks, promises
from allswell.desk import tickets as desk_tickets
from allswell.kernel.errors import Conflict, DeskError, Stale
from allswell.sla import queries
from allswell.sla.models import Agreement, AgreementVersion
from tests.races.test_clocks_settled import act, differs, work_off
from tests.races.test_two_at_once import together
from tests.support.promises import promise, target
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]
ROUNDS = 6


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def terms(minutes: int) -> dict[str, Any]:
    return {"zone": "UTC", "targets": [target("resolution", minutes)]}


@pytest.mark.parametrize("is_looked_at", [True, False])
def test_of_two_versions_at_once_each_stands_or_is_told(world: World, is_looked_at: bool) -> None:
    row = promise(world, target("resolution", 600))
    by = world.by(world.ada)
    for number in range(ROUNDS):
        seen = AgreementVersion.objects.filter(agreement=row).count() if is_looked_at else None
        answers = together(
            *(partial(act, desk.agree, row.slug, definition=terms(10 * number + one + 1), seen=seen, **by) for one in range(3))
        )
        refused = [answer for answer in answers if isinstance(answer, DeskError)]
        assert all(isinstance(answer, Stale | Conflict) for answer in refused)
        if is_looked_at:
            assert len(refused) == 2
    numbers = list(AgreementVersion.objects.filter(agreement=row).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_two_new_ones_of_a_name_both_stand_or_one_is_told(world: World) -> None:
    by = world.by(world.ada)
    for number in range(ROUNDS):
        answers = together(*(partial(act, desk.create, name=f"Gold {number}", definition=terms(60), **by) for _ in range(2)))
        assert all(isinstance(answer, Agreement | Conflict) for answer in answers), answers
    assert Agreement.objects.count() >= ROUNDS


def test_two_begin_and_there_is_one_beginning(world: World) -> None:
    by = world.by(world.ada)
    answers = together(*(partial(act, promises.start, zone="UTC", **by) for _ in range(3)))
    assert sum(isinstance(answer, Conflict) for answer in answers) == 2, answers
    assert Agreement.objects.count() == 3


def test_orders_changed_at_once_leave_one_order(world: World) -> None:
    slugs = [promise(world, target("resolution", 60), name=f"Agreement {number}").slug for number in range(5)]
    by = world.by(world.ada)
    for _ in range(ROUNDS):
        answers = together(
            partial(act, desk.move, slugs[0], by=1, **by),
            partial(act, desk.move, slugs[1], by=1, **by),
            partial(act, desk.reorder, slugs[::-1], **by),
        )
        assert all(not isinstance(answer, DeskError) for answer in answers), answers
    places = [row.position for row in queries.agreements(is_active=None)]
    assert sorted(places) == list(range(5))


def test_out_of_use_while_counted_again_and_acted_on(world: World) -> None:
    row = promise(world, target("resolution", 60))
    promise(world, target("resolution", 90), name="Second")
    numbers = [world.report(title=f"Report {number}").pk for number in range(12)]
    by, jonas = world.by(world.ada), world.by(world.jonas)

    def talk() -> int:
        for number in numbers:
            act(desk_tickets.reply, number, body="Looking", **jonas)
        return 1

    def turn() -> int:
        for is_active in (False, True, False):
            desk.set_active(row.slug, is_active=is_active, **by)
        return 1

    together(turn, talk, partial(work_off, world), partial(work_off, world))
    together(
        lambda: len([*clocks.replay(None, is_dry=False, **by)]) + 1,
        partial(act, desk.agree, row.slug, definition=terms(30), in_force_from=world.now, **by),
        partial(act, desk.set_active, row.slug, is_active=True, **by),
        partial(work_off, world),
    )
    work_off(world)
    assert differs(world) == []
