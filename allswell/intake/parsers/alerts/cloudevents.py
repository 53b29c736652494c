"""CloudEvents 1.0 in its three forms: structured, batched, and binary (`ce-*` headers).

`source` and `subject` name what the event is about and are the key; whether it is over is read from the end of `type`
("com.example.disk.resolved"), from the words the source sets for types, or from a state in the data.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from .reading import header_fields, instant, json_body, json_object, labels_of, said, within, word
from .severities import severity_of
from .shape import Accepted, Action, AlertReport, Malformed, Options, Refused, Request, accepted, clean_report, refusal
from .states import action_of, chosen

_READ = {"id", "source", "specversion", "type", "subject", "time", "data", "data_base64", "datacontenttype", "dataschema"}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The events of one request."""
    try:
        kind = request.content_type.partition(";")[0].strip().lower()
        if "ce-type" in request.headers or "ce-id" in request.headers:
            events: Any = [_binary(request, kind)]
        elif "batch" in kind:
            events = json_body(request.body)
        else:
            events = [json_object(request.body)]
        if not isinstance(events, list):
            raise Malformed("The batch is not a list of events.")
        return accepted([_report(event, options) for event in events], status=202)
    except Malformed as error:
        return refusal(str(error))


def judge(options: Options) -> None:
    """Raises Malformed for settings that mean nothing: there is `types` only, beginnings of types and what they ask for."""
    types = options.get("types", {})
    if set(options) - {"types"} or not isinstance(types, dict) or any(_action(word) is None for word in types.values()):
        raise Malformed("There is “types” only: names of types, each with fire, resolve, acknowledge, note or change.")


def _binary(request: Request, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = {name: unquote(value) for name, value in header_fields(request.headers, "ce-").items()}
    if request.body.strip():
        is_json = kind.endswith("json") or not kind
        event["data"] = json_body(request.body) if is_json else request.body.decode("utf-8", "replace")
    return event


def _report(event: Any, options: Options) -> AlertReport:
    event = within(event)
    missing = [name for name in ("id", "source", "specversion", "type") if not said(event.get(name))]
    if missing:
        raise Malformed(f"The attribute “{missing[0]}” is missing.")
    if not said(event["specversion"]).startswith("1."):
        raise Malformed("“specversion” is not 1.0.")
    data, kind = within(event.get("data")), said(event["type"])
    stem, _dot, last = kind.rpartition(".")
    by_type = chosen(options.get("types"), kind)
    ending = action_of(last)
    action = _action(by_type) or ending or action_of(data.get("state") or data.get("status")) or Action.FIRE
    about = said(event.get("subject")) or (stem if ending else kind)
    return clean_report(
        action,
        f"{said(event['source'])}/{about}",
        title=said(data.get("title") or data.get("summary") or data.get("message")) or f"{kind} {about}",
        text=said(data.get("description") or data.get("message")) if data else said(event.get("data")),
        severity=severity_of(event.get("severity"), data.get("severity"), data.get("level")),
        labels=labels_of(
            {name: value for name, value in data.items() if not isinstance(value, dict | list)},
            {name: value for name, value in event.items() if name not in _READ},
            {"source": event["source"], "subject": event.get("subject"), "kind": kind},
        ),
        happened_at=instant(event.get("time")),
    )


def _action(given: object) -> Action | None:
    try:
        return Action(word(given))
    except ValueError:
        return None
