"""A night with everything that can go wrong: real engines, a real carrier, kill -9; and what must be true in the morning."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import early
from tests.support.carrier import Carrier

ROOT = Path(__file__).resolve().parents[2]


def until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for something another process does."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


@dataclass
class Morning:
    """What is true after a night."""

    reported: list[int]
    said: dict[int, dict[str, list[Any]]]
    carrier: Carrier

    @property
    def without_page(self) -> list[int]:
        """Incidents that were kept and whose page did not reach the carrier."""
        arrived = {one.number for one in self.carrier.arrivals}
        return [number for number in self.reported if number not in arrived]

    @property
    def missed_steps(self) -> list[int]:
        """Incidents of which not each step was taken exactly once, or some page was not sent."""
        wanted = [[0, "Amir Haddad"], [1, "Priya Nair"]]
        return [
            number
            for number in self.reported
            if self.said.get(number, {}).get("pages") != wanted
            or self.said[number]["runs"] != ["exhausted"]
            or [outcome for _, outcome in self.said[number]["deliveries"]] != ["sent", "sent"]
        ]

    @property
    def unknown_keys(self) -> set[str]:
        """Keys the carrier got that are not those of the deliveries, one for each."""
        kept = {key for of in self.said.values() for key, _ in of["deliveries"]}
        return set(self.carrier.keys) ^ kept

    @property
    def twice(self) -> float:
        """The share of pages that came again after the carrier had taken them."""
        return self.carrier.twice / max(1, len(self.carrier.keys))


@dataclass
class Night:
    """A database of its own, and processes that work on it."""

    folder: Path
    carrier: Carrier
    url: str = ""
    engines: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        url = self.url or f"sqlite:///{self.folder / 'night.sqlite3'}"
        if not self.url and early.SERVER is not None:
            name = f"night_{self.folder.name.replace('-', '_')}"
            early.SERVER.run("createdb", "-h", str(early.SERVER.folder), name)
            url = early.SERVER.url(name)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ALLSWELL_")},
            "DJANGO_SETTINGS_MODULE": "allswell.boot.settings",
            "ALLSWELL_DATA_DIR": str(self.folder),
            "ALLSWELL_DATABASE_URL": url,
            "ALLSWELL_OUTGOING_ALLOW": "127.0.0.1",
            "ALLSWELL_LOG_LEVEL": "CRITICAL",
        }
        self.run("-m", "django", "migrate", "-v0")
        self.run("-m", "tests.chaos.driver", "seed", self.carrier.url)

    def run(self, *arguments: str) -> str:
        """Run a program to its end; what it printed."""
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def engine(self) -> subprocess.Popen[bytes]:
        """Start an engine."""
        command = [sys.executable, "-m", "tests.chaos.driver", "engine"]
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT)
        self.engines.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9."""
        process.kill()
        process.wait()
        self.engines.remove(process)

    def stop(self) -> None:
        """Let all engines end in good order."""
        for process in self.engines:
            process.terminate()
        for process in self.engines:
            process.wait(60)
        self.engines.clear()

    @contextmanager
    def reporting(self, count: int, *, seconds: float) -> Iterator[list[int]]:
        """Incidents are opened meanwhile; the numbers of those that were kept."""
        command = [sys.executable, "-m", "tests.chaos.driver", "report", str(count), str(seconds)]
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        numbers: list[int] = []
        reader = threading.Thread(target=lambda: numbers.extend(int(line) for line in process.stdout or ()), daemon=True)
        reader.start()
        yield numbers
        assert process.wait(300) == 0
        reader.join(10)
        process.stdout.close()

    def verdict(self) -> dict[int, dict[str, list[Any]]]:
        """What the database says of each ticket."""
        return {int(number): of for number, of in json.loads(self.run("-m", "tests.chaos.driver", "verdict")).items()}

    def morning(self, reported: list[int], *, seconds: float = 180) -> Morning:
        """Let the engines come to the end of all runs, stop them, and look."""

        def is_over() -> bool:
            said = self.verdict()
            return all(
                said.get(number, {}).get("runs") == ["exhausted"] and all(outcome for _, outcome in said[number]["deliveries"])
                for number in reported
            )

        until(is_over, seconds=seconds, what="all runs come to their end")
        self.stop()
        return Morning(reported, self.verdict(), self.carrier)


def play(night: Night, *, kills: int, count: int, engines: int, apart: float, seed: int) -> Morning:
    """Kill engines at random while incidents come in; one is always started again."""
    chance = random.Random(seed)
    for _ in range(engines):
        night.engine()
    with night.reporting(count, seconds=kills * apart) as numbers:
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, 2 * apart - 0.2))
            night.kill(chance.choice(night.engines))
            night.engine()
    return night.morning(numbers)
