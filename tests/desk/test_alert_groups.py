"""The word of an end is lost: an incident does not stay for ever that all later messages of its group leave out."""

from __future__ import annotations

import pytest

from allswell.intake.models import Alert, AlertEpisode
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


@pytest.fixture
def am(world: World) -> Monitoring:
    return Monitoring(world, service=world.lookup.pk)


def _states() -> dict[str, str]:
    return {row.labels["host"]: row.state for row in Alert.objects.all()}


def test_an_end_that_was_lost_is_seen_by_what_comes_after_it(world: World, am: Monitoring) -> None:
    a, b = am.fires(host="a"), am.fires(host="b")
    am.send(a, b)
    world.forward(minutes=30)  # the desk was down: that b is over was told in vain
    am.send(a)
    assert _states() == {"a": "firing", "b": "firing"}, "one message alone may be the first of an Alertmanager just started"
    first = world.now
    world.forward(minutes=5)
    am.send(a)
    assert _states() == {"a": "firing", "b": "resolved"}
    over = AlertEpisode.objects.get(alert__labels__host="b")
    assert (over.ended_at, over.ended_by) == (first, "left_out")
    assert Ticket.objects.get().state == "new", "one of them fires"
    world.forward(minutes=5)
    am.send(am.is_over(host="a", since=world.now))
    assert Ticket.objects.get().state == "resolved"


def test_an_alertmanager_that_was_started_again_names_a_part_at_first(world: World, am: Monitoring) -> None:
    a, b = am.fires(host="a"), am.fires(host="b")
    am.send(a, b)
    for minutes, named in ((90, [a]), (1, [a]), (4, [a, b]), (5, [a]), (5, [a, b])):
        world.forward(minutes=minutes)
        am.send(*named)
    assert _states() == {"a": "firing", "b": "firing"}
    assert set(Alert.objects.values_list("left_out_at", flat=True)) == {None}


def test_what_was_taken_for_over_and_is_named_again_goes_on(world: World, am: Monitoring) -> None:
    a, b = am.fires(host="a"), am.fires(host="b")
    am.send(a, b)
    for _ in range(2):
        world.forward(minutes=10)
        am.send(a)
    assert _states()["b"] == "resolved"
    world.forward(minutes=10)
    am.send(a, b)
    assert _states() == {"a": "firing", "b": "firing"}
    assert Ticket.objects.count() == 1


def test_another_group_and_another_source_are_not_meant(world: World, am: Monitoring) -> None:
    other = Monitoring(world, "grafana", service=world.lookup.pk)
    a, b, c = am.fires(host="a"), am.fires(host="b"), am.fires(host="c")
    am.send(a)
    am.send(b, group="g2")
    other.send(c)
    for _ in range(3):
        world.forward(minutes=30)
        am.send(a)
    assert _states() == {"a": "firing", "b": "firing", "c": "firing"}


def test_grafana_tells_whole_groups_too(world: World) -> None:
    grafana = Monitoring(world, "grafana", service=world.lookup.pk)
    a, b = grafana.fires(host="a"), grafana.fires(host="b")
    grafana.send(a, b)
    for _ in range(2):
        world.forward(minutes=10)
        grafana.send(a)
    assert _states() == {"a": "firing", "b": "resolved"}


def test_messages_read_in_one_go_say_the_same(world: World, am: Monitoring) -> None:
    a, b = am.fires(host="a"), am.fires(host="b")
    am.send(a, b)
    world.forward(minutes=10)
    body = {"groupKey": "g1", "truncatedAlerts": 0, "status": "firing", "receiver": "allswell", "externalURL": "http://am:9093"}
    for named in ([a], [a, b], [a]):
        assert am.post({**body, "alerts": named}).status_code == 200
    am.read()
    assert _states() == {"a": "firing", "b": "firing"}
    assert Alert.objects.get(labels__host="b").left_out_at is None
