"""One outage, ten thousand alerts: python -m bench.alert_storm [--databases sqlite,postgresql] [--alerts 10000] [--in-one 500]

A running `serve` gets alerts of one service, all different, as fast as it takes them, in requests of `--in-one`; then the end of each.
Told are the answers, when the incident was there and somebody called, when all was read, and how fast the pages of this incident are
against those of any other. It fails unless this is one incident, one run and one page, nothing is lost, the incident is resolved
when the last alert is over, and its pages take at most twice the time of another ticket's (or 150 ms).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import alerts, speed

#: times as long as the same pages of another ticket; milliseconds that are nothing in any case
MOST_RATIO, NOTHING = 2.0, 150.0
_ROUNDS = 9

_POLICY = """
import django; django.setup()
from allswell.kernel import clock
from allswell.oncall.models import EscalationPolicy, PolicyUse, PolicyVersion
from allswell.people.models import Person
from allswell.services.models import ConfigurationItem
now = clock.now()
service, person = ConfigurationItem.objects.order_by("pk").first(), Person.objects.get(name="Person 500")
policy = EscalationPolicy.objects.create(
    name=f"Storm {now.timestamp()}", slug=f"storm-{int(now.timestamp())}", team_id=service.team_id, number=1, created_at=now)
definition = {"steps": [{"targets": [{"kind": "person", "person": person.pk}], "wait": 3600}], "starts": [1, 2, 3, 4, 5], "urgent": [1]}
PolicyVersion.objects.create(policy=policy, number=1, definition=definition, created_at=now)
PolicyUse.objects.filter(service=service).delete()
PolicyUse.objects.create(policy=policy, service=service)
"""
_COUNTED = """
import django; django.setup()
import json
from allswell.intake.models import Alert, AlertSource, RawReport
from allswell.oncall.models import Escalation, Page
from allswell.tickets.models import Ticket
rows = Alert.objects.filter(source=AlertSource.objects.order_by("-pk").first())
tickets = Ticket.objects.filter(pk__in=rows.exclude(ticket=None).values("ticket"))
print(json.dumps({"alerts": rows.count(), "firing": rows.filter(state="firing").count(),
  "incidents": list(tickets.values_list("pk", "state")), "runs": Escalation.objects.filter(ticket__in=tickets).count(),
  "pages": Page.objects.filter(escalation__ticket__in=tickets).count(),
  "waiting": RawReport.objects.filter(handled_at=None).count(), "unread": RawReport.objects.exclude(error="").count()}))
"""


@dataclass
class Storm:
    """An outage as its Alertmanager tells it."""

    url: str
    many: int
    in_one: int
    answers: list[float] = field(default_factory=list)

    def tell(self, *, is_over: bool) -> None:
        """Everything fires, or is over; each request as soon as the one before is answered."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for start in range(0, self.many, self.in_one):
            some = [self._alert(n, stamp, is_over=is_over) for n in range(start, min(self.many, start + self.in_one))]
            state = "resolved" if is_over else "firing"
            body = {
                "version": "4", "groupKey": f'{{}}:{{rack="{start}"}}', "truncatedAlerts": 0, "status": state, "receiver": "allswell",
                "externalURL": "http://alertmanager:9093", "commonLabels": {}, "commonAnnotations": {}, "alerts": some,
            }  # fmt: skip
            self._send(json.dumps(body, separators=(",", ":")).encode())

    def _alert(self, n: int, stamp: str, *, is_over: bool) -> dict[str, Any]:
        return {
            "status": "resolved" if is_over else "firing",
            "labels": {
                "alertname": "HostDown",
                "severity": "critical",
                "instance": f"web{n}:9100",
                "job": "node",
                "switch": "s1",
            },
            "annotations": {"summary": f"web{n} cannot be reached"},
            "startsAt": stamp,
            "endsAt": stamp if is_over else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
            "fingerprint": f"{n:016x}",
        }

    def _send(self, body: bytes) -> None:
        while True:
            begun = time.perf_counter()
            asked = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    answer.read()
                self.answers.append(1000 * (time.perf_counter() - begun))
                return
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    raise
                time.sleep(0.3)


def _counted(environment: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(speed._python(environment, "-c", _COUNTED))
    return found


def _settled(environment: dict[str, str], begun: float) -> tuple[dict[str, Any], float]:
    """How it stands once all is read and the page is written, and the seconds until then."""
    found = _counted(environment)
    while (found["waiting"] or not found["pages"]) and time.perf_counter() - begun < 300:
        time.sleep(0.2)
        found = _counted(environment)
    return found, time.perf_counter() - begun


def _took(desk: speed.Desk, path: str) -> float:
    """Milliseconds a page, the median."""
    took = []
    for _ in range(_ROUNDS):
        headers = {"Cookie": desk.cookie, **({"HX-Request": "true"} if path.endswith("/alerts") else {})}
        begun = time.perf_counter()
        with urllib.request.urlopen(urllib.request.Request(f"{desk.url}{path}", headers=headers), timeout=60) as answer:
            answer.read()
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took)


def play(database: str, options: argparse.Namespace, folder: Path) -> bool:
    """One storm; whether it was one incident, one page and readable."""
    environment, server = speed.prepare(database, options.tickets, folder)
    try:
        key = speed._python(environment, "-c", alerts._SOURCE)
        speed._python(environment, "-c", _POLICY)
        desk = speed.start(environment, options.tickets)
        try:
            storm = Storm(f"{desk.url}/in/alertmanager/{key}", options.alerts, options.in_one)
            usual = {path: _took(desk, path) for path in (f"/tickets/{desk.rich}", f"/tickets/{desk.rich}/alerts", "/alerts/")}
            begun = time.perf_counter()
            storm.tell(is_over=False)
            told, (fires, read) = time.perf_counter() - begun, _settled(environment, begun)
            number = fires["incidents"][0][0]
            now = {path.replace(str(desk.rich), str(number)): took for path, took in usual.items()}
            now = {path: (took, _took(desk, path)) for path, took in now.items()}
            whole = _took(desk, f"/alerts/?ticket={number}&state=")
            begun = time.perf_counter()
            storm.tell(is_over=True)
            over, ended = _settled(environment, begun)
        finally:
            speed.stop(desk)
    finally:
        if server is not None:
            server.stop()
    pages = ", ".join(f"{path} {took:.0f} ms (usually {before:.0f})" for path, (before, took) in now.items())
    print(
        f"{database}: {fires['alerts']:,} alerts in requests of {options.in_one:,}: answered in {told:.1f} s (slowest "
        f"{max(storm.answers):.0f} ms), all read after {read:.1f} s: {len(fires['incidents'])} incident(s), {fires['runs']} run(s), "
        f"{fires['pages']} page(s); {pages}, all its alerts {whole:.0f} ms; all over {ended:.1f} s after the first end: "
        f"{over['incidents'][0][1]}, {over['firing']} firing, {over['unread']} unread",
        flush=True,
    )
    is_one = (len(fires["incidents"]), fires["runs"], fires["pages"], over["pages"]) == (1, 1, 1, 1)
    is_whole = fires["alerts"] == fires["firing"] == options.alerts and not over["unread"]
    is_over = (over["firing"], over["incidents"][0][1]) == (0, "resolved")
    is_readable = all(took <= max(MOST_RATIO * before, NOTHING) for before, took in now.values())
    return is_one and is_whole and is_over and is_readable


def main() -> int:
    """Play a storm on each database; 1 when it was not one incident, one page and readable."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--in-one", type=int, default=500, help="alerts in one request")
    parser.add_argument("--tickets", type=int, default=2000, help="that the desk has already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="allswell-storm-") as folder:
        Path(folder).chmod(0o755)
        done = [play(database, options, Path(folder)) for database in options.databases.split(",")]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
