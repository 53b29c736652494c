"""Senders tell one instant, none, or that of a clock that is wrong: what fires is heard of, and what is over ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from allswell.desk import tickets as desk
from allswell.intake.models import Alert, MaintenanceWindow
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


def _states() -> list[str]:
    return list(Ticket.objects.order_by("pk").values_list("state", flat=True))


def _trigger(duty: Monitoring, action: str = "trigger", *, at: datetime | None = None, severity: str = "critical") -> None:
    told = {"summary": "The database is down", "source": "db", "severity": severity}
    told |= {"timestamp": at.isoformat()} if at else {}
    answer = duty.post({"routing_key": duty.key, "event_action": action, "dedup_key": "db", "payload": told}, path="/v2/enqueue")
    assert answer.status_code == 202, answer.content
    duty.read()


@pytest.fixture
def duty(world: World) -> Monitoring:
    return Monitoring(world, "pagerduty", service=world.lookup.pk)


def test_what_fires_still_after_nobody_could_tell_is_heard_of_again(world: World) -> None:
    prometheus = Monitoring(world, "prometheus", service=world.lookup.pk)
    began = world.now

    def tells() -> None:
        ends = (world.now + timedelta(minutes=4)).isoformat()
        alert = {"labels": {"alertname": "Down", "severity": "critical"}, "startsAt": began.isoformat(), "endsAt": ends}
        assert prometheus.post([alert], path=f"/in/prometheus/{prometheus.key}").status_code == 200
        prometheus.read()

    tells()
    prometheus.wait(minutes=10)  # nothing gets through
    assert (Alert.objects.get().state, Alert.objects.get().ended_by, _states()) == ("resolved", "lease", ["resolved"])
    for _ in range(8):
        tells()
        prometheus.wait(minutes=1)
        assert Alert.objects.get().state == "firing"
    assert _states() == ["in_progress"]  # opened again
    prometheus.wait(minutes=10)
    assert Alert.objects.get().state == "resolved"
    assert set(_states()) == {"resolved"}


def test_the_same_beginning_after_an_end_is_late_at_first_and_later_it_fires_again(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    began = world.now
    am.send(am.fires())
    world.forward(minutes=5)
    am.send(am.is_over(since=began))
    world.forward(minutes=1)
    am.send(am.fires(since=began))  # sent before it was over, held up on its way
    assert (am.alert().state, _states()) == ("resolved", ["resolved"])
    world.forward(minutes=60)
    am.send(am.fires(since=began))
    assert am.alert().state == "firing"
    assert _states()[-1] == "new"
    world.forward(minutes=5)
    am.send(am.is_over(since=began))
    assert am.alert().state == "resolved"
    assert set(_states()) == {"resolved"}


def test_what_a_clock_ahead_of_ours_told_ends_when_its_sender_says_so(world: World, duty: Monitoring) -> None:
    _trigger(duty, at=world.now + timedelta(seconds=90))
    world.forward(seconds=30)
    _trigger(duty, "resolve")
    assert (Alert.objects.get().state, _states()) == ("resolved", ["resolved"])
    world.forward(seconds=30)
    _trigger(duty)
    assert Alert.objects.get().state == "firing"


def test_what_a_clock_behind_ours_tells_after_an_end_is_new(world: World, duty: Monitoring) -> None:
    _trigger(duty, at=world.now - timedelta(hours=1))
    world.forward(minutes=5)
    _trigger(duty, "resolve")
    world.forward(minutes=40)
    _trigger(duty, at=world.now - timedelta(hours=1))
    assert Alert.objects.get().state == "firing"
    assert _states()[-1] == "new"


def test_what_gets_worse_after_somebody_was_done_with_it_is_an_incident_again(world: World, duty: Monitoring) -> None:
    _trigger(duty, severity="warning")
    desk.resolve(Ticket.objects.get().pk, code="fixed", resolution="Cleaned up.", **world.by(world.jonas))
    world.forward(hours=2)
    _trigger(duty, severity="warning")
    assert _states() == ["resolved"]  # they know it
    _trigger(duty, severity="critical")
    assert [state for state in _states() if state != "resolved"] == ["new"]


def test_what_its_source_calls_flapping_is_so_until_the_source_says_otherwise(world: World) -> None:
    nagios = Monitoring(world, "nagios", service=world.lookup.pk)

    def tells(kind: str, state: str) -> None:
        at = str(int(world.now.timestamp()))
        told = {"host": "db1", "service": "http", "type": kind, "state": state, "t": at, "last_state_change": at}
        assert nagios.post(told).status_code == 200
        nagios.read()

    tells("PROBLEM", "CRITICAL")
    nagios.wait(minutes=3)
    tells("FLAPPINGSTART", "OK")
    for _ in range(6):
        nagios.wait(minutes=20)
        assert (Alert.objects.get().is_flapping, _states()) == (True, ["new"])
    nagios.wait(hours=3)  # its last word was lost
    assert (Alert.objects.get().is_flapping, _states()) == (False, ["resolved"])


def test_a_report_that_is_too_large_is_shown_at_its_source(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    answer = am.post({"version": "4", "groupKey": "g", "status": "firing", "alerts": [{"annotations": {"d": "d" * 5_100_000}}]})
    assert answer.status_code == 413
    am.source.refresh_from_db()
    assert "larger than 5 MB" in am.source.refusal


def test_what_gets_worse_while_it_is_announced_makes_nothing_more_urgent(world: World, duty: Monitoring) -> None:
    _trigger(duty, severity="warning")
    before = Ticket.objects.get().priority
    window = MaintenanceWindow.objects.create(
        title="New disks", starts_at=world.now, ends_at=world.now + timedelta(hours=1), created_at=world.now
    )
    window.services.add(world.lookup)
    _trigger(duty, severity="critical")
    assert Ticket.objects.get().priority == before
    window.delete()
    _trigger(duty, severity="warning")
    _trigger(duty, severity="critical")
    assert Ticket.objects.get().priority < before
