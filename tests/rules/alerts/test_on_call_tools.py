"""Opsgenie, VictorOps, Grafana OnCall, GoAlert, Alerta, Apprise: what their clients send and what they wait for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allswell.intake.parsers.alerts.registry import at_vendor_path, key_sent
from allswell.intake.parsers.alerts.shape import Action, Severity

from .asking import answer, refused, report, reports, request, taken


def told(found: Any) -> dict[str, Any]:
    return dict(json.loads(found.body))


def test_opsgenie_takes_an_alert_and_says_later_what_became_of_it() -> None:
    sent = {
        "message": "disk full",
        "alias": "db1/disk",
        "priority": "P1",
        "tags": ["team:dba", "prod"],
        "details": {"mount": "/var"},
        "user": "cron",
    }
    found = taken("opsgenie", sent, "/v2/alerts")
    one = found.reports[0]
    assert (found.status, told(found)["result"]) == (202, "Request will be processed")
    assert (one.action, one.key, one.severity, one.by) == (Action.FIRE, "db1/disk", Severity.CRITICAL, "cron")
    assert one.labels == {"team": "dba", "prod": "true", "mount": "/var"}
    became = taken("opsgenie", b"", f"/v2/alerts/requests/{told(found)['requestId']}", method="GET")
    data = told(became)["data"]
    assert (became.status, became.reports) == (200, ())
    assert (data["success"], data["isSuccess"], data["status"], data["alias"]) == (True, True, "Created alert", "db1/disk")
    closed = report("opsgenie", {"user": "ada", "note": "done"}, f"/v2/alerts/{data['alertId']}/close?identifierType=id")
    assert (closed.action, closed.key, closed.by, closed.note) == (Action.RESOLVE, "db1/disk", "ada", "done")


def test_opsgenie_makes_up_an_alias_and_finds_it_again() -> None:
    asked = request({"message": "m"}, "/v2/alerts")
    first, again = answer("opsgenie", asked, "a"), answer("opsgenie", asked, "a")
    assert first == again != answer("opsgenie", asked, "b")
    number = told(first)["requestId"]
    data = told(taken("opsgenie", b"", f"/v2/alerts/requests/{number}", method="GET"))["data"]
    assert report("opsgenie", b"", f"/v2/alerts/{data['alertId']}/close").key == data["alias"]


@pytest.mark.parametrize(
    ("method", "rest", "body", "action", "note"),
    [
        ("POST", "acknowledge", {"user": "u"}, Action.ACKNOWLEDGE, ""),
        ("POST", "close/", {}, Action.RESOLVE, ""),
        ("POST", "notes", {"note": "looking"}, Action.NOTE, "looking"),
        ("POST", "snooze", {"endTime": "2026-11-23T02:00:00Z"}, Action.NOTE, "Snooze: 2026-11-23T02:00:00Z"),
        ("POST", "actions/restart", {"note": "go"}, Action.NOTE, "CustomAction\ngo"),
        ("PUT", "priority", {"priority": "P1"}, Action.NOTE, "UpdatePriority: P1"),
    ],
)
def test_opsgenie_says_what_happened_to_an_alert(method: str, rest: str, body: Any, action: Action, note: str) -> None:
    one = report("opsgenie", body, f"/v2/alerts/a/b c/{rest}?identifierType=alias", method=method)
    assert (one.action, one.key, one.note) == (action, "a/b c", note)


def test_opsgenie_refuses_as_its_clients_expect() -> None:
    found = refused("opsgenie", {"alias": "a"}, "/v2/alerts")
    assert (found.status, told(found)["errors"]) == (422, {"message": "Message can not be empty."})
    assert refused("opsgenie", b"", "/v2/alerts/requests/unknown", method="GET").status == 404
    assert refused("opsgenie", b"", "/v2/alerts/a1", method="GET").status == 404
    assert refused("opsgenie", b"", "/v2/alerts/a1/explode").status == 404
    assert refused("opsgenie", b"[", "/v2/alerts").status == 400
    assert report("opsgenie", b"", "/v2/alerts/a1?identifierType=alias", method="DELETE").action is Action.RESOLVE


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_opsgenies_heartbeats(method: str) -> None:
    found = taken("opsgenie", b"", "/v2/heartbeats/nightly backup/ping", method=method)
    assert (found.status, found.reports[0].action, found.reports[0].key) == (202, Action.HEARTBEAT, "nightly backup")


def test_victorops() -> None:
    sent = {
        "message_type": "CRITICAL",
        "entity_id": "db1",
        "entity_display_name": "db1 down",
        "state_message": "no answer",
        "rack": 7,
    }
    found = taken("victorops", {**sent, "state_start_time": 1795396909}, "/KEY/team-x")
    one = found.reports[0]
    assert (found.status, told(found)) == (200, {"result": "success", "entity_id": "db1"})
    assert (one.action, one.severity, one.labels) == (Action.FIRE, Severity.CRITICAL, {"routing_key": "team-x", "rack": "7"})
    assert one.started_at is not None
    for said, action in [
        ("RECOVERY", Action.RESOLVE),
        ("ACKNOWLEDGEMENT", Action.ACKNOWLEDGE),
        ("INFO", Action.NOTE),
        ("WARNING", Action.FIRE),
    ]:
        assert report("victorops", {**sent, "message_type": said}).action is action
    assert refused("victorops", {"entity_id": "x"}).status == 400


def test_oncalls_webhook_answers_exactly_200() -> None:
    sent = {
        "alert_uid": "u1",
        "title": "Disk",
        "state": "alerting",
        "message": "full",
        "link_to_upstream_details": "https://zabbix.example/1",
    }
    found = taken("oncall", sent)
    assert (found.status, found.body) == (200, b"Ok.")
    assert (found.reports[0].key, found.reports[0].links) == ("u1", (("Details", "https://zabbix.example/1"),))
    assert report("oncall", {"alert_uid": "u1", "state": "OK"}).action is Action.RESOLVE
    assert report("oncall", {"title": "Shop is down"}).key == report("oncall", {"title": "Shop is up", "state": "ok"}).key
    assert refused("oncall", {}).status == 400


def test_goalerts_form() -> None:
    form = "application/x-www-form-urlencoded"
    one = report("goalert", "summary=db1+down&details=x&dedup=d1", kind=form)
    assert (one.action, one.key, one.title, one.text) == (Action.FIRE, "d1", "db1 down", "x")
    assert report("goalert", "dedup=d1&action=close&summary=up", kind=form).action is Action.RESOLVE
    assert report("goalert", b"", "/api/v2/generic/incoming?token=T&summary=hot", kind=form).key == "hot"
    assert refused("goalert", "", kind=form).status == 400


def test_alerta_is_told_the_alert() -> None:
    sent = {
        "resource": "db1",
        "event": "DiskFull",
        "environment": "Production",
        "severity": "major",
        "service": ["db"],
        "tags": ["a=b"],
        "text": "t",
    }
    found = taken("alerta", sent, "/api/alert")
    assert (found.status, told(found)["status"], told(found)["alert"]["event"]) == (201, "ok", "DiskFull")
    assert (found.reports[0].key, found.reports[0].severity) == ("Production/db1/DiskFull", Severity.ERROR)
    assert found.reports[0].labels["service"] == "db"
    over = reports("alerta", {**sent, "event": "DiskOk", "severity": "normal", "correlate": ["DiskOk", "DiskFull"]}, "/api/alert")
    assert [(one.action, one.key.rpartition("/")[2]) for one in over] == [
        (Action.RESOLVE, "DiskOk"),
        (Action.RESOLVE, "DiskFull"),
    ]
    beat = taken("alerta", {"origin": "collector", "tags": []}, "/api/heartbeat")
    assert (beat.status, beat.reports[0].action, beat.reports[0].key) == (201, Action.HEARTBEAT, "collector")
    assert refused("alerta", {"event": "x"}, "/api/alert").status == 400
    assert refused("alerta", {}, "/api/heartbeat").status == 400


def test_apprise_ends_with_success() -> None:
    one = report("apprise", {"version": "1.0", "title": "Disk full", "message": "97 %", "type": "failure"})
    two = report("apprise", "version=1.0&title=Disk+full&message=12&type=success", kind="application/x-www-form-urlencoded")
    assert (one.action, one.severity, two.action) == (Action.FIRE, Severity.ERROR, Action.RESOLVE)
    assert one.key == two.key
    assert report("apprise", "<x><Subject>a &lt;b&gt;</Subject></x>", kind="application/xml").title == "a <b>"
    assert refused("apprise", {}).status == refused("apprise", "<x/>", kind="text/xml").status == 400


def test_clients_bring_their_key_in_their_own_way() -> None:
    def key(kind: str, path: str = "", **headers: str) -> str:
        return key_sent(kind, request(b"", path, headers=headers))

    assert key("opsgenie", authorization="GenieKey GK") == "GK"
    assert key("alerta", authorization="Key AK") == key("alerta", "/api/alert?api-key=AK") == "AK"
    assert key("prometheus", authorization="Bearer T") == "T"
    assert key("alertmanager", authorization="Basic dTpw") == "p"
    assert key("alertmanager", authorization="Basic !!") == key("alertmanager") == ""
    assert key("goalert", "/api/v2/generic/incoming?token=T") == "T"
    assert key("oncall", "/integrations/v1/zabbix/KEY/", authorization="Bearer other") == "KEY"


@pytest.mark.parametrize(
    ("path", "kind", "key"),
    [
        ("/v2/enqueue", "pagerduty", ""),
        ("/v2/alerts/a/b/close/", "opsgenie", ""),
        ("/v2/heartbeats/nightly/ping", "opsgenie", ""),
        ("/api/v2/alerts", "prometheus", ""),
        ("/api/alert", "alerta", ""),
        ("/integrations/v1/formatted_webhook/KEY/", "oncall", "KEY"),
        ("/integrations/v1/zabbix/KEY/", "oncall", "KEY"),
        ("/integrations/v1/alertmanager/KEY/", "alertmanager", "KEY"),
        ("/integrations/v1/grafana/KEY", "grafana", "KEY"),
        ("/integrations/generic/20131114/alert/KEY/team", "victorops", "KEY"),
        ("/api/v2/generic/incoming", "goalert", ""),
    ],
)
def test_vendors_paths_are_known(path: str, kind: str, key: str) -> None:
    assert at_vendor_path(path) == (kind, key)


@pytest.mark.parametrize("path", ["/", "/tickets/1042", "/api/v1/tickets", "/v2", "/v2/enqueue/x", "/integrations/v1/zabbix"])
def test_other_paths_are_not_theirs(path: str) -> None:
    assert at_vendor_path(path) is None
