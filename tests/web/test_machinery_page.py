"""Who administers sees whether the machinery watches, who watches it, and when nothing was watching."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.cli import doctor
from allswell.desk import machinery
from allswell.intake.models import Mailbox
from allswell.jobs.queries import Pulse
from allswell.jobs.rules import Glance
from allswell.kernel import clock
from allswell.kernel.actor import engine
from allswell.people.models import Person
from tests.support.post import Post
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


def beat(at: datetime, *, node: str = "here/1", own_at: datetime | None = None, error: str = "") -> None:
    pulse = Pulse(node, "clocks", "0.4.0", at, at, 3, error, at if error else None)
    machinery.beat([pulse], Glance(node, own_at), actor=engine(), now=at)


def page(person: Person, path: str, **more: Any) -> str:
    client = Client(**more)
    client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def blind(world: World) -> None:
    """Nothing watched for sixteen minutes."""
    beat(world.now)
    world.forward(minutes=16)
    beat(world.now)


def test_engines_watchers_and_blind_times_are_shown(world: World, settings: Any) -> None:
    settings.WATCHER_TOKEN = ""
    text = page(world.ada, "/setup/machinery")
    assert "No engine runs" in text
    assert "allswell watch" in text
    blind(world)
    beat(world.now, node="there/7", error="RuntimeError: <b>broken</b>")
    machinery.watched_by("hobbit", actor=engine(), now=world.now)
    world.forward(seconds=12)
    text = page(world.ada, "/setup/machinery")
    assert "Mon 23 Nov 09:00 to 09:16" in text
    assert "Nothing was watching for 16 minutes." in text
    assert "last seen 12 seconds ago" in text
    assert "&lt;b&gt;broken" in text
    world.forward(minutes=6)
    text = page(world.audrey, "/setup/machinery")
    assert "not seen for 6 minutes" in text
    assert "Silent" in text


def test_the_board_says_for_a_day_that_nothing_was_watching_in_the_viewers_zone(world: World) -> None:
    blind(world)
    world.jonas.time_zone = "Europe/Zurich"
    world.jonas.save()
    assert "Mon 23 Nov 10:00 to 10:16: Nothing was watching for 16 minutes." in page(world.jonas, "/oncall/")
    world.jonas.locale = "de"
    world.jonas.save()
    assert "16 Minuten lang hat nichts gewacht." in page(world.jonas, "/oncall/")
    world.forward(days=1, minutes=1)
    assert "hat nichts gewacht" not in page(world.jonas, "/oncall/")


def test_a_program_reads_blind_times_and_figures_count_them(world: World) -> None:
    blind(world)
    program = Program(world, world.jonas)
    (row,) = program.get("/blind-times").json()["items"]
    assert (row["why"], row["moved_seconds"], row["node"]) == ("silent", 0, "here/1")
    assert datetime.fromisoformat(row["until_at"]) - datetime.fromisoformat(row["from_at"]) == timedelta(minutes=16)
    assert program.get("/blind-times?from=2026-11-01T00:00:00Z&until=2026-11-02T00:00:00Z").json()["items"] == []
    assert program.get("/blind-times?from=2026-11-03T00:00:00Z&until=2026-11-02T00:00:00Z").status_code == 422
    assert Program(world, world.maria).get("/blind-times").status_code == 403
    figures = Client().get("/metrics").content.decode()
    assert "allswell_blind_seconds 960.0" in figures
    assert "allswell_watched_age_seconds 0.0" in figures


def test_the_doctor_misses_a_watcher(world: World) -> None:
    machinery.watched_by("hobbit", actor=engine(), now=world.now)
    (found,) = doctor._watchers(world.now + timedelta(seconds=20))
    assert (found.state, found.found) == (doctor.GOOD, "hobbit looked 20 s ago.")
    (found,) = doctor._watchers(world.now + timedelta(minutes=6))
    assert found.state == doctor.BAD


def test_a_mailbox_that_fails_and_mail_nobody_decides_about_are_shown(world: World) -> None:
    assert "Mail that comes in" not in page(world.ada, "/setup/machinery")
    post = Post(world, unknown_senders="hold")
    post.mail("Eve <eve@elsewhere.example>")
    text = page(world.ada, "/setup/machinery")
    assert "Every mailbox in use takes mail." in text
    assert "held for more than a day" not in text
    Mailbox.objects.update(failing_since=world.now, last_error="sign_in: NO <b>")
    world.forward(hours=25)
    text = page(world.ada, "/setup/machinery")
    assert "The server does not accept the user name and the password. (NO &lt;b&gt;)" in text
    assert "1 mail is held for more than a day" in text
    figures = Client().get("/metrics").content.decode()
    assert "allswell_mailboxes_failing 1.0" in figures
    assert "allswell_mailbox_failing_seconds 90000.0" in figures
    assert 'allswell_mail_undecided{state="held"} 1.0' in figures
    assert 'allswell_mail_undecided{state="quarantined"} 0.0' in figures
