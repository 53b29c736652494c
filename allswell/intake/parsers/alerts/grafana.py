"""Grafana: the webhook of its present alerting (in the shape of Alertmanager), and the one of before version 9."""

from __future__ import annotations

from typing import Any

import msgspec.structs

from .alertmanager import key_of, reports_of
from .reading import json_object, labels_of, listed, said, within, word
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, refusal

STATES = {
    "alerting": Action.FIRE,
    "no_data": Action.FIRE,
    "firing": Action.FIRE,
    "ok": Action.RESOLVE,
    "resolved": Action.RESOLVE,
    "pending": Action.NOTE,
    "paused": Action.NOTE,
    "keep_state": Action.NOTE,
}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The reports of either webhook, told apart by `alerts`."""
    try:
        message = json_object(request.body)
        if "alerts" in message:
            return accepted([_tested(report) for report in reports_of(message)])
        return accepted([_legacy(message)])
    except Malformed as error:
        return refusal(str(error))


def _tested(report: AlertReport) -> AlertReport:
    labels = report.labels
    if labels.get("alertname") == "TestAlert" and labels.get("instance") == "Grafana":
        return msgspec.structs.replace(report, is_test=True)
    return report


def _legacy(message: dict[str, Any]) -> AlertReport:
    name, rule = said(message.get("ruleName")), said(message.get("ruleId"))
    title = said(message.get("title")) or name
    action = STATES.get(word(message.get("state")) or "alerting")
    if action is None:
        raise Malformed("“state” is not one of: alerting, ok, no_data, pending, paused.")
    if not (title or rule):
        raise Malformed("“alerts”, “ruleId” and “title” are all missing.")
    tags, notes = within(message.get("tags")), within(message.get("annotations"))
    measured = {said(one.get("metric")): one.get("value") for one in listed(message.get("evalMatches")) if isinstance(one, dict)}
    matches = [within(one.get("tags")) for one in listed(message.get("evalMatches")) if isinstance(one, dict)]
    labels = labels_of(measured, *matches, within(message.get("labels")), tags, {"rule": name})
    return clean_report(
        action,
        "/".join(part for part in (said(message.get("orgId")), rule) if part) if rule else key_of({**labels, "title": title}),
        title=title,
        text=said(message.get("message") or notes.get("summary")),
        severity=severity_of(
            labels.get("severity"), default=severity_of("warning" if word(message.get("state")) == "no_data" else "error")
        ),
        labels=labels,
        links=[("Rule", said(message.get("ruleUrl"))), ("Picture", said(message.get("imageUrl")))],
        is_test=rule == "0" and name == "Test notification",
    )
