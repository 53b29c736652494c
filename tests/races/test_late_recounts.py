"""An act that has read what held before a change, and is written after the clocks were counted again, leaves none behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from allswell.calendars.rules import Day
from allswell.desk import agreements as desk
from allswell.desk import calendars as desk_calendars
from allswell.desk.calendars import Hours
from allswell.desk.door import around
from allswell.engine.jobs import Jobs
from allswell.jobs.models import Job
from allswell.sla.models import Clock
from tests.desk.test_agreements import agreement, office_hours, terms, working
from tests.support.world import START, World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one act writes at a time"),
    pytest.mark.django_db(transaction=True),
]
PATIENCE = 60


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


class _Slow:
    """Holds an act back at its very end, when all is written but not yet there for others."""

    def __init__(self) -> None:
        self.is_written, self.may_end = threading.Event(), threading.Event()

    def before(self, *, now: Any) -> None:
        """Nothing."""

    def after(self, result: Any, *, now: Any) -> None:
        """Wait until it may end."""
        self.is_written.set()
        assert self.may_end.wait(PATIENCE)


@contextmanager
def slowly(act: Callable[[], Any]) -> Iterator[None]:
    """Inside, the act is written but has not ended; afterwards it has."""
    slow, failures = _Slow(), list[BaseException]()

    def run() -> None:
        around.set(slow)
        try:
            act()
        except BaseException as error:  # told in the test's own thread
            failures.append(error)
            slow.is_written.set()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert slow.is_written.wait(PATIENCE)
        yield
    finally:
        slow.may_end.set()
        thread.join(PATIENCE)
    assert not failures, failures


def engine(world: World) -> None:
    """The engine does what waits at this instant."""
    jobs = Jobs(now=lambda: world.now)
    for _ in range(20):
        if not jobs.is_due(world.now):
            return
        jobs.tick(world.now)


def test_a_ticket_opened_under_the_old_version_while_another_came_into_force(world: World) -> None:
    agreement(world, definition=terms(within=working(240)))
    engine(world)
    with slowly(lambda: world.report()):
        desk.agree("standard", definition=terms(within=working(60)), in_force_from=START, **world.by(world.ada))
        engine(world)
        assert Job.objects.latest("id").finished_at is None  # it waits for that one
        world.forward(seconds=2)
        engine(world)
    world.forward(seconds=2)
    engine(world)
    clock = Clock.objects.get()
    assert (clock.version, clock.due_at) == (2, START + timedelta(hours=1))
    assert Job.objects.latest("id").finished_at is not None


def test_what_is_known_is_counted_at_once_when_an_act_takes_very_long(world: World) -> None:
    slug = office_hours(world)
    agreement(world, definition=terms(within=working(60, slug)))
    engine(world)
    known = world.report()
    with slowly(lambda: world.report()):
        closed = Hours(days={"2026-11-23": Day("Closed")})
        desk_calendars.change_calendar(slug, hours=closed, effective_on=date(2026, 11, 1), **world.by(world.ada))
        engine(world)
        assert Clock.objects.get(ticket=known).calendar_version == 1
        world.forward(minutes=2)
        engine(world)
        assert Clock.objects.get(ticket=known).calendar_version == 2
        assert Job.objects.latest("id").finished_at is None
    world.forward(minutes=1)
    engine(world)
    assert list(Clock.objects.values_list("calendar_version", flat=True)) == [2, 2]
    job = Job.objects.latest("id")
    assert job.finished_at is not None
    assert (job.position, job.total) == (1, 1)
