"""Requests of senders, written shortly."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from allswell.intake.parsers.alerts.registry import FORMATS
from allswell.intake.parsers.alerts.shape import Accepted, AlertReport, Options, Refused, Request


def request(body: Any = b"", path: str = "", method: str = "POST", kind: str = "application/json", **more: Any) -> Request:
    """A request; what is no bytes or text becomes JSON."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    parts = urlsplit(path)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
    return Request(method=method, path=parts.path, query=query, body=data, content_type=kind, **more)


def answer(format_kind: str, asked: Request, nonce: str = "n", options: Options | None = None) -> Accepted | Refused:
    return FORMATS[format_kind].check(asked, nonce, options)


def taken(format_kind: str, body: Any = b"", path: str = "", *, options: Options | None = None, **more: Any) -> Accepted:
    found = answer(format_kind, request(body, path, **more), options=options)
    assert isinstance(found, Accepted), found
    return found


def reports(format_kind: str, body: Any = b"", path: str = "", **more: Any) -> tuple[AlertReport, ...]:
    return taken(format_kind, body, path, **more).reports


def report(format_kind: str, body: Any = b"", path: str = "", **more: Any) -> AlertReport:
    [one] = reports(format_kind, body, path, **more)
    return one


def refused(format_kind: str, body: Any = b"", path: str = "", **more: Any) -> Refused:
    found = answer(format_kind, request(body, path, **more))
    assert isinstance(found, Refused), found
    return found
