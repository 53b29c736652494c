"""What is silenced after it fired: its incident calls nobody meanwhile, and goes on where it had come to when it fires still."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from allswell.desk import calling, paging, policies
from allswell.desk.alerts import silences, taking, windows
from allswell.intake.models import MaintenanceWindow, Silence
from allswell.intake.queries import alerts as queries
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.oncall.models import Escalation, Page, PageDelivery
from allswell.tickets.models import Ticket
from tests.desk.test_alert_rules import condition
from tests.desk.test_quiet import HOUR, silence, work
from tests.support.monitoring import Monitoring
from tests.support.world import World


@pytest.fixture
def am(world: World) -> Monitoring:
    """Monitoring of a service whose policy calls Jonas, and ten minutes later Lena."""
    steps = [{"targets": [{"kind": "person", "person": person.pk}], "wait": 600} for person in (world.jonas, world.lena)]
    definition = {"steps": steps, "starts": [1, 2, 3], "repeat": 1}
    policy = policies.create_policy(name="Night", team=world.desk_team.pk, definition=definition, **world.by(world.ada))
    policies.use_for_service(world.lookup.pk, policy=policy.pk, **world.by(world.ada))
    return Monitoring(world, service=world.lookup.pk)


def go_on(am: Monitoring, **delta: float) -> list[str]:
    """Time passes in which the engine takes what is due; who has been called until now."""
    for _ in range(max(1, int(timedelta(**delta) / timedelta(seconds=30)))):
        am.wait(seconds=30)
        calling.take_steps(limit=50, actor=engine(), now=am.world.now)
    return list(Page.objects.order_by("pk").values_list("person__name", flat=True))


def test_nobody_is_called_while_it_is_silenced_and_the_same_are_called_afterwards(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    first = go_on(am, seconds=30)
    assert first == [world.jonas.name]
    silence(world)
    assert not PageDelivery.objects.filter(settled_at=None).exists(), "what was on its way is called back"
    assert go_on(am, minutes=58) == first
    told = Entry.objects.get(ticket=Ticket.objects.get(), verb="alerts.quieted")
    assert (told.person_id, told.data["until"]) == (world.jonas.pk, silences.visible_to(engine()).get().ends_at.isoformat())
    assert go_on(am, minutes=5) == [world.jonas.name] * 2
    assert go_on(am, minutes=10) == [world.jonas.name, world.jonas.name, world.lena.name]


def test_announced_work_does_the_same_and_ends_early(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    go_on(am, seconds=30)
    row = work(world)
    assert (am.alert().window, Escalation.objects.get().state) == (row, "running")
    assert len(go_on(am, minutes=20)) == 1
    windows.end(row.pk, **world.by(world.jonas))
    assert len(go_on(am, minutes=1)) == 2


def test_longer_is_longer_for_paging_too(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    go_on(am, seconds=30)
    row = silence(world)
    silences.change(row.pk, ends_at=world.now + 3 * HOUR, **world.by(world.jonas))
    assert len(go_on(am, hours=2)) == 1


def test_what_else_fires_of_it_calls(world: World, am: Monitoring) -> None:
    am.send(am.fires("Disk", host="web1"))
    go_on(am, seconds=30)
    silence(world, service=None, matchers=[condition("host", "web1")])
    assert len(go_on(am, minutes=20)) == 1
    am.send(am.fires("Memory", host="web2"), group="g2")
    assert Ticket.objects.count() == 1
    assert len(go_on(am, minutes=1)) == 2


def test_what_is_over_meanwhile_calls_nobody_any_more(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(am.fires())
    go_on(am, seconds=30)
    silence(world)
    go_on(am, minutes=10)
    am.send(am.is_over(since=began))
    assert (Ticket.objects.get().state, Escalation.objects.get().state) == ("resolved", "ended")
    assert len(go_on(am, hours=2)) == 1


def test_who_is_paged_by_hand_is_called_all_the_same(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    go_on(am, seconds=30)
    silence(world)
    paging.page(Ticket.objects.get().pk, person=world.amir.pk, **world.by(world.jonas))
    assert go_on(am, minutes=1) == [world.jonas.name, world.amir.name]


def test_a_storm_is_silenced_whole(world: World, am: Monitoring) -> None:
    am.send(*[am.fires("Down", host=f"web{n}") for n in range(2_100)])
    go_on(am, seconds=30)
    silence(world, service=None, matchers=[condition("alertname", "Down")])
    assert len(go_on(am, minutes=20)) == 1


def test_what_fires_when_a_planned_silence_begins_rests_and_calls_again_afterwards(world: World, am: Monitoring) -> None:
    row = silence(world, starts_at=world.now + HOUR / 4, ends_at=world.now + 2 * HOUR)
    am.send(am.fires())
    first = go_on(am, minutes=5)
    assert (first, am.alert().silence) == ([world.jonas.name], None)
    go_on(am, minutes=11)
    assert am.alert().silence == row
    assert not PageDelivery.objects.filter(settled_at=None).exists(), "what was on its way is called back"
    told = Entry.objects.get(verb="alerts.quieted")
    assert (told.person_id, told.data["is_planned"], told.data["silence"]) == (None, True, row.pk)
    called = go_on(am, minutes=100)
    assert called == [world.jonas.name, world.lena.name], "Lena was next before it began, and nobody after that"
    assert len(go_on(am, minutes=15)) > 2
    assert (am.alert().silence, Ticket.objects.count()) == (None, 1)


def test_what_fires_when_planned_work_begins_rests_until_that_is_over(world: World, am: Monitoring) -> None:
    row = work(world, starts_at=world.now + timedelta(minutes=5), ends_at=world.now + HOUR)
    am.send(am.fires())
    assert len(go_on(am, minutes=4)) == 1
    go_on(am, minutes=2)
    assert (am.alert().window, MaintenanceWindow.objects.get().has_begun) == (row, True)
    assert len(go_on(am, minutes=50)) == 1
    assert len(go_on(am, minutes=6)) == 2


def test_it_begins_once_whoever_looks(world: World, am: Monitoring) -> None:
    silence(world, starts_at=world.now + timedelta(minutes=5))
    am.send(am.fires())
    world.forward(minutes=6)
    assert [taking.go_on(actor=engine(), now=world.now) for _ in range(3)] == [1, 0, 0]
    assert Entry.objects.filter(verb="alerts.quieted").count() == 1
    assert not queries.is_timer_due(world.now)


def test_what_was_put_off_ended_or_taken_back_does_not_begin(world: World, am: Monitoring) -> None:
    soon = world.now + timedelta(minutes=5)
    off, back = (silence(world, starts_at=soon, ends_at=world.now + 3 * HOUR) for _ in range(2))
    silence(world, starts_at=soon, ends_at=world.now + timedelta(minutes=10))
    silences.change(off.pk, starts_at=world.now + HOUR, **world.by(world.jonas))
    silences.end(back.pk, **world.by(world.jonas))
    am.send(am.fires())
    am.wait(minutes=20)
    assert (am.alert().silence, Entry.objects.filter(verb="alerts.quieted").count()) == (None, 0)
    am.wait(minutes=41)
    assert am.alert().silence == off


def test_one_that_is_made_to_begin_now_begins(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    row = silence(world, starts_at=world.now + HOUR, ends_at=world.now + 2 * HOUR)
    silences.change(row.pk, starts_at=world.now, **world.by(world.jonas))
    am.wait(seconds=1)
    assert am.alert().silence == row


def test_the_end_of_one_lets_go_nothing_that_another_holds(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    go_on(am, seconds=30)
    silence(world)
    longer = work(world, ends_at=world.now + 2 * HOUR)
    assert len(go_on(am, minutes=90)) == 1
    assert (am.alert().silence, am.alert().window) == (None, longer)
    assert len(go_on(am, minutes=31)) == 2


@pytest.mark.parametrize(("model", "index"), [(Silence, "silence_to_begin"), (MaintenanceWindow, "window_to_begin")])
def test_what_begins_is_found_by_its_index(world: World, model: type[Silence] | type[MaintenanceWindow], index: str) -> None:
    times = {"created_at": world.now, "ends_at": world.now + HOUR, "has_begun": True, "is_over": True}
    model.objects.bulk_create(model(starts_at=world.now + timedelta(seconds=n), **times) for n in range(2_000))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {model._meta.db_table}")
    due = model.objects.filter(has_begun=False, is_over=False, starts_at__lte=world.now)
    assert index in due.values_list("pk").explain()
