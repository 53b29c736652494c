"""VictorOps' (Splunk On-Call's) REST endpoint, as Alertmanager and others call it."""

from __future__ import annotations

import msgspec

from .reading import instant, json_object, labels_of, said, word
from .severities import severity_of
from .shape import Accepted, Action, Malformed, Options, Refused, Request, accepted, clean_report, made_up

ACTIONS = {
    "critical": Action.FIRE,
    "warning": Action.FIRE,
    "info": Action.NOTE,  # there, too, it makes no incident
    "acknowledgement": Action.ACKNOWLEDGE,
    "acknowledgment": Action.ACKNOWLEDGE,
    "recovery": Action.RESOLVE,
    "ok": Action.RESOLVE,
}
_READ = {
    "message_type",
    "entity_id",
    "entity_display_name",
    "state_message",
    "state_start_time",
    "timestamp",
    "ack_msg",
    "ack_author",
}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One message. Without `entity_id` every message is an alert of its own, as with VictorOps."""
    try:
        message = json_object(request.body)
    except Malformed as error:
        return _refused(str(error))
    action = ACTIONS.get(word(message.get("message_type")))
    if action is None:
        return _refused("“message_type” is missing or not one of: CRITICAL, WARNING, INFO, ACKNOWLEDGEMENT, RECOVERY.")
    key = said(message.get("entity_id")) or made_up(request.body, nonce)
    routing = [part for part in request.path.split("/") if part]
    started = instant(message.get("state_start_time"))
    report = clean_report(
        action,
        key,
        title=said(message.get("entity_display_name")) or key,
        text=said(message.get("state_message")),
        severity=severity_of(message.get("message_type")),
        labels=labels_of(
            {"routing_key": routing[-1] if routing else ""}, {name: message[name] for name in message if name not in _READ}
        ),
        happened_at=instant(message.get("timestamp")) or started,
        started_at=started,
        note=said(message.get("ack_msg")),
        by=said(message.get("ack_author")),
    )
    return accepted([report], body=msgspec.json.encode({"result": "success", "entity_id": report.key}))


def _refused(reason: str) -> Refused:
    return Refused(400, msgspec.json.encode({"result": "failure", "messages": [reason]}), reason)
