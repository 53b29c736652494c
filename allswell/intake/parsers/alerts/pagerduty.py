"""PagerDuty's Events API: version 2, change events, and version 1, with the answers its clients look at.

Version 2 answers exactly 202 with the key of the alert, made up where none was sent; the clients send it back with what follows.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .reading import instant, json_object, labels_of, listed, said, within, word
from .severities import severity_of
from .shape import (
    Accepted,
    Action,
    Malformed,
    Options,
    Refused,
    Request,
    accepted,
    clean_report,
    made_up,
)

ACTIONS = {"trigger": Action.FIRE, "acknowledge": Action.ACKNOWLEDGE, "resolve": Action.RESOLVE}
WORDS = ("critical", "error", "warning", "info")
DEDUP_KEY = 255


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """An event of either version, told apart by the path, and by its fields where the path says nothing."""
    try:
        event = json_object(request.body)
        path = request.path.rstrip("/")
        if path.endswith("/change/enqueue"):
            return _change(event, request, nonce)
        if path.endswith("create_event.json") or ("event_type" in event and "event_action" not in event):
            return _version_1(event, request, nonce)
        return _version_2(event, request, nonce)
    except Malformed as error:
        return _refused([str(error)])


def key_in(request: Request) -> str:
    """The key of the source, which these clients send in the body; "" when there is none."""
    try:
        event = json_object(request.body)
    except Malformed:
        return ""
    return said(event.get("routing_key") or event.get("service_key")).strip()


def _version_2(event: dict[str, Any], request: Request, nonce: str) -> Accepted | Refused:
    payload, errors = within(event.get("payload")), []
    action = ACTIONS.get(word(event.get("event_action")))
    if action is None:
        errors.append("'event_action' is missing or not one of: 'trigger', 'acknowledge', 'resolve'")
    sent = event.get("dedup_key")
    if sent is not None and (not isinstance(sent, str) or len(sent) > DEDUP_KEY):
        errors.append(f"'dedup_key' is not a text of at most {DEDUP_KEY} characters")
    if action is Action.FIRE:
        errors += [
            f"'payload.{name}' is missing or blank"
            for name in ("summary", "source", "severity")
            if not said(payload.get(name)).strip()
        ]
        if payload.get("severity") and word(payload["severity"]) not in WORDS:
            errors.append(
                "'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning' or 'info')"
            )
    elif action is not None and not sent:
        errors.append("'dedup_key' is missing or blank")
    if errors or action is None:
        return _refused(errors)
    key = sent or made_up(request.body, nonce)
    details = within(payload.get("custom_details"))
    report = clean_report(
        action,
        key,
        title=said(payload.get("summary")),
        text=_text(payload),
        severity=severity_of(payload.get("severity")),
        labels=labels_of(
            details, {name: payload.get(name) for name in ("source", "component", "group", "class")}, _client(event)
        ),
        links=_links(event),
        happened_at=instant(payload.get("timestamp")),
        started_at=instant(payload.get("timestamp")) if action is Action.FIRE else None,
    )
    return accepted([report], status=202, body=_processed(dedup_key=report.key))


def _change(event: dict[str, Any], request: Request, nonce: str) -> Accepted | Refused:
    payload = within(event.get("payload"))
    if not said(payload.get("summary")).strip():
        return _refused(["'payload.summary' is missing or blank"])
    report = clean_report(
        Action.CHANGE,
        made_up(request.body, nonce),
        title=said(payload.get("summary")),
        text=_text(payload),
        severity=severity_of("info"),
        labels=labels_of(within(payload.get("custom_details")), {"source": payload.get("source")}),
        links=_links(event),
        happened_at=instant(payload.get("timestamp")),
    )
    return accepted([report], status=202, body=msgspec.json.encode({"status": "success", "message": "Change event processed"}))


def _version_1(event: dict[str, Any], request: Request, nonce: str) -> Accepted | Refused:
    action, errors = ACTIONS.get(word(event.get("event_type"))), []
    sent = said(event.get("incident_key"))
    if action is None:
        errors.append("Event type is missing or not one of: trigger, acknowledge, resolve")
    elif action is Action.FIRE and not said(event.get("description")).strip():
        errors.append("Description is missing or blank")
    elif action is not Action.FIRE and not sent:
        errors.append("Incident key is missing or blank")
    if errors or action is None:
        return _refused(errors)
    key, details = sent or made_up(request.body, nonce), event.get("details")
    report = clean_report(
        action,
        key,
        title=said(event.get("description")),
        text=said(details) if isinstance(details, str) else "",
        labels=labels_of(details, _client(event)),
        links=[
            (said(one.get("text")) or "Link", said(one.get("href")))
            for one in listed(event.get("contexts"))
            if isinstance(one, dict)
        ],
    )
    return accepted([report], body=_processed(incident_key=report.key))


def _client(event: dict[str, Any]) -> dict[str, Any]:
    return {"client": event.get("client")}


def _text(payload: dict[str, Any]) -> str:
    details = payload.get("custom_details")
    whole = said(payload.get("summary"))
    return said(details) if isinstance(details, str) else whole if len(whole) > 255 else ""


def _links(event: dict[str, Any]) -> list[tuple[str, str]]:
    links = [
        (said(one.get("text")) or "Link", said(one.get("href"))) for one in listed(event.get("links")) if isinstance(one, dict)
    ]
    links += [
        (said(one.get("alt")) or "Picture", said(one.get("href") or one.get("src")))
        for one in listed(event.get("images"))
        if isinstance(one, dict)
    ]
    return [*links, (said(event.get("client")) or "Source", said(event.get("client_url")))]


def _processed(**more: str) -> bytes:
    return msgspec.json.encode({"status": "success", "message": "Event processed", **more})


def _refused(errors: list[str]) -> Refused:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return Refused(400, msgspec.json.encode(body), " ".join(errors))
