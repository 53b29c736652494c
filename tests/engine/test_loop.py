"""Modules work side by side; one that fails is seen and tried again; an engine older than its database stops."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from allswell.engine import loop
from allswell.engine.loop import NOTHING, Beats, Runner, Work
from allswell.engine.steady import Steady
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


class Machine:
    """A machine whose clocks do what the story says."""

    def __init__(self) -> None:
        self.wall, self.lived = datetime(2026, 11, 23, 9, 0, tzinfo=UTC), 50.0
        self.steady = Steady(lambda: self.wall, lambda: self.lived)

    def sleep(self, **delta: float) -> None:
        """Time passes, on every clock."""
        self.wall += timedelta(**delta)
        self.lived += timedelta(**delta).total_seconds()


class Looker(Bell):
    """A module that notes what is known of blindness when it looks."""

    def is_due(self, now: datetime) -> bool:
        self.known = jobs.blind_times(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)).count()
        return False


@pytest.mark.django_db
def test_a_process_held_still_for_six_hours_says_so_before_it_does_anything_else() -> None:
    machine, looker = Machine(), runner(Looker())
    beats = Beats([looker], "here/1", looker.is_behind, machine.steady)
    looker.before = beats.catch_up
    beats.beat()
    asleep = machine.wall
    machine.sleep(hours=6)
    looker.once()
    assert looker.module.known == 1  # type: ignore[attr-defined]
    (row,) = jobs.was_blind(asleep, machine.wall)
    assert (row.from_at, row.until_at, row.why) == (asleep, machine.wall, "silent")
    looker.once()
    beats.beat()
    assert jobs.was_blind(asleep, machine.wall) == [row]


@pytest.mark.django_db
def test_a_clock_set_back_is_written_down_once_and_time_goes_on() -> None:
    machine, bell = Machine(), runner(Bell())
    beats = Beats([bell], "here/1", bell.is_behind, machine.steady)
    beats.beat()
    was = machine.steady.now()
    machine.wall -= timedelta(hours=1)
    machine.sleep(seconds=5)
    beats.beat()
    beats.beat()
    assert machine.steady.now() >= was + timedelta(seconds=4)
    assert jobs.last_watched() == machine.wall
    (row,) = jobs.blind_times(was - timedelta(hours=2), was + timedelta(hours=2))
    assert (row.why, row.moved_seconds) == ("clock_moved", -3600)


@pytest.mark.django_db
def test_a_database_that_was_away_is_named_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "close", lambda: None)
    machine, bell = Machine(), runner(Bell())
    beats = Beats([bell], "here/1", bell.is_behind, machine.steady)
    beats.beat()
    since = machine.wall

    def away(known: object) -> bool:
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(loop, "is_database_newer", away)
        for _ in range(8):
            machine.sleep(seconds=5)
            beats.beat()
    machine.sleep(seconds=5)
    beats.beat()
    (row,) = jobs.was_blind(since, machine.wall)
    assert (row.why, row.until_at - row.from_at) == ("database_away", timedelta(seconds=45))


@pytest.mark.django_db
def test_an_engine_whose_clocks_hang_does_not_say_that_it_watches() -> None:
    machine, bell = Machine(), runner(Bell())
    bell.module.name = "clocks"
    beats = Beats([bell], "here/1", bell.is_behind, machine.steady)
    beats.beat()
    seen = jobs.last_watched()
    bell.health.busy_since = clock.monotonic() - 60
    machine.sleep(seconds=5)
    beats.beat()
    assert jobs.last_watched() == seen
    bell.health.busy_since = None
    machine.sleep(seconds=5)
    beats.beat()
    assert jobs.last_watched() == machine.wall
