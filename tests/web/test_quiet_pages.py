"""Silences and announced work at the desk: written from an alert or a ticket, looked at before, ended early."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk.alerts import windows
from allswell.intake.models import Alert, MaintenanceWindow, Silence
from allswell.kernel import clock
from allswell.tickets.models import Ticket
from allswell.tickets.rules import Kind
from tests.support.monitoring import Monitoring
from tests.support.world import World

Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def sent(page: str) -> dict[str, Any]:
    """What the conditions of a form say, as a browser sends them."""
    found: dict[str, Any] = {}
    for number in range(page.count('class="condition"')):
        for part in ("label", "value"):
            found[f"m{number}_{part}"] = page.split(f'name="m{number}_{part}" value="')[1].split('"')[0]
        found[f"m{number}_operator"] = "="
    return found


def test_an_alert_is_silenced_with_its_labels(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("Full", host="<web1>"))
    jonas = browser(world.jonas)
    place = f"/alerts/silences/new?alert={Alert.objects.get().pk}"
    assert place in jonas.get(f"/alerts/{Alert.objects.get().pk}").content.decode()
    page = jonas.get(place).content.decode()
    assert "It fits 1 alert that fires now." in page
    assert "<web1>" not in page
    form = {**sent(page), "service": world.lookup.pk, "reason": "We know", "span": "4h", "m0_value": "Full", "do": "save"}
    form |= {name: value.replace("&lt;", "<").replace("&gt;", ">") for name, value in form.items() if isinstance(value, str)}
    done = jonas.post("/alerts/silences/new", form, follow=True).content.decode()
    row = Silence.objects.get()
    assert (row.ends_at - world.now, row.service, len(row.matchers)) == (timedelta(hours=4), world.lookup, 3)
    assert "We know" in done
    assert f'action="/alerts/silences/{row.pk}/end"' in done
    assert "We know" in jonas.get(f"/alerts/{Alert.objects.get().pk}").content.decode()
    assert jonas.post(f"/alerts/silences/{row.pk}/end").status_code == 303
    assert "Nothing is silenced." in jonas.get("/alerts/silences").content.decode()


def test_a_silence_is_made_longer_unless_it_was_changed_meanwhile(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires())
    jonas = browser(world.jonas)
    jonas.post("/alerts/silences/new", {"service": world.lookup.pk, "reason": "We know", "span": "1h"})
    row = Silence.objects.get()
    place = f"/alerts/silences/{row.pk}"
    assert f'href="{place}"' in jonas.get("/alerts/silences").content.decode()
    page = jonas.get(place).content.decode()
    form = {name: re.findall(rf'name="{name}"[^>]*value="([^"]*)"', page)[0] for name in ("seen", "ends_at", "reason")}
    assert jonas.post(place, {**form, "reason": "Still"}).status_code == 303
    assert (Silence.objects.get().reason, Silence.objects.get().ends_at) == ("Still", row.ends_at)
    later = f"{world.now + timedelta(days=2):%Y-%m-%dT%H:%M}"
    assert jonas.post(place, {**form, "ends_at": later}).status_code == 303
    assert Silence.objects.get().ends_at > world.now + timedelta(days=1)
    again = jonas.post(place, {**form, "ends_at": form["ends_at"]})
    assert (again.status_code, "Somebody has changed this silence" in again.content.decode()) == (422, True)
    for wrong in ({"ends_at": "2001-01-01T00:00"}, {"reason": ""}, {"ends_at": "x"}):
        assert jonas.post(place, {**form, "seen": "", **wrong}).status_code == 422
    world.forward(hours=1, minutes=5)
    am.wait()
    am.send(am.fires(since=row.starts_at))
    assert am.alert().silence_id == row.pk, "it holds still"
    jonas.post(f"{place}/end")
    assert jonas.get(place).status_code == 409


def test_the_alerts_of_a_ticket_are_silenced_from_their_list(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires())
    number = Ticket.objects.get().pk
    jonas = browser(world.jonas)
    place = f"/alerts/silences/new?ticket={number}"
    assert place in jonas.get(f"/alerts/?ticket={number}&state=").content.decode()
    assert "It fits 1 alert that fires now." in jonas.get(place).content.decode()
    answer = jonas.post("/alerts/silences/new", {"ticket": number, "reason": "x", "span": "1h"})
    assert (answer.status_code, Silence.objects.get().ticket_id) == (303, number)
    assert f"the alerts of INC-{number}" in jonas.get("/alerts/silences").content.decode()


def test_it_says_what_it_fits_before_it_is_saved_and_keeps_what_was_typed(world: World, browser: Browser) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("A", host="web1"), am.fires("B", host="web2"))
    jonas = browser(world.jonas)
    form = {"m0_label": "host", "m0_operator": "=~", "m0_value": "web.*", "reason": "soon", "span": "until", "service": ""}
    page = jonas.post("/alerts/silences/new", {**form, "do": "try"}).content.decode()
    assert "It fits 2 alerts that fire now." in page
    assert 'value="soon"' in page
    for wrong, field in (
        ({}, "ends_at"),
        ({"span": "1h", "reason": ""}, "reason"),
        ({"span": "x"}, "span"),
        ({"m0_value": "("}, "m0_value"),
        ({"m0_label": "", "m0_value": "", "span": "1h"}, "matchers"),
        ({"ends_at": "2001-01-01T00:00"}, "ends_at"),
    ):
        answer = jonas.post("/alerts/silences/new", {**form, **wrong, "do": "save"})
        assert (answer.status_code, f'id="{field}-error"' in answer.content.decode()) == (422, True), wrong
    assert not Silence.objects.exists()
    assert 'name="m1_label"' in jonas.post("/alerts/silences/new", {**form, "do": "another"}).content.decode()


def test_work_is_announced_changed_and_shown(world: World, browser: Browser) -> None:
    jonas = browser(world.jonas)
    assert "No work is announced." in jonas.get("/alerts/maintenance").content.decode()
    change = world.report(kind=Kind.REQUEST, title="Upgrade")
    form = {
        "title": "<i>Upgrade</i>",
        "services": [world.lookup.pk],
        "starts_at": f"{world.now + timedelta(days=1):%Y-%m-%dT%H:%M}",
        "ends_at": f"{world.now + timedelta(days=1, hours=2):%Y-%m-%dT%H:%M}",
        "ticket": f"REQ-{change.pk}",
    }
    for wrong, field in (({"title": ""}, "title"), ({"services": []}, "matchers"), ({"ticket": "abc"}, "ticket")):
        answer = jonas.post("/alerts/maintenance/new", {**form, **wrong})
        assert (answer.status_code, f'id="{field}-error"' in answer.content.decode()) == (422, True), wrong
    assert jonas.post("/alerts/maintenance/new", form).status_code == 303
    row = MaintenanceWindow.objects.get()
    assert (row.ticket, row.ends_at - row.starts_at) == (change, timedelta(hours=2))
    listed = jonas.get("/alerts/maintenance").content.decode()
    assert "&lt;i&gt;Upgrade" in listed
    assert f"/alerts/maintenance/{row.pk}" in listed
    edit = f"/alerts/maintenance/{row.pk}"
    assert f'value="{form["ends_at"]}"' in jonas.get(edit).content.decode()
    assert jonas.post(edit, {**form, "title": "Move"}).status_code == 303
    assert "Move" not in jonas.get(f"/services/{world.lookup.slug}").content.decode()
    world.forward(days=1, minutes=1, hours=0)
    row.refresh_from_db()
    assert row.title == "Move"
    MaintenanceWindow.objects.update(starts_at=world.now)
    for place in (f"/services/{world.lookup.slug}", "/alerts/", "/alerts/maintenance"):
        assert "Move" in jonas.get(place).content.decode(), place
    assert jonas.get(edit).status_code == 409
    assert jonas.post(f"{edit}/end").status_code == 303
    assert "Move" not in jonas.get("/alerts/").content.decode()


def test_readers_write_none_and_others_see_none(world: World, browser: Browser) -> None:
    row = windows.announce(
        title="Kestrel",
        starts_at=None,
        ends_at=world.now + timedelta(hours=1),
        services=[world.lookup.pk],
        **world.by(world.jonas),
    )
    audrey, oskar = browser(world.audrey), browser(world.oskar)
    assert "Kestrel" in audrey.get("/alerts/maintenance").content.decode()
    for path in ("/alerts/maintenance/new", "/alerts/silences/new", f"/alerts/maintenance/{row.pk}"):
        assert audrey.get(path).status_code == 403
    assert "Kestrel" not in oskar.get("/alerts/maintenance").content.decode()
    assert "Kestrel" not in oskar.get("/alerts/").content.decode()
    assert oskar.post(f"/alerts/maintenance/{row.pk}/end").status_code == 404


def test_silences_of_an_alertmanager_are_pasted(world: World, browser: Browser) -> None:
    jonas = browser(world.jonas)
    place = "/alerts/silences/import"
    assert place in jonas.get("/alerts/silences").content.decode()
    answer = jonas.post(place, {"body": "<nonsense>"})
    assert (answer.status_code, "&lt;nonsense&gt;" in answer.content.decode()) == (422, True)
    matchers = [{"name": "host", "value": "web1"}]
    told = {"id": "1", "comment": "Known", "matchers": matchers, "endsAt": (world.now + timedelta(hours=1)).isoformat()}
    page = jonas.post(place, {"body": json.dumps([told])}, follow=True).content.decode()
    assert "Taken over: 1. Left out: 0." in page
    assert "Known" in page
