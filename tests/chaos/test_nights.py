"""A page survives kill -9, a bad carrier, a database that is restarted, a clock that jumps, and an engine that sleeps for hours.

These are the short nights; `python -m bench.paging_killed` plays the long ones.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from tests.chaos.night import Night, play, until
from tests.support import early
from tests.support.carrier import Carrier

pytestmark = pytest.mark.slow


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with Carrier() as bad:
        yield bad


@pytest.fixture
def night(tmp_path: Path, carrier: Carrier) -> Iterator[Night]:
    made = Night(tmp_path, carrier)
    yield made
    for process in made.engines:
        process.kill()


def test_kill_9_at_random_loses_no_page_and_no_step(night: Night, carrier: Carrier) -> None:
    carrier.badness = 0.2
    engines = 2 if early.SERVER is not None else 1
    morning = play(night, kills=20, count=60, engines=engines, apart=1.5, seed=20261123)
    assert len(morning.reported) == 60
    assert morning.without_page == []
    assert morning.missed_steps == []
    assert morning.unknown_keys == set()
    # how many come twice hangs on how busy the machine is at a kill every other second: the long nights judge that


@pytest.mark.skipif(early.SERVER is None, reason="SQLite has no server that could be restarted")
def test_the_database_is_restarted_in_the_middle(night: Night, carrier: Carrier) -> None:
    server = early.SERVER
    assert server is not None
    night.engine()
    with night.reporting(6, seconds=1) as numbers:
        pass
    connections.close_all()  # that of this process, too: the tests after this one begin with a new one
    server.run("pg_ctl", "-D", str(server.folder / "data"), "-w", "-m", "fast", "restart")
    morning = night.morning(numbers)
    assert (morning.without_page, morning.missed_steps) == ([], [])


def test_the_clock_is_set_back_by_an_hour_and_on_by_one(night: Night, carrier: Carrier) -> None:
    moved = night.folder / "CLOCK_MOVED"
    night.engine()
    with night.reporting(2, seconds=0.2) as early_numbers:
        until(lambda: len(carrier.arrivals) >= 2, seconds=60, what="Amir is called")
    moved.write_text("-3600")
    morning_of_back = time.monotonic()
    until(lambda: len(carrier.keys) >= 4, seconds=60, what="Priya is called although the clock says it is an hour earlier")
    assert time.monotonic() - morning_of_back < 60
    moved.write_text("3600")
    with night.reporting(2, seconds=0.2) as late_numbers:
        pass
    morning = night.morning([*early_numbers, *late_numbers])
    assert (morning.without_page, morning.missed_steps) == ([], [])


def test_the_engine_sleeps_for_hours_and_wakes(night: Night, carrier: Carrier) -> None:
    engine = night.engine()
    with night.reporting(2, seconds=0.2) as numbers:
        until(lambda: len(carrier.arrivals) >= 2, seconds=60, what="Amir is called")
    os.kill(engine.pid, signal.SIGSTOP)
    (night.folder / "CLOCK_MOVED").write_text(str(6 * 3600))
    os.kill(engine.pid, signal.SIGCONT)
    morning = night.morning(numbers)
    assert (morning.without_page, morning.missed_steps) == ([], [])
