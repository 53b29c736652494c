"""Alertmanager and Prometheus: keys, groups, leases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from allswell.intake.parsers.alerts.shape import REPORTS, Action, Severity

from .asking import refused, report, reports, taken


def alert(instance: str = "web1", state: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "status": state,
        "labels": {"alertname": "HighLatency", "instance": instance, "severity": "critical"},
        "annotations": {
            "summary": f"slow on {instance}",
            "description": "p99 over 2 s",
            "runbook_url": "https://runbooks.example/latency",
        },
        "startsAt": "2026-11-23T01:09:22.898192565Z",
        "endsAt": "0001-01-01T00:00:00Z" if state == "firing" else "2026-11-23T01:12:02Z",
        "generatorURL": "http://prometheus.example/graph?g0",
        "fingerprint": f"f-{instance}",
        **more,
    }


def message(*alerts: dict[str, Any], state: str = "firing") -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighLatency"}',
        "status": state,
        "receiver": "desk",
        "groupLabels": {"alertname": "HighLatency"},
        "commonLabels": {"alertname": "HighLatency"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "truncatedAlerts": 0,
        "alerts": list(alerts),
    }


def test_each_alert_of_a_group_is_reported_by_itself() -> None:
    one, two = reports("alertmanager", message(alert("web1"), alert("web2")))
    assert (one.action, one.key, one.group) == (Action.FIRE, "f-web1", '{}:{alertname="HighLatency"}')
    assert (one.title, one.text, one.severity) == ("slow on web1", "p99 over 2 s", Severity.CRITICAL)
    assert one.labels == {"alertname": "HighLatency", "instance": "web1", "severity": "critical"}
    assert one.happened_at == one.started_at == datetime(2026, 11, 23, 1, 9, 22, 898192, UTC)
    assert one.ended_at is None
    assert one.links[:2] == (("Runbook", "https://runbooks.example/latency"), ("Source", "http://prometheus.example/graph?g0"))
    assert two.key == "f-web2"


def test_an_alert_is_over_while_its_group_burns_on() -> None:
    one, two = reports("alertmanager", message(alert("web1", "resolved"), alert("web2")))
    assert (one.action, two.action) == (Action.RESOLVE, Action.FIRE)
    assert one.ended_at == one.happened_at == datetime(2026, 11, 23, 1, 12, 2, tzinfo=UTC)
    assert not one.resolves_group


def test_a_resolved_group_is_over_though_its_last_message_names_one_alert_only() -> None:
    one = report("alertmanager", message(alert("web2", "resolved"), state="resolved"))
    assert (one.action, one.resolves_group) == (Action.RESOLVE, True)
    empty = report("alertmanager", message(state="resolved"))
    assert (empty.action, empty.resolves_group, empty.group) == (Action.RESOLVE, True, '{}:{alertname="HighLatency"}')


def test_the_next_outage_has_the_same_key_and_another_beginning() -> None:
    later = alert(startsAt="2026-11-23T05:00:00Z")
    first, second = report("alertmanager", message(alert())), report("alertmanager", message(later))
    assert first.key == second.key
    assert first.started_at != second.started_at


def test_without_a_fingerprint_the_labels_are_the_key_in_whatever_order() -> None:
    labels = {"alertname": "Down", "instance": "db1"}
    one = report("alertmanager", {"alerts": [{"labels": labels}]})
    two = report("alertmanager", {"alerts": [{"labels": dict(reversed(labels.items())), "status": "resolved"}]})
    assert one.key == two.key
    assert (one.title, two.action) == ("Down", Action.RESOLVE)


def test_more_than_a_request_may_hold_is_counted() -> None:
    found = taken("alertmanager", message(*(alert(f"w{number}") for number in range(REPORTS + 3))))
    assert (len(found.reports), found.left_out) == (REPORTS, 3)


def test_what_is_no_message_of_alertmanager_is_told_so() -> None:
    assert refused("alertmanager", b"").status == 400
    assert json.loads(refused("alertmanager", "[]").body) == {"status": "error", "message": "The body is not a JSON object."}
    assert "alerts" in refused("alertmanager", {"alerts": "x"}).reason
    assert "not an object" in refused("alertmanager", {"alerts": [1]}).reason


CAME = datetime(2026, 11, 23, 1, 12, 24, tzinfo=UTC)


def direct(ends_at: datetime, **labels: str) -> list[dict[str, Any]]:
    return [
        {
            "labels": {"alertname": "Down", "instance": "db1", "severity": "critical", **labels},
            "annotations": {"summary": "db1 down"},
            "startsAt": "2026-11-23T01:12:20.465Z",
            "endsAt": ends_at.isoformat(),
            "generatorURL": "http://prometheus.example/graph?g0",
        }
    ]


def test_prometheus_lends_its_alerts() -> None:
    ends = CAME + timedelta(seconds=20)
    one = report("prometheus", direct(ends), "/api/v2/alerts", received_at=CAME)
    assert (one.action, one.lease_until, one.ended_at) == (Action.FIRE, ends, None)
    again = report("prometheus", direct(ends + timedelta(seconds=6)), "/api/v2/alerts", received_at=CAME + timedelta(seconds=6))
    assert again.key == one.key
    assert report("prometheus", direct(ends, instance="db2"), received_at=CAME).key != one.key


def test_an_end_that_is_past_ends_the_alert() -> None:
    ends = CAME - timedelta(seconds=1)
    one = report("prometheus", direct(ends), received_at=CAME)
    assert (one.action, one.ended_at, one.happened_at, one.lease_until) == (Action.RESOLVE, ends, ends, None)


def test_prometheus_reads_200_and_no_more() -> None:
    found = taken("prometheus", direct(CAME), received_at=CAME)
    assert (found.status, found.body) == (200, b"")
    assert "labels" in refused("prometheus", [{"annotations": {}}]).reason
    assert refused("prometheus", '"x"').status == 400


def test_what_an_alertmanager_tells_of_its_own_alerts_is_read_too() -> None:
    own = {**alert(), "status": {"state": "suppressed", "silencedBy": ["x"]}, "endsAt": "2026-11-23T02:00:00Z"}
    one = report("prometheus", [{"labels": {}, "receiver": {"name": "x"}, "alerts": [own]}], received_at=CAME)
    assert (one.action, one.key, one.lease_until) == (Action.FIRE, "f-web1", datetime(2026, 11, 23, 2, tzinfo=UTC))
