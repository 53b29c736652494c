"""Several engines look at the same clocks while people work on the tickets."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from allswell.desk import alarms
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.notifications.models import Delivery
from allswell.sla.models import Clock
from allswell.tickets.rules import WaitingOn
from tests.races.test_two_at_once import together
from tests.support.promises import promise, target
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def look(now: Any, *, limit: int = 7) -> int:
    """An engine that works until nothing is left for it, or others hold the rest."""
    done = idle = 0
    while idle < 20:
        fired = alarms.fire(limit=limit, actor=engine(), now=now)
        done += fired
        idle = 0 if fired else idle + 1
    return done


def test_three_engines_tell_of_each_clock_once(world: World) -> None:
    promise(world, target("resolution", 60))
    for number in range(60):
        world.report(title=f"Report {number}")
    now = world.forward(hours=1, seconds=1)
    assert sum(together(lambda: look(now), lambda: look(now), lambda: look(now))) == 60
    told = Counter(Entry.objects.filter(verb="clock.breached").values_list("ticket", flat=True))
    assert len(told) == 60
    assert set(told.values()) == {1}
    assert Delivery.objects.filter(topic="breached", channel="app", person=world.julia).count() == 60


def test_what_passed_long_ago_is_one_notice_however_many_engines_start(world: World) -> None:
    promise(world, target("resolution", 60))
    for number in range(60):
        world.report(title=f"Report {number}")
    now = world.forward(days=1)
    assert sum(together(lambda: look(now), lambda: look(now), lambda: look(now))) == 60
    assert Delivery.objects.filter(topic="digest", channel="app", person=world.julia).count() == 1
    assert Delivery.objects.get(topic="digest", channel="email", person=world.julia).content["breached"] == 60


def test_who_works_meanwhile_neither_waits_for_long_nor_makes_it_told_twice(world: World) -> None:
    promise(world, target("resolution", 60, pauses=["requester"], warn={"minutes": 30}))
    numbers = [world.report(title=f"Report {number}").pk for number in range(40)]
    now = world.forward(minutes=31)
    by = world.by(world.jonas)

    def work() -> int:
        for number in numbers:
            desk.wait(number, on=WaitingOn.REQUESTER, **by)
            desk.resume(number, **by)
        return 1

    together(lambda: look(now, limit=3), lambda: look(now, limit=3), work)
    look(now + timedelta(seconds=1))
    told = Counter(Entry.objects.filter(verb="clock.warned").values_list("ticket", flat=True))
    assert len(told) == 40
    assert set(told.values()) == {1}
    look(now + timedelta(days=2))
    told = Counter(Entry.objects.filter(verb="clock.breached").values_list("ticket", flat=True))
    assert set(told.values()) == {1}
    assert not Clock.objects.exclude(alarm_at=None).exists()
