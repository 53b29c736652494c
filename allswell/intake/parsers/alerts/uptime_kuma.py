"""Uptime Kuma's webhook, as JSON or as a form with the JSON in `data`. It tries once only, and its test button sends nulls."""

from __future__ import annotations

import re
from typing import Any

from .reading import fields_of, instant, json_object, labels_of, said, tags_of, within
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, Severity, accepted, clean_report, refusal

ACTIONS = {"0": Action.FIRE, "1": Action.RESOLVE, "2": Action.NOTE, "3": Action.NOTE}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """What one notification says."""
    try:
        message = _message(request)
        beat, monitor = message.get("heartbeat"), message.get("monitor")
        if beat is None and monitor is None:
            return accepted([_without_monitor(said(message.get("msg")))])
        return accepted([_report(within(beat), within(monitor), said(message.get("msg")))])
    except Malformed as error:
        return refusal(str(error))


def _message(request: Request) -> dict[str, Any]:
    if request.content_type.startswith(("multipart/", "application/x-www-form-urlencoded")):
        return json_object(fields_of(request).get("data", "").encode("utf-8", "replace"))
    return json_object(request.body)


def _report(beat: dict[str, Any], monitor: dict[str, Any], text: str) -> AlertReport:
    number, state = said(monitor.get("id")) or said(beat.get("monitorID")), said(beat.get("status"))
    action = ACTIONS.get(state)
    if not number or action is None:
        raise Malformed("“monitor.id” is missing, or “heartbeat.status” is not one of 0, 1, 2 and 3.")
    return clean_report(
        action,
        number,
        title=said(monitor.get("name")) or text,
        text=said(beat.get("msg")) or text,
        severity=Severity.CRITICAL if action is Action.FIRE else Severity.INFO,
        labels=labels_of(
            {name: monitor.get(name) for name in ("type", "hostname", "port")},
            tags_of(monitor.get("tags")),
            {"monitor": monitor.get("name")},
        ),
        links=[("Monitored address", said(monitor.get("url")))],
        happened_at=instant(beat.get("time")),
        note={"2": "pending", "3": "under maintenance"}.get(state, ""),
    )


def _without_monitor(text: str) -> AlertReport:
    """The test button, or a certificate that runs out, which is sent without its monitor and never withdrawn."""
    if "certificate" not in text.lower():
        return clean_report(Action.NOTE, "test", title=text, severity=Severity.INFO, is_test=True)
    key = re.sub(r"\d+", "", text)
    return clean_report(Action.FIRE, key, title=text, severity=Severity.WARNING)
