"""How fast a history comes in: an audit log made up here, in the shape of the `servicenow-audit` mapping, into an empty database.

    python -m bench.bring_in [--rows 100000] [--database sqlite|postgresql] [--order ticket|time]

By ticket, the five events of a ticket follow each other; by time they lie three days apart among those of 600 other tickets, so
that most rows change a ticket that came in with an earlier batch. Prints rows a second and the largest memory of the importing process.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path

from tests.support import postgresql

_COLUMNS = [
    "number",
    "incident_state",
    "active",
    "reassignment_count",
    "reopen_count",
    "sys_mod_count",
    "made_sla",
    "caller_id",
    "opened_by",
    "opened_at",
    "sys_created_by",
    "sys_created_at",
    "sys_updated_by",
    "sys_updated_at",
    "contact_type",
    "location",
    "category",
    "subcategory",
    "u_symptom",
    "cmdb_ci",
    "impact",
    "urgency",
    "priority",
    "assignment_group",
    "assigned_to",
    "knowledge",
    "u_priority_confirmation",
    "notify",
    "problem_id",
    "rfc",
    "vendor",
    "caused_by",
    "closed_code",
    "resolved_by",
    "resolved_at",
    "closed_at",
]
_LIFE = ("New", "Active", "Active", "Resolved", "Closed")


_START = datetime(2020, 1, 6, 8, 0)
_EVERY = timedelta(minutes=7)


def _events(tickets: int, step_hours: int, order: str) -> Iterator[tuple[int, int]]:
    """(ticket, step), by ticket or by time; of the tickets only the open ones are held in memory."""
    if order == "ticket":
        yield from ((index, step) for index in range(tickets) for step in range(len(_LIFE)))
        return
    waiting: list[tuple[timedelta, int, int]] = []
    for index in range(tickets):
        opened = _EVERY * index
        while waiting and waiting[0][0] < opened:
            yield heappop(waiting)[1:]
        yield index, 0
        for step in range(1, len(_LIFE)):
            heappush(waiting, (opened + timedelta(hours=step_hours * step), index, step))
    while waiting:
        yield heappop(waiting)[1:]


def write_log(path: Path, rows: int, order: str = "ticket") -> None:
    """Tickets of five events each."""
    hours = 72 if order == "time" else 3
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, _COLUMNS, restval="?")
        out.writeheader()
        for index, step in _events(rows // len(_LIFE), hours, order):
            opened, state = _START + _EVERY * index, _LIFE[step]
            at = opened + timedelta(hours=hours * step)
            out.writerow(
                {
                    "number": f"INC{index:07}",
                    "incident_state": state,
                    "active": "false" if state == "Closed" else "true",
                    "reassignment_count": 0,
                    "reopen_count": 0,
                    "sys_mod_count": step,
                    "caller_id": f"Caller {index % 500}",
                    "opened_by": f"Opened by {index % 40}",
                    "opened_at": f"{opened:%-d/%-m/%Y %H:%M}",
                    "sys_updated_by": f"Updated by {(index + step) % 60}",
                    "sys_updated_at": f"{at:%-d/%-m/%Y %H:%M}",
                    "contact_type": "Phone",
                    "category": f"Category {index % 30}",
                    "impact": "2 - Medium",
                    "urgency": "2 - Medium",
                    "priority": "3 - Moderate",
                    "assignment_group": f"Group {(index + step // 2) % 20}",
                    "assigned_to": f"Resolver {(index + step) % 60}" if step else "?",
                    "resolved_at": f"{opened + timedelta(hours=hours * 3):%-d/%-m/%Y %H:%M}",
                    "closed_at": f"{opened + timedelta(hours=hours * 4):%-d/%-m/%Y %H:%M}",
                }
            )


def main() -> int:
    """Make the file, import it, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--order", default="ticket", choices=("ticket", "time"))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="allswell-import-"))
    server = None
    try:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")}
        environment |= {"ALLSWELL_DATA_DIR": str(folder / "desk"), "ALLSWELL_LOG_LEVEL": "WARNING"}
        if options.database == "postgresql":
            server = postgresql.start(folder / "pg", options="-c shared_buffers=512MB")
            if server is None:
                raise SystemExit("PostgreSQL is not installed.")
            environment["ALLSWELL_DATABASE_URL"] = server.url("allswell")
        write_log(folder / "log.csv", options.rows, options.order)
        allswell = [sys.executable, "-m", "allswell"]
        subprocess.run([*allswell, "migrate"], env=environment, check=True, capture_output=True)
        began = time.perf_counter()
        command = [
            *allswell,
            "import",
            "tickets",
            str(folder / "log.csv"),
            "--mapping",
            "servicenow-audit",
            "--timezone",
            "UTC",
            "--json",
        ]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        took = time.perf_counter() - began
        facts = {
            "database": options.database,
            "rows": options.rows,
            "order": options.order,
            "rows a second": round(options.rows / took),
            "largest memory, MB": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000),
            "outcome": json.loads(done.stdout),
        }
        print(json.dumps(facts, indent=1))
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
