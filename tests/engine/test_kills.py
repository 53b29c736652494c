"""An engine that is killed in the middle of sending loses no notice, and what is sent twice carries the same key.

Real processes on a real database file (or PostgreSQL), a real mail server and a real receiver of webhooks.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from tests.support import early
from tests.support.mailbox import Mailbox
from tests.support.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """A database of its own, and processes that work on it."""

    def __init__(self, folder: Path, mailbox: Mailbox) -> None:
        url = f"sqlite:///{folder / 'kills.sqlite3'}"
        if early.SERVER is not None:
            name = f"kills_{folder.name.replace('-', '_')}"
            early.SERVER.run("createdb", "-h", str(early.SERVER.folder), name)
            url = early.SERVER.url(name)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ALLSWELL_")},
            "DJANGO_SETTINGS_MODULE": "allswell.boot.settings",
            "ALLSWELL_DATA_DIR": str(folder),
            "ALLSWELL_DATABASE_URL": url,
            "ALLSWELL_SMTP_URL": mailbox.url,
            "ALLSWELL_MAIL_FROM": "Desk <desk@example.org>",
            "ALLSWELL_OUTGOING_ALLOW": "127.0.0.1",
            "ALLSWELL_LOG_LEVEL": "WARNING",
        }
        self.run("-m", "django", "migrate", "-v0")

    def run(self, *arguments: str) -> str:
        """Run a program to its end; what it printed."""
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def engine(self) -> subprocess.Popen[bytes]:
        """Start an engine."""
        return subprocess.Popen([sys.executable, "-m", "tests.engine.driver", "engine"], env=self.environment, cwd=ROOT)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for something another process does."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def recipients(mailbox: Mailbox) -> dict[str, set[str]]:
    """Address -> the Message-IDs it got."""
    found: dict[str, set[str]] = defaultdict(set)
    for mail in mailbox.received:
        found[str(mail["To"])].add(str(mail["Message-ID"]))
    return found


@pytest.mark.slow
def test_kill_9_while_sending_loses_nothing(tmp_path: Path, mailbox: Mailbox, receiver: Receiver) -> None:
    count, kills, chance = 200, 5, random.Random(20261123)
    installation = Installation(tmp_path, mailbox)
    secret = installation.run("-m", "tests.engine.driver", "seed", str(count), receiver.url()).strip()
    for _ in range(kills):
        process = installation.engine()
        aim = len(mailbox.received) + chance.randrange(3, 30)
        until(lambda aim=aim: len(mailbox.received) >= aim, seconds=60, what="mails go out")  # type: ignore[misc]
        process.kill()
        process.wait()
    last = installation.engine()
    until(lambda: len(recipients(mailbox)) == count, seconds=120, what=f"all {count} have their mail")
    ids = lambda: {one.headers["webhook-id"] for one in list(receiver.calls)}  # noqa: E731
    until(lambda: len(ids()) == count, seconds=60, what=f"all {count} calls are made")
    last.terminate()
    assert last.wait(40) == 0

    assert all(len(keys) == 1 for keys in recipients(mailbox).values())
    assert len(mailbox.received) - count <= kills
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for one in receiver.calls:
        Verifier(secret).verify(one.body, one.headers)
        bodies[one.headers["webhook-id"]].add(one.body)
    assert all(len(said) == 1 for said in bodies.values())
    assert len(receiver.calls) - count <= kills * 4


@pytest.mark.slow
def test_two_engines_share_the_work_and_send_nothing_twice(tmp_path: Path, mailbox: Mailbox, receiver: Receiver) -> None:
    count = 120
    installation = Installation(tmp_path, mailbox)
    installation.run("-m", "tests.engine.driver", "seed", str(count), receiver.url())
    engines = [installation.engine(), installation.engine()]
    until(lambda: len(mailbox.received) >= count and len(receiver.calls) >= count, seconds=120, what="all is sent")
    for engine in engines:
        engine.terminate()
    assert [engine.wait(40) for engine in engines] == [0, 0]
    assert set(Counter(str(mail["Message-ID"]) for mail in mailbox.received).values()) == {1}
    assert set(Counter(one.headers["webhook-id"] for one in receiver.calls).values()) == {1}
    assert mailbox.connections >= 2


@pytest.mark.slow
def test_an_engine_killed_among_breaches_loses_none_and_tells_none_twice(tmp_path: Path, mailbox: Mailbox) -> None:
    count, kills, chance = 300, 5, random.Random(20261123)
    installation = Installation(tmp_path, mailbox)
    installation.run("-m", "tests.engine.driver", "clocks", str(count))
    for _ in range(kills):
        process = installation.engine()
        time.sleep(chance.uniform(2, 4))
        process.kill()
        process.wait()
    last = installation.engine()
    said: list[tuple[int, float, bool, int]] = []
    ends = time.monotonic() + 120
    while len(said) < count and time.monotonic() < ends:
        time.sleep(0.5)
        said = json.loads(installation.run("-m", "tests.engine.driver", "heard"))
    last.terminate()
    assert last.wait(40) == 0
    tickets = [ticket for ticket, *_ in said]
    assert len(tickets) == len(set(tickets)) == count
    assert all(seconds > 0 for _, seconds, *_ in said)
    assert all(told == (0 if is_late else 3) for *_, is_late, told in said)  # the two of the team, and its lead
