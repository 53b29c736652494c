"""Grafana, Nagios and Icinga, Zabbix, Uptime Kuma, CloudEvents, Azure, Sentry, heartbeats."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allswell.intake.parsers.alerts import signing
from allswell.intake.parsers.alerts.shape import Action, AlertReport, Severity

from .asking import refused, report, reports, request, taken

FORM = "application/x-www-form-urlencoded"


def test_grafana_speaks_like_alertmanager_and_links_to_its_panels() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "High", "severity": "warning"},
        "annotations": {"summary": "CPU over 90 %"},
        "startsAt": "2026-11-23T01:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "c6eadffa33fcdf37",
        "silenceURL": "https://grafana.example/alerting/silence",
        "dashboardURL": "https://grafana.example/d/1",
        "panelURL": "https://grafana.example/d/1?viewPanel=1",
        "values": {"B": 44.2},
    }
    sent = {
        "version": "1",
        "orgId": 1,
        "groupKey": "{}:{alertname='High'}",
        "status": "firing",
        "title": "[FIRING:1]",
        "state": "alerting",
    }
    one = report("grafana", {**sent, "alerts": [alert]}, method="PUT")
    assert (one.key, one.group, one.severity, one.is_test) == (
        "c6eadffa33fcdf37",
        "{}:{alertname='High'}",
        Severity.WARNING,
        False,
    )
    assert [name for name, _url in one.links] == ["Dashboard", "Panel", "Silence there"]
    test = {**alert, "labels": {"alertname": "TestAlert", "instance": "Grafana"}}
    assert report("grafana", {**sent, "alerts": [test]}).is_test


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("alerting", Action.FIRE),
        ("no_data", Action.FIRE),
        ("ok", Action.RESOLVE),
        ("pending", Action.NOTE),
        ("paused", Action.NOTE),
    ],
)
def test_grafana_of_before_has_a_state_for_the_rule(state: str, action: Action) -> None:
    one = report(
        "grafana",
        {
            "ruleId": 7,
            "orgId": 2,
            "ruleName": "CPU",
            "title": "CPU",
            "state": state,
            "evalMatches": [{"metric": "m", "value": 1}],
        },
    )
    assert (one.action, one.key, one.labels["m"]) == (action, "2/7", "1")


def test_what_grafana_never_sends() -> None:
    assert refused("grafana", {"state": "alerting"}).status == 400
    assert refused("grafana", {"ruleId": 1, "state": "odd"}).status == 400


def notified(kind: str, state: str, service: str = "disk", **more: str) -> AlertReport:
    fields = {"type": kind, "host": "db1", "service": service, "state": state, "output": "o", "t": "1795396909", **more}
    return report("nagios", "&".join(f"{name}={value}" for name, value in fields.items()), kind=FORM)


@pytest.mark.parametrize(
    ("kind", "state", "action", "is_flapping"),
    [
        ("PROBLEM", "CRITICAL", Action.FIRE, None),
        ("PROBLEM", "WARNING", Action.FIRE, None),
        ("RECOVERY", "OK", Action.RESOLVE, None),
        ("ACKNOWLEDGEMENT", "CRITICAL", Action.ACKNOWLEDGE, None),
        ("FLAPPINGSTART", "OK", Action.RESOLVE, True),
        ("FLAPPINGSTART", "CRITICAL", Action.FIRE, True),
        ("FLAPPINGSTOP", "OK", Action.RESOLVE, False),
        ("FLAPPINGEND", "WARNING", Action.FIRE, False),
        ("DOWNTIMESTART", "CRITICAL", Action.NOTE, None),
        ("DOWNTIMEEND", "OK", Action.RESOLVE, None),
        ("CUSTOM", "UNKNOWN", Action.NOTE, None),
        ("CUSTOM", "UP", Action.RESOLVE, None),
    ],
)
def test_the_state_of_every_notification_of_nagios_counts(
    kind: str, state: str, action: Action, is_flapping: bool | None
) -> None:
    one = notified(kind, state)
    assert (one.action, one.is_flapping, one.key) == (action, is_flapping, "db1/disk")


def test_a_host_of_nagios_has_a_key_of_its_own() -> None:
    one = notified("PROBLEM", "DOWN", "", problem_id="7")
    assert (one.key, one.severity, one.happened_at) == ("db1", Severity.CRITICAL, datetime.fromtimestamp(1795396909, UTC))
    assert notified("PROBLEM", "DOWN", "", problem_id="8").key == one.key
    assert refused("nagios", "service=disk&state=OK", kind=FORM).status == 400
    assert refused("nagios", "host=db1&state=odd", kind=FORM).status == 400
    assert report("nagios", {"host": "db1", "state": "UP", "type": "RECOVERY"}).action is Action.RESOLVE


def zabbix(**more: Any) -> AlertReport:
    tags = json.dumps([{"tag": "team", "value": "dba"}])
    sent = {
        "event_id": "4711",
        "event_value": "1",
        "event_update_status": "0",
        "event_name": "disk full",
        "event_nseverity": "4",
        "event_tags": tags,
    }
    return report("zabbix", {**sent, "host": "db1", **more})


def test_zabbix_tells_by_the_value() -> None:
    one = zabbix()
    assert (one.action, one.key, one.title, one.severity) == (Action.FIRE, "4711", "disk full", Severity.ERROR)
    assert one.labels == {"team": "dba", "host": "db1"}
    assert zabbix(event_value="0").action is Action.RESOLVE
    acked = zabbix(event_update_status="1", update_action="acknowledged, commented", update_user="ada", update_message="on it")
    assert (acked.action, acked.by, acked.note) == (Action.ACKNOWLEDGE, "ada", "on it")
    assert zabbix(event_update_status="1", update_action="unacknowledged").action is Action.NOTE
    assert zabbix(event_nseverity="5").severity is Severity.CRITICAL
    assert zabbix(event_nseverity="Average").severity is Severity.WARNING
    short = report("zabbix", {"eventid": "1", "eventvalue": "1", "eventupdate": "0", "severity": "2", "host": "h"})
    assert (short.action, short.severity) == (Action.FIRE, Severity.WARNING)
    assert refused("zabbix", {"event_id": "1"}).status == refused("zabbix", {"event_value": "1"}).status == 400


def kuma(state: int) -> AlertReport:
    beat = {"status": state, "time": "2026-11-23 01:40:00.000", "msg": "timeout"}
    monitor = {"id": 7, "name": "Shop", "type": "http", "url": "https://shop.example", "tags": [{"name": "team", "value": "web"}]}
    return report("uptime-kuma", {"heartbeat": beat, "monitor": monitor, "msg": "[Shop]"})


def test_uptime_kumas_states() -> None:
    assert [kuma(state).action for state in range(4)] == [Action.FIRE, Action.RESOLVE, Action.NOTE, Action.NOTE]
    assert (kuma(0).key, kuma(3).note) == ("7", "under maintenance")
    assert refused("uptime-kuma", {"heartbeat": {"status": 9}, "monitor": {"id": 1}}).status == 400


def test_uptime_kumas_test_button_is_a_test() -> None:
    one = report("uptime-kuma", {"heartbeat": None, "monitor": None, "msg": "My notification Testing"})
    assert (one.action, one.is_test) == (Action.NOTE, True)
    expiring = [f"[Shop][https://shop.example] server certificate shop will expire in {days} days" for days in (14, 7)]
    first, second = (report("uptime-kuma", {"heartbeat": None, "monitor": None, "msg": text}) for text in expiring)
    assert (first.action, first.key) == (Action.FIRE, second.key)


CE = {"specversion": "1.0", "id": "1", "source": "/db1", "type": "com.example.disk.full", "subject": "disk"}


def test_the_three_forms_of_cloudevents_say_the_same() -> None:
    data = {"severity": "critical", "summary": "disk full"}
    structured = report("cloudevents", {**CE, "data": data}, kind="application/cloudevents+json")
    batched = report("cloudevents", [{**CE, "data": data}], kind="application/cloudevents-batch+json")
    headers = {f"ce-{name}": value for name, value in CE.items()}
    binary = report("cloudevents", data, headers=headers)
    assert structured == batched == binary
    assert (binary.action, binary.key, binary.severity, binary.title) == (
        Action.FIRE,
        "/db1/disk",
        Severity.CRITICAL,
        "disk full",
    )


def test_the_end_of_a_cloudevent_is_in_its_type_or_in_the_words_of_the_source() -> None:
    assert report("cloudevents", {**CE, "type": "com.example.disk.resolved"}).action is Action.RESOLVE
    bare = {name: value for name, value in CE.items() if name != "subject"}
    begun, ended = (report("cloudevents", {**bare, "type": f"com.example.disk.{word}"}) for word in ("triggered", "resolved"))
    assert begun.key == ended.key
    told = report("cloudevents", {**CE, "type": "com.example.calm"}, options={"types": {"com.example.c*": "resolve"}})
    assert told.action is Action.RESOLVE
    assert report("cloudevents", {**CE, "data": {"state": "ok"}}).action is Action.RESOLVE
    for name in ("id", "source", "type", "specversion"):
        assert refused("cloudevents", {**CE, name: ""}).status == 400
    assert refused("cloudevents", {**CE, "specversion": "0.3"}).status == 400


def azure(condition: str, **more: Any) -> dict[str, Any]:
    facts = {
        "alertId": "/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a",
        "alertRule": "CPU",
        "severity": "Sev1",
        "signalType": "Metric",
        "monitorCondition": condition,
        "alertTargetIDs": ["/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/vm1"],
        "firedDateTime": "2026-11-23T01:00:00.1234567Z",
        "description": "CPU over 90 %",
        **more,
    }
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {"essentials": facts, "alertContext": {}, "customProperties": {"team": "web"}},
    }


def test_azures_common_schema() -> None:
    one = report("azure", azure("Fired"))
    assert (one.action, one.severity, one.labels["resource"], one.labels["team"]) == (Action.FIRE, Severity.ERROR, "vm1", "web")
    over = report("azure", azure("Resolved", resolvedDateTime="2026-11-23T02:00:00Z"))
    assert (over.action, over.key, over.ended_at) == (Action.RESOLVE, one.key, datetime(2026, 11, 23, 2, tzinfo=UTC))
    assert "common alert schema" in refused("azure", {"context": {}}).reason
    assert refused("azure", azure("Odd")).status == 400


def test_sentrys_hooks() -> None:
    issue = {"id": "12", "title": "Boom", "level": "fatal", "shortId": "SHOP-1", "project": {"slug": "shop"}}
    event = {
        "issue_id": "12",
        "title": "Boom",
        "level": "error",
        "web_url": "https://sentry.example/12",
        "tags": [["env", "prod"]],
    }
    fired = report("sentry", {"action": "triggered", "data": {"event": event, "triggered_rule": "r"}})
    over = report("sentry", {"action": "resolved", "data": {"issue": issue}, "actor": {"name": "Ada"}})
    assert (fired.action, fired.key, fired.labels["env"], fired.labels["rule"]) == (Action.FIRE, "12", "prod", "r")
    assert (over.action, over.key, over.severity, over.by) == (Action.RESOLVE, "12", Severity.CRITICAL, "Ada")
    metric = {
        "action": "warning",
        "data": {"metric_alert": {"id": "3", "alert_rule": {"name": "p95"}}, "description_title": "p95 over 2 s"},
    }
    assert [report("sentry", {**metric, "action": said}).action for said in ("warning", "resolved")] == [
        Action.FIRE,
        Action.RESOLVE,
    ]
    assert report("sentry", metric).key == "metric/3"
    assert reports("sentry", {"action": "created", "data": {"installation": {}}}) == ()
    assert refused("sentry", {}).status == 400
    assert refused("sentry", {"action": "odd", "data": {"issue": issue}}).status == 400


NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def signed(kind: str, body: bytes, **headers: str) -> bool:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return signing.is_signed(kind, request(body, headers=sent), b"secret", now=NOW)


def test_sentrys_signature() -> None:
    body = b'{"action":"triggered"}'
    signature = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert signed("sentry", body, sentry_hook_signature=signature)
    assert not signed("sentry", body + b" ", sentry_hook_signature=signature)
    assert not signed("sentry", body, sentry_hook_signature="é")
    assert not signed("sentry", body)
    assert not signed("nagios", body, sentry_hook_signature=signature), "a format whose sender does not sign"


def test_grafanas_signature() -> None:
    body = b'{"alerts":[]}'
    signature = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert signed("grafana", body, x_grafana_alerting_signature=signature)
    assert not signed("grafana", body + b" ", x_grafana_alerting_signature=signature)
    at = str(int(NOW.timestamp()))
    timed = hmac.new(b"secret", f"{at}:".encode() + body, hashlib.sha256).hexdigest()
    assert signed("grafana", body, x_grafana_alerting_signature=timed, x_grafana_alerting_timestamp=at)
    assert not signed("grafana", body, x_grafana_alerting_signature=timed), "its instant was taken away"
    later = str(int(NOW.timestamp()) + 60)
    assert not signed("grafana", body, x_grafana_alerting_signature=timed, x_grafana_alerting_timestamp=later)
    old = str(int(NOW.timestamp()) - 301)
    played = hmac.new(b"secret", f"{old}:".encode() + body, hashlib.sha256).hexdigest()
    assert not signed("grafana", body, x_grafana_alerting_signature=played, x_grafana_alerting_timestamp=old), "overheard"
    assert not signed("grafana", body, x_grafana_alerting_signature=signature, x_grafana_alerting_timestamp="soon")


def test_pagerdutys_signature() -> None:
    body = b'{"event":{}}'
    signature = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert signed("pagerduty-webhook-v3", body, x_pagerduty_signature=f"v1={'0' * 64}, v1={signature}")
    assert not signed("pagerduty-webhook-v3", body, x_pagerduty_signature=signature)
    assert not signed("pagerduty-webhook-v3", body + b" ", x_pagerduty_signature=f"v1={signature}")


@pytest.mark.parametrize(
    ("path", "action", "key", "note"),
    [
        ("", Action.HEARTBEAT, "heartbeat", ""),
        ("/nightly", Action.HEARTBEAT, "nightly", ""),
        ("/nightly/0", Action.HEARTBEAT, "nightly", ""),
        ("/nightly/start", Action.NOTE, "nightly", "started"),
        ("/nightly/log", Action.NOTE, "nightly", ""),
        ("/nightly/fail", Action.FIRE, "nightly", "failed"),
        ("/nightly/3", Action.FIRE, "nightly", "exit code 3"),
        ("/fail", Action.FIRE, "heartbeat", "failed"),
    ],
)
def test_a_job_calls_when_it_is_done(path: str, action: Action, key: str, note: str) -> None:
    one, *over = reports("heartbeat", b"log", path, method="GET")
    assert (one.action, one.key, one.note, one.text) == (action, key, note, "log")
    assert [(after.action, after.key) for after in over] == ([(Action.RESOLVE, key)] if action is Action.HEARTBEAT else [])


def test_a_heartbeat_is_good_for_as_long_as_its_source_says() -> None:
    came = datetime(2026, 11, 23, 2, tzinfo=UTC)
    found = taken("heartbeat", b"", "/nightly", options={"every_s": 90_000}, received_at=came)
    assert (found.status, found.body) == (200, b"OK")
    assert found.reports[0].lease_until == came + timedelta(hours=25)
    assert report("heartbeat", b"", "/nightly/fail", options={"every_s": 90_000}, received_at=came).lease_until is None
