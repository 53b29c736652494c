"""What is silenced after it fired: its incident calls nobody meanwhile, and goes on where it had come to when it fires still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk import calling, paging, policies
from allswell.desk.alerts import silences, windows
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
