"""Opsgenie's Alert API, version 2, and its heartbeats, with the answers its clients wait for.

Clients are told 202 and a request id at once and then ask what became of it; some name the alert afterwards by an id that this told them.
Nothing is looked up for that: the ids that are given out hold the key of the alert.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from .reading import json_object, labels_of, said, tags_of, within
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, address, clean_report, made_up

#: what may follow the name of an alert in an address, what it does and what Opsgenie calls it
VERBS = {
    "close": (Action.RESOLVE, "Close"),
    "acknowledge": (Action.ACKNOWLEDGE, "Acknowledge"),
    "unacknowledge": (Action.NOTE, "UnAcknowledge"),
    "notes": (Action.NOTE, "AddNote"),
    "snooze": (Action.NOTE, "Snooze"),
    "assign": (Action.NOTE, "Assign"),
    "escalate": (Action.NOTE, "Escalate"),
    "message": (Action.NOTE, "UpdateMessage"),
    "description": (Action.NOTE, "UpdateDescription"),
    "priority": (Action.NOTE, "UpdatePriority"),
    "tags": (Action.NOTE, "AddTags"),
    "details": (Action.NOTE, "AddDetails"),
    "responders": (Action.NOTE, "AddResponder"),
    "teams": (Action.NOTE, "AddTeam"),
}
_ABOUT = re.compile(r"(?P<alert>.+)/(?P<verb>" + "|".join(VERBS) + r"|actions/[^/]+)", re.DOTALL)


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """A call of the API by its method and address."""
    path = request.path.rstrip("/")
    try:
        if (beat := re.search(r"/v2/heartbeats/(.+)/ping$", path)) is not None:
            return _beat(beat.group(1), request, nonce)
        _before, _alerts, rest = path.partition("/v2/alerts")
        if not rest:
            return (
                _create(json_object(request.body), request, nonce)
                if request.method == "POST"
                else _unknown("There is no list of alerts here.")
            )
        if rest.startswith("/requests/"):
            return _became(rest.removeprefix("/requests/"))
        if request.method == "GET":
            return _unknown("Alerts are not told of here.")
        about = _ABOUT.fullmatch(rest[1:])
        if about is None and request.method != "DELETE":
            return _unknown("There is nothing at this address.")
        return _about(about["alert"] if about else rest[1:], about["verb"] if about else "close", request)
    except Malformed as error:
        return _refused({"body": str(error)}, "Request body is not processable. Please check the errors.", 400)


def _create(alert: dict[str, Any], request: Request, nonce: str) -> Accepted | Refused:
    if not said(alert.get("message")).strip():
        return _refused(
            {"message": "Message can not be empty."}, "Request body is not processable. Please check the errors.", 422
        )
    source, details = said(alert.get("source")), within(alert.get("details"))
    report = clean_report(
        Action.FIRE,
        said(alert.get("alias")) or made_up(request.body, nonce),
        title=said(alert.get("message")),
        text=said(alert.get("description")),
        severity=severity_of(alert.get("priority"), "p3"),
        labels=labels_of(tags_of(alert.get("tags")), {"entity": alert.get("entity"), "source": source}, details),
        links=[("Source", address(source))],
        note=said(alert.get("note")),
        by=said(alert.get("user")),
    )
    return _processing(report, "Create")


def _about(name: str, verb: str, request: Request) -> Accepted:
    more = json_object(request.body) if request.body.strip() else {}
    action, called = VERBS.get(verb, (Action.NOTE, "CustomAction"))
    kind = request.query.get("identifierType", "id").lower()
    notes = [said(more.get("note"))]
    if action is Action.NOTE and verb not in ("notes", "message", "description"):
        notes.insert(0, ": ".join(part for part in (called, _subject(more)) if part))
    report = clean_report(
        action,
        name if kind == "alias" else _key_in(name, "alert") or name,
        title=said(more.get("message")) if verb == "message" else "",
        text=said(more.get("description")) if verb == "description" else "",
        note="\n".join(note for note in notes if note),
        by=said(more.get("user")),
    )
    return _processing(report, called)


def _subject(more: dict[str, Any]) -> str:
    subject = {name: value for name, value in more.items() if name not in ("note", "user", "source")}
    return said(next(iter(subject.values()))) if len(subject) == 1 else said(subject) if subject else ""


def _beat(name: str, request: Request, nonce: str) -> Accepted:
    body = {"result": "PONG - Heartbeat received", "took": 0.0, "requestId": made_up(name, nonce)}
    return accepted([clean_report(Action.HEARTBEAT, name)], status=202, body=msgspec.json.encode(body))


def _processing(report: AlertReport, called: str) -> Accepted:
    body = {"result": "Request will be processed", "took": 0.0, "requestId": _id(called, report.key)}
    return accepted([report], status=202, body=msgspec.json.encode(body))


def _became(request_id: str) -> Accepted | Refused:
    called = next(
        (name for name in ["Create", "CustomAction", *(one for _action, one in VERBS.values())] if _key_in(request_id, name)),
        None,
    )
    if called is None:
        return _unknown("Request not found. It might not be processed, yet.")
    key = _key_in(request_id, called)
    told = {
        "success": True,
        "isSuccess": True,
        "action": called,
        "integrationId": "",
        "status": "Created alert" if called == "Create" else "Alert updated",
        "alertId": _id("alert", key),
        "alias": key,
    }
    return Accepted(200, msgspec.json.encode({"data": told, "took": 0.0, "requestId": request_id}))


def _id(what: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{what}\n{key}".encode()).decode().rstrip("=")


def _key_in(identifier: str, what: str) -> str:
    """The key that an id of ours holds, "" for ids that are not ours or stand for something else."""
    try:
        found, _line, key = base64.urlsafe_b64decode(identifier + "=" * (-len(identifier) % 4)).decode().partition("\n")
    except ValueError:
        return ""
    return key if found == what and _id(what, key) == identifier else ""


def _unknown(reason: str) -> Refused:
    return Refused(404, msgspec.json.encode({"message": reason, "took": 0.0, "requestId": made_up(reason)}), reason)


def _refused(errors: dict[str, str], message: str, status: int) -> Refused:
    body = {"message": message, "errors": errors, "took": 0.0, "requestId": made_up(*errors.values())}
    return Refused(status, msgspec.json.encode(body), " ".join(errors.values()))
