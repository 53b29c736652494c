"""People, jobs and replays at work on the same clocks at once: nobody waits for ever, and the journal has the last word."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection

from allswell.desk import agreements, clocks
from allswell.desk import calendars as desk_calendars
from allswell.desk import tickets as desk
from allswell.desk.calendars import Hours
from allswell.engine.jobs import Jobs
from allswell.journal.models import Entry
from allswell.kernel.errors import DeskError
from allswell.sla.models import Clock
from allswell.tickets.rules import WaitingOn
from tests.desk.test_agreements import office_hours
from tests.races.test_two_at_once import together
from tests.support.promises import promise, target
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]
ROUNDS = 8


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def within(minutes: int, calendar: str) -> dict[str, Any]:
    return {"counting": "working", "amount": minutes, "calendar": calendar}


def differs(world: World) -> list[Any]:
    """What a replay would change; a due instant that has only passed is no difference."""
    return list(clocks.replay(None, is_dry=True, **world.by(world.ada)))


def act(what: Any, *given: Any, **more: Any) -> Any:
    """What it answers, or the refusal."""
    try:
        return what(*given, **more) or 1
    except DeskError as refusal:
        return refusal


def work_off(world: World) -> int:
    """The engine does its jobs until none is left."""
    jobs = Jobs(now=lambda: world.now)
    for _ in range(50):
        if not jobs.is_due(world.now):
            return 1
        jobs.tick(world.now)
    raise AssertionError("the jobs never end")


USUAL = (
    target("acknowledgement", 30),
    target("first_response", 60),
    target("next_update", 60),
    target("resolution", 480, pauses=["requester"]),
)


def test_two_who_act_at_once_leave_clocks_as_a_replay_has_them(world: World) -> None:
    promise(world, *USUAL)
    for _ in range(ROUNDS):
        number = world.report().pk
        one, two = world.by(world.jonas), world.by(world.julia)
        together(
            partial(act, desk.reply, number, body="Looking", **one),
            partial(act, desk.resolve, number, **two),
            partial(act, desk.wait, number, on=WaitingOn.REQUESTER, **one),
            partial(act, desk.override_priority, number, priority=1, reason="All are hit", **two),
        )
        together(
            partial(act, desk.reopen, number, reason="Still down", **one),
            partial(act, desk.reply, number, body="And now?", **two),
            partial(act, desk.hand_over, number, team=world.dba_team.pk, reason="Theirs", **one),
        )
        world.forward(minutes=5)
    assert differs(world) == []
    keys = list(Clock.objects.values_list("ticket_id", "agreement_id", "metric", "number"))
    assert len(keys) == len(set(keys))


def test_tickets_change_while_a_changed_calendar_is_counted_again(world: World) -> None:
    slug = office_hours(world)
    targets = ({"metric": "first_response", "within": within(60, slug)}, {"metric": "resolution", "within": within(900, slug)})
    promise(world, *targets)
    numbers = [world.report(title=f"Report {number}").pk for number in range(25)]
    for hour in range(4):
        week = [((hour * 60, 12 * 60),)] * 5 + [(), ()]
        desk_calendars.change_calendar(slug, hours=Hours(week=week), **world.by(world.ada))
        one, two = world.by(world.jonas), world.by(world.julia)

        def talk(by: dict[str, Any] = one, places: list[int] = numbers) -> int:
            for number in places:
                act(desk.wait, number, on=WaitingOn.SUPPLIER, **by)
                act(desk.resume, number, **by)
            return 1

        def bring(by: dict[str, Any] = two) -> int:
            for number in range(5):
                world.report(person=world.maria, title=f"Another {number}")
            return 1

        together(lambda: work_off(world), lambda: work_off(world), talk, bring, partial(talk, two, numbers[::-1]))
        work_off(world)
        world.forward(minutes=1)
    assert differs(world) == []
    assert set(Clock.objects.filter(stopped_at=None).values_list("calendar_version", flat=True)) == {5}


def test_an_agreement_changes_in_the_middle_of_a_replay(world: World) -> None:
    row = promise(world, *USUAL)
    numbers = [world.report(title=f"Report {number}").pk for number in range(30)]
    since = world.now
    world.forward(minutes=10)
    for round_ in range(3):
        terms = {"zone": "UTC", "targets": [target("resolution", 100 + round_), target("first_response", 10 + round_)]}
        ada, jonas = world.by(world.ada), world.by(world.jonas)

        def talk(by: dict[str, Any] = jonas) -> int:
            for number in numbers:
                act(desk.reply, number, body="Looking", **by)
            return 1

        answers = together(
            lambda by=ada: len([*clocks.replay(None, is_dry=False, **by)]) + 1,
            lambda by=ada: len([*clocks.replay(numbers[::-1], is_dry=False, **by)]) + 1,
            lambda by=ada, t=terms: act(agreements.agree, row.slug, definition=t, in_force_from=since, **by),
            talk,
        )
        assert not [answer for answer in answers if isinstance(answer, DeskError)], answers
        work_off(world)
        world.forward(minutes=1)
    assert differs(world) == []
    assert Entry.objects.filter(verb="clock.replayed").exists()


def test_a_reply_and_a_resolution_at_once_meet_each_promise_once(world: World) -> None:
    promise(world, *USUAL)
    for _ in range(ROUNDS):
        number = world.report().pk
        world.forward(minutes=5)
        one, two = world.by(world.jonas), world.by(world.julia)
        answers = together(partial(act, desk.reply, number, body="Done", **one), partial(act, desk.resolve, number, **two))
        if isinstance(answers[1], DeskError):  # the reply was first: look, and resolve
            desk.resolve(number, **two)
        kept = Clock.objects.filter(ticket_id=number)
        assert kept.filter(metric="first_response", met_at__isnull=False).count() == 1
        assert kept.filter(metric="resolution", met_at__isnull=False).count() == 1
        assert not kept.filter(stopped_at=None).exists()
    assert differs(world) == []
