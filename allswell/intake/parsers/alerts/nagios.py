"""Nagios and Icinga, as their notify script sends it: a form with what the notification is about.

Both send no recovery while something flaps, and begin to flap in any state: the state of every message counts, whatever its type.
"""

from __future__ import annotations

from .reading import fields_of, instant, labels_of, word
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, refusal

OVER = ("ok", "up")
STATES = {
    "critical": "critical",
    "down": "critical",
    "warning": "warning",
    "unknown": "error",
    "unreachable": "error",
    "ok": "info",
    "up": "info",
}
_READ = {
    "type",
    "host",
    "service",
    "state",
    "output",
    "long_output",
    "author",
    "comment",
    "t",
    "last_state_change",
    "attempt",
    "number",
}
_READ |= {"notification_number", "problem_id", "last_problem_id", "url", "notes_url", "action_url"}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """What one notification of a host or a service says."""
    try:
        fields = fields_of(request)
        host, state = fields.get("host", "").strip(), word(fields.get("state"))
        if not host:
            raise Malformed("“host” is missing.")
        if not (state in STATES or word(fields.get("type")) == "recovery"):
            raise Malformed("“state” is not one of: OK, UP, WARNING, CRITICAL, UNKNOWN, DOWN, UNREACHABLE.")
    except Malformed as error:
        return refusal(str(error))
    return accepted([_report(fields, host, state)])


def _report(fields: dict[str, str], host: str, state: str) -> AlertReport:
    kind, service = word(fields.get("type")), fields.get("service", "").strip()
    changed = instant(fields.get("last_state_change", ""))
    action = _action(kind, state)
    comment = fields.get("comment", "")
    return clean_report(
        action,
        f"{host}/{service}" if service else host,
        title=f"{service} on {host} is {state.upper() or 'OK'}" if service else f"{host} is {state.upper() or 'UP'}",
        text="\n".join(part for part in (fields.get("output", ""), fields.get("long_output", "")) if part),
        severity=severity_of(STATES.get(state)),
        labels=labels_of(
            {name: value for name, value in fields.items() if name not in _READ}, {"host": host, "service": service}
        ),
        links=[
            ("Details", fields.get("url", "")),
            ("Notes", fields.get("notes_url", "")),
            ("Action", fields.get("action_url", "")),
        ],
        happened_at=instant(fields.get("t", "")) or changed,
        started_at=changed if action is Action.FIRE else None,
        is_flapping=_is_flapping(kind),
        note=comment if action is not Action.NOTE else ": ".join(part for part in (kind, comment) if part),
        by=fields.get("author", ""),
    )


def _action(kind: str, state: str) -> Action:
    if state in OVER or kind == "recovery":
        return Action.RESOLVE
    if kind == "acknowledgement":
        return Action.ACKNOWLEDGE
    return Action.NOTE if kind.startswith("downtime") or kind == "custom" else Action.FIRE


def _is_flapping(kind: str) -> bool | None:
    if not kind.startswith("flapping"):
        return None
    return kind == "flappingstart"
