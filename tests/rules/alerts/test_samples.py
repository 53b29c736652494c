"""Bodies that other projects keep for their tests: each is what its name says.

The table has for each file its format and, of every report: action, key, severity and a word of the title. Where a file is a catalog of
payloads, each payload is one request.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from allswell.intake.parsers.alerts.shape import Accepted, Action, Severity
from allswell.intake.parsers.alerts.silences import silences_in
from tests.support import shared

from .asking import answer, request

FIRE, RESOLVE, ACK, NOTE, CHANGE = Action.FIRE, Action.RESOLVE, Action.ACKNOWLEDGE, Action.NOTE, Action.CHANGE
CRITICAL, ERROR, WARNING, INFO = Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO
Row = tuple[Action, str, Severity, str]

SAMPLES: dict[str, tuple[str, list[Row]]] = {
    "alerta/prometheus_v4_alert.json": ("alertmanager", [(FIRE, "", CRITICAL, "No things for over 10 minutes")]),
    "alerta/prometheus_v3_alert.json": ("alertmanager", [(FIRE, "", CRITICAL, "Connect fail")]),
    "goalert/prometheus_alertmanager_minimal.json": ("alertmanager", [(FIRE, "", ERROR, "My alert summary")]),
    "alerta/grafana_alert_ok.json": ("grafana", [(RESOLVE, "7", ERROR, "[OK] CPU alert")]),
    "alerta/grafana_alert_alerting.json": ("grafana", [(FIRE, "7", ERROR, "[Alerting] CPU alert")]),
    "alerta/grafana_6.json": ("grafana", [(FIRE, "58", WARNING, "Battery Voltage")]),
    "alerta/grafana_example.json": ("grafana", [(FIRE, "1", ERROR, "My alert")]),
    "goalert/grafana_0.json": ("grafana", [(FIRE, "1", ERROR, "woot")]),
    "alerta/graylog_notification.json": ("graylog", [(FIRE, "55f1509dbee8e2841898eb64", ERROR, "test")]),
    "alerta/pingdom_down.json": ("pingdom", [(FIRE, "803318", CRITICAL, "Alerta API on OpenShift")]),
    "alerta/pingdom_up.json": ("pingdom", [(RESOLVE, "803318", CRITICAL, "Alerta API on OpenShift")]),
    "alerta/cloudwatch_subscription_confirmation.json": ("sns", []),
    "alerta/cloudwatch_notification.json": (
        "sns",
        [(FIRE, "1234567890/EU (Ireland)/bucketbytesAlarm", ERROR, "bucket bytes size")],
    ),
    "alerta/cloudwatch_insufficient_data.json": (
        "sns",
        [(NOTE, "1234567890/EU (Ireland)/notificationCountAlarm", ERROR, "notifications")],
    ),
    "alerta/riemann_alert.json": ("riemann", [(RESOLVE, "hostbob/servicejane", INFO, "servicejane hostbob")]),
    "alerta/new_relic_notification.json": ("new-relic", [(FIRE, "0", INFO, "New Relic Alert - Test Condition")]),
    "alerta/telegram_ack.json": (
        "telegram",
        [(ACK, "https://try.alerta.io/#/alert/a2b47856-1779-49a9-a2aa-5cbd2e539b56", INFO, "/ack")],
    ),
    "alerta/telegram_close.json": (
        "telegram",
        [(RESOLVE, "https://try.alerta.io/#/alert/a2b47856-1779-49a9-a2aa-5cbd2e539b56", INFO, "/close")],
    ),
    "alerta/stackdriver_open.json": ("gcp-monitoring", [(FIRE, "f2e08c333dc64cb09f75eaab355393bz", ERROR, "CPU usage")]),
    "alerta/stackdriver_closed.json": ("gcp-monitoring", [(RESOLVE, "f2e08c333dc64cb09f75eaab355393bz", ERROR, "CPU usage")]),
    "alerta/pagerduty_alert.json": (
        "pagerduty-webhook",
        [(ACK, "PIJ90N7", ERROR, "45645"), (RESOLVE, "PIJ90N7", ERROR, "45645")],
    ),
    "alerta/vmware_vrealize.json": ("vrealize", [(FIRE, "sample-alert-uuid", WARNING, "sample-object-name")]),
    "pagerduty/webhook_test.go_0.json": ("pagerduty-webhook", [(FIRE, "PRORDTY", CRITICAL, "My new incident")]),
    "pagerduty/webhookv3_webhookv3_test.go_0.json": (
        "pagerduty-webhook-v3",
        [(NOTE, "PGR0VU2", CRITICAL, "A little bump in the road")],
    ),
    "keep/libre_nms_ALERTS.json": ("librenms", [(RESOLVE, "10.10.1.147/13", INFO, "recovered from Devices up/down")]),
    "keep/checkly_ALERTS.json": ("checkly", [(RESOLVE, "927a2982-1007-4b81-b383-eae8bf717e61", ERROR, "has recovered")]),
    "keep/coralogix_ALERTS.json": (
        "coralogix",
        [(FIRE, "2980ce54addeaebc580fdf3b787ddf26bd11ffd7980d6ba793127135d41d2d63", ERROR, "Keep")],
    ),
    "keep/graylog_ALERTS.json": ("graylog", [(FIRE, "671a28a03696bb3801a7a9f1", ERROR, "Event - 1")]),
    "keep/checkmk_ALERTS.json": ("checkmk", [(RESOLVE, "cmk/server1", INFO, "DOWN -> UP")]),
    "keep/dash0_ALERTS.json": ("dash0", [(RESOLVE, "6820705469291328438", ERROR, "This is a summay")]),
    "keep/netbox_ALERTS.json": ("netbox", [(CHANGE, "site/4", INFO, "site Test created")]),
    "keep/thousandeyes_ALERT.json": (
        "thousandeyes",
        [
            (FIRE, "562949955000593", INFO, "Default Agent Offline"),
            (RESOLVE, "5abda706-c065-40fa-aa8c-059c3ac1ea9d", INFO, "PDF Test"),
        ],
    ),
    "keep/wazuh_ALERTS.json": ("wazuh", [(FIRE, "New dpkg (Debian Package) installed.", INFO, "New dpkg")]),
    "keep/axiom_ALERTS.json": ("axiom", [(FIRE, "Rxg89nIwu9WwrOsJKA", ERROR, "Triggered: New monitor")]),
}
#: files with many payloads by name
CATALOGS: dict[str, tuple[str, dict[str, Row]]] = {
    "keep/datadog_ALERTS.json": (
        "datadog",
        {
            "high_cpu_usage": (FIRE, "1234567890", WARNING, "High CPU Usage"),
            "low_disk_space": (FIRE, "1234567891", INFO, "Low Disk Space"),
            "mq_consumer_struggling": (FIRE, "1234567891", INFO, "MQ Consumer"),
        },
    ),
    "keep/signalfx_ALERTS.json": ("signalfx", {"simulate": (FIRE, "1234", CRITICAL, "numMessagesDropped")}),
    "keep/prometheus_ALERTS.json": (
        "prometheus",
        {
            "HighCPUUsage": (FIRE, "", CRITICAL, ""),
            "MQThirdFull (Message queue is over 33%)": (FIRE, "", WARNING, ""),
            "MQFull (Message queue is full)": (FIRE, "", CRITICAL, ""),
            "DiskSpaceLow": (FIRE, "", WARNING, ""),
            "NetworkLatencyHigh": (FIRE, "", INFO, ""),
        },
    ),
    "keep/grafana_ALERTS.json": (
        "grafana",
        {
            "HighMemoryConsumption": (FIRE, "", WARNING, "High Memory Usage"),
            "NetworkLatencyIsHigh": (FIRE, "", INFO, "Network Latency High"),
        },
    ),
    "keep/cloudwatch_ALERTS.json": (
        "sns",
        {
            "high_cpu_usage": (FIRE, "//HighCPUUsage", WARNING, "CPU utilization"),
            "high_memory_usage": (FIRE, "//HighMemoryUsage", ERROR, "Memory utilization"),
            "high_error_rate": (FIRE, "//APIErrorRate", CRITICAL, "API error rate"),
        },
    ),
    "keep/gcpmonitoring_ALERTS.json": (
        "gcp-monitoring",
        {
            "5XX_errors_production": (FIRE, "prod-5xx-123", CRITICAL, "5XX Error Rate"),
            "high_memory_usage": (FIRE, "mem-234", WARNING, "Memory Usage"),
            "database_latency": (FIRE, "db-345", WARNING, "Query Latency"),
        },
    ),
    "keep/sentry_ALERTS.json": (
        "sentry",
        {
            "browser_timeout": (FIRE, "4616132097", ERROR, "Failed to fetch user profile"),
            "server_overload": (FIRE, "4616132098", ERROR, "Order submission failed"),
            "database_timeout": (FIRE, "4616132099", ERROR, "Failed to load product catalog"),
        },
    ),
}
KARMA = [f"karma/{version}_{what}.json" for version in ("0.22.0", "0.27.0", "0.31.0") for what in ("alerts_groups", "silences")]


def body(name: str) -> Any:
    return json.loads((shared.folder("alerts") / name).read_text())


def check(kind: str, sent: Any, rows: list[Row]) -> None:
    found = answer(kind, request(sent))
    assert isinstance(found, Accepted), found
    assert [(one.action, one.severity) for one in found.reports] == [
        (action, severity) for action, _key, severity, _title in rows
    ]
    for one, (_action, key, _severity, title) in zip(found.reports, rows, strict=True):
        assert key in ("", one.key)
        assert title in one.title


def test_every_file_is_in_a_table() -> None:
    folder = shared.folder("alerts")
    files = {str(path.relative_to(folder)) for path in folder.glob("*/*.json")}
    assert files == SAMPLES.keys() | CATALOGS.keys() | set(KARMA)
    assert len(files) == 47


@pytest.mark.parametrize("name", SAMPLES)
def test_a_body_is_what_its_name_says(name: str) -> None:
    kind, rows = SAMPLES[name]
    check(kind, body(name), rows)


@pytest.mark.parametrize("name", CATALOGS)
def test_each_payload_of_a_catalog_is_what_its_name_says(name: str) -> None:
    kind, rows = CATALOGS[name]
    payloads = body(name)
    assert rows.keys() <= payloads.keys()
    for title, one in payloads.items():
        check(kind, one["payload"], [rows[title]] if title in rows else [(FIRE, "", ERROR, "")])


@pytest.mark.parametrize("name", [name for name in KARMA if "groups" in name])
def test_the_alerts_of_a_running_alertmanager(name: str) -> None:
    found = answer("prometheus", request(body(name)))
    assert isinstance(found, Accepted)
    assert len(found.reports) == sum(len(group["alerts"]) for group in body(name))
    assert {one.action for one in found.reports} == {FIRE}
    assert all(one.lease_until is not None and one.labels["alertname"] for one in found.reports)


@pytest.mark.parametrize("name", [name for name in KARMA if "silences" in name])
def test_the_silences_of_a_running_alertmanager(name: str) -> None:
    found = {one.reason: one for one in silences_in(json.dumps(body(name)).encode())}
    first = found["Silenced instance"]
    assert (first.matchers, first.by) == ((("instance", "=", "web1"),), "john@example.com")
    assert (first.ends_at and first.ends_at.year, first.is_ended) == (2063, False)
    assert len(found["Silenced Host_Down alerts in the dev cluster"].matchers) == 2


def test_a_subscription_is_confirmed_by_an_address_of_amazon() -> None:
    found = answer("sns", request(body("alerta/cloudwatch_subscription_confirmation.json")))
    assert isinstance(found, Accepted)
    assert found.confirm_url.startswith("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription")
