"""How fast the desk is with many tickets, on both databases: median of three runs, and the ratio to the peers' best.

    python -m bench.speed [--tickets 100000] [--databases sqlite,postgresql] [--folder FOLDER] [--seconds 6] [--json FILE] [--fill-only]

Needs `wrk`; PostgreSQL is started by itself (fsync on). FOLDER keeps the filled databases for the next run. Every figure is taken from
outside, through HTTP, on the machine's own cores, loader included. "c8" is eight connections, "alone" one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import postgresql

_DURABLE = "-c shared_buffers=1GB -c work_mem=16MB -c random_page_cost=1.1 -c max_wal_size=4GB"
#: what the best of the peers did on a machine of this kind with 100,000 tickets (RT, iTop, Roundup, django-helpdesk)
PEERS = {
    "create c8": 36.3,
    "queue c8": 12.0,
    "queue alone": 187.0,
    "ticket c8": 30.2,
    "ticket alone": 51.0,
    "search rare": 164.0,
    "search common": 955.0,
}
_POST = """
counter = 0
request = function()
  counter = counter + 1
  local body = string.format('{"kind":"incident","title":"Bench %d %d","description":"%s","requester":"p7@example.org",' ..
    '"service":"service-3","impact":2,"urgency":3}', counter, os.time(), string.rep("it does not work ", 37))
  return wrk.format("POST", "/api/v1/tickets", {["Authorization"]="Bearer TOKEN", ["Content-Type"]="application/json"}, body)
end
STATUSES
"""
_WORDS = """
words = {WORDS}
counter = 0
request = function()
  counter = counter + 1
  return wrk.format("GET", "/search?q=" .. words[counter % #words + 1], {["Cookie"]="COOKIE"})
end
STATUSES
"""
_GET = """
paths = {PATHS}
counter = 0
request = function()
  counter = counter + 1
  return wrk.format("GET", paths[counter % #paths + 1], {["Cookie"]="COOKIE"})
end
STATUSES
"""
_STATUSES = """
threads = {}
setup = function(thread) table.insert(threads, thread) end
bad = 0
response = function(status) if status ~= 200 and status ~= 201 then bad = bad + 1 end end
done = function(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  print(string.format("RESULT %f %f %f %d %d", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, wrong, summary.errors.timeout + summary.errors.connect + summary.errors.read))
end
"""


@dataclass
class Desk:
    """A running `allswell serve` on a filled database."""

    process: subprocess.Popen[bytes]
    port: int
    environment: dict[str, str]
    cookie: str
    rich: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _python(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


_SESSION = """
import django; django.setup()
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from allswell.people.models import Person
person = Person.objects.get(name="Person 500")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = person.get_session_auth_hash()
session.save()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""


def prepare(database: str, tickets: int, folder: Path) -> tuple[dict[str, str], Any]:
    """An environment with a filled database; fills it the first time. Also the PostgreSQL server, if any."""
    home = folder / f"{database}-{tickets}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")}
    environment |= {
        "ALLSWELL_DATA_DIR": str(home),
        "DJANGO_SETTINGS_MODULE": "allswell.boot.settings",
        "ALLSWELL_LOG_LEVEL": "WARNING",
        "ALLSWELL_API_RATE": "10000000",
    }
    server = None
    if database == "postgresql":
        cluster = Path(tempfile.gettempdir()) / f"allswell-bench-pg-{tickets}"
        if not (home / "filled").exists():
            shutil.rmtree(cluster, ignore_errors=True)
        server = postgresql.start(cluster, options=_DURABLE)
        if server is None:
            raise SystemExit("PostgreSQL is not installed.")
        environment["ALLSWELL_DATABASE_URL"] = server.url("allswell")
    if not (home / "filled").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _python(environment, "-m", "django", "migrate", "-v0")
        print(_python(environment, "-m", "bench.corpus", str(tickets)), flush=True)
        (home / "filled").touch()
    else:
        _python(environment, "-m", "django", "migrate", "-v0")
    return environment, server


def start(environment: dict[str, str], tickets: int) -> Desk:
    """Start the desk and wait until it answers."""
    port = _free_port()
    environment = {**environment, "ALLSWELL_PORT": str(port), "ALLSWELL_URL": f"http://127.0.0.1:{port}"}
    cookie = _python(environment, "-c", _SESSION)
    process = subprocess.Popen([sys.executable, "-m", "allswell", "serve"], env=environment, start_new_session=True)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    else:
        raise SystemExit("The desk did not start.")
    return Desk(process, port, environment, cookie, 1001 + tickets - 200, "alw_for-the-bench-only")


def stop(desk: Desk) -> None:
    """End the desk, with all its processes."""
    desk.process.send_signal(signal.SIGTERM)
    try:
        desk.process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(desk.process.pid, signal.SIGKILL)


def memory(desk: Desk) -> float:
    """PSS of all processes together, in MB."""
    total = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if os.getpgid(int(folder.name)) != desk.process.pid:
                continue
            rollup = (folder / "smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE).group(1))  # type: ignore[union-attr]
    return total / 1000


def _lua(template: str, desk: Desk, **values: str) -> str:
    for name, value in {"TOKEN": desk.token, "COOKIE": desk.cookie, "STATUSES": _STATUSES, **values}.items():
        template = template.replace(name, value)
    return template


def load(desk: Desk, script: str, *, connections: int, seconds: int) -> dict[str, float]:
    """Median of three runs of wrk: requests a second, p50 and p95 in ms. Wrong answers stop the bench."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        results = []
        for _ in range(3):
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", file.name, desk.url]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+) (\d+)", output)
            if found is None or int(found[4]) or int(found[5]):
                raise SystemExit(f"wrong answers or errors:\n{output}")
            if not float(found[2]):
                raise SystemExit(f"no answer within {seconds} s:\n{output}")
            results.append([float(found[index]) for index in (1, 2, 3)])
    middle = [statistics.median(column) for column in zip(*results, strict=True)]
    return {"rate": middle[0], "p50": middle[1], "p95": middle[2]}


def measure(desk: Desk, seconds: int) -> dict[str, Any]:
    """Every figure of the table."""
    time.sleep(3)
    figures: dict[str, Any] = {"memory at rest": memory(desk)}
    queue = _lua(_GET, desk, PATHS='"/desk/team-0", "/desk/team-1"')
    tickets = _lua(_GET, desk, PATHS=", ".join(f'"/tickets/{number}"' for number in range(desk.rich, desk.rich + 50)))
    for name, script in (("queue", queue), ("ticket", tickets)):
        load(desk, script, connections=2, seconds=1)
        figures[f"{name} c8"] = load(desk, script, connections=8, seconds=seconds)
        figures[f"{name} alone"] = load(desk, script, connections=1, seconds=seconds)
    for name, words in (("rare", '"zebrafish"'), ("common", '"toner", "login", "account"')):
        figures[f"search {name}"] = load(desk, _lua(_WORDS, desk, WORDS=words), connections=1, seconds=seconds)
    figures["create c8"] = load(desk, _lua(_POST, desk), connections=8, seconds=seconds)
    figures["memory after"] = memory(desk)
    return figures


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown; `ratio` compares with the best peer."""
    columns = list(results)
    lines = ["| figure | " + " | ".join(columns) + " | best peer | ratio |", "|---" * (len(columns) + 3) + "|"]
    for name in next(iter(results.values())):
        cells, ratios = [], []
        for column in columns:
            value = results[column][name]
            if isinstance(value, dict):
                is_rate = name.endswith("c8")
                cells.append(f"{value['rate']:.0f}/s, p50 {value['p50']:.1f}, p95 {value['p95']:.1f} ms")
                if name in PEERS:
                    ratios.append(value["rate"] / PEERS[name] if is_rate else PEERS[name] / value["p50"])
            else:
                cells.append(f"{value:.0f} MB")
        peer = f"{PEERS[name]:g}{'/s' if name.endswith('c8') else ' ms'}" if name in PEERS else "-"
        ratio = ", ".join(f"{value:.0f}x" for value in ratios) or "-"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {peer} | {ratio} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "allswell-bench")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fill-only", action="store_true", help="fill the databases for a later run, and end")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.stderr.write("wrk is needed: apt-get install wrk\n")
        return 2
    results = {}
    for database in options.databases.split(","):
        environment, server = prepare(database, options.tickets, options.folder)
        if options.fill_only:
            if server:
                server.stop()
            continue
        desk = start(environment, options.tickets)
        try:
            results[database] = measure(desk, options.seconds)
        finally:
            stop(desk)
            if server:
                server.stop()
    if not results:
        return 0
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    print(f"{options.tickets} tickets\n\n{table(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
