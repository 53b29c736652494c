"""Grafana OnCall's formatted webhook, which Zabbix' and Uptime Kuma's senders for it use. They take exactly 200 for success."""

from __future__ import annotations

from .reading import fields_of, labels_of, word
from .severities import severity_of
from .shape import Accepted, Action, Malformed, Options, Refused, Request, accepted, clean_report, made_up, refusal
from .titles import without_state

_READ = {"alert_uid", "title", "state", "message", "link_to_upstream_details", "image_url"}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One alert; without `alert_uid` the title without its state is the key."""
    try:
        message = fields_of(request)
    except Malformed as error:
        return refusal(str(error))
    uid, title = message.get("alert_uid", ""), message.get("title", "")
    if not (uid or title or message.get("message")):
        return refusal("“alert_uid”, “title” and “message” are all missing.")
    is_over = word(message.get("state")) in ("ok", "resolved", "normal")
    report = clean_report(
        Action.RESOLVE if is_over else Action.FIRE,
        uid or without_state(title) or made_up(request.body, nonce),
        title=title,
        text=message.get("message", ""),
        severity=severity_of(message.get("severity")),
        labels=labels_of({name: value for name, value in message.items() if name not in _READ}),
        links=[("Details", message.get("link_to_upstream_details", "")), ("Picture", message.get("image_url", ""))],
    )
    return Accepted(200, b"Ok.", accepted([report]).reports, "text/plain; charset=utf-8")
