"""The figures of the clocks, on both databases.

    python -m bench.clocks [--parts replay,lateness] [--databases sqlite,postgresql] [--entries 1000000] [--clocks 1000000]
                           [--rate 500] [--seconds 60] [--json FILE]

Replay: a journal of ten years without clocks, ten entries a ticket, is replayed: every clock is solved and written; then once more,
which must find no difference. Lateness: of very many open clocks some come due every second, half of them warnings; the engine runs as a
process of its own and tells teams of four and their leads. "claimed" is from a clock's instant to the engine's look that took it,
"written" to the end of its transaction. Due instants a second: `python -m bench.clocks_solve`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support import postgresql

_DURABLE = "-c shared_buffers=1GB -c work_mem=16MB -c random_page_cost=1.1 -c max_wal_size=4GB"


def _environment(folder: Path, database: str) -> tuple[dict[str, str], postgresql.Server | None]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")}
    environment |= {"ALLSWELL_DATA_DIR": str(folder / "desk"), "ALLSWELL_LOG_LEVEL": "WARNING"}
    server = None
    if database == "postgresql":
        server = postgresql.start(folder / "pg", options=_DURABLE)
        if server is None:
            raise SystemExit("PostgreSQL is not installed.")
        environment["ALLSWELL_DATABASE_URL"] = server.url("allswell")
    return environment, server


def _play(environment: dict[str, str], *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.clocks_played", *map(str, arguments)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps({"part": arguments[0], **found}), file=sys.stderr)
    return found


def _replay(environment: dict[str, str], options: argparse.Namespace) -> list[tuple[str, str]]:
    _play(environment, "fill-journal", options.entries)
    first = _play(environment, "replay")
    again = _play(environment, "replay")
    memory = first["memory_mb"]
    return [
        ("journal", f"{first['entries']:,} entries of {first['tickets']:,} tickets"),
        ("replay, all clocks written", f"{first['seconds']} s ({first['cpu_seconds']} s of CPU), {first['clocks']:,} clocks"),
        ("replay again", f"{again['seconds']} s, {again['differences']} differences"),
        ("memory on the way", f"{memory[0]} to {max(memory)} MB, at the end {memory[-1]} MB"),
    ]


def _lateness(environment: dict[str, str], options: argparse.Namespace) -> list[tuple[str, str]]:
    _play(environment, "fill-clocks", options.clocks, options.rate, options.seconds)
    found = _play(environment, "engine", options.seconds)
    told = f"{found['told']:,} of {found['due']:,} at {options.rate} a second, {found['notices']:,} notices"
    lines = [("open clocks", f"{options.clocks:,}"), ("told", told)]
    for name in ("claimed", "written"):
        late = found[f"{name}_ms"]
        lines.append((name, f"p50 {late['p50']} ms, p99 {late['p99']} ms, at most {late['most']} ms"))
    return [*lines, ("CPU of the engine", f"{found['cpu_ms_per_clock']} ms a clock, batches up to {found['largest_batch']}")]


def main() -> int:
    """Play the parts, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="replay,lateness")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--clocks", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    parts = {"replay": _replay, "lateness": _lateness}
    rows: dict[str, dict[str, str]] = {}
    databases = options.databases.split(",")
    for database in databases:
        for part in options.parts.split(","):
            folder = Path(tempfile.mkdtemp(prefix="allswell-clocks-"))
            environment, server = _environment(folder, database)
            try:
                subprocess.run([sys.executable, "-m", "allswell", "migrate"], env=environment, check=True, capture_output=True)
                for name, figure in parts[part](environment, options):
                    rows.setdefault(f"{part}: {name}", {})[database] = figure
            finally:
                if server:
                    server.stop()
                shutil.rmtree(folder, ignore_errors=True)
    print(f"| figure | {' | '.join(databases)} |\n|---|{'---|' * len(databases)}")
    for name, figures in rows.items():
        print(f"| {name} | {' | '.join(figures.get(database, '-') for database in databases)} |")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
