"""Rules of alerts in the set-up: a list in their order, and a form for the whole of one."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from allswell.intake.models import AlertRule
from tests.support.monitoring import Monitoring
from tests.support.world import World

Browser = Callable[..., Client]
PLACE = "/setup/alert-rules"
#: as a browser sends the form
SENT = {
    "name": "Web servers",
    "act": "open",
    "source": "",
    "window": "15",
    "on_clear": "restore",
    "severities": ["critical", "error"],
    "service_label": "app",
    "group_by": "cluster, zone",
    "m0_label": "host",
    "m0_operator": "=~",
    "m0_value": "web.*",
    "m1_label": "",
    "m1_operator": "=",
    "m1_value": "",
    "do": "save",
}


def test_a_rule_is_written_read_and_changed(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    am = Monitoring(world)
    assert "There is no rule of yours yet" in ada.get(PLACE).content.decode()
    assert ada.post(f"{PLACE}/new", {**SENT, "source": am.source.pk, "team": world.dba_team.pk}).status_code == 303
    row = AlertRule.objects.get()
    assert row.definition == {
        "source": am.source.pk,
        "matchers": [{"label": "host", "operator": "=~", "value": "web.*"}],
        "severities": ["critical", "error"],
        "act": "open",
        "service_label": "app",
        "team": world.dba_team.pk,
        "group_by": ["cluster", "zone"],
        "window": 900,
        "on_clear": "restore",
    }
    listed = ada.get(PLACE).content.decode()
    assert "host fits the expression “web.*”" in listed
    assert "severity: Critical, Error" in listed
    form = ada.get(f"{PLACE}/{row.pk}").content.decode()
    assert 'value="cluster, zone"' in form
    assert 'value="15"' in form
    seen = form.split('name="seen" value="')[1].split('"')[0].replace("&#43;", "+")
    assert ada.post(f"{PLACE}/{row.pk}", {**SENT, "name": "Web", "seen": seen}).status_code == 303
    stale = ada.post(f"{PLACE}/{row.pk}", {**SENT, "name": "Late", "seen": "2001-01-01"})
    assert (stale.status_code, "Somebody else changed this rule" in stale.content.decode()) == (422, True)
    row.refresh_from_db()
    assert (row.name, row.definition.get("source")) == ("Web", None)


def test_what_was_typed_stays_where_something_is_wrong(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    for wrong, field in (
        ({"m0_value": "("}, "m0_value"),
        ({"m1_value": "x"}, "m1_label"),
        ({"window": "soon"}, "window"),
        ({"window": "99999999"}, "window"),
        ({"severities": ["loud"]}, "severities"),
        ({"act": "explode"}, "act"),
        ({"name": ""}, "name"),
        ({"service": "999999999"}, "service"),
    ):
        answer = ada.post(f"{PLACE}/new", {**SENT, **wrong})
        text = answer.content.decode()
        assert (answer.status_code, f'id="{field}-error"' in text) == (422, True), wrong
        assert 'value="cluster, zone"' in text
    assert not AlertRule.objects.exists()


def test_there_is_room_for_another_condition(world: World, browser: Browser) -> None:
    text = browser(world.ada).post(f"{PLACE}/new", {**SENT, "name": "", "do": "another"}).content.decode()
    assert 'name="m2_label"' in text
    assert "-error" not in text
    assert not AlertRule.objects.exists()


def test_rules_are_moved_switched_and_forgotten(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    for name in ("One", "Two"):
        ada.post(f"{PLACE}/new", {**SENT, "name": name})
    one, two = AlertRule.objects.order_by("position")
    ada.post(f"{PLACE}/{two.pk}/earlier")
    assert [row.name for row in AlertRule.objects.order_by("position")] == ["Two", "One"]
    answer = ada.post(f"{PLACE}/{one.pk}/deactivate", follow=True).content.decode()
    assert f'action="{PLACE}/{one.pk}/activate"' in answer
    ada.post(f"{PLACE}/{one.pk}/activate")
    assert AlertRule.objects.get(pk=one.pk).is_active
    ada.post(f"{PLACE}/{one.pk}/remove")
    assert [row.pk for row in AlertRule.objects.all()] == [two.pk]
    assert ada.post(f"{PLACE}/{one.pk}/earlier").status_code == 404


def test_auditors_read_rules(world: World, browser: Browser) -> None:
    browser(world.ada).post(f"{PLACE}/new", {**SENT, "name": "<b>One</b>"})
    audrey = browser(world.audrey)
    text = audrey.get(f"{PLACE}/{AlertRule.objects.get().pk}").content.decode()
    assert "You may look at this, not change it." in text
    assert "<b>One" not in text
    assert "Forget this rule" not in text
    assert audrey.post(f"{PLACE}/new", SENT).status_code == 403
