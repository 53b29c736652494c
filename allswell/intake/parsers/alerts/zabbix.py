"""Zabbix, as the media type for it sends: an event by its id, whose value says whether the problem is there."""

from __future__ import annotations

from .reading import fields_of, instant, json_body, labels_of, tags_of, word
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, Severity, accepted, clean_report, refusal

SEVERITIES = (Severity.INFO, Severity.INFO, Severity.WARNING, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)
WORDS = ("not classified", "information", "warning", "average", "high", "disaster")


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One event; `event_id` and `eventid` are the same to us."""
    try:
        fields = {name.replace("_", "").lower(): value for name, value in fields_of(request).items()}
        if not fields.get("eventid"):
            raise Malformed("“event_id” is missing.")
        if fields.get("eventvalue") not in ("0", "1"):
            raise Malformed("“event_value” is neither 0 nor 1.")
    except Malformed as error:
        return refusal(str(error))
    return accepted([_report(fields)])


def _report(fields: dict[str, str]) -> AlertReport:
    said_by, note = fields.get("updateuser", ""), fields.get("updatemessage", "")
    return clean_report(
        _action(fields),
        fields["eventid"],
        title=fields.get("eventname") or fields.get("subject") or fields.get("triggername") or "",
        text=fields.get("message", ""),
        severity=_severity(fields),
        labels=labels_of(_tags(fields.get("eventtags") or fields.get("tags") or ""), _labels(fields)),
        links=[("Event", fields.get("eventurl") or fields.get("url", "")), ("Trigger", fields.get("triggerurl", ""))],
        happened_at=instant(fields.get("happenedat") or fields.get("eventtimestamp", "")),
        note=note or fields.get("updateaction", ""),
        by=said_by,
    )


def _action(fields: dict[str, str]) -> Action:
    if fields["eventvalue"] == "0":
        return Action.RESOLVE
    if fields.get("eventupdate", fields.get("eventupdatestatus")) != "1":
        return Action.FIRE
    update = word(fields.get("updateaction"))
    return Action.ACKNOWLEDGE if "acknowledged" in update and "unacknowledged" not in update else Action.NOTE


def _severity(fields: dict[str, str]) -> Severity:
    given = word(fields.get("eventnseverity") or fields.get("nseverity") or fields.get("severity") or fields.get("eventseverity"))
    if given in WORDS:
        return SEVERITIES[WORDS.index(given)]
    return SEVERITIES[int(given)] if given in ("0", "1", "2", "3", "4", "5") else Severity.ERROR


def _tags(given: str) -> dict[str, str]:
    if not given.lstrip().startswith("["):
        return tags_of(given)
    try:
        return tags_of(json_body(given.encode("utf-8", "replace")))
    except Malformed:
        return {}


def _labels(fields: dict[str, str]) -> dict[str, str]:
    names = {"host": "host", "hostip": "address", "hostgroup": "host_group", "triggerid": "trigger", "item": "item"}
    return {label: fields[name] for name, label in names.items() if fields.get(name)}
