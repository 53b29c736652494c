"""What if other terms had held last month: attainment before and after, and the tickets that differ. Nothing is written to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import tickets as desk_tickets
from allswell.desk import what_if
from allswell.jobs.models import Job
from allswell.journal.models import Entry
from allswell.kernel.errors import Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.people.models import RoleGrant
from allswell.sla.models import Clock
from tests.desk.test_agreements import agreement, terms, working
from tests.desk.test_recounting import work
from tests.support.world import START, World


def question(world: World, minutes: int = 60, **more: Any) -> what_if.Question:
    """What if incidents had to be resolved within so many minutes?"""
    values: dict[str, Any] = {"since": START - timedelta(days=1), "until": world.now + timedelta(minutes=1), **more}
    values.setdefault("definition", terms(within=working(minutes)))
    return what_if.Question(**values)


def solved(world: World, minutes: int, **more: Any) -> int:
    """An incident that was resolved after so many minutes."""
    ticket = world.report(**more)
    world.forward(minutes=minutes)
    desk_tickets.resolve(ticket.pk, code="fixed", resolution="Restarted.", **world.by(world.jonas))
    return ticket.pk


def test_what_was_kept_and_what_would_have_been(world: World) -> None:
    agreement(world)  # four hours
    fast, slow, late = solved(world, 30), solved(world, 120), solved(world, 300)
    before = (Entry.objects.filter(ticket__isnull=False).count(), list(Clock.objects.order_by("id").values()))
    world._grant(world.ada, "agent")
    job = what_if.ask(question(world, 60), **world.by(world.ada))
    assert job.finished_at == world.now
    (row,) = what_if.compared(job)
    assert (row.before, row.after) == ((2, 1, 0), (1, 2, 0))
    found = what_if.differences(job, actor=world.actor(world.ada))
    assert [(one.ticket.pk, one.before, one.after) for one in found] == [(slow, "kept", "missed")]
    assert found[0].after_due_at == found[0].ticket.opened_at + timedelta(hours=1)
    assert {fast, late}.isdisjoint({one.ticket.pk for one in found})
    assert before == (Entry.objects.filter(ticket__isnull=False).count(), list(Clock.objects.order_by("id").values()))
    assert not Delivery.objects.filter(topic="job").exists()


def test_nobody_is_shown_tickets_they_do_not_see(world: World) -> None:
    agreement(world)
    solved(world, 120)
    job = what_if.ask(question(world), **world.by(world.ada))  # administers, and works no tickets
    assert job.changed == 1
    assert what_if.differences(job, actor=world.actor(world.ada)) == []
    with pytest.raises(NotFound):
        what_if.answer(job.pk, actor=world.actor(world.audrey))
    with pytest.raises(NotAllowed):
        what_if.ask(question(world), **world.by(world.jonas))


def test_what_would_not_be_promised_any_more_is_said(world: World) -> None:
    agreement(
        world,
        definition=terms(
            targets=[{"metric": "acknowledgement", "within": working(30)}, {"metric": "resolution", "within": working(60)}]
        ),
    )
    solved(world, 10)
    rows = what_if.compared(what_if.ask(question(world), **world.by(world.ada)))
    assert [(row.metric, row.target is None, row.before, row.after) for row in rows] == [
        ("resolution", False, (1, 0, 0), (1, 0, 0)),
        ("acknowledgement", True, (1, 0, 0), (0, 0, 0)),
    ]


def test_only_the_tickets_of_an_organization_and_of_the_time(world: World) -> None:
    solved(world, 120)
    solved(world, 120, person=world.otto)
    world.forward(days=40)
    solved(world, 120)
    for ours, count in (
        ({"until": START + timedelta(days=30)}, 2),
        ({"until": START + timedelta(days=30), "organization": world.other.pk}, 1),
        ({}, 3),
    ):
        (row,) = what_if.compared(what_if.ask(question(world, **ours), **world.by(world.ada)))
        assert row.after == (0, count, 0)
        assert row.before == (0, 0, 0)


def test_very_many_are_left_to_the_engine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement(world)
    for _ in range(5):
        solved(world, 90)
    monkeypatch.setattr(what_if, "AT_ONCE", 2)
    job = what_if.ask(question(world), **world.by(world.ada))
    assert (job.finished_at, job.total) == (None, 5)
    assert what_if.compared(job)[0].after == (0, 0, 0)
    claimed = Job.objects.get(pk=job.pk)
    assert what_if.run_batch(claimed, limit=2, **world.by(world.ada))
    world.forward(seconds=61)
    work(world)
    job = what_if.answer(job.pk, actor=world.actor(world.ada))
    assert job.finished_at is not None
    assert what_if.compared(job)[0].after == (0, 5, 0)
    assert what_if.compared(job)[0].before == (5, 0, 0)
    assert job.changed == 5
    assert Delivery.objects.filter(topic="job", person=world.ada).count() == 1


def test_between_teams_each_time_it_is_held(world: World) -> None:
    ticket = world.report(world.jonas, team=world.desk_team.pk)
    world.forward(minutes=90)
    desk_tickets.hand_over(ticket.pk, team=world.dba_team.pk, reason="Theirs", **world.by(world.jonas))
    world.forward(minutes=10)
    asked = question(world, definition=terms(metric="team_time", within=working(60)), audience="internal")
    (row,) = what_if.compared(what_if.ask(asked, **world.by(world.ada)))
    assert row.after == (0, 1, 1)


def test_what_cannot_be_asked(world: World) -> None:
    for wrong, field in (
        ({"until": START - timedelta(days=2)}, "until"),
        ({"since": START - timedelta(days=900)}, "until"),
        ({"definition": {"targets": []}}, "targets"),
        ({"audience": "friends"}, "audience"),
        ({"organization": 987654}, "organization"),
    ):
        with pytest.raises(Invalid) as refused:
            what_if.ask(question(world, **wrong), **world.by(world.ada))
        assert refused.value.field == field
    RoleGrant.objects.create(
        person=world.oskar, role="administrator", scope="organization", organization=world.other, granted_at=START
    )
    with pytest.raises(NotAllowed):
        what_if.ask(question(world), **world.by(world.oskar))
    assert what_if.ask(question(world, organization=world.other.pk), **world.by(world.oskar)).finished_at


def test_who_may_read_what_is_set_up_may_ask_and_sees_only_tickets_of_theirs(world: World) -> None:
    agreement(world)
    solved(world, 90)
    asked = what_if.ask(question(world), **world.by(world.audrey))
    assert what_if.compared(asked)[0].after == (0, 1, 0)
    assert len(what_if.differences(asked, actor=world.actor(world.audrey))) == 1
    for person in (world.jonas, world.lena, world.maria):
        with pytest.raises(NotAllowed):
            what_if.ask(question(world), **world.by(person))
