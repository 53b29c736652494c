"""Make the dump that later versions must be able to take: python -m tests.upgrade.make, once, at the close of an issue.

A small desk (the cast of the tests, tickets in several states with their clocks, a file) is backed up as an operator would do it, on
SQLite and on PostgreSQL, into tests/upgrade/<version>-<database>.tar.gz. Landed dumps are never made anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_FILL = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
import io
from allswell.desk import attachments, calendars
from allswell.desk import tickets as desk
from tests.support.world import World
world = World()
hours = calendars.Hours(week=[[(540, 1020)]] * 5 + [[], []], country="DE")
calendars.create_calendar(name="Office hours", zone="Europe/Berlin", hours=hours, **world.by(world.ada))
world.promise()
first = world.report(service=world.lookup.pk)
file = attachments.upload(io.BytesIO(b"smoke " * 100), name="smoke.txt", content_type="text/plain", **world.by(world.maria))
attachments.attach(first.pk, tokens=(file.token,), **world.by(world.maria))
desk.take(first.pk, **world.by(world.jonas))
desk.reply(first.pk, body="We are on it.", **world.by(world.jonas))
desk.note(first.pk, body="Listener on db-07 is down.", **world.by(world.jonas))
second = world.report(title="Printer on fire", service=world.printing.pk)
desk.take(second.pk, **world.by(world.julia))
desk.resolve(second.pk, resolution="Put out.", **world.by(world.julia))
world.report(world.otto, title="Of another customer")
third = world.report()
desk.reply(third.pk, body="Which of the two?", then_waits=True, **world.by(world.julia))
"""


def make(version: str, database: str) -> Path:
    """Make one dump; returns its path."""
    target = HERE / f"{version}-{database}.tar.gz"
    if target.exists():
        raise SystemExit(f"{target} exists; landed dumps are never made anew.")
    command = [sys.executable, "-m", "tests.upgrade.make", version, "--inside"]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "TEST_DATABASE": database})
    return target


def fill_and_back_up(target: Path) -> None:
    """In a process of its own, on the database that TEST_DATABASE names."""
    from tests.support import early

    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ALLSWELL_DATA_DIR": home, "PYTHONPATH": str(ROOT)}
        if early.SERVER:
            environment["ALLSWELL_DATABASE_URL"] = early.SERVER.url("allswell")
        subprocess.run([sys.executable, "-c", _FILL], check=True, env=environment)
        subprocess.run([sys.executable, "-m", "allswell", "backup", str(target)], check=True, env=environment, cwd=ROOT)


def main() -> int:
    """Make both."""
    import allswell

    version = sys.argv[1] if len(sys.argv) > 1 else allswell.__version__
    if "--inside" in sys.argv:
        fill_and_back_up(HERE / f"{version}-{os.environ['TEST_DATABASE']}.tar.gz")
        return 0
    for database in ("sqlite", "postgresql"):
        print(make(version, database))
    return 0


if __name__ == "__main__":
    sys.exit(main())
