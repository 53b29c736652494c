"""A file larger than the memory an import may use comes in: it is read row by row, and nothing of it is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.desk import Desk

LIMIT_MB = 300
ROWS = 16_000
MAPPING = """
name: old-desk
date_order: dmy
columns:
  ref: id
  title: subject
  state: {column: state, values: {Open: new}}
  requester: caller
  opened_at: opened
"""
#: starts the command from a small process: what is started straight from here inherits the largest memory of these tests
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
sys.stdout.write(done.stdout + done.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // (1_000_000 if sys.platform == "darwin" else 1000))
sys.exit(done.returncode)
"""


def write_large(path: Path) -> None:
    """Tickets of a person each, with a column nobody asks for that makes the file larger than the limit."""
    log = "22:14 retry, 22:15 retry, " * 800
    with path.open("w", encoding="utf-8") as file:
        file.write("id,subject,state,caller,opened,log\n")
        for number in range(ROWS):
            file.write(f'{number},Printer {number} jams,Open,Caller {number},1/2/2024 10:00,"{log}"\n')


def peak(desk: Desk, *arguments: str) -> tuple[int, str]:
    """(largest memory in MB, what the command printed)."""
    command = [sys.executable, "-c", MEASURED, *desk.command(*arguments)]
    done = subprocess.run(command, env=desk.environment, cwd=desk.home, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    *told, most = done.stdout.strip().splitlines()
    return int(most), "\n".join(told)


@pytest.mark.slow
def test_a_file_larger_than_the_limit_is_brought_in_below_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.run("migrate")
    (tmp_path / "map.yaml").write_text(MAPPING)
    large = tmp_path / "old.csv"
    write_large(large)
    try:
        assert large.stat().st_size > LIMIT_MB * 1_000_000
        how = ("import", "tickets", "old.csv", "--mapping", "map.yaml", "--timezone", "UTC", "--json")
        looking, told = peak(desk, *how, "--dry-run")
        assert json.loads(told)["tickets"]["created"] == ROWS
        bringing, told = peak(desk, *how)
        assert json.loads(told)["tickets"]["created"] == ROWS
    finally:
        large.unlink()
    assert max(looking, bringing) < LIMIT_MB
    assert min(looking, bringing) > 20, "nothing was measured"
