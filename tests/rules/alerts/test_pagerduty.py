"""PagerDuty's clients: the answers they look at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allswell.intake.parsers.alerts.registry import key_sent, kind_at
from allswell.intake.parsers.alerts.shape import Action, Refused, Severity

from .asking import answer, refused, report, request, taken


def event(action: str = "trigger", **more: Any) -> dict[str, Any]:
    payload = {"summary": "disk full", "source": "db1", "severity": "critical", "custom_details": {"mount": "/var", "free": 3}}
    return {"routing_key": "R" * 32, "event_action": action, "payload": payload, "dedup_key": "db1-disk", **more}


def test_a_trigger_fires() -> None:
    sent = event(
        links=[{"href": "https://graphs.example/1", "text": "Graph"}], client="Zabbix", client_url="https://zabbix.example"
    )
    one = report("pagerduty", sent, "/v2/enqueue")
    assert (one.action, one.key, one.title, one.severity) == (Action.FIRE, "db1-disk", "disk full", Severity.CRITICAL)
    assert one.labels == {"mount": "/var", "free": "3", "source": "db1", "client": "Zabbix"}
    assert one.links == (("Graph", "https://graphs.example/1"), ("Zabbix", "https://zabbix.example"))


def test_many_details_push_out_none_of_our_own_labels() -> None:
    one = report(
        "pagerduty", event(payload={**event()["payload"], "custom_details": {f"d{number}": number for number in range(500)}})
    )
    assert len(one.labels) == 64
    assert one.labels["source"] == "db1"


def test_it_is_answered_as_pagerduty_does() -> None:
    found = taken("pagerduty", event(), "/v2/enqueue/")
    assert found.status == 202
    assert json.loads(found.body) == {"status": "success", "message": "Event processed", "dedup_key": "db1-disk"}


def test_a_key_that_was_not_sent_is_made_up_and_told() -> None:
    asked = request(event(dedup_key=None), "/v2/enqueue")
    first, again, other = (taken_by(asked, nonce) for nonce in ("a", "a", "b"))
    assert first.body == again.body
    assert json.loads(first.body)["dedup_key"] == first.reports[0].key != other.reports[0].key


def taken_by(asked: Any, nonce: str) -> Any:
    found = answer("pagerduty", asked, nonce)
    assert not isinstance(found, Refused)
    return found


@pytest.mark.parametrize(("said", "action"), [("acknowledge", Action.ACKNOWLEDGE), ("resolve", Action.RESOLVE)])
def test_what_follows_needs_the_key_only(said: str, action: Action) -> None:
    one = report("pagerduty", {"routing_key": "R", "event_action": said, "dedup_key": "db1-disk"})
    assert (one.action, one.key) == (action, "db1-disk")
    assert "'dedup_key' is missing or blank" in refused("pagerduty", {"event_action": said}).reason


def test_a_malformed_event_is_refused_with_all_its_errors() -> None:
    found = refused("pagerduty", {"event_action": "trigger", "payload": {"severity": "mild"}}, "/v2/enqueue")
    told = json.loads(found.body)
    assert found.status == 400
    assert (told["status"], told["message"]) == ("invalid event", "Event object is invalid")
    assert [error.split(" ")[0] for error in told["errors"]] == ["'payload.summary'", "'payload.source'", "'payload.severity'"]
    assert json.loads(refused("pagerduty", b"{").body)["errors"]
    assert refused("pagerduty", {"event_action": "explode"}).status == 400
    assert refused("pagerduty", event(dedup_key="k" * 256)).status == 400


def test_a_change_is_no_alert() -> None:
    found = taken("pagerduty", {"routing_key": "R", "payload": {"summary": "Deployed 4.2", "source": "ci"}}, "/v2/change/enqueue")
    assert found.status == 202
    assert [(one.action, one.title) for one in found.reports] == [(Action.CHANGE, "Deployed 4.2")]
    assert refused("pagerduty", {"payload": {}}, "/v2/change/enqueue").status == 400


def test_version_1_answers_200() -> None:
    sent = {
        "service_key": "S",
        "event_type": "trigger",
        "description": "db1 down",
        "incident_key": "db1",
        "details": {"rack": "7"},
    }
    found = taken("pagerduty", sent, "/generic/2010-04-15/create_event.json")
    assert (found.status, json.loads(found.body)["incident_key"]) == (200, "db1")
    assert (found.reports[0].action, found.reports[0].labels) == (Action.FIRE, {"rack": "7"})
    assert report("pagerduty", {"event_type": "resolve", "incident_key": "db1"}).action is Action.RESOLVE
    assert refused("pagerduty", {"event_type": "resolve"}).status == 400


def test_its_clients_find_their_paths_and_their_key() -> None:
    assert (
        kind_at("/v2/enqueue")
        == kind_at("/v2/change/enqueue/")
        == kind_at("/generic/2010-04-15/create_event.json")
        == "pagerduty"
    )
    assert kind_at("/tickets/") is None
    assert key_sent("pagerduty", request(event())) == "R" * 32
    assert key_sent("pagerduty", request({"service_key": "S"})) == "S"
    assert key_sent("pagerduty", request(b"[")) == ""
