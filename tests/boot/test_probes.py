"""What machines ask: is it alive, is it ready, how does it fare."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from allswell.boot import tally
from allswell.desk import alarms, calling, machinery
from allswell.jobs import queries as jobs
from allswell.jobs import schema
from allswell.jobs.rules import Glance
from allswell.kernel import clock
from allswell.kernel.actor import engine
from tests.desk.test_paging import dba_policy, down
from tests.support.promises import promise, target
from tests.support.world import World


def test_health_needs_no_database_no_session_and_no_host_name(client: Client) -> None:
    answer = client.get("/healthz", headers={"host": "10.1.2.3:8000"})
    assert (answer.status_code, answer.json()) == (200, {"state": "healthy"})
    assert client.post("/healthz").status_code == 405


def test_ready_says_why_it_is_not(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").json() == {"state": "ready"}
    known = schema.known()
    monkeypatch.setattr(schema, "known", lambda: known | {("tickets", "0999_later")})
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "1 migrations are pending.")
    monkeypatch.setattr(schema, "known", lambda: known - {("tickets", "0001_initial")})
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database is newer than this program.")

    def away() -> None:
        raise DatabaseError("password=hunter2 refused")

    monkeypatch.setattr(schema, "look", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")


def beat(now: datetime) -> None:
    machinery.beat([], Glance("here/1"), actor=engine(), now=now)


def test_watched_while_an_engine_beats_and_nothing_due_waits(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    answer = client.get("/watchz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "No engine has watched for a minute.")
    beat(world.now)
    world.forward(seconds=60)
    assert client.get("/watchz").json() == {"state": "watching"}
    world.forward(seconds=1)
    assert client.get("/watchz").status_code == 503
    beat(world.now)
    promise(world, target("resolution", 30))
    world.report()
    world.forward(minutes=31, seconds=30)
    beat(world.now)
    answer = client.get("/watchz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "What is due has waited for more than a minute.")

    alarms.fire(actor=engine(), now=world.now)
    assert client.get("/watchz").json() == {"state": "watching"}
    dba_policy(world)
    down(world)
    world.forward(seconds=61)
    beat(world.now)
    assert client.get("/watchz").status_code == 503
    calling.take_steps(limit=50, actor=engine(), now=world.now)
    assert client.get("/watchz").json() == {"state": "watching"}
    world.forward(seconds=61)
    beat(world.now)
    assert client.get("/watchz").status_code == 503  # the page waits to be sent

    def away() -> None:
        raise DatabaseError("password=hunter2 refused")

    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(jobs, "last_watched", away)
    answer = client.get("/watchz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")


def test_a_watcher_is_noted_only_with_the_token(client: Client, db: None, settings: Any) -> None:
    shown = {"allswell-watcher": "hobbit", "authorization": "Bearer a long token"}
    client.get("/watchz", headers=shown)
    settings.WATCHER_TOKEN = "a long token"
    client.get("/watchz", headers={"allswell-watcher": "hobbit", "authorization": "Bearer anöther"})
    client.get("/watchz", headers={"allswell-watcher": "x" * 61, "authorization": "Bearer a long token"})
    client.get("/watchz", headers={"authorization": "Bearer a long token"})
    assert not jobs.watchers().exists()
    client.get("/watchz", headers=shown)
    assert [row.name for row in jobs.watchers()] == ["hobbit"]


def test_figures_are_for_this_machine_or_for_who_has_the_token(client: Client, db: None, settings: Any) -> None:
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", **{"REMOTE_ADDR": "127.0.0.1", "allswell.is_forwarded": True}).status_code == 404
    settings.METRICS_TOKEN = "a long token"
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer another"}).status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer a long token"}).status_code == 200


def test_figures_tell_of_tickets_and_requests_and_of_no_secret(
    client: Client, world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMTP_URL = "smtp://desk:canary-secret@mail.example.org"
    settings.METRICS_TOKEN = "canary-secret-too"
    shared = tally.Tally(2)
    shared.count(0, 200, 0.004)
    shared.count(1, 201, 0.3)
    shared.count(1, 500, 60.0)
    monkeypatch.setattr(tally, "shared", shared)
    world.report()
    text = client.get("/metrics", headers={"authorization": "Bearer canary-secret-too"}).content.decode()
    assert 'allswell_tickets_open{state="new"} 1.0' in text
    assert 'allswell_requests_total{class="2xx"} 2.0' in text
    assert 'allswell_requests_total{class="5xx"} 1.0' in text
    assert 'allswell_request_seconds_bucket{le="0.005"} 1.0' in text
    assert 'allswell_request_seconds_bucket{le="+Inf"} 3.0' in text
    assert "allswell_database_up 1.0" in text
    assert 'allswell_deliveries_pending{channel="email"}' in text
    assert "allswell_clock_alarms_overdue 0.0" in text
    assert "canary" not in text
    assert "Maria" not in text
