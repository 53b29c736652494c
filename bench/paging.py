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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

PEOPLE = 2000


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


def _world(port: int) -> tuple[int, list[int]]:
    """A desk team with very many people, each with a carrier's address; the team and its people."""
    from allswell.desk import sealing
    from allswell.kernel import clock
    from allswell.notifications.models import ContactMethod
    from allswell.people.models import Organization, Person, RoleGrant, Team

    now = clock.now()
    home = Organization.objects.create(name="Bench", slug="bench", kind="business_unit", path="")
    Organization.objects.filter(pk=home.pk).update(path=f"/{home.pk}/")
    team = Team.objects.create(name="Watch", slug="watch")
    people = Person.objects.bulk_create(
        [Person(name=f"Person {n}", organization=home, created_at=now, password="!") for n in range(PEOPLE)]
    )
    RoleGrant.objects.bulk_create(
        [RoleGrant(person=person, role="agent", scope="installation", granted_at=now) for person in people]
    )
    address = sealing.seal(f"http://127.0.0.1:{port}/page")
    ContactMethod.objects.bulk_create(
        [
            ContactMethod(person=person, kind="webhook", address=address, shown="…", created_at=now, verified_at=now)
            for person in people
        ]
    )
    return team.pk, [person.pk for person in people]


def _tickets(count: int, team: int) -> list[int]:
    from allswell.kernel import clock
    from allswell.tickets.models import Ticket

    now = clock.now()
    made: list[int] = []
    for start in range(0, count, 5000):
        rows = Ticket.objects.bulk_create(
            [
                Ticket(
                    kind="incident", title=f"Down {n}", state="new", impact=1, urgency=1, priority=1, team_id=team,
                    opened_at=now, updated_at=now, asked_at=now, channel="api", queue_rank=1, queue_at=now,
                )
                for n in range(start, min(count, start + 5000))
            ],
            batch_size=1000,
        )  # fmt: skip
        made += [row.pk for row in rows]
    return made


def _definition(person: int) -> dict[str, Any]:
    return {
        "steps": [{"targets": [{"kind": "person", "person": person}], "wait": 3600}],
        "repeat": 1,
        "promise": 1800,
        "starts": [1],
        "urgent": [1],
    }


def _runs(tickets: list[int], people: list[int], due: list[datetime], *, now: datetime) -> list[int]:
    from allswell.oncall.models import Escalation

    made: list[int] = []
    for start in range(0, len(due), 5000):
        rows = Escalation.objects.bulk_create(
            [
                Escalation(
                    ticket_id=tickets[n % len(tickets)],
                    definition=_definition(people[n % len(people)]),
                    cause="by_hand",
                    started_at=now,
                    next_step_at=due[n],
                )
                for n in range(start, min(len(due), start + 5000))
            ],
            batch_size=1000,
        )
        made += [row.pk for row in rows]
    return made


def idle(deadlines: int) -> dict[str, Any]:
    """One look of both modules among open deadlines that are all still to come: milliseconds of CPU and of the wall."""
    from django.db import connection

    from allswell.desk import calling, page_sending
    from allswell.kernel import clock
    from allswell.notifications.models import ContactMethod
    from allswell.oncall.models import Page, PageDelivery

    now = clock.now()
    team, people = _world(1)
    tickets = _tickets(10_000, team)
    half = deadlines // 2
    runs = _runs(tickets, people, [now + timedelta(hours=1, seconds=n % 86_400) for n in range(half)], now=now)
    contacts = dict(ContactMethod.objects.values_list("person_id", "pk"))
    for start in range(0, half, 5000):
        some = range(start, min(half, start + 5000))
        pages = Page.objects.bulk_create(
            [
                Page(
                    escalation_id=runs[n], ticket_id=tickets[n % len(tickets)], person_id=people[n % PEOPLE], urgency="urgent",
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
    team, people = _world(port)
    tickets = _tickets(count, team)
    begins = clock.now() + timedelta(seconds=30 + count / 500)
    instants = [begins + timedelta(seconds=n / rate) for n in range(count)]
    early = clock.now() - timedelta(seconds=1)
    claimed: list[float] = []
    if kind == "steps":
        _runs(tickets, people, instants, now=early)
        real_steps = escalations.hold_due

        def hold_due(**kwargs: Any) -> list[Escalation]:
            rows = real_steps(**kwargs)
            at = clock.now()
            claimed.extend((at - row.next_step_at).total_seconds() for row in rows if row.next_step_at)
            return rows

        escalations.hold_due = hold_due
    else:
        _runs(tickets, people, [early] * count, now=early)
        while calling.take_steps(limit=200, actor=engine(), now=clock.now()):
            pass
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
    if clock.now() > begins:
        raise SystemExit("Filling took longer than planned; try again on a quiet machine.")
    connection.close()
    stop = threading.Event()
    thread = threading.Thread(target=modules.run, args=(stop,))
    burnt = time.process_time()
    thread.start()
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


def main() -> int:
    """Play all of it and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--deadlines", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--only", default="idle,deliveries,steps")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--carry", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.carry:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_carry(0))
        return 0
    if asked.play:
        import django

        django.setup()
        if asked.play == "idle":
            print(json.dumps(idle(asked.deadlines)))
        else:
            due(asked.play, asked.port, asked.rate, asked.seconds)
        return 0
    for kind in asked.databases.split(","):
        for play in asked.only.split(","):
            with _database(kind) as environment:
                if play == "idle":
                    came = _play(environment, "--play", "idle", "--deadlines", str(asked.deadlines))
                else:
                    came = _lateness(environment, play, asked.rate, asked.seconds)
            print(kind, play, json.dumps(came), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
