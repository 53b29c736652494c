"""Alertmanager's webhook, version 4 (and 3): one report for each alert, under the group of the message.

The key is the fingerprint; `startsAt` tells one outage from the next. Alertmanager may name in its last message only what was resolved
last: `status` "resolved" therefore stands for the whole group. A message that leaves nothing out (`truncatedAlerts` 0) says by that which
alerts of the group fire no more, should the word of their end have been lost.
"""

from __future__ import annotations

import msgspec.structs

from .reading import instant, json_object, labels_of, said, within, word
from .severities import severity_of
from .shape import (
    REPORTS,
    Accepted,
    Action,
    AlertReport,
    Malformed,
    Options,
    Refused,
    Request,
    accepted,
    clean_report,
    made_up,
    refusal,
)

#: annotations and fields of an alert that hold an address, and what the link is called
LINKS = (
    ("runbook_url", "Runbook"),
    ("runbook", "Runbook"),
    ("dashboard_url", "Dashboard"),
    ("dashboardURL", "Dashboard"),
    ("panelURL", "Panel"),
    ("silenceURL", "Silence there"),
    ("imageURL", "Picture"),
    ("generatorURL", "Source"),
)


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The reports of a webhook of version 4 or 3; everything else about it may be missing."""
    try:
        reports = reports_of(json_object(request.body))
    except Malformed as error:
        return refusal(str(error))
    return accepted(reports)


def reports_of(message: dict[str, object]) -> list[AlertReport]:
    """What a message in the shape of Alertmanager says. Raises Malformed."""
    alerts = message.get("alerts")
    if not isinstance(alerts, list):
        raise Malformed("“alerts” is missing or not a list.")
    is_over = word(message.get("status")) == "resolved"
    group = said(message.get("groupKey"))
    common, annotations = within(message.get("commonLabels")), within(message.get("commonAnnotations"))
    outside = said(message.get("externalURL"))
    told_by = made_up(said(message.get("receiver")), outside) if group else ""
    reports = [
        report_of(alert, group=group, common=common, annotations=annotations, outside=outside, told_by=told_by, is_over=is_over)
        for alert in alerts
        if isinstance(alert, dict)
    ]
    if len(reports) != len(alerts):
        raise Malformed("An entry of “alerts” is not an object.")
    if is_over and group:
        _end_group(reports, group)
    elif group and reports and len(reports) <= REPORTS and said(message.get("truncatedAlerts")) == "0":
        reports[-1] = msgspec.structs.replace(reports[-1], lists_group=True)
    return reports


def _end_group(reports: list[AlertReport], group: str) -> None:
    """Say that the whole group is over: once, after everything that is said of its alerts one by one."""
    if not reports:
        reports.append(clean_report(Action.RESOLVE, group, group=group, resolves_group=True))
        return
    last = min(len(reports), REPORTS) - 1
    reports[last] = msgspec.structs.replace(reports[last], resolves_group=True)


def report_of(
    alert: dict[str, object],
    *,
    group: str,
    common: dict[str, object],
    annotations: dict[str, object],
    outside: str = "",
    told_by: str = "",
    is_over: bool = False,
) -> AlertReport:
    """What one entry of `alerts` says. Fields of the alert win over those of its group."""
    own, notes = within(alert.get("labels")), within(alert.get("annotations"))
    labels = labels_of(own if common.items() <= own.items() else {**common, **own})
    if annotations:
        notes = {**annotations, **notes}
    is_resolved = is_over or word(alert.get("status")) == "resolved"
    started, ended = instant(alert.get("startsAt")), instant(alert.get("endsAt")) if is_resolved else None
    return clean_report(
        Action.RESOLVE if is_resolved else Action.FIRE,
        said(alert.get("fingerprint")) or key_of(own),
        group=group,
        title=said(notes.get("summary") or notes.get("title") or notes.get("message")) or labels.get("alertname", ""),
        text=said(notes.get("description") or notes.get("message")),
        severity=severity_of(labels.get("severity"), notes.get("severity"), labels.get("priority"), labels.get("level")),
        labels=labels,
        links=_links(alert, notes, outside),
        happened_at=ended or started,
        started_at=started,
        ended_at=ended,
        told_by=told_by,
    )


def key_of(labels: dict[str, object]) -> str:
    """A key out of the labels, for senders that send no fingerprint: the same for the same labels in any order."""
    return made_up(*(part for name in sorted(labels) for part in (name, said(labels[name]))))


def _links(alert: dict[str, object], notes: dict[str, object], outside: str) -> list[tuple[str, str]]:
    links = []
    for name, title in LINKS:
        if (url := notes.get(name) or alert.get(name)).__class__ is str and url:
            links.append((title, url))
    if outside:
        links.append(("Alertmanager", outside))
    return links
