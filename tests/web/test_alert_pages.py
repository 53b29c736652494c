"""The pages of monitoring: sources in the set-up, and the alerts at the desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk import tickets as desk
from allswell.desk.alerts import sources
from allswell.intake.models import Alert, AlertSource, RawReport
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World

Browser = Callable[..., Client]


def test_a_source_is_set_up_and_its_key_shown_once(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    assert "No tool reports anything yet." in ada.get("/setup/alert-sources").content.decode()
    made = ada.post("/setup/alert-sources", {"name": "Prometheus", "kind": "alertmanager", "service": world.lookup.pk})
    row = AlertSource.objects.get()
    text = made.content.decode()
    key = text.split("/in/alertmanager/")[1].split("<")[0]
    place = f"/setup/alert-sources/{row.pk}"
    assert key not in ada.get(place).content.decode()
    assert ada.post(place, {"name": "Prometheus 1", "service": "", "team": world.dba_team.pk}).status_code == 303
    row.refresh_from_db()
    assert (row.name, row.service, row.team) == ("Prometheus 1", None, world.dba_team)
    fresh = ada.post(f"{place}/new-key").content.decode()
    assert key not in fresh
    assert "The former key serves until" in ada.get(place).content.decode()
    assert browser(world.ada).post(f"/in/alertmanager/{key}", b"{}", content_type="application/json").status_code == 400
    ada.post(f"{place}/end-former-key")
    assert browser(world.ada).post(f"/in/alertmanager/{key}", b"{}", content_type="application/json").status_code == 404


def test_what_does_not_fit_is_said_beside_the_field(world: World, browser: Browser) -> None:
    answer = browser(world.ada).post("/setup/alert-sources", {"name": "", "kind": "alertmanager"})
    assert (answer.status_code, 'id="name-error"' in answer.content.decode()) == (422, True)
    answer = browser(world.ada).post("/setup/alert-sources", {"name": "X", "kind": "nagios", "secret": "s"})
    assert (answer.status_code, 'id="secret-error"' in answer.content.decode()) == (422, True)
    assert not AlertSource.objects.exists()


def test_what_could_not_be_read_is_read_again_or_forgotten(world: World, browser: Browser) -> None:
    am = Monitoring(world)
    am.send(am.fires())
    RawReport.objects.update(error="It cannot be read: ValueError")
    ada = browser(world.ada)
    assert "It cannot be read" in ada.get("/setup/alert-sources").content.decode()
    number = RawReport.objects.get().pk
    assert ada.post(f"/setup/alert-reports/{number}/read-again").status_code == 303
    am.read()
    assert am.alert().total == 2
    assert ada.post(f"/setup/alert-reports/{number}/forget").status_code == 404


def test_alerts_are_shown_with_what_was_done(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    jonas = browser(world.jonas)
    assert "Nothing fires." in jonas.get("/alerts/").content.decode()
    am.send(am.fires("<script>alert(1)</script>", host="web1"))
    text = jonas.get("/alerts/").content.decode()
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    ticket = Ticket.objects.get()
    assert f"INC-{ticket.pk}" in text
    one = jonas.get(f"/alerts/{Alert.objects.get().pk}").content.decode()
    assert "opened an incident" in one
    assert "web1" in one
    assert "1 alert belongs to this" in jonas.get(f"/tickets/{ticket.pk}").content.decode()
    assert "web1" in jonas.get(f"/alerts/?ticket={ticket.pk}&state=").content.decode()
    assert jonas.get("/alerts/?after=nonsense&severity=x&state=y&q=%00").status_code in (200, 400)


def test_alerts_of_others_are_not_shown(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires())
    number = Alert.objects.get().pk
    oskar = browser(world.oskar)
    assert "HighLatency" not in oskar.get("/alerts/").content.decode()
    assert oskar.get(f"/alerts/{number}").status_code == 404
    desk.restrict(Ticket.objects.get().pk, **world.by(world.lena))
    assert browser(world.priya).get(f"/alerts/{number}").status_code == 404
    assert "HighLatency" not in browser(world.priya).get("/alerts/").content.decode()
    assert browser(world.maria).get("/alerts/").status_code in (302, 303, 403, 404)


def test_a_payload_is_tried_on_a_page(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("<b>A</b>"))
    ada, place = browser(world.ada), f"/setup/alert-sources/{am.source.pk}/try"
    assert place in ada.get(f"/setup/alert-sources/{am.source.pk}").content.decode()
    assert "Paste a payload" in ada.get(place).content.decode()
    text = ada.post(place, {"do": "last"}).content.decode()
    assert "1 alert would be read." in text
    assert "<b>A</b>" not in text
    part = ada.post(place, {"sample": "{", "do": "try"}, headers={"HX-Request": "true"})
    assert (part.status_code, "It would be refused." in part.content.decode()) == (200, True)
    assert "<html" not in part.content.decode()
    assert "<textarea" not in part.content.decode()


def test_a_mapping_is_written_on_a_sample(world: World, browser: Browser) -> None:
    tool = Monitoring(world, "generic", mapping={"key": "id"})
    ada, place = browser(world.ada), f"/setup/alert-sources/{tool.source.pk}/try"
    assert ada.post(place, {"do": "last"}).status_code == 422
    sent = {"sample": '{"check_id": "c1", "check_name": "Shop", "alert_type": "ALERT_FAILURE"}', "mapping": "{", "do": "save"}
    answer = ada.post(place, sent)
    assert (answer.status_code, 'id="mapping-error"' in answer.content.decode()) == (422, True)
    text = ada.post(place, sent | {"do": "preset", "preset": "checkly"}).content.decode()
    assert "alert_error_message" not in text
    assert "check_error_message" in text
    assert "c1</dd>" in text
    assert ada.post(place, sent | {"mapping": '{"key": "check_id", "title": "check_name"}'}).status_code == 303
    tool.source.refresh_from_db()
    assert tool.source.mapping == {"key": "check_id", "title": "check_name"}
    assert browser(world.audrey).post(place, sent | {"mapping": '{"key": "x"}'}).status_code == 403


def test_an_alert_says_why_it_is_where_it_is(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    began = world.now
    am.send(am.fires("A"))
    am.send(am.fires("B"))
    jonas = browser(world.jonas)
    first, second = (jonas.get(f"/alerts/{am.alert(name).pk}").content.decode() for name in "AB")
    assert "No rule fitted" in first
    assert "A new incident: none of the same service was open." in first
    assert "It belongs to the open incident of the same service." in second
    am.send(am.is_over("A", since=began), am.is_over("B", since=began))
    world.forward(minutes=10)
    am.send(am.fires("A"))
    again = jonas.get(f"/alerts/{am.alert('A').pk}").content.decode()
    assert "opens again: it was resolved less than half an hour before" in again
    story = jonas.get(f"/tickets/{Ticket.objects.get().pk}").content.decode()
    for words in ("it was opened for them", "it is resolved", "it was resolved less than half an hour before"):
        assert words in story


def test_the_noise_is_shown_and_taken_along(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    jonas = browser(world.jonas)
    assert "No alert fired in this time." in jonas.get("/alerts/noise").content.decode()
    am.send(am.fires("=A<b>"))
    text = jonas.get("/alerts/noise?days=7").content.decode()
    assert "=A&lt;b&gt; on all" in text
    assert "/alerts/silences/new?alert=" in text
    assert "never" in text
    assert am.source.name in jonas.get("/alerts/noise?by=source").content.decode()
    assert world.lookup.name in jonas.get("/alerts/noise?by=service").content.decode()
    sheet = jonas.get("/alerts/noise.csv?days=x&source=y").content.decode()
    assert "'=A<b> on all" in sheet


def test_many_alerts_of_one_ticket_stand_in_one_line(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(*[am.fires("Storm", host=f"web{number}") for number in range(8)])
    am.send(am.fires("Alone", severity="info"), group="g2")
    number = Ticket.objects.get().pk
    jonas = browser(world.jonas)
    text = jonas.get("/alerts/").content.decode()
    assert "8 alerts of one ticket" in text
    assert f"/alerts/?ticket={number}&amp;state=firing" in text
    assert "Alone on all" in text
    assert text.count("Storm on") == 1
    assert jonas.get(f"/alerts/?ticket={number}").content.decode().count("Storm on") == 8
    assert "Storm on" not in jonas.get(f"/alerts/?folded={number},x").content.decode()


def test_the_page_of_a_source_draws_what_it_reported_lately(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    place = f"/setup/alert-sources/{am.source.pk}"
    assert "in the last hour" not in browser(world.ada).get(place).content.decode()
    am.send(am.fires(), am.fires("DiskFull"))
    world.forward(minutes=1)
    text = browser(world.ada).get(place).content.decode()
    assert "2 in the last minute, 2 in the last hour" in text
    assert "2 reports in the last hour" in text


def test_a_source_says_when_its_alerts_end_by_themselves(world: World, browser: Callable[..., Client]) -> None:
    am = Monitoring(world)
    am.send(am.fires())
    ada, place = browser(world.ada), f"/setup/alert-sources/{am.source.pk}"
    assert 'value="144"' in ada.get(place).content.decode()
    assert "Ends unless reported again" in browser(world.jonas).get(f"/alerts/{am.alert().pk}").content.decode()
    about = {"name": "Watch", "service": "", "team": "", "secret": ""}
    assert ada.post(place, about | {"ends_after": "x"}).status_code == 422
    assert ada.post(place, about | {"ends_after": "12"}).status_code == 303
    assert ada.get(place).content.decode().count('value="12"') == 1
    am.wait(hours=12)
    page = browser(world.jonas).get(f"/alerts/{am.alert().pk}").content.decode()
    assert "nothing was told of it for as long as its source is waited for" in page
    story = browser(world.jonas).get(f"/tickets/{am.alert().ticket_id}").content.decode()
    assert "Nothing is told of its last alerts any more: they are over" in story
    assert ada.post(place, about | {"ends_after": ""}).status_code == 303
    am.source.refresh_from_db()
    assert am.source.ends_after is None


@pytest.mark.parametrize(("kind", "signs"), [("grafana", True), ("mail-pattern", False), ("zabbix", False)])
def test_a_secret_is_asked_for_where_the_tool_signs(world: World, browser: Callable[..., Client], kind: str, signs: bool) -> None:
    row, _key = sources.create(name="One", kind=kind, **world.by(world.ada))
    page = browser(world.ada).get(f"/setup/alert-sources/{row.pk}").content.decode()
    assert ('name="secret"' in page) is signs
