"""What is set up about alerts, and what is quiet for a while, over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.intake.models import AlertRule, AlertSource, MaintenanceWindow, Silence
from allswell.kernel import clock
from tests.support.monitoring import Monitoring
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def test_a_source_is_set_up_changed_and_switched_off(world: World) -> None:
    ada = Program(world, world.ada)
    made = ada.post(
        "/alert-sources", name="Prometheus", kind="alertmanager", service=world.lookup.pk, headers={"Idempotency-Key": "a"}
    )
    assert made.status_code == 201
    place = f"/alert-sources/{made.json()['id']}"
    key = made.json()["key"]
    again = ada.post(
        "/alert-sources", name="Prometheus", kind="alertmanager", service=world.lookup.pk, headers={"Idempotency-Key": "a"}
    )
    assert again.json() == made.json() | {"key": None}
    assert ada.patch(place, service=None, team=world.dba_team.pk).json()["service"] is None
    assert key not in ada.get(place).content.decode()
    assert ada.get(place).json()["ends_after"] == 144
    assert ada.patch(place, ends_after=24).json()["ends_after"] == 24
    assert ada.patch(place, ends_after=None).json()["ends_after"] is None
    assert ada.patch(place, ends_after=0).status_code == 422
    fresh = ada.post(f"{place}/rotate_key").json()["key"]
    assert fresh != key
    assert ada.get(place).json()["former_key_until"]
    assert ada.post(f"{place}/end_former_key").json()["former_key_until"] is None
    assert ada.post(f"{place}/end_former_key").status_code == 409
    assert ada.post(f"{place}/disable").json()["is_active"] is False
    assert ada.post(f"{place}/enable").json()["is_active"] is True
    assert ada.post("/alert-sources", name="X", kind="nonsense").status_code == 422
    assert [one["name"] for one in ada.get("/alert-sources").json()["items"]] == ["Prometheus"]
    assert AlertSource.objects.get().team == world.dba_team


def test_heartbeats_are_waited_for(world: World) -> None:
    ada = Program(world, world.ada)
    jobs = Monitoring(world, "heartbeat")
    place = f"/alert-sources/{jobs.source.pk}/heartbeats"
    made = ada.post(place, name="nightly", every=3600)
    assert (made.status_code, made.json()["call"]) == (201, "/in/heartbeat/KEY/nightly")
    one = f"{place}/{made.json()['id']}"
    assert ada.patch(one, is_active=False).json()["due_at"] is None
    assert ada.post(place, name="nightly", every=3600).status_code == 422
    assert len(ada.get(place).json()) == 1
    assert ada.call("DELETE", one).status_code == 204
    assert ada.get(place).json() == []


def test_rules_are_written_ordered_and_forgotten(world: World) -> None:
    ada = Program(world, world.ada)
    definition = {"matchers": [{"label": "host", "operator": "=~", "value": "web.*"}], "act": "record", "group_by": ["host"]}
    first = ada.post("/alert-rules", name="Web", definition=definition)
    assert (first.status_code, first.json()["definition"]["matchers"]) == (201, definition["matchers"])
    second = ada.post("/alert-rules", name="All", definition={}).json()["id"]
    one = f"/alert-rules/{first.json()['id']}"
    assert [row["name"] for row in ada.post("/alert-rules/order", order=[second, first.json()["id"]]).json()] == ["All", "Web"]
    assert ada.patch(one, definition={"urgency": 2}).json()["definition"]["urgency"] == 2
    assert ada.post(f"{one}/deactivate").json()["is_active"] is False
    assert ada.post(f"{one}/activate").json()["is_active"] is True
    for wrong in ({"act": "x"}, {"matchers": [{"label": "a", "operator": "=~", "value": "("}]}, {"service": 999_999}, {"x": 1}):
        assert ada.post("/alert-rules", name="X", definition=wrong).status_code == 422, wrong
    assert ada.call("DELETE", one).status_code == 204
    assert list(AlertRule.objects.values_list("pk", flat=True)) == [second]


def test_a_silence_is_made_and_ended(world: World) -> None:
    jonas = Program(world, world.jonas)
    until = (world.now + timedelta(hours=1)).isoformat()
    made = jonas.post("/silences", reason="Known", service=world.lookup.pk, ends_at=until)
    assert (made.status_code, made.json()["created_by"]["name"]) == (201, "Jonas Berg")
    assert [one["reason"] for one in jonas.get("/silences").json()["items"]] == ["Known"]
    assert Program(world, world.oskar).get("/silences").json()["items"] == []
    assert jonas.post(f"/silences/{made.json()['id']}/end").status_code == 204
    assert Silence.objects.get().ends_at == world.now
    assert jonas.get("/silences").json()["items"] == []
    assert len(jonas.get("/silences?over=true").json()["items"]) == 1
    assert jonas.post("/silences", reason="Everything", ends_at=until).status_code == 422


def test_a_silence_lasts_longer_unless_somebody_changed_it_meanwhile(world: World) -> None:
    jonas = Program(world, world.jonas)
    times = [(world.now + timedelta(hours=hours)).isoformat() for hours in (1, 2, 3)]
    place = f"/silences/{jonas.post('/silences', reason='Known', service=world.lookup.pk, ends_at=times[0]).json()['id']}"
    seen = {"If-Match": jonas.get(place).headers["ETag"]}
    assert jonas.patch(place, ends_at=times[1], headers=seen).json()["reason"] == "Known"
    assert jonas.patch(place, ends_at=times[2], headers=seen).status_code == 412
    assert Silence.objects.get().ends_at.isoformat() == times[1]
    assert jonas.patch(place, starts_at=times[0]).status_code == 409
    assert jonas.patch(place, ends_at=(world.now + timedelta(days=31)).isoformat()).status_code == 422
    assert Program(world, world.oskar).patch(place, reason="x").status_code in (403, 404)


def test_silences_of_an_alertmanager_are_looked_at_and_taken_over_once(world: World) -> None:
    ada = Program(world, world.ada)
    one = {
        "id": "e2a5",
        "status": {"state": "active"},
        "matchers": [{"name": "host", "value": "web.*", "isRegex": True, "isEqual": True}],
        "startsAt": (world.now - timedelta(hours=1)).isoformat(),
        "endsAt": (world.now + timedelta(hours=5)).isoformat(),
        "createdBy": "ops",
        "comment": "Rack is moved",
    }
    over = {**one, "status": {"state": "expired"}}
    tried = ada.post("/silences/import", silences=[one, over], is_dry_run=True).json()
    assert ([row["reason"] for row in tried["made"]], tried["left_out"]) == (["Rack is moved · ops"], 1)
    assert not Silence.objects.exists()
    assert ada.post("/silences/import", silences=[one, over]).json() == tried
    assert (Silence.objects.get().reason, ada.post("/silences/import", silences=[one]).json()["made"]) == (
        "Rack is moved · ops",
        [],
    )
    assert ada.post("/silences/import", silences=[{"id": "x"}]).status_code == 422
    assert Program(world, world.oskar).post("/silences/import", silences=[one]).status_code == 403


def test_work_is_announced_changed_and_taken_back(world: World) -> None:
    jonas = Program(world, world.jonas)
    time = {"starts_at": (world.now + timedelta(hours=1)).isoformat(), "ends_at": (world.now + timedelta(hours=2)).isoformat()}
    made = jonas.post("/maintenance-windows", title="Upgrade", services=[world.lookup.pk], **time)
    assert made.status_code == 201
    place = f"/maintenance-windows/{made.json()['id']}"
    ticket = world.report().pk
    changed = jonas.patch(place, title="Move", services=[world.printing.pk], ticket=ticket).json()
    assert (changed["title"], changed["services"], changed["ticket"]) == ("Move", [world.printing.pk], ticket)
    assert jonas.patch(place, ticket=None).json()["ticket"] is None
    assert jonas.post(f"{place}/end").status_code == 204
    assert not MaintenanceWindow.objects.exists()
    assert jonas.get(place).status_code == 404
