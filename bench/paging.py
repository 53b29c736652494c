"""How soon pages go out, on both databases.

    python -m bench.paging [--databases sqlite,postgresql] [--deadlines 1000000] [--rate 500] [--seconds 10] [--incidents 40]

Three things are asked. How long one look of the idle engine takes among very many open deadlines. How long after its instant a page is
claimed, and handed to the carrier, when `--rate` fall due each second for some seconds (deliveries that are planned, and, in a round
of its own, steps of runs, from which pages come first). And how long it is from an incident sent to the API of a running `serve` until
its page is at the carrier. The carrier is a process of its own that answers at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import paging_filled as filled


def quantile(values: list[float], share: float) -> float:
    """The value that so much of the others lie below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


# the carrier


async def _carry(port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                at = time.time()  # noqa: TID251 - a program of its own
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                key = head.split(b"webhook-id:")[1].split(b"\r\n")[0].strip().decode()
                print(key, at, flush=True)
                writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=512)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Carrier:
    """The carrier's process; `arrived` maps a key to when it came first (seconds since 1970)."""

    def __enter__(self) -> Carrier:
        command = [sys.executable, "-m", "bench.paging", "--carry"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().split()[1])
        self.arrived: dict[str, float] = {}
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        for line in self._process.stdout or ():
            key, at = line.split()
            self.arrived.setdefault(key, float(at))

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


# the plays; each in a process of its own, with the database the environment names


def idle(deadlines: int) -> dict[str, Any]:
    """One look of both modules among open deadlines that are all still to come: milliseconds of CPU and of the wall."""
    from django.db import connection

    from allswell.desk import calling, page_sending
    from allswell.kernel import clock
    from allswell.notifications.models import ContactMethod
    from allswell.oncall.models import Page, PageDelivery

    now = clock.now()
    team, people = filled.world(1)
    tickets = filled.tickets(10_000, team)
    half = deadlines // 2
    runs = filled.runs(tickets, people, [now + timedelta(hours=1, seconds=n % 86_400) for n in range(half)], now=now)
    contacts = dict(ContactMethod.objects.values_list("person_id", "pk"))
    for start in range(0, half, 5000):
        some = range(start, min(half, start + 5000))
        pages = Page.objects.bulk_create(
            [
                Page(
                    escalation_id=runs[n], ticket_id=tickets[n % len(tickets)], person_id=people[n % filled.PEOPLE], urgency="urgent",
                    created_at=now,
                )
                for n in some
            ],
            batch_size=1000,
        )  # fmt: skip
        PageDelivery.objects.bulk_create(
            [
                PageDelivery(
                    page=page, contact_id=contacts[page.person_id or 0], channel="webhook", destination=f"contact-{n}",
                    key=f"idle_{n}", due_at=now + timedelta(hours=1, seconds=n % 86_400), planned_at=now,
                )
                for n, page in zip(some, pages, strict=True)
            ],
            batch_size=1000,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    looks = []
    for _ in range(200):
        began = time.perf_counter()
        at = clock.now()
        assert not calling.is_due(at)
        assert not page_sending.is_due(at)
        looks.append((time.perf_counter() - began) * 1000)
    return {"deadlines": 2 * half, "ms": {"median": round(statistics.median(looks), 3), "p99": round(quantile(looks, 0.99), 3)}}


def due(kind: str, port: int, rate: int, seconds: int) -> dict[str, Any]:
    """An engine while deliveries, or steps, fall due: how long after its instant each was claimed, and then at the carrier."""
    from django.db import connection

    from allswell.desk import calling
    from allswell.engine import modules
    from allswell.kernel import clock
    from allswell.kernel.actor import engine
    from allswell.oncall.models import Escalation, PageDelivery
    from allswell.oncall.operations import deliveries, escalations

    count = rate * seconds
    team, people = filled.world(port)
    tickets = filled.tickets(count, team)
    early = clock.now() - timedelta(seconds=1)
    if kind == "deliveries":
        filled.runs(tickets, people, [early] * count, now=early)
        while calling.take_steps(limit=200, actor=engine(), now=clock.now()):
            pass
    begins = clock.now() + timedelta(seconds=15 + count / 500)
    instants = [begins + timedelta(seconds=n / rate) for n in range(count)]
    claimed: list[float] = []
    if kind == "steps":
        filled.runs(tickets, people, instants, now=early)
        real_steps = escalations.hold_due

        def hold_due(**kwargs: Any) -> list[Escalation]:
            rows = real_steps(**kwargs)
            at = clock.now()
            claimed.extend((at - row.next_step_at).total_seconds() for row in rows if row.next_step_at)
            return rows

        escalations.hold_due = hold_due
    else:
        rows = list(PageDelivery.objects.filter(settled_at=None).order_by("pk"))
        for row, at in zip(rows, instants, strict=True):
            row.due_at = row.planned_at = at
        PageDelivery.objects.bulk_update(rows, ["due_at", "planned_at"], batch_size=500)
        real_claim = deliveries.claim

        def claim(**kwargs: Any) -> Any:
            found = real_claim(**kwargs)
            at = clock.now()
            claimed.extend((at - one.due_at).total_seconds() for one in found)
            return found

        deliveries.claim = claim
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    if clock.now() > begins - timedelta(seconds=5):  # the engine begins before anything is due
        raise SystemExit("Filling took longer than planned; try again on a quiet machine.")
    connection.close()
    stop = threading.Event()
    thread = threading.Thread(target=modules.run, args=(stop,))
    thread.start()
    time.sleep(max(0.0, (begins - clock.now()).total_seconds()))
    burnt = time.process_time()
    while clock.now() < begins + timedelta(seconds=seconds) or PageDelivery.objects.filter(settled_at=None).exists():
        time.sleep(0.5)
        if clock.now() > begins + timedelta(seconds=10 * seconds):
            break
    burnt = time.process_time() - burnt
    time.sleep(0.5)
    stop.set()
    thread.join()
    keys = PageDelivery.objects.exclude(channel="desk").values_list("key", "due_at", "page__escalation_id")
    first = dict(zip(Escalation.objects.order_by("pk").values_list("pk", flat=True), instants, strict=True))
    wanted = {key: (first[run] if kind == "steps" else at).timestamp() for key, at, run in keys if run}
    print(json.dumps({"claimed": claimed, "wanted": wanted, "cpu": burnt}))
    return {}


def furnish(port: int, incidents: int) -> None:
    """What `over_the_api` needs to page for so many incidents."""
    team, people = filled.world(port, slug="watched")
    filled.services(people, incidents, team)


def keys() -> None:
    """Print which ticket each page that went out is about."""
    from allswell.oncall.models import PageDelivery

    rows = PageDelivery.objects.exclude(channel="desk").values_list("key", "page__ticket")
    print(json.dumps(dict(rows)))


# around the plays


@contextlib.contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    """An empty, migrated database, as settings."""
    folder = Path(tempfile.mkdtemp(prefix="allswell-paging-"))
    folder.chmod(0o755)
    server = None
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    if kind == "postgresql":
        from tests.support import postgresql

        server = postgresql.start(folder / "pg", options="")
        if server is None:
            raise SystemExit("PostgreSQL is not installed.")
        url = server.url("allswell")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")},
        "DJANGO_SETTINGS_MODULE": "allswell.boot.settings",
        "ALLSWELL_DATA_DIR": str(folder),
        "ALLSWELL_DATABASE_URL": url,
        "ALLSWELL_OUTGOING_ALLOW": "127.0.0.1",
        "ALLSWELL_LOG_LEVEL": "ERROR",
    }
    try:
        subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], env=environment, check=True)
        yield environment
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _play(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.paging", *arguments]
    said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def _lateness(environment: dict[str, str], kind: str, rate: int, seconds: int) -> dict[str, Any]:
    with Carrier() as carrier:
        came = _play(environment, "--play", kind, "--port", str(carrier.port), "--rate", str(rate), "--seconds", str(seconds))
        time.sleep(0.5)
        late = [carrier.arrived[key] - at for key, at in came["wanted"].items() if key in carrier.arrived]
    return {
        "due": len(came["wanted"]),
        "lost": len(came["wanted"]) - len(late),
        "claimed_ms": {"p50": round(1000 * quantile(came["claimed"], 0.5)), "p99": round(1000 * quantile(came["claimed"], 0.99))},
        "at_carrier_ms": {"p50": round(1000 * quantile(late, 0.5)), "p99": round(1000 * quantile(late, 0.99))},
        "cpu_s": round(came["cpu"], 1),
    }


def _over_the_api(environment: dict[str, str], incidents: int, rate: float) -> dict[str, Any]:
    """Incidents sent one after the other to a running desk: how long until each one's page was at the carrier."""
    from tests.support.desk import Desk

    home = Path(environment["ALLSWELL_DATA_DIR"])
    names = ("DJANGO_SETTINGS_MODULE", "ALLSWELL_DATABASE_URL", "ALLSWELL_OUTGOING_ALLOW", "ALLSWELL_LOG_LEVEL")
    desk = Desk(home, **{name: environment[name] for name in names})
    asked_at: dict[int, float] = {}
    answers: list[float] = []
    with Carrier() as carrier:
        desk.set_up()
        _play(desk.environment, "--play", "furnish", "--port", str(carrier.port), "--incidents", str(incidents))
        desk.start()
        try:
            begins = time.time() + 1  # noqa: TID251 - a program of its own
            for n in range(incidents):
                time.sleep(max(0.0, begins + n / rate - time.time()))  # noqa: TID251
                at = time.time()  # noqa: TID251
                said = {
                    "title": f"Down {n}",
                    "requester": "ada@example.org",
                    "service": f"service-{n}",
                    "impact": 1,
                    "urgency": 1,
                }
                answer = desk.post("/api/v1/tickets", kind="incident", **said)
                if answer.status != 201:
                    raise SystemExit(f"It was answered {answer.status}: {answer.body.decode()}")
                answers.append(time.time() - at)  # noqa: TID251
                asked_at[json.loads(answer.body)["number"]] = at
            until = time.monotonic() + 30
            while len(carrier.arrived) < incidents and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            desk.stop()
        of_ticket = _play(desk.environment, "--play", "keys")
        late = [at - asked_at[of_ticket[key]] for key, at in carrier.arrived.items() if of_ticket.get(key) in asked_at]
    return {
        "due": incidents,
        "lost": incidents - len(late),
        "answered_ms": {"p50": round(1000 * quantile(answers, 0.5)), "p95": round(1000 * quantile(answers, 0.95))},
        "at_carrier_ms": {"p50": round(1000 * quantile(late, 0.5)), "p95": round(1000 * quantile(late, 0.95))},
    }


def _lines(play: str, came: dict[str, Any], rate: int) -> list[tuple[str, str, str]]:
    """(figure, what is asked, what was measured)."""
    if play == "idle":
        looks = came["ms"]
        figure = f"one look among {came['deadlines']:,} open deadlines"
        return [(figure, "below 5 ms", f"median {looks['median']} ms, p99 {looks['p99']} ms")]
    at, lost = came["at_carrier_ms"], f"{came['lost']} of {came['due']:,} lost"
    if play == "api":
        first = f"p50 {at['p50']} ms, p95 {at['p95']} ms; {lost}"
        return [("incident over the API to its page at the carrier", "p95 below 1.5 s", first)]
    claimed, what = came["claimed_ms"], f"{play}, {rate} due each second"
    return [
        (f"{what}: claimed", "p99 below 250 ms", f"p50 {claimed['p50']} ms, p99 {claimed['p99']} ms"),
        (f"{what}: at the carrier", "p99 below 1 s", f"p50 {at['p50']} ms, p99 {at['p99']} ms; {lost}"),
        (f"{what}: CPU of the engine", "-", f"{round(1000 * came['cpu_s'] / max(1, came['due']), 2)} ms each"),
    ]


def main() -> int:
    """Play all of it and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--deadlines", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--incidents", type=int, default=40)
    parser.add_argument("--only", default="idle,deliveries,steps,api")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--carry", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.carry:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_carry(0))
        return 0
    if asked.play:
        _inside(asked)
        return 0
    print("| database | figure | asked | measured |\n|---|---|---|---|")
    lost = 0
    for kind in asked.databases.split(","):
        for play in asked.only.split(","):
            with _database(kind) as environment:
                if play == "idle":
                    came = _play(environment, "--play", "idle", "--deadlines", str(asked.deadlines))
                elif play == "api":
                    came = _over_the_api(environment, asked.incidents, rate=5)
                else:
                    came = _lateness(environment, play, asked.rate, asked.seconds)
            lost += came.get("lost", 0)
            for line in _lines(play, came, asked.rate):
                print(f"| {kind} | {' | '.join(line)} |", flush=True)
    return int(lost > 0)


def _inside(asked: argparse.Namespace) -> None:
    """What is played in a process of its own."""
    import django

    django.setup()
    if asked.play == "idle":
        print(json.dumps(idle(asked.deadlines)))
    elif asked.play == "furnish":
        furnish(asked.port, asked.incidents)
        print("{}")
    elif asked.play == "keys":
        keys()
    else:
        due(asked.play, asked.port, asked.rate, asked.seconds)


if __name__ == "__main__":
    sys.exit(main())
