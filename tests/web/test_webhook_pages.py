"""An administrator sets up a webhook, reads its log and sends a call again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.notifications import operations
from allswell.notifications.models import Attempt, Delivery, Webhook
from allswell.notifications.rules import Answer, Outcome
from tests.support.world import World

Browser = Callable[..., Client]


def test_set_up_read_the_log_send_again_switch_off(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    assert "No program is told anything yet." in ada.get("/setup/webhooks").content.decode()
    page = ada.post("/setup/webhooks", {"name": "Chat", "url": "https://chat.example.org/hook", "verbs": ["incident.reported"]})
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.content.decode())
    assert secret
    webhook = Webhook.objects.get()
    place = f"/setup/webhooks/{webhook.pk}"
    assert "Ada Admin has no role at the desk" in ada.get(place).content.decode()
    ada.post(place, {"name": "Chat", "url": webhook.url, "verbs": webhook.verbs, "owner": "julia@example.org"})
    assert Webhook.objects.get().owner == world.julia
    assert "has no role at the desk" not in ada.get(place).content.decode()
    ticket = world.report()
    (claim,) = operations.claim_calls(now=world.now, limit=5)
    operations.note_attempt(claim, Answer(Outcome.FAILED, world.now, world.now + timedelta(seconds=1), "It answered 500.", 500))
    operations.settle(claim, Outcome.FAILED, now=world.now)
    html = ada.get(place).content.decode()
    assert f"INC-{ticket.pk}" in html
    assert "500" in html
    assert secret.group() not in html
    again = f"{place}/calls/{claim.id}/redeliver"
    assert ada.post(again).headers["Location"] == place
    assert Delivery.objects.get(pk=claim.id).settled_at is None
    assert "waiting to be sent already" in ada.get(ada.post(again).headers["Location"]).content.decode()
    assert "whsec_" in ada.post(f"{place}/new-secret").content.decode()
    ada.post(f"{place}/switch")
    assert not Webhook.objects.get().is_active
    ada.post(f"{place}/switch", {"on": "1"})
    assert Webhook.objects.get().is_active
    assert Attempt.objects.count() == 1


def test_mistakes_are_said_beside_the_field(world: World, browser: Browser) -> None:
    page = browser(world.ada).post("/setup/webhooks", {"name": "Chat", "url": "ftp://example.org", "verbs": []})
    assert page.status_code == 422
    assert 'id="url-error"' in page.content.decode()
    assert not Webhook.objects.exists()


def test_only_set_up_may(world: World, browser: Browser) -> None:
    browser(world.ada).post("/setup/webhooks", {"name": "Chat", "url": "https://chat.example.org/"})
    place = f"/setup/webhooks/{Webhook.objects.get().pk}"
    assert browser(world.jonas).get(place).status_code == 403
    assert browser(world.maria).get(place).status_code == 302
    audrey = browser(world.audrey)
    assert audrey.get(place).status_code == 200
    for path in (place, f"{place}/new-secret", f"{place}/switch"):
        assert audrey.post(path, {"name": "x", "url": "https://example.org/"}).status_code == 403
    assert audrey.get("/setup/webhooks/999999").status_code == 404


def test_the_log_costs_the_same_however_long(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    ada.post("/setup/webhooks", {"name": "Chat", "url": "https://chat.example.org/"})
    for _ in range(60):
        world.report()
    place = f"/setup/webhooks/{Webhook.objects.get().pk}"
    with CaptureQueriesContext(
        connection,
    ) as asked:
        first = ada.get(place).content.decode()
    assert len(asked) <= 15
    following = re.search(r'href="([^"]+before=\d+)"', first)
    assert following
    assert ada.get(following.group(1)).status_code == 200
    assert ada.get(f"{place}?before=x").status_code == 400
