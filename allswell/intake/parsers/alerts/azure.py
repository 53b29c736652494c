"""Azure Monitor's common alert schema."""

from __future__ import annotations

from typing import Any

from .reading import instant, json_object, labels_of, listed, said, within, word
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, Severity, accepted, clean_report, refusal

SEVERITIES = {
    "sev0": Severity.CRITICAL,
    "sev1": Severity.ERROR,
    "sev2": Severity.WARNING,
    "sev3": Severity.INFO,
    "sev4": Severity.INFO,
}
ACTIONS = {"fired": Action.FIRE, "resolved": Action.RESOLVE}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One alert. Other schemas of Azure say nothing about their end and are refused with what to switch on."""
    try:
        return accepted([_report(within(json_object(request.body).get("data")))])
    except Malformed as error:
        return refusal(str(error))


def _report(data: dict[str, Any]) -> AlertReport:
    facts = within(data.get("essentials"))
    key, action = said(facts.get("alertId")), ACTIONS.get(word(facts.get("monitorCondition")))
    if not facts:
        raise Malformed("“data.essentials” is missing: switch on the common alert schema for this action group.")
    if not key or action is None:
        raise Malformed("“alertId” is missing, or “monitorCondition” is neither Fired nor Resolved.")
    fired, resolved = instant(facts.get("firedDateTime")), instant(facts.get("resolvedDateTime"))
    targets = [said(target) for target in listed(facts.get("alertTargetIDs"))]
    names = {"rule": "alertRule", "signal": "signalType", "service": "monitoringService", "target_kind": "targetResourceType"}
    return clean_report(
        action,
        key,
        title=said(facts.get("alertRule")),
        text=said(facts.get("description")),
        severity=SEVERITIES.get(word(facts.get("severity")), Severity.ERROR),
        labels=labels_of(
            within(data.get("customProperties")),
            {label: facts.get(name) for label, name in names.items()},
            {"target": ", ".join(targets), "resource": targets[0].rpartition("/")[2] if targets else ""},
        ),
        links=[("Investigation", said(facts.get("investigationLink")))],
        happened_at=resolved if action is Action.RESOLVE and resolved else fired,
        started_at=fired,
        ended_at=resolved if action is Action.RESOLVE else None,
    )
