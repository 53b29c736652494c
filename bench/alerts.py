"""A flood of alerts: python -m bench.alerts [--databases sqlite,postgresql] [--rate 5000] [--seconds 60] [--keys 2000] [--kill]

A running `serve` gets alerts of one Alertmanager, in requests of 1 to 500, at a steady rate. Told are the answers (p50, p95, and what
was no 200), how long the engine needs afterwards until everything is read, whether it counted what was sent, and how fast pages of the
desk are meanwhile, against before, when every alert was told once already and the same is shown (one reader, who looks at the queue, a
long ticket and the alerts in turn). With `--kill` the whole
program, server and engine, is killed (-9) in the middle and started again; senders send once more what was not answered, as Alertmanager
does. It fails when anything that was answered is lost, when the slowest twentieth of answers takes 250 ms or more (not with `--kill`),
or when pages take more than twice their time (not with `--kill`, and not in floods of less than 20 s, which say nothing).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import speed

#: how many alerts requests hold, and how often such a request comes: 41 on average
SIZES = [1] * 30 + [5] * 25 + [20] * 20 + [50] * 15 + [100] * 8 + [500] * 2
CONNECTIONS = 8
#: milliseconds; times as long as at rest; seconds of a flood from which on pages are judged
MOST_P95, MOST_RATIO, JUDGED_FROM = 250.0, 2.0, 20

_SOURCE = """
import django; django.setup()
from allswell.desk.alerts import sources
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries as people
from allswell.people.models import Person, RoleGrant
from allswell.services.models import ConfigurationItem
now = clock.now()
person = Person.objects.get(name="Person 500")
RoleGrant.objects.get_or_create(person=person, role="administrator", scope="installation", defaults={"granted_at": now})
service = ConfigurationItem.objects.order_by("pk").first()
actor = people.actor_for(person, channel=Channel.DESK)
print(sources.create(name=f"Flood {now.timestamp()}", kind="alertmanager", service=service.pk, actor=actor, now=now)[1])
"""
_COUNTED = """
import django; django.setup()
import json
from django.db.models import Sum
from allswell.intake.models import Alert, AlertSource, RawReport
source = AlertSource.objects.order_by("-pk").first()
rows = Alert.objects.filter(source=source)
print(json.dumps({"told": rows.aggregate(n=Sum("total"))["n"] or 0, "keys": rows.count(),
  "incidents": rows.exclude(ticket=None).values("ticket").distinct().count(),
  "waiting": RawReport.objects.filter(handled_at=None).count(), "unread": RawReport.objects.exclude(error="").count()}))
"""


@dataclass
class Flood:
    """What came of sending."""

    port: int
    path: str
    bodies: list[tuple[int, bytes]]
    rate: int
    seconds: int
    sent: int = 0
    again: int = 0
    answers: list[float] = field(default_factory=list)
    other: dict[str, int] = field(default_factory=dict)

    async def play(self) -> None:
        """Send at the rate; a request that falls due while all connections are busy waits, and its wait counts."""
        queue: asyncio.Queue[tuple[float, int, bytes] | None] = asyncio.Queue()
        senders = [asyncio.create_task(self._sender(queue)) for _ in range(CONNECTIONS)]
        begun, due, number = time.perf_counter(), 0, 0
        while due < self.rate * self.seconds:
            count, body = self.bodies[number % len(self.bodies)]
            at = begun + due / self.rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            queue.put_nowait((at, count, body))
            due, number = due + count, number + 1
        for _ in senders:
            queue.put_nowait(None)
        await asyncio.gather(*senders)

    async def _sender(self, queue: asyncio.Queue[tuple[float, int, bytes] | None]) -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while (job := await queue.get()) is not None:
            at, count, body = job
            while True:
                try:
                    if writer is None or reader is None:
                        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    status = await self._send(reader, writer, body)
                except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                    status, writer = 0, None
                if status == 200:
                    break
                self.other[str(status)] = self.other.get(str(status), 0) + 1
                self.again += 1
                await asyncio.sleep(0.3)
            self.answers.append(time.perf_counter() - at)
            self.sent += count

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> int:
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        return int(answer.split(b" ", 2)[1])


class Reader:
    """Somebody who works at the desk meanwhile: one page after the other, half a second apart."""

    def __init__(self, desk: speed.Desk) -> None:
        self.desk, self.ended = desk, threading.Event()
        self.paths = ("/desk/all", f"/tickets/{desk.rich}", "/alerts/")
        self.took: dict[str, list[float]] = {path: [] for path in self.paths}
        self.failed = 0

    def look(self) -> None:
        """Look at one page after the other until `ended`."""
        for path in itertools.cycle(self.paths):
            if self.ended.wait(0.2):
                return
            begun = time.perf_counter()
            try:
                asked = urllib.request.Request(f"{self.desk.url}{path}", headers={"Cookie": self.desk.cookie})
                with urllib.request.urlopen(asked, timeout=20) as answer:
                    answer.read()
            except OSError:
                self.failed += 1
                continue
            self.took[path].append(time.perf_counter() - begun)

    def medians(self) -> dict[str, float]:
        """Milliseconds a page."""
        return {path: 1000 * statistics.median(took) for path, took in self.took.items() if took}


@contextmanager
def reading(desk: speed.Desk) -> Iterator[Reader]:
    """A reader meanwhile."""
    reader = Reader(desk)
    thread = threading.Thread(target=reader.look, daemon=True)
    thread.start()
    yield reader
    reader.ended.set()
    thread.join(30)


def _pages(before: Reader, meanwhile: Reader) -> tuple[str, float]:
    """What is told of the pages, and the worst ratio."""
    idle, busy = before.medians(), meanwhile.medians()
    ratios = {path: busy[path] / idle[path] for path in idle if path in busy}
    words = ", ".join(f"{path} {idle[path]:.0f} to {busy[path]:.0f} ms ({ratio:.1f} times)" for path, ratio in ratios.items())
    return f"pages: {words or 'none'}; {meanwhile.failed} failed", max(ratios.values(), default=0.0)


def _alerts(keys: int) -> list[dict[str, Any]]:
    """Alerts of one outage as Alertmanager tells them."""
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return [
        {
            "status": "firing",
            "labels": {
                "alertname": "HighLatency",
                "severity": "critical",
                "instance": f"web{n}:9100",
                "job": "node",
                "cluster": "a",
            },
            "annotations": {
                "summary": f"Latency of web{n} is above 2 s",
                "description": "The 99th percentile of the last five minutes.",
            },
            "startsAt": began,
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": f"http://prometheus:9090/graph?g0.expr=latency%7Binstance%3D%22web{n}%22%7D",
            "fingerprint": f"{n:016x}",
        }
        for n in range(keys)
    ]


def _body(alerts: list[dict[str, Any]], *, of: int) -> tuple[int, bytes]:
    """A request with some of the alerts of a group, and how many they are."""
    body: dict[str, Any] = {
        "version": "4", "groupKey": '{}:{alertname="HighLatency"}', "truncatedAlerts": of - len(alerts), "status": "firing",
        "receiver": "allswell", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": alerts,
    }  # fmt: skip
    return len(alerts), json.dumps(body).encode()


def _bodies(alerts: list[dict[str, Any]], chance: random.Random) -> list[tuple[int, bytes]]:
    """Requests to be sent again and again."""
    sizes = [min(len(alerts), chance.choice(SIZES)) for _ in range(400)]
    return [_body(chance.sample(alerts, size), of=len(alerts)) for size in sizes]


def _each_once(alerts: list[dict[str, Any]]) -> list[tuple[int, bytes]]:
    """Requests that tell every alert once."""
    return [_body(alerts[start : start + 500], of=len(alerts)) for start in range(0, len(alerts), 500)]


def _read(environment: dict[str, str]) -> dict[str, int]:
    """What was counted once nothing waits any more, or after five minutes."""
    begun = time.perf_counter()
    while True:
        counted: dict[str, int] = json.loads(speed._python(environment, "-c", _COUNTED))
        if not counted["waiting"] or time.perf_counter() - begun > 300:
            return counted
        time.sleep(0.2)


def play(database: str, options: argparse.Namespace, folder: Path) -> bool:
    """One flood; whether nothing was lost."""
    environment, server = speed.prepare(database, options.tickets, folder)
    try:
        key = speed._python(environment, "-c", _SOURCE)
        alerts, path = _alerts(options.keys), f"/in/alertmanager/{key}"
        desk = speed.start(environment, options.tickets)
        once = Flood(desk.port, path, _each_once(alerts), options.keys, 1)
        flood = Flood(desk.port, path, _bodies(alerts, random.Random(1)), options.rate, options.seconds)
        try:
            desks = [desk]
            asyncio.run(once.play())
            _read(environment)
            with reading(desk) as before:
                time.sleep(min(10.0, options.seconds / 2))
            with reading(desk) as meanwhile:
                if options.kill:
                    asyncio.run(_killed(flood, desks, environment, options))
                else:
                    asyncio.run(flood.play())
            begun = time.perf_counter()
            counted = _read(environment)
            after = time.perf_counter() - begun
        finally:
            speed.stop(desks[-1])
    finally:
        if server is not None:
            server.stop()
    ordered = sorted(flood.answers)
    lost = once.sent + flood.sent - counted["told"]
    p95 = 1000 * ordered[int(len(ordered) * 0.95)]
    words, ratio = _pages(before, meanwhile)
    print(
        f"{database}: {flood.sent:,} alerts in {len(ordered):,} requests at {options.rate:,}/s; answered p50 "
        f"{1000 * ordered[len(ordered) // 2]:.0f} ms, p95 {p95:.0f} ms; sent again {flood.again} "
        f"{flood.other or ''}; all read {after:.1f} s after the last; {counted['keys']:,} alerts, {counted['incidents']} incident(s), "
        f"{max(0, lost)} lost, {max(0, -lost)} counted twice, {counted['unread']} unread; {words}",
        flush=True,
    )
    is_whole = lost <= 0 and not counted["waiting"] and not counted["unread"]
    if options.kill:
        return is_whole
    return is_whole and lost == 0 and p95 < MOST_P95 and (ratio <= MOST_RATIO or options.seconds < JUDGED_FROM)


async def _killed(flood: Flood, desks: list[speed.Desk], environment: dict[str, str], options: argparse.Namespace) -> None:
    """Kill everything in the middle, and start it again at the same port."""
    task = asyncio.create_task(flood.play())
    await asyncio.sleep(options.seconds / 2)
    os.killpg(desks[-1].process.pid, signal.SIGKILL)
    desks[-1].process.wait()
    again = {**environment, "ALLSWELL_PORT": str(flood.port), "ALLSWELL_URL": f"http://127.0.0.1:{flood.port}"}
    desks.append(await asyncio.to_thread(_start_again, again, flood.port, desks[-1]))
    await task


def _start_again(environment: dict[str, str], port: int, former: speed.Desk) -> speed.Desk:
    process = subprocess.Popen([sys.executable, "-m", "allswell", "serve"], env=environment, start_new_session=True)
    return speed.Desk(process, port, environment, former.cookie, former.rich, former.token)


def main() -> int:
    """Play a flood on each database; 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--rate", type=int, default=5000, help="alerts a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keys", type=int, default=2000)
    parser.add_argument("--tickets", type=int, default=2000, help="that the desk has already")
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="allswell-flood-") as folder:
        Path(folder).chmod(0o755)
        done = [play(database, options, Path(folder)) for database in options.databases.split(",")]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
