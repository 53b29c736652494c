"""`allswell serve` as processes: one port, an engine, and an end without leftovers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.set_up()
    yield desk
    desk.stop()


def test_one_port_serves_pages_api_probes_and_live_updates(desk: Desk) -> None:
    desk.start()
    assert desk.get("/healthz").status == 200
    assert desk.get("/readyz").status == 200
    page = desk.get("/sign-in")
    assert page.status == 200
    assert b"<!doctype html>" in page.body.lower()
    assert desk.get("/live").status == 401
    made = desk.post("/api/v1/tickets", kind="incident", title="Printer on fire", requester="ada@example.org")
    assert made.status == 201
    assert json.loads(made.body)["reference"].startswith("INC-")
    figures = desk.get("/metrics").body.decode()
    assert 'allswell_tickets_open{state="new"} 1.0' in figures
    assert 'allswell_requests_total{class="2xx"}' in figures


def test_the_engine_beats_beside_the_web(desk: Desk) -> None:
    desk.start()
    until = time.monotonic() + 20
    while "allswell_engine_heartbeat_age_seconds{" not in desk.get("/metrics").body.decode():
        assert time.monotonic() < until, "no heartbeat"
        time.sleep(0.2)


def test_a_second_server_does_not_share_the_port(desk: Desk) -> None:
    desk.start()
    done = subprocess.run(desk.command("serve"), env=desk.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(desk: Desk, how: int) -> None:
    desk.start()
    family = desk.family()
    assert len(family) == 4  # parent, two web processes, engine
    os.killpg(desk.process.pid, how) if how == signal.SIGINT else desk.process.send_signal(how)
    assert desk.process.wait(20) == 0
    desk.gone(family)
    assert "Traceback" not in desk.log()


def test_it_ends_cleanly_with_a_live_page_open(desk: Desk) -> None:
    desk.start()
    with socket.create_connection(("127.0.0.1", desk.port)) as page:
        page.sendall(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {desk.session_cookie()}\r\n\r\n".encode())
        page.settimeout(10)
        told = b""
        while b"event: hello" not in told:
            told += page.recv(4096)
        began = time.monotonic()
        desk.process.terminate()
        while b"event: bye" not in told:
            piece = page.recv(4096)
            assert piece, told
            told += piece
    assert desk.process.wait(20) == 0
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("after", [0.2, 0.5, 0.8, 1.1, 1.5])
def test_being_stopped_while_it_starts_leaves_nothing(desk: Desk, after: float) -> None:
    desk.stop()
    process = subprocess.Popen(desk.command("serve"), env=desk.environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(after)  # real processes start in real time
    family = desk.family(process.pid)
    process.terminate()
    assert process.wait(20) in (0, -signal.SIGTERM)
    desk.gone(family)


def test_children_that_die_come_back_and_follow_their_parent_into_a_sudden_death(desk: Desk) -> None:
    desk.start()
    family = desk.family()
    for child in family[1:]:
        os.kill(child, signal.SIGKILL)
    until = time.monotonic() + 30
    while len(set(desk.family()) - set(family)) < 3 or not _is_answering(desk):
        assert time.monotonic() < until, desk.log()
        time.sleep(0.1)
    family = desk.family()
    desk.process.kill()
    desk.process.wait(20)
    desk.gone(family)


def _is_answering(desk: Desk) -> bool:
    try:
        return desk.get("/healthz").status == 200
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc")
def test_all_processes_together_stay_small(desk: Desk) -> None:
    desk.start()
    for _ in range(20):
        desk.get("/sign-in")
    assert desk.memory_mb() <= 260


def test_the_web_alone_has_no_engine_and_the_engine_alone_no_port(desk: Desk) -> None:
    desk.stop()
    desk.start("serve", "--web-only")
    assert len(desk.family()) == 3
    engine = subprocess.Popen(desk.command("engine"), env=desk.environment, stderr=subprocess.PIPE, text=True)
    assert engine.stderr is not None
    assert "started" in engine.stderr.readline()
    engine.terminate()
    assert engine.wait(30) == 0
    engine.stderr.close()
    desk.stop()
