"""What a source must be heard of: it is waited for, its silence is an alert, and pausing or forgetting it ends that."""

from __future__ import annotations

import pytest
from django.test import Client

from allswell.desk.alerts import heartbeats
from allswell.intake.models import Alert, Heartbeat
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


@pytest.fixture
def jobs(world: World) -> Monitoring:
    return Monitoring(world, "heartbeat")


def waited_for(world: World, jobs: Monitoring, name: str = "nightly", *, every: int = 3600) -> Heartbeat:
    return heartbeats.create(jobs.source.pk, name=name, every=every, grace=600, **world.by(world.ada))


def test_the_address_shown_is_the_one_that_is_heard(world: World, jobs: Monitoring) -> None:
    row = waited_for(world, jobs, "north/nightly backup")
    place = heartbeats.place_to_call(jobs.source, row.name, key=jobs.key)
    assert Client().get(place).status_code == 200
    jobs.read()
    row.refresh_from_db()
    assert row.last_at == world.now


def test_silence_is_an_alert_and_a_word_ends_it(world: World, jobs: Monitoring) -> None:
    row = waited_for(world, jobs)
    jobs.wait(minutes=69)
    assert not Alert.objects.exists()
    jobs.wait(minutes=2)
    assert Ticket.objects.get().title == "nightly is silent"
    Client().get(heartbeats.place_to_call(jobs.source, row.name, key=jobs.key))
    jobs.read()
    assert Alert.objects.get(state="resolved").key == "heartbeat: nightly"
    row.refresh_from_db()
    assert row.missing_since is None


@pytest.mark.parametrize("is_removed", [False, True])
def test_paused_or_forgotten_it_fires_no_more(world: World, jobs: Monitoring, is_removed: bool) -> None:
    row = waited_for(world, jobs)
    jobs.wait(hours=2)
    by = world.by(world.ada)
    if is_removed:
        heartbeats.remove(jobs.source.pk, row.pk, **by)
    else:
        heartbeats.change(jobs.source.pk, row.pk, is_active=False, **by)
    jobs.wait(minutes=1)
    assert Alert.objects.get().state == "resolved"
    jobs.wait(days=3)
    assert Alert.objects.get().state == "resolved"


def test_waited_for_again_it_has_its_whole_time(world: World, jobs: Monitoring) -> None:
    row = waited_for(world, jobs)
    heartbeats.change(jobs.source.pk, row.pk, is_active=False, **world.by(world.ada))
    world.forward(days=2)
    heartbeats.change(jobs.source.pk, row.pk, is_active=True, **world.by(world.ada))
    jobs.wait(minutes=60)
    assert not Alert.objects.exists()
    jobs.wait(minutes=11)
    assert Alert.objects.get().state == "firing"


def test_another_time_holds_from_the_last_word_on(world: World, jobs: Monitoring) -> None:
    row = waited_for(world, jobs)
    heartbeats.change(jobs.source.pk, row.pk, every=86_400, grace=0, **world.by(world.ada))
    jobs.wait(hours=23)
    assert not Alert.objects.exists()
    jobs.wait(hours=2)
    assert Alert.objects.exists()


@pytest.mark.parametrize(
    ("name", "every", "grace", "field"),
    [
        ("", 60, 0, "name"),
        ("backup/fail", 60, 0, "name"),
        ("backup/3", 60, 0, "name"),
        ("start", 60, 0, "name"),
        ("a//b", 60, 0, "name"),
        ("nightly", 60, 0, "name"),
        ("ok", 9, 0, "every"),
        ("ok", 400 * 86_400, 0, "every"),
        ("ok", 60, -1, "grace"),
        ("ok", 60, 31 * 86_400, "grace"),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, jobs: Monitoring, name: str, every: int, grace: int, field: str) -> None:
    waited_for(world, jobs)
    with pytest.raises(Invalid) as refused:
        heartbeats.create(jobs.source.pk, name=name, every=every, grace=grace, **world.by(world.ada))
    assert refused.value.field == field
    assert Heartbeat.objects.count() == 1


def test_only_administrators_say_what_is_waited_for(world: World, jobs: Monitoring) -> None:
    row = waited_for(world, jobs)
    for person in (world.jonas, world.audrey):
        with pytest.raises(NotAllowed):
            heartbeats.remove(jobs.source.pk, row.pk, **world.by(person))
    other = Monitoring(world, "alertmanager")
    with pytest.raises(NotFound):
        heartbeats.remove(other.source.pk, row.pk, **world.by(world.ada))
    with pytest.raises(Conflict):
        waited_for(world, other)
