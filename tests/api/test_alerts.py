"""Alerts over the API."""

from __future__ import annotations

from allswell.desk import tickets as desk
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.program import Program
from tests.support.world import World


def test_alerts_are_read_by_state_severity_and_ticket(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    began = world.now
    am.send(am.fires("A"))
    am.send(am.fires("B", severity="info"), group="g2")
    am.send(am.is_over("B", since=began, severity="info"), group="g2")
    jonas = Program(world, world.jonas)
    number = Ticket.objects.get().pk

    def titles(query: str) -> list[str]:
        return [one["title"] for one in jonas.get(f"/alerts{query}").json()["items"]]

    assert titles("") == ["B on all", "A on all"]
    assert titles("?state=firing") == ["A on all"]
    assert titles("?severity=info") == ["B on all"]
    assert titles(f"?ticket={number}") == ["A on all"]
    assert jonas.get("/alerts?state=loud").status_code == 422
    first = jonas.get("/alerts?limit=1").json()
    assert jonas.get(f"/alerts?limit=1&cursor={first['next']}").json()["items"][0]["title"] == "A on all"
    one = jonas.get(f"/alerts/{am.alert('A').pk}").json()
    assert (one["ticket"], one["state"], one["labels"]["alertname"]) == (number, "firing", "A")
    assert jonas.get("/alerts/999999").status_code == 404


def test_an_alert_of_a_restricted_ticket_is_for_who_sees_it(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires())
    desk.restrict(Ticket.objects.get().pk, **world.by(world.lena))
    assert Program(world, world.priya).get("/alerts").json()["items"] == []
    assert Program(world, world.priya).get(f"/alerts/{am.alert().pk}").status_code == 404
    assert len(Program(world, world.jonas).get("/alerts").json()["items"]) == 1


def test_a_payload_is_tried_by_a_program(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    ada, path = Program(world, world.ada), f"/alert-sources/{am.source.pk}/dry-run"
    assert ada.post(path).status_code == 409
    am.send(am.fires("A"))
    found = ada.post(path).json()
    assert [(one["title"], one["change"], one["place"]["ticket"]) for one in found["alerts"]] == [
        ("A on all", "repeated", None)  # she sees no tickets
    ]
    assert ada.post(path, body="[]").json()["status"] == 400
    assert ada.post(path, body="{}", mapping={"key": "x"}).status_code == 422
    assert ada.post("/alert-sources/999999/dry-run", body="{}").status_code == 404
    assert Program(world, world.jonas).post(path).status_code == 403


def test_an_alert_says_why_and_the_noise_is_told(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("A"))
    jonas = Program(world, world.jonas)
    why = jonas.get(f"/alerts/{am.alert('A').pk}").json()["why"]
    assert (why["how"], why["basis"], why["rule"], why["is_changed"]) == ("opened", "service", None, False)
    told = jonas.get("/alert-noise?days=7").json()["alerts"]
    assert [(one["title"], one["times"], one["acted_on"], one["median_seconds"]) for one in told] == [("A on all", 1, 0, None)]
    assert jonas.get(f"/alert-noise?source={am.source.pk + 1}").json()["alerts"] == []
    assert jonas.get("/alert-noise?days=1000").status_code == 422
