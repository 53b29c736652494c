"""Signals that come all at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

_WAITS = """
import signal
from allswell.boot.stopping import stop_on
stop = stop_on(signal.SIGTERM)
print("ready", flush=True)
while not stop.wait(0.0001):
    pass
"""


def test_many_signals_at_once_stop_it_and_none_is_in_the_way_of_another() -> None:
    for _ in range(5):
        command = [sys.executable, "-c", _WAITS]
        with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for _signal in range(200):
                process.send_signal(signal.SIGTERM)
            try:
                _, said = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            assert process.returncode in (0, -signal.SIGTERM), said
