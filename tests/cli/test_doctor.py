"""The doctor looks at everything and says what to do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from allswell.cli import doctor
from allswell.desk import machinery
from allswell.desk.mail import mailboxes
from allswell.jobs import schema
from allswell.jobs.queries import Pulse
from allswell.jobs.rules import Glance
from allswell.kernel import actor as actors
from allswell.kernel import clock
from tests.support.boxes import a_mailbox
from tests.support.post import Post
from tests.support.promises import promise, target
from tests.support.world import World

Run = Callable[..., Any]


@pytest.fixture
def found(world: World, settings: Any, tmp_path: Path) -> Callable[[], dict[str, list[doctor.Finding]]]:
    """What the doctor finds, by what it is about."""
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o750)

    def look() -> dict[str, list[doctor.Finding]]:
        findings: dict[str, list[doctor.Finding]] = {}
        for finding in doctor.examine(world.now):
            findings.setdefault(finding.about, []).append(finding)
        return findings

    return look


def beat(world: World, error: str = "") -> None:
    pulse = Pulse("here/1", "mail", "0.1", world.now, world.now, 5, error, world.now if error else None)
    machinery.beat([pulse], Glance("here/1"), actor=actors.engine(), now=world.now)


def states(findings: list[doctor.Finding]) -> set[str]:
    return {finding.state for finding in findings}


def test_a_silent_engine_and_a_failing_module_are_found(world: World, found: Any) -> None:
    assert states(found()["engine"]) == {"bad"}
    beat(world)
    assert states(found()["engine"]) == {"good"}
    beat(world, "SMTPException: no")
    (failing,) = found()["engine"]
    assert failing.state == "bad"
    assert "SMTPException" in failing.found
    world.forward(minutes=10)
    assert "No engine runs" in found()["engine"][0].found


def test_mails_that_wait_too_long_are_found(world: World, found: Any) -> None:
    world.report(service=world.lookup.pk)
    from allswell.notifications.models import Delivery

    assert states(found()["outbox"]) == {"good"}
    Delivery.objects.create(
        channel="email", topic="x", key="k", created_at=world.now, due_at=world.now - timedelta(minutes=6), person=world.maria
    )
    assert "bad" in states(found()["outbox"])


def test_a_schema_that_does_not_fit_is_found(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.known()
    assert states(found()["schema"]) == {"good"}
    monkeypatch.setattr(schema, "known", lambda: known | {("tickets", "0999_later")})
    assert "allswell migrate" in found()["schema"][0].advice
    monkeypatch.setattr(schema, "known", lambda: known - {("tickets", "0001_initial")})
    assert "newer" in found()["schema"][0].found


def test_a_database_that_is_away_stops_only_what_needs_it(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError("connection refused")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("allswell.cli.doctor.connection.cursor", away)
        findings = found()
    assert states(findings["database"]) == {"bad"}
    assert "engine" not in findings
    assert "disk" in findings


def test_clocks_that_differ_are_found(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(found()["clock"]) == {"good"}
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=3))
    assert states(found()["clock"]) == {"bad"}


@pytest.fixture
def mail_server() -> Iterator[int]:
    """A mail server that greets and offers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def greet() -> None:
            caller, _ = door.accept()
            with caller:
                caller.sendall(b"220 hello\r\n")
                caller.recv(1000)
                caller.sendall(b"250 hello\r\n")
                caller.recv(1000)
                caller.sendall(b"221 bye\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield door.getsockname()[1]


def test_the_mail_server_is_greeted(found: Any, settings: Any, mail_server: int) -> None:
    assert states(found()["mail"]) == {"note"}
    settings.MAIL_FROM = "Desk <desk@example.org>"
    settings.SMTP_URL = f"smtp+plain://127.0.0.1:{mail_server}"
    assert states(found()["mail"]) == {"good"}


def test_a_mail_server_without_encryption_or_without_life_is_found(found: Any, settings: Any, mail_server: int) -> None:
    settings.MAIL_FROM = "Desk <desk@example.org>"
    settings.SMTP_URL = f"smtp://desk:canary-secret@127.0.0.1:{mail_server}"
    (finding,) = found()["mail"]
    assert "STARTTLS" in finding.found
    settings.SMTP_URL = "smtp://desk:canary-secret@127.0.0.1:1"
    (finding,) = found()["mail"]
    assert finding.state == "bad"
    assert "canary" not in finding.found


def test_who_sends_text_messages_is_looked_at(found: Any, settings: Any) -> None:
    assert states(found()["paging"]) == {"note"}
    with socket.create_server(("127.0.0.1", 0)) as gateway:
        port = gateway.getsockname()[1]
        settings.SMS_URL = f"twilio+http://desk:canary-secret@127.0.0.1:{port}/?from=%2B1555"
        text, call = found()["paging"]
        assert (text.state, call.state) == ("bad", "note")
        assert "ALLSWELL_OUTGOING_ALLOW" in text.advice
        settings.OUTGOING_ALLOW = ["127.0.0.1"]
        assert found()["paging"][0].state == "good"
    assert found()["paging"][0].state == "bad"
    assert "canary" not in str(found()["paging"])


def test_keys_others_may_read_and_weak_ones_are_found(found: Any, settings: Any, tmp_path: Path) -> None:
    assert states(found()["secrets"]) == {"good"}
    key = tmp_path / "secret.key"
    key.write_text("x" * 64)
    key.chmod(0o644)
    assert "chmod 600" in found()["secrets"][0].advice
    key.chmod(0o600)
    settings.SECRET_KEY = "changeme"
    assert "weak" in found()["secrets"][0].found


def test_passwords_in_the_clear_are_found(found: Any, settings: Any) -> None:
    assert states(found()["address"]) == {"good"}
    settings.PUBLIC_URL = "http://desk.example.org"
    assert states(found()["address"]) == {"bad"}


def test_the_report_is_for_people_and_for_programs(world: World, allswell: Run, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.SMTP_URL = "smtp://desk:canary-secret@127.0.0.1:1"
    done = allswell("doctor")
    assert done.code == 1  # no engine runs
    assert "BAD   engine" in done.out
    assert "-> Start allswell serve" in done.out
    report = json.loads(allswell("doctor", "--json").out)
    assert report["state"] == "bad"
    assert {finding["about"] for finding in report["findings"]} >= {"database", "schema", "clock", "engine", "mail", "disk"}
    assert "canary" not in done.out + json.dumps(report)


def test_clocks_nobody_was_told_of_are_found(world: World, found: Any) -> None:
    promise(world, target("resolution", 240, warn={"minutes": 60}))
    world.report()
    world.report()
    world.forward(hours=3, seconds=5)
    assert states(found()["alarms"]) == {"good"}
    world.forward(seconds=25)
    (finding,) = found()["alarms"]
    assert finding.state == "bad"
    assert finding.found == "2 warnings and breaches of clocks wait to be told, the oldest for 30 s."


def test_a_mailbox_that_fails_and_mail_nobody_decides_about_are_found(world: World, found: Any) -> None:
    assert "mailboxes" not in found()
    box = a_mailbox(world, "imap")[0]
    assert states(found()["mailboxes"]) == {"good"}
    type(box).objects.filter(pk=box.pk).update(failing_since=world.now, last_error="sign_in: NO go away")
    (failing,) = found()["mailboxes"]
    assert (failing.state, "sign_in: NO go away" in failing.found, f"{world.now:%Y-%m-%d}" in failing.found) == (
        "bad",
        True,
        True,
    )
    mailboxes.switch(box.pk, is_active=False, **world.by(world.ada))
    assert "mailboxes" not in found()
    post = Post(world, unknown_senders="hold")
    post.mail("Eve <eve@elsewhere.example>")
    assert "mail in" not in found()
    world.forward(hours=25)
    (waits,) = found()["mail in"]
    assert (waits.state, "is held for more than a day: 1" in waits.found) == ("note", True)
