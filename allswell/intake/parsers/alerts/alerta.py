"""Alerta's API, as its clients call it: `POST /api/alert` and `/api/heartbeat`, answered 201."""

from __future__ import annotations

from typing import Any

import msgspec

from .reading import instant, json_object, labels_of, listed, said, tags_of, within, word
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, made_up, refusal

OVER = ("normal", "ok", "cleared")


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """An alert, or a heartbeat where the path says so."""
    try:
        alert = json_object(request.body)
        if request.path.rstrip("/").endswith("/heartbeat"):
            return _beat(alert)
        missing = [name for name in ("resource", "event") if not said(alert.get(name)).strip()]
        if missing:
            raise Malformed(f"Missing mandatory value for “{missing[0]}”.")
    except Malformed as error:
        return refusal(str(error))
    is_over = word(alert.get("severity")) in OVER
    reports = [_report(alert, said(alert["event"]), is_over)]
    if is_over:
        reports += [_report(alert, said(event), True) for event in listed(alert.get("correlate")) if event != alert["event"]]
    return accepted(reports, status=201, body=_created(alert, reports[0], is_over))


def _report(alert: dict[str, Any], event: str, is_over: bool) -> AlertReport:
    created = instant(alert.get("createTime"))
    environment, resource = said(alert.get("environment")), said(alert.get("resource"))
    return clean_report(
        Action.RESOLVE if is_over else Action.FIRE,
        f"{environment}/{resource}/{event}",
        group=said(alert.get("group")),
        title=f"{event} {resource}" + (f": {said(alert.get('value'))}" if alert.get("value") else ""),
        text=said(alert.get("text")),
        severity=severity_of(alert.get("severity")),
        labels=labels_of(
            tags_of(alert.get("tags")),
            within(alert.get("attributes")),
            {"resource": resource, "event": event, "environment": environment},
            {"service": ", ".join(said(one) for one in listed(alert.get("service"))), "origin": alert.get("origin")},
        ),
        happened_at=created,
    )


def _created(alert: dict[str, Any], report: AlertReport, is_over: bool) -> bytes:
    number = made_up(report.key)
    told = {
        "id": number,
        "resource": report.labels.get("resource", ""),
        "event": report.labels.get("event", ""),
        "environment": report.labels.get("environment", ""),
        "severity": word(alert.get("severity")).encode("utf-8", "replace").decode(),
        "correlate": [],
        "status": "closed" if is_over else "open",
        "service": [],
        "group": report.group,
        "value": "",
        "text": report.text,
        "tags": [],
        "attributes": {},
        "history": [],
        "duplicateCount": 0,
        "repeat": False,
    }
    return msgspec.json.encode({"status": "ok", "id": number, "alert": told})


def _beat(message: dict[str, Any]) -> Accepted:
    origin = said(message.get("origin"))
    if not origin:
        raise Malformed("Missing mandatory value for “origin”.")
    report = clean_report(
        Action.HEARTBEAT, origin, labels=tags_of(message.get("tags")), happened_at=instant(message.get("createTime"))
    )
    number = made_up(report.key)
    told = {"id": number, "origin": report.title, "tags": [], "attributes": {}}
    return accepted([report], status=201, body=msgspec.json.encode({"status": "ok", "id": number, "heartbeat": told}))
