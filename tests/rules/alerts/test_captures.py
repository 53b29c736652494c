"""What real senders sent to a sink, request by request: each is what its sender meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from allswell.intake.parsers.alerts.shape import Accepted, Action, Refused, Request
from tests.support import shared

from .asking import answer, request

FIRE, RESOLVE, ACK, NOTE, BEAT = Action.FIRE, Action.RESOLVE, Action.ACKNOWLEDGE, Action.NOTE, Action.HEARTBEAT
GROUP = '{}:{alertname="HighLatency", service="billing"}'
OF_GROUP = "f741996aa27759cfacbb7db463af8cee7896dea180de115eb9dce75758fedd5a"
WATCHDOG, DOWN = "Watchdog", "Down"

#: the number of the request, its format, the answer, and of every report: action, key (or the title, for made-up keys)
CAPTURES: list[tuple[int, str, int, list[tuple[Action, str]]]] = [
    (0, "pagerduty", 400, []),
    (1, "alertmanager", 200, [(FIRE, "a9678f58386fb862"), (FIRE, "a19a72899a7d0bfb")]),
    (2, "alertmanager", 200, [(FIRE, "a9678f58386fb862"), (FIRE, "a19a72899a7d0bfb")]),
    (3, "victorops", 200, [(FIRE, OF_GROUP)]),
    (4, "pagerduty", 202, [(FIRE, OF_GROUP)]),
    (6, "opsgenie", 202, [(FIRE, OF_GROUP)]),
    (7, "opsgenie", 202, [(NOTE, OF_GROUP)]),
    (8, "opsgenie", 202, [(NOTE, OF_GROUP)]),
    (9, "alertmanager", 200, [(RESOLVE, "a9678f58386fb862"), (RESOLVE, "a19a72899a7d0bfb")]),
    (10, "victorops", 200, [(RESOLVE, OF_GROUP)]),
    (11, "opsgenie", 202, [(RESOLVE, OF_GROUP)]),
    (12, "pagerduty", 202, [(RESOLVE, OF_GROUP)]),
    (13, "alertmanager", 200, [(RESOLVE, "a9678f58386fb862"), (RESOLVE, "a19a72899a7d0bfb")]),
    (14, "prometheus", 200, [(FIRE, WATCHDOG)]),
    (15, "prometheus", 200, [(FIRE, "127.0.0.1:18659 down")]),
    (16, "prometheus", 200, [(FIRE, WATCHDOG)]),
    (17, "prometheus", 200, [(FIRE, WATCHDOG)]),
    (18, "prometheus", 200, [(FIRE, WATCHDOG)]),
    (19, "pagerduty", 202, [(FIRE, "4711")]),
    (20, "pagerduty", 202, [(ACK, "4711")]),
    (21, "pagerduty", 202, [(RESOLVE, "4711")]),
    (22, "pagerduty", 202, [(FIRE, "x")]),
    (23, "opsgenie", 202, [(FIRE, "db1-disk")]),
    (24, "opsgenie", 202, [(ACK, "db1-disk")]),
    (25, "opsgenie", 202, [(RESOLVE, "db1-disk")]),
    (26, "opsgenie", 202, [(BEAT, "nightly")]),
    (27, "alerta", 201, [(FIRE, "Production/db1/DiskFull")]),
    (28, "cloudevents", 202, [(FIRE, "/db1/disk")]),
    (29, "cloudevents", 202, [(FIRE, "/db1/disk")]),
    (31, "opsgenie", 202, [(FIRE, "a1")]),
    (32, "opsgenie", 202, [(RESOLVE, "a1")]),
    (33, "apprise", 200, [(FIRE, "disk full")]),
    (34, "apprise", 200, [(FIRE, "disk full")]),
    (35, "apprise", 200, [(FIRE, "disk full")]),
    (36, "nagios", 200, [(FIRE, "db1/disk")]),
    (37, "nagios", 200, [(ACK, "db1/disk")]),
    (38, "nagios", 200, [(RESOLVE, "db1/disk")]),
    (39, "nagios", 200, [(RESOLVE, "db1/disk")]),
    (40, "nagios", 200, [(FIRE, "db1/disk")]),
    (41, "nagios", 200, [(RESOLVE, "db1/disk")]),
    (42, "nagios", 200, [(FIRE, "db1/disk")]),
    (43, "uptime-kuma", 200, [(FIRE, "7")]),
    (44, "uptime-kuma", 200, [(FIRE, "7")]),
    (45, "uptime-kuma", 200, [(RESOLVE, "7")]),
    (46, "pagerduty", 202, [(FIRE, "Uptime Kuma/7")]),
    (47, "pagerduty", 202, [(RESOLVE, "Uptime Kuma/7")]),
    (48, "goalert", 200, [(FIRE, "Shop")]),
    (49, "goalert", 200, [(RESOLVE, "Shop")]),
    (50, "alerta", 201, [(FIRE, "Production/Shop/http")]),
    (51, "oncall", 200, [(FIRE, "shop")]),
    (52, "oncall", 200, [(RESOLVE, "shop")]),
    (53, "alertmanager", 200, [(FIRE, "14f931c575447b7a"), (FIRE, "a3cf723e0508b4b9")]),
    (54, "alertmanager", 200, [(RESOLVE, "a3cf723e0508b4b9")]),
    (55, "pagerduty", 202, [(FIRE, "k1")]),
    (56, "pagerduty", 202, [(FIRE, "disk full")]),
    (57, "pagerduty", 202, [(ACK, "0288afc5a5754e22a8b1cd833dfca2be")]),
    (58, "pagerduty", 202, [(RESOLVE, "0288afc5a5754e22a8b1cd833dfca2be")]),
]
#: 5 is for a chat, and 30 is an error report of an application: other products
LEFT_OUT = {5, 30}


@cache
def captured() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared.folder("alerts") / "captures.json").read_text())
    return found


def sent(number: int) -> Request:
    one = captured()[number]
    headers = {name.lower(): value for name, value in one["h"].items()}
    asked = request(one["body"], one["path"], one["m"], headers.get("content-type", ""))
    return Request(
        method=asked.method,
        path=asked.path,
        query=asked.query,
        headers=headers,
        body=asked.body,
        content_type=asked.content_type,
        received_at=datetime.fromtimestamp(one["t"], UTC),
    )


def test_every_captured_request_is_in_the_table() -> None:
    assert {number for number, *_rest in CAPTURES} | LEFT_OUT == set(range(len(captured())))


@pytest.mark.parametrize(("number", "kind", "status", "expected"), CAPTURES)
def test_a_captured_request(number: int, kind: str, status: int, expected: list[tuple[Action, str]]) -> None:
    found = answer(kind, sent(number))
    assert found.status == status
    assert found.status == captured()[number]["resp"] or kind == "cloudevents"
    if isinstance(found, Refused):
        assert expected == []
        return
    assert [one.action for one in found.reports] == [action for action, _key in expected]
    for one, (_action, key) in zip(found.reports, expected, strict=True):
        assert key in (one.key, one.title), one


def of(kind: str, number: int) -> Accepted:
    found = answer(kind, sent(number))
    assert isinstance(found, Accepted)
    return found


def test_what_else_the_senders_meant() -> None:
    assert [one.group for one in of("alertmanager", 1).reports] == [GROUP, GROUP]
    assert [one.resolves_group for one in of("alertmanager", 13).reports] == [False, True], "said once, by the last"
    assert of("alertmanager", 54).reports[0].resolves_group
    begun, ended = of("nagios", 37).reports[0], of("nagios", 39).reports[0]
    assert (begun.by, begun.note, begun.text) == ("joe", "working on it", "2 CRITICAL - disk 97% quoted  é")
    assert (ended.is_flapping, of("nagios", 42).reports[0].is_flapping, begun.is_flapping) == (True, True, None)
    assert of("uptime-kuma", 44).reports[0] == of("uptime-kuma", 43).reports[0]
    assert of("uptime-kuma", 43).reports[0].labels == {"type": "http", "team": "web", "monitor": "Shop"}
    assert {of("apprise", number).reports[0].text for number in (33, 34, 35)} == {"db1 97%"}
    assert of("opsgenie", 8).reports[0].text.startswith("Alerts Firing:")
    assert of("cloudevents", 28).reports == of("cloudevents", 29).reports


def test_one_rule_of_prometheus_is_one_alert_however_often_it_is_repeated() -> None:
    watchdog = [of("prometheus", number).reports[0] for number in (14, 16, 17, 18)]
    assert len({one.key for one in watchdog}) == 1
    leases = [one.lease_until for one in watchdog if one.lease_until is not None]
    assert len(leases) == 4
    assert leases == sorted(leases)
