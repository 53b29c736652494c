"""The noise of alerts is counted over what each may see, by an index, and says what nobody ever acted on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection

from allswell.desk import tickets as desk
from allswell.intake.models import AlertEpisode
from allswell.intake.queries import noise
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


def times(am: Monitoring, name: str, count: int, **labels: str) -> None:
    """An alert fires so many times, five minutes each, an hour apart."""
    for _ in range(count):
        began = am.world.now
        am.send(am.fires(name, **labels), group=name)
        am.world.forward(minutes=5)
        am.send(am.is_over(name, since=began, **labels), group=name)
        am.world.forward(hours=1)


def since(world: World) -> datetime:
    """A month ago."""
    return world.now - timedelta(days=30)


def test_what_comes_most_comes_first_and_what_was_acted_on_is_told(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    times(am, "Twice", 2)
    times(am, "Shown", 3, severity="info")
    began = world.now
    am.send(am.fires("Worked on"), group="w")
    number = Ticket.objects.latest("id").pk
    desk.take(number, **world.by(world.jonas))
    world.forward(minutes=30)
    am.send(am.is_over("Worked on", since=began), group="w")
    found = noise.noisiest(world.by(world.jonas)["actor"], since=since(world))
    assert [(one.alert.title.removesuffix(" on all"), one.times, one.acted, one.typical) for one in found] == [
        ("Shown", 3, 0, timedelta(minutes=5)),
        ("Twice", 2, 0, timedelta(minutes=5)),
        ("Worked on", 1, 1, timedelta(minutes=30)),
    ]
    by_source = noise.shares(world.by(world.jonas)["actor"], since=since(world), by="source")
    assert [(one.name, one.alerts, one.times, one.with_incident) for one in by_source] == [(am.source.name, 3, 6, 3)]
    assert noise.noisiest(world.by(world.jonas)["actor"], since=since(world), source=am.source.pk + 1) == []


def test_the_alerts_of_others_are_not_counted(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    times(am, "Ours", 2)
    oskar = world.by(world.oskar)["actor"]
    assert noise.noisiest(oskar, since=since(world)) == []
    assert noise.shares(oskar, since=since(world), by="service") == []


def test_of_very_many_the_newest_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    times(am, "Often", 4)
    monkeypatch.setattr(noise, "COUNTED", 2)
    begun = list(AlertEpisode.objects.order_by("-started_at").values_list("started_at", flat=True))
    assert noise.counted_since(since(world)) == begun[2]
    assert noise.counted_since(begun[1]) == begun[1]


def test_the_beginning_is_found_by_the_index(world: World) -> None:
    rows = AlertEpisode.objects.filter(started_at__gte=since(world)).order_by("-started_at").values_list("started_at", flat=True)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    assert "alert_episode_started" in rows[50:51].explain()
