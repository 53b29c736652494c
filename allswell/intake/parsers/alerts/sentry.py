"""Sentry's webhooks: alerts on events, alerts on metrics, issues; and the older plugin's. Signed with the secret of the integration."""

from __future__ import annotations

from typing import Any

from .reading import instant, json_object, labels_of, listed, said, tags_of, within, word
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, refusal

ISSUE = {
    "created": Action.FIRE,
    "unresolved": Action.FIRE,
    "triggered": Action.FIRE,
    "resolved": Action.RESOLVE,
    "archived": Action.RESOLVE,
    "ignored": Action.RESOLVE,
    "assigned": Action.NOTE,
}
METRIC = {"critical": Action.FIRE, "warning": Action.FIRE, "open": Action.FIRE, "resolved": Action.RESOLVE}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """What one hook says; hooks about anything else than alerts and issues are accepted and report nothing."""
    try:
        message = json_object(request.body)
        data = within(message.get("data"))
        if "metric_alert" in data:
            return accepted([_metric(message, data)])
        if "event" in data or "issue" in data:
            return accepted([_issue(message, within(data.get("event")), within(data.get("issue")), data)])
        if "event" in message and "level" in message:
            return accepted([_plugin(message)])
        if not data and "sentry-hook-resource" not in request.headers:
            raise Malformed("“data” is missing.")
        return accepted([])
    except Malformed as error:
        return refusal(str(error))


def _issue(message: dict[str, Any], event: dict[str, Any], issue: dict[str, Any], data: dict[str, Any]) -> AlertReport:
    action = ISSUE.get(word(message.get("action")))
    key = said(event.get("issue_id") or issue.get("id"))
    if action is None or not key:
        raise Malformed("“action” is unknown, or the id of the issue is missing.")
    project = issue.get("project")
    return clean_report(
        action,
        key,
        title=said(event.get("title") or issue.get("title")),
        text=said(event.get("message") or event.get("culprit") or issue.get("culprit")),
        severity=severity_of(event.get("level"), issue.get("level")),
        labels=labels_of(
            tags_of(event.get("tags")),
            {
                "project": project.get("slug") if isinstance(project, dict) else event.get("project"),
                "issue": issue.get("shortId"),
                "environment": event.get("environment"),
                "rule": data.get("triggered_rule"),
                "platform": event.get("platform") or issue.get("platform"),
            },
        ),
        links=[("Sentry", said(event.get("web_url") or issue.get("web_url") or issue.get("permalink")))],
        happened_at=instant(event.get("datetime")) or instant(issue.get("lastSeen")),
        by=said(within(message.get("actor")).get("name")),
    )


def _metric(message: dict[str, Any], data: dict[str, Any]) -> AlertReport:
    alert, action = within(data["metric_alert"]), METRIC.get(word(message.get("action")))
    key = said(alert.get("identifier") or alert.get("id"))
    if action is None or not key:
        raise Malformed("“action” is not one of critical, warning and resolved, or the id of the alert is missing.")
    started, ended = instant(alert.get("date_started")), instant(alert.get("date_closed"))
    return clean_report(
        action,
        f"metric/{key}",
        title=said(data.get("description_title") or alert.get("title") or within(alert.get("alert_rule")).get("name")),
        text=said(data.get("description_text")),
        severity=severity_of(message.get("action")),
        labels=labels_of(
            {"rule": within(alert.get("alert_rule")).get("name"), "project": ", ".join(map(said, listed(alert.get("projects"))))}
        ),
        links=[("Sentry", said(data.get("web_url")))],
        happened_at=ended or instant(alert.get("date_detected")) or started,
        started_at=started,
        ended_at=ended,
    )


def _plugin(message: dict[str, Any]) -> AlertReport:
    event = within(message.get("event"))
    key = said(message.get("id"))
    if not key:
        raise Malformed("“id” is missing.")
    return clean_report(
        Action.FIRE,
        key,
        title=said(event.get("title") or message.get("message")),
        text=said(message.get("message")),
        severity=severity_of(message.get("level")),
        labels=labels_of(
            tags_of(event.get("tags")),
            {
                "project": message.get("project_slug") or message.get("project"),
                "environment": event.get("environment"),
                "culprit": message.get("culprit"),
            },
        ),
        links=[("Sentry", said(message.get("url")))],
        happened_at=instant(event.get("timestamp")),
    )
