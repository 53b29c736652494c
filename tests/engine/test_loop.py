"""Modules work side by side; one that fails is seen and tried again; an engine older than its database stops."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from allswell.engine import loop
from allswell.engine.loop import NOTHING, Runner, Work
from allswell.jobs import queries as jobs
from allswell.kernel import clock


class Bell:
    """A module that rings once, or fails."""

    name, idle, limit = "bell", 0.1, 5.0

    def __init__(self, rings: int = 1, error: Exception | None = None) -> None:
        self.rings, self.error, self.rang = rings, error, threading.Event()

    def is_due(self, now: datetime) -> bool:
        return self.rings > 0

    def tick(self, now: datetime) -> Work:
        if self.error:
            raise self.error
        self.rings -= 1
        self.rang.set()
        return Work(1, is_more=self.rings > 0)


def runner(module: Bell) -> Runner:
    return Runner(module, threading.Event(), threading.Event())


@pytest.mark.django_db
def test_what_is_due_is_done_at_once_then_it_idles() -> None:
    bell = runner(Bell(rings=2))
    assert [bell.once(), bell.once(), bell.once()] == [0, 0.1, 0.1]
    assert bell.pulse("here/1", clock.now()).worked_at is not None


@pytest.mark.django_db
def test_a_failure_is_shown_without_secrets_and_tried_again_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    bell = runner(Bell(error=RuntimeError("cannot reach smtp://desk:hunter2@mail.example.org")))
    pauses = [bell.once() for _ in range(8)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == loop.LONGEST_PAUSE
    pulse = bell.pulse("here/1", clock.now())
    assert "RuntimeError: cannot reach smtp://…@mail.example.org" in pulse.error
    assert "hunter2" not in pulse.error
    bell.module.error = None  # type: ignore[attr-defined]
    bell.once()
    assert bell.pulse("here/1", clock.now()).error == ""


@pytest.mark.django_db
def test_an_engine_older_than_its_database_stops_and_says_so() -> None:
    known = loop.known_migrations()
    assert not loop.is_database_newer(known)
    MigrationRecorder(connection).record_applied("tickets", "0999_from_the_future")
    assert loop.is_database_newer(known)
    bell = runner(Bell())
    bell.is_behind.set()
    bell.once()
    assert not bell.module.rang.is_set()  # type: ignore[attr-defined]
    assert "newer than this program" in bell.pulse("here/1", clock.now()).error


@pytest.mark.django_db(transaction=True)
def test_it_runs_beats_and_signs_off() -> None:
    stop, bell = threading.Event(), Bell()
    engine = threading.Thread(target=loop.run, args=([bell], stop))
    engine.start()
    assert bell.rang.wait(20)
    (pulse,) = jobs.pulses()
    assert (pulse.module, pulse.node, pulse.error) == ("bell", loop.node_name(), "")
    stop.set()
    engine.join(20)
    assert not engine.is_alive()
    assert jobs.pulses() == []
    assert NOTHING.done == 0
