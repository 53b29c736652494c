"""A change of many tickets is done in the background, each ticket by the right of who asked, and told once."""

from __future__ import annotations

from allswell.desk import bulk
from allswell.engine.jobs import Jobs
from allswell.jobs.models import Job
from allswell.kernel.actor import engine
from allswell.notifications.models import Delivery
from allswell.tickets.models import Ticket
from tests.support.world import World


def work(world: World) -> int:
    jobs, ticks = Jobs(now=lambda: world.now), 0
    while jobs.is_due(world.now):
        jobs.tick(world.now)
        ticks += 1
        assert ticks < 20
    return ticks


def test_sixty_tickets_change_and_one_notice_says_so(world: World) -> None:
    numbers = [world.report().pk for _ in range(60)]
    theirs = world.report(world.otto).pk
    bulk.start([*numbers, theirs, 999_999], verb="resolve", params={"code": "fixed"}, **world.by(world.julia))
    work(world)
    job = Job.objects.get()
    assert job.finished_at is not None
    assert job.changed == 61
    assert [problem["ticket"] for problem in job.problems] == [999_999]
    assert Ticket.objects.filter(state="resolved").count() == 61
    assert Delivery.objects.filter(person=world.julia, topic="job", channel="app").count() == 1


def test_another_engine_goes_on_where_one_died(world: World) -> None:
    numbers = [world.report().pk for _ in range(60)]
    bulk.start(numbers, verb="tag", params={"name": "storm"}, **world.by(world.julia))
    job = bulk.claim(actor=engine(), now=world.now)
    assert job is not None
    assert bulk.run_batch(job, actor=engine(), now=world.now)
    assert not Jobs().is_due(world.now)
    world.forward(seconds=61)
    work(world)
    assert Job.objects.get().changed == 60
    assert not bulk.run_batch(job, actor=engine(), now=world.now)
