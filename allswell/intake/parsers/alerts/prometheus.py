"""Prometheus itself, which takes us for an Alertmanager: `POST /api/v2/alerts`.

`endsAt` is a lease: some minutes ahead while the alert fires, repeated again and again, in the past once it is over. What is repeated no
more ends with its lease, so a rule that always fires watches Prometheus itself. Whether `endsAt` is past is judged by when the request
came.
"""

from __future__ import annotations

from .alertmanager import report_of
from .reading import instant, json_body, within
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, refusal, with_lease


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The reports of a list of alerts, of one alert, or of what an Alertmanager answers about its own (`/api/v2/alerts/groups`)."""
    try:
        found = json_body(request.body)
        alerts = [found] if isinstance(found, dict) else found
        if not isinstance(alerts, list):
            raise Malformed("The body is not a list of alerts.")
        return accepted([_report(alert, request) for alert in _flat(alerts)], body=b"")
    except Malformed as error:
        return refusal(str(error))


def _flat(alerts: list[object]) -> list[object]:
    if not any(isinstance(entry, dict) and isinstance(entry.get("alerts"), list) for entry in alerts):
        return alerts
    return [alert for entry in alerts for alert in within(entry).get("alerts", ())]


def _report(alert: object, request: Request) -> AlertReport:
    if not isinstance(alert, dict) or not isinstance(alert.get("labels"), dict) or not alert["labels"]:
        raise Malformed("An alert has no “labels”.")
    # an alert that an Alertmanager tells of has {"state": "suppressed"} here, and is firing all the same
    report = report_of({**alert, "status": ""}, group="", common={}, annotations={})
    ends = instant(alert.get("endsAt"))
    if ends is not None and request.received_at is not None and ends <= request.received_at:
        return with_lease(report, Action.RESOLVE, ends)
    return with_lease(report, Action.FIRE, ends)
