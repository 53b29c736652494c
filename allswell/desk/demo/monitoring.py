"""What the monitoring of Northbank tells: ninety days of alerts of an Alertmanager, word for word as it sends them.

Most of it is noise that calls nobody; now and then a service is slow for a while, and half an hour ago one became so and still is.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

from allswell.desk.alerts import heartbeats, reading, rules, sources, taking, windows
from allswell.intake.queries import alerts as queries
from allswell.intake.rules.kept import Raw
from allswell.kernel import actor as actors
from allswell.kernel.actor import Actor

from .company import Company

#: incidents that come of it: three that were over by themselves, and the one of today
INCIDENTS = 4
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: days ago, hours of the day and minutes long of what was slow and became well again
_SLOW = ((61, 14.3, 22), (33, 9.8, 41), (9, 16.1, 17))


def run(company: Company, *, actor: Actor, begin: datetime, now: datetime) -> None:
    """Set monitoring up and play what it told. `begin` is before the first of it."""
    by: dict[str, Any] = {"actor": actor, "now": begin}
    source, _key = sources.create(name="Prometheus", kind="alertmanager", **by)
    full = {"label": "alertname", "operator": "=", "value": "DiskFull"}
    rules.create(name="Disks of test machines only stand in the list", definition={"matchers": [full], "act": "record"}, **by)
    rules.create(name="The label says which service", definition={"service_label": "service"}, **by)
    story = sorted((*_noise(now), *_slow_spells(now), *_today(now)), key=lambda told: told[0])
    fires: dict[str, dict[str, dict[str, Any]]] = {}
    for at, alert in story:
        group = fires.setdefault(alert["labels"]["alertname"], {})
        group[alert["fingerprint"]] = alert
        _tell(source.pk, at, list(group.values()))
        if alert["status"] == "resolved":
            del group[alert["fingerprint"]]
    beat, _unused = sources.create(name="Cron jobs", kind="heartbeat", team=company.teams["Systems"], **by)
    heartbeats.create(beat.pk, name="nightly-backup", every=int(_DAY.total_seconds()), grace=3_600, actor=actor, now=now)
    night = (now + _DAY).replace(hour=21, minute=0, second=0, microsecond=0)
    windows.announce(
        title="New firewalls in the branches",
        starts_at=night,
        ends_at=night + 4 * _HOUR,
        services=[company.services["branch-network"]],
        actor=actor,
        now=now,
    )


def _tell(source: int, at: datetime, alerts: list[dict[str, Any]]) -> None:
    """One request of the Alertmanager arrives, and is read at once. It names all of a group that fires, and what ended just now."""
    name = {"alertname": alerts[0]["labels"]["alertname"]}
    body = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name["alertname"]}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
        "receiver": "allswell",
        "groupLabels": name,
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": "http://alertmanager.northbank.example",
        "alerts": alerts,
    }
    head = {"method": "POST", "path": "", "content_type": "application/json"}
    engine = actors.engine()
    taking.keep([Raw(source, at, head, json.dumps(body).encode(), at.isoformat())], actor=engine, now=at)
    taking.take(reading.read(queries.waiting(limit=1, most_bytes=1_000_000)), actor=engine, now=at)


def _common(said: list[dict[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    return {name: value for name, value in said[0].items() if all(other.get(name) == value for other in said)}


def _alert(name: str, summary: str, began: datetime, labels: dict[str, str], ended: datetime | None = None) -> dict[str, Any]:
    said = {"alertname": name, "severity": "warning", **labels}
    return {
        "status": "resolved" if ended else "firing",
        "labels": said,
        "annotations": {"summary": summary, "runbook_url": f"https://runbooks.northbank.example/{name.lower()}"},
        "startsAt": began.isoformat(),
        "endsAt": ended.isoformat() if ended else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.northbank.example/graph",
        "fingerprint": f"{name}-{labels.get('instance', '')}",
    }


def _spell(
    name: str, summary: str, began: datetime, length: timedelta, labels: dict[str, str]
) -> list[tuple[datetime, dict[str, Any]]]:
    ended = began + length
    return [
        (began + _MINUTE, _alert(name, summary, began, labels)),
        (ended + _MINUTE, _alert(name, summary, began, labels, ended)),
    ]


def _noise(now: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """A disk of a test machine that is full nearly every night, which nobody ever did anything about."""
    rng = Random(7)  # noqa: S311 - a play, not a secret
    told = []
    for days in range(2, 45):
        if rng.random() < 0.8:
            began = (now - days * _DAY).replace(hour=2, minute=rng.randrange(50), second=0, microsecond=0)
            where = {"severity": "info", "instance": f"test-{rng.choice(('04', '07', '07', '07'))}"}
            told += _spell("DiskFull", "Less than 5 % of the disk is free", began, rng.randrange(20, 200) * _MINUTE, where)
    return told


def _slow_spells(now: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    told = []
    for days, hour, minutes in _SLOW:
        began = (now - days * _DAY).replace(hour=int(hour), minute=int(hour % 1 * 60), second=0, microsecond=0)
        where = {"service": "online-banking", "instance": "web-2"}
        told += _spell("SlowAnswers", "95 % of answers take longer than 2 s", began, minutes * _MINUTE, where)
    return told


def _today(now: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """Three nodes of one service, one after the other: one outage, one incident."""
    told = []
    for number, minutes in enumerate((34, 31, 27), start=1):
        at, where = now - minutes * _MINUTE, {"service": "payments", "instance": f"mq-{number}"}
        told.append((at, _alert("QueueTooLong", f"More than 500 payments wait on mq-{number}", at, where)))
    return told
