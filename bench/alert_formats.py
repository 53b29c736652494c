"""What reading a request of monitoring costs: CPU time of one check, by format and by the number of alerts in it.

    python -m bench.alert_formats

Every request is checked twice in its life (before it is answered, and by the engine), so that 5,000 alerts a second cost ten thousand of
these.
"""

from __future__ import annotations

import json
import time
from typing import Any

from allswell.intake.parsers.alerts.registry import FORMATS
from allswell.intake.parsers.alerts.shape import Accepted, Request


def alertmanager(count: int) -> dict[str, Any]:
    """A group as Alertmanager sends it, with eight labels and three annotations an alert."""
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": "HighLatency",
                "instance": f"web{number}:9100",
                "service": "billing",
                "severity": "critical",
                "cluster": "dc1",
                "job": "node",
                "namespace": "shop",
                "pod": f"shop-7d9c-{number}",
            },
            "annotations": {
                "description": f"The p99 latency on web{number} is above two seconds.\nLook at the runbook.",
                "runbook_url": "https://runbooks.example/latency",
                "summary": "p99 > 2s",
            },
            "startsAt": "2026-11-23T01:09:22.898192565Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph?g0",
            "fingerprint": f"{number:016x}",
        }
        for number in range(count)
    ]
    group = {
        "version": "4",
        "groupKey": '{}:{alertname="HighLatency"}',
        "status": "firing",
        "receiver": "desk",
        "truncatedAlerts": 0,
    }
    return {
        **group,
        "commonLabels": {"alertname": "HighLatency"},
        "commonAnnotations": {},
        "externalURL": "http://am.example",
        "alerts": alerts,
    }


CASES: list[tuple[str, str, Any, int]] = [
    ("alertmanager", "1 alert", alertmanager(1), 1),
    ("alertmanager", "20 alerts", alertmanager(20), 20),
    ("alertmanager", "500 alerts", alertmanager(500), 500),
    (
        "pagerduty",
        "1 event",
        {
            "event_action": "trigger",
            "dedup_key": "k",
            "payload": {"summary": "disk full", "source": "db1", "severity": "critical"},
        },
        1,
    ),
    ("pingdom", "1 check, by a mapping", {"check_id": 1, "check_name": "Shop", "current_state": "DOWN", "description": "503"}, 1),
]


def cost(kind: str, body: bytes) -> float:
    """CPU seconds of one check, the best of seven rounds."""
    request, check = Request(body=body, content_type="application/json"), FORMATS[kind].check
    assert isinstance(check(request, "nonce"), Accepted)
    times = max(3, 400_000 // len(body))
    rounds = []
    for _round in range(7):
        began = time.process_time()
        for _time in range(times):
            check(request, "nonce")
        rounds.append((time.process_time() - began) / times)
    return min(rounds)


def main() -> None:
    """Print a line for each case, and what a hostile body costs."""
    for kind, name, message, count in CASES:
        body = json.dumps(message).encode()
        seconds = cost(kind, body)
        print(f"{kind:14} {name:22} {len(body):8} bytes {seconds * 1e3:8.3f} ms {seconds * 1e6 / count:8.1f} µs an alert")
    for name, body in {
        "brackets": b"[]" * 2_500_000,
        "depth": b"[" * 5_000_000,
        "a text": b'"' + b"[" * 4_999_998 + b'"',
    }.items():
        began = time.process_time()
        FORMATS["generic"].check(Request(body=body), "nonce")
        print(f"5 MB of {name}: {time.process_time() - began:.2f} s")


if __name__ == "__main__":
    main()
