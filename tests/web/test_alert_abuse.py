"""What is set up about alerts, and what alerts say, hurts nobody: markup, expressions made to hurt, numbers no row has, too much."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk.alerts import heartbeats, rules, silences, windows
from allswell.intake.models import Alert, AlertRule, Heartbeat, MaintenanceWindow, Silence
from tests.desk.test_alert_rules import condition
from tests.support.monitoring import Monitoring
from tests.support.world import World
from tests.web.test_abuse import EVIL, assert_inert

Browser = Callable[..., Client]
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("evil", EVIL)
def test_markup_in_alerts_and_what_is_set_up_about_them_never_runs(world: World, browser: Browser, evil: str) -> None:
    word = evil[:60]
    world._grant(world.ada, "agent")
    by = world.by(world.ada)
    am, jobs = Monitoring(world, service=world.printing.pk), Monitoring(world, "heartbeat")
    world.printing.name = jobs.source.name = word
    world.printing.save()
    jobs.source.save()
    about = [condition("host", word)]
    rule = rules.create(name=word, definition={"matchers": about, "group_by": [word]}, **by)
    heartbeats.create(jobs.source.pk, name=f"x{word.replace('//', '')}x", every=60, **by)
    silences.create(reason=word, matchers=about, service=world.printing.pk, ends_at=world.now + HOUR, **by)
    time = {"starts_at": world.now + HOUR, "ends_at": world.now + 2 * HOUR}
    work = windows.announce(title=word, services=[world.printing.pk], matchers=about, **time, **by)
    windows.announce(title=word, services=[world.printing.pk], starts_at=None, ends_at=time["ends_at"], **by)
    am.send(am.fires(word, host=word, marked=word))
    alert = Alert.objects.get().pk
    ada = browser(world.ada)
    for page in (
        *(
            "/setup/alert-rules",
            f"/setup/alert-rules/{rule.pk}",
            "/setup/alert-sources",
            f"/setup/alert-sources/{jobs.source.pk}",
        ),
        *("/alerts/", f"/alerts/{alert}", "/alerts/silences", f"/alerts/silences/new?alert={alert}", "/alerts/maintenance"),
        *(f"/alerts/maintenance/{work.pk}", f"/services/{world.printing.slug}"),
    ):
        answer = ada.get(page)
        assert answer.status_code == 200, page
        assert_inert(answer.content.decode(), page)


SILENCE = {"reason": "x", "span": "1h", "m0_label": "host", "m0_operator": "=", "m0_value": "web1"}
WRONG: tuple[dict[str, Any], ...] = (
    {"m0_operator": "=~", "m0_value": "((a{1000}){1000}){1000}"},
    {"m0_operator": "=~", "m0_value": "(?<=x)y"},
    {"m0_operator": "like"},
    {"m0_label": "x" * 129},
    {"m0_value": "x" * 201},
    {"m0_label": "", "m0_value": "x"},
    {"service": "9" * 30},
    {"service": "-1"},
    {"ticket": "1' OR 1=1"},
    {"reason": "x" * 301},
    {"span": "until", "ends_at": "9999-12-31T23:59"},
    {"span": "until", "ends_at": "0001-01-01T00:00"},
    {"starts_at": "tomorrow"},
)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_form_with_nonsense_in_it_is_refused_in_words(world: World, browser: Browser, wrong: dict[str, Any]) -> None:
    answer = browser(world.jonas).post("/alerts/silences/new", {**SILENCE, **wrong})
    assert answer.status_code == 422
    assert not Silence.objects.exists()


def test_more_conditions_than_there_may_be_are_not_read(world: World, browser: Browser) -> None:
    rows = {f"m{number}_{part}": "x" for number in range(500) for part in ("label", "value")}
    rows |= {f"m{number}_operator": "=" for number in range(500)}
    answer = browser(world.jonas).post("/alerts/silences/new", {**SILENCE, **rows, "do": "another"})
    assert answer.content.decode().count('class="condition"') <= 21
    with pytest.raises(Exception, match="too many conditions"):
        rules.create(name="x", definition={"matchers": [condition("a", "b")] * 21}, **world.by(world.ada))


def test_an_expression_made_to_take_for_ever_takes_a_moment(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    rules.create(name="x", definition={"matchers": [condition("host", "(a+)+$", "=~")]}, **world.by(world.ada))
    am.send(am.fires("Disk", host="a" * 1000 + "b"))
    assert am.alert("Disk").rule is None


def test_numbers_that_no_row_has_are_not_there(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    source = Monitoring(world, "heartbeat").source.pk
    for path in ("/setup/alert-rules/999999", "/alerts/maintenance/999999", "/alerts/999999", "/alerts/999999999999999999999"):
        assert ada.get(path).status_code == 404, path
    for path in (
        *("/setup/alert-rules/999999/remove", "/setup/alert-rules/999999/earlier", "/alerts/silences/999999/end"),
        *("/alerts/maintenance/999999/end", f"/setup/alert-sources/{source}/heartbeats/999999/remove"),
        *("/setup/alert-sources/999999/heartbeats", "/alerts/silences/99999999999999999999999/end"),
    ):
        assert ada.post(path, {}).status_code == 404, path
    tables = (AlertRule, Silence, MaintenanceWindow, Heartbeat)
    assert not any(table.objects.exists() for table in tables)
