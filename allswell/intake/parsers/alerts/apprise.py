"""Apprise's `json://`, `form://` and `xml://` notifications. They have no key: the title without its state is one."""

from __future__ import annotations

import html

from .reading import fields_of, labels_of, word
from .severities import severity_of
from .shape import Accepted, Action, Malformed, Options, Refused, Request, accepted, clean_report, made_up, refusal
from .titles import without_state

SEVERITIES = {"failure": "error", "warning": "warning", "info": "info", "success": "info"}
_READ = {"version", "title", "message", "type", "attachments"}
_XML = {"Subject": "title", "Message": "message", "MessageType": "type"}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One notification; "success" says that it is over."""
    try:
        message = _xml(request.body) if request.body.lstrip()[:1] == b"<" else fields_of(request)
    except Malformed as error:
        return refusal(str(error))
    title, text, kind = message.get("title", ""), message.get("message", ""), word(message.get("type"))
    if not (title or text):
        return refusal("“title” and “message” are both missing.")
    report = clean_report(
        Action.RESOLVE if kind == "success" else Action.FIRE,
        without_state(title) or made_up(text),
        title=title or text,
        text=text,
        severity=severity_of(SEVERITIES.get(kind)),
        labels=labels_of({name: value for name, value in message.items() if name not in _READ}),
    )
    return accepted([report])


def _xml(body: bytes) -> dict[str, str]:
    """The three texts of its envelope. No XML is parsed for that: nothing can be declared, included or nested."""
    text = body.decode("utf-8", "replace")
    found = {}
    for element, name in _XML.items():
        _before, opened, rest = text.partition(f"<{element}>")
        content, closed, _after = rest.partition(f"</{element}>")
        if opened and closed:
            found[name] = html.unescape(content.strip())
    return found
