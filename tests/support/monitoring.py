"""Monitoring that reports to the desk: real bodies over HTTP, read by the engine at a simulated instant."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.test import Client

from allswell.desk.alerts import sources
from allswell.desk.rates import Rate
from allswell.engine.alerts import Alerts, AlertTimes
from allswell.engine.amazon import Amazon
from allswell.intake.models import Alert, RawReport
from allswell.notifications.channels.guarded_http import Reply, Unreachable
from tests.support.world import World


class Monitoring:
    """An Alertmanager (or another `kind`) that has a key."""

    def __init__(self, world: World, kind: str = "alertmanager", **values: Any) -> None:
        sources._refusals = Rate()  # nothing was refused before, of no source of this number
        self.world = world
        self.kind = kind
        self.source, self.key = sources.create(name=f"Watch {kind}", kind=kind, **values, **world.by(world.ada))
        self.client = Client()
        self.amazon = Amazon(self.call)

    def post(self, body: Any, *, path: str | None = None, key: str | None = None, **more: Any) -> Any:
        """Send a body as a sender does; the answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        more.setdefault("content_type", "application/json")
        return self.client.post(path or f"/in/{self.kind}/{self.key if key is None else key}", content, **more)

    def send(self, *alerts: dict[str, Any], group: str = "g1", status: str | None = None) -> None:
        """An Alertmanager tells of a group, and the engine reads it."""
        state = status or ("firing" if any(one["status"] == "firing" for one in alerts) else "resolved")
        body = {
            "version": "4",
            "groupKey": group,
            "truncatedAlerts": 0,
            "status": state,
            "receiver": "allswell",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://am:9093",
            "alerts": list(alerts),
        }
        assert self.post(body).status_code == 200
        self.read()

    def read(self) -> None:
        """The engine reads all that waits, at the world's instant."""
        RawReport.objects.filter(handled_at=None).update(received_at=self.world.now)
        module = Alerts(now=lambda: self.world.now, amazon=self.amazon)
        while module.is_due(self.world.now):
            module.tick(self.world.now)

    def call(self, url: str) -> Reply:
        """What Amazon answers; nothing, as it is nowhere here."""
        raise Unreachable

    def wait(self, **delta: float) -> datetime:
        """Time passes, and the engine looks at what that brings about."""
        self.world.forward(**delta)
        module = AlertTimes(now=lambda: self.world.now)
        if module.is_due(self.world.now):
            module.tick(self.world.now)
        return self.world.now

    def alert(self, name: str = "HighLatency", **labels: str) -> Alert:
        """The alert as it stands."""
        return next(row for row in Alert.objects.filter(title__contains=name) if labels.items() <= row.labels.items())

    def fires(self, name: str = "HighLatency", *, since: datetime | None = None, **labels: str) -> dict[str, Any]:
        """An alert of Alertmanager's that fires."""
        began = since or self.world.now
        return self._told(name, "firing", began, None, labels)

    def is_over(self, name: str = "HighLatency", *, since: datetime, **labels: str) -> dict[str, Any]:
        """The same, over now."""
        return self._told(name, "resolved", since, self.world.now, labels)

    def _told(self, name: str, status: str, began: datetime, ended: datetime | None, labels: dict[str, str]) -> dict[str, Any]:
        said = {"alertname": name, "severity": "critical", **labels}
        return {
            "status": status,
            "labels": said,
            "annotations": {"summary": f"{name} on {labels.get('host', 'all')}"},
            "startsAt": began.isoformat(),
            "endsAt": ended.isoformat() if ended else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prom:9090/graph",
            "fingerprint": str(abs(hash(frozenset(said.items())))),
        }
