"""Heartbeats on the page of their source."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from allswell.intake.models import Heartbeat
from tests.support.monitoring import Monitoring
from tests.support.world import World

Browser = Callable[..., Client]
SENT = {"beat": "nightly", "every": "1", "every_unit": "86400", "grace": "2", "grace_unit": "3600"}


def test_a_heartbeat_is_written_changed_paused_and_forgotten(world: World, browser: Browser) -> None:
    jobs = Monitoring(world, "heartbeat")
    ada = browser(world.ada)
    place = f"/setup/alert-sources/{jobs.source.pk}"
    assert "Nothing is waited for yet." in ada.get(place).content.decode()
    assert ada.post(f"{place}/heartbeats", SENT).status_code == 303
    row = Heartbeat.objects.get()
    assert (row.name, row.every, row.grace) == ("nightly", 86_400, 7200)
    shown = ada.get(place).content.decode()
    assert "/in/heartbeat/KEY/nightly" in shown
    assert jobs.key not in shown
    one = f"{place}/heartbeats/{row.pk}"
    ada.post(one, {"every": "30", "every_unit": "60", "grace": "0", "grace_unit": "60"})
    assert list(Heartbeat.objects.values_list("every", "grace")) == [(1800, 0)]
    answer = ada.post(f"{one}/pause", follow=True).content.decode()
    assert f'action="{one}/resume"' in answer
    ada.post(f"{one}/resume")
    assert Heartbeat.objects.get().due_at is not None
    ada.post(f"{one}/remove")
    assert not Heartbeat.objects.exists()


def test_what_was_typed_stays_where_something_is_wrong(world: World, browser: Browser) -> None:
    jobs = Monitoring(world, "heartbeat")
    ada = browser(world.ada)
    place = f"/setup/alert-sources/{jobs.source.pk}/heartbeats"
    for wrong, field in (
        ({"beat": "x/fail"}, "beat"),
        ({"every": "0"}, "every"),
        ({"grace": "x"}, "grace"),
        ({"every_unit": "7"}, "every"),
    ):
        answer = ada.post(place, {**SENT, **wrong})
        text = answer.content.decode()
        assert (answer.status_code, f'id="{field}-error"' in text) == (422, True), wrong
        assert f'value="{wrong.get("beat", "nightly")}"' in text
    assert not Heartbeat.objects.exists()


def test_tools_that_tell_none_have_none(world: World, browser: Browser) -> None:
    am = Monitoring(world)
    ada = browser(world.ada)
    assert "Heartbeats" not in ada.get(f"/setup/alert-sources/{am.source.pk}").content.decode()
    assert ada.post(f"/setup/alert-sources/{am.source.pk}/heartbeats", SENT).status_code == 409
