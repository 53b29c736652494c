"""Where monitoring reports: below /in/, and at the addresses that vendors' clients have built in.

A request is let in by its key, checked for size and shape, kept, and answered as its sender expects; all else is the engine's. Too
much at once is answered with 503: senders come again then, while many take 429 for a final no (Alertmanager does).
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase

from allswell.desk.alerts import sources, taking
from allswell.desk.sealing import unseal
from allswell.intake.parsers.alerts import registry, signing
from allswell.intake.parsers.alerts.shape import REPORTS, Refused, Request
from allswell.intake.queries import alerts as queries
from allswell.intake.queries.alerts import Known
from allswell.intake.rules.kept import Raw
from allswell.kernel import clock, text
from allswell.kernel.actor import engine

from . import mail_in

log = logging.getLogger(__name__)

#: of a request, also after it is unpacked
MOST_BYTES = 5_000_000
#: so many requests may wait to be read; beyond that senders are asked to come again
MOST_WAITING = 20_000
_PATH = re.compile(r"/in/([a-z0-9_-]{1,20})/([A-Za-z0-9_-]{16,100})(/.{0,200})?")
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
#: headers that formats look at; others (cookies, credentials) are not kept
_KEPT = re.compile(r"ce-.*|x-amz-sns-.*|sentry-hook-(?:resource|timestamp)|content-type|user-agent|x-request-id")


class AlertsMiddleware:
    """Answers what monitoring sends at once: no session, no cookie and no CSRF check take part in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the paths of senders, pass on all others."""
        path = request.path_info
        if path.startswith("/in/") or (not path.startswith("/api/v1/") and registry.kind_at(path) is not None):
            response = _answer(request)
            response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path, which may hold the key
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response
        return self.get_response(request)


@dataclass(slots=True)
class _Turn:
    raw: Raw
    is_done: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class Gatherer:
    """Writes together what came while something was written: many commits cost as much as one."""

    _waiting: list[_Turn] = field(default_factory=list)
    _list: threading.Lock = field(default_factory=threading.Lock)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, raw: Raw, *, now: datetime) -> None:
        """Keep a request; returns once it is committed. Raises what kept it from that."""
        turn = _Turn(raw)
        with self._list:
            self._waiting.append(turn)
        with self._writing:
            if not turn.is_done:
                self._write(now)
        if turn.error is not None:
            raise turn.error

    def _write(self, now: datetime) -> None:
        with self._list:
            turns, self._waiting = self._waiting, []
        try:
            taking.keep([turn.raw for turn in turns], actor=engine(), now=now)
        except Exception as error:  # noqa: BLE001 - each of those who wait is told
            for turn in turns:
                turn.error = error
        for turn in turns:
            turn.is_done = True


gatherer = Gatherer()


class _TooLarge(Exception):
    """More than anybody needs to say at once."""


class _Refusal(Exception):
    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        return _taken(request)
    except _Refusal as refusal:
        return refusal.response
    except _TooLarge:
        return _said(413, "This is too large.")
    except (UnreadablePostError, zlib.error, EOFError):
        return _said(400, "The request cannot be read.")
    except DatabaseError as error:
        log.error("a report could not be kept: %s", type(error).__name__)
        return _said(503, "Come again in a moment.", retry_after=5)
    except Exception as error:  # noqa: BLE001 - the path holds the key, so that no traceback may be written
        log.error("a report could not be taken: %s", type(error).__name__)
        return _said(500, "This is our fault. It has been written down.")


def _taken(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    if mail := mail_in.PATH.fullmatch(request.path_info):
        status, words = mail_in.answer(request, mail.group(1), now=now)
        return _said(status, words, retry_after=5 if status == 503 else None)
    path = _PATH.fullmatch(request.path_info)
    kind, key = (path.group(1), path.group(2)) if path else registry.at_vendor_path(request.path_info) or ("", "")
    if kind not in registry.FORMATS:
        raise _Refusal(_said(404, "There is nothing at this address."))
    try:
        body = _body(request)
    except _TooLarge:
        _note_too_large(key, now=now)
        raise
    came = Request(
        method=request.method or "",
        path=_plain((path.group(3) or "") if path else request.path_info),
        query={_plain(name): _plain(str(value)) for name, value in request.GET.items()},
        headers={name.lower(): _plain(value) for name, value in request.headers.items()},
        body=body,
        content_type=_plain(request.headers.get("Content-Type", "")),
        received_at=now,
    )
    source = _source(kind, key or registry.key_sent(kind, came), is_path=path is not None, now=now)
    if source.secret and not signing.is_signed(kind, came, unseal(source.secret).encode(), now=now):
        sources.note_refusal(source.id, "The signature is not that of its secret.", at=clock.monotonic(), actor=engine(), now=now)
        raise _Refusal(_said(401, "The signature does not fit."))
    nonce = sources.nonce()
    found = registry.FORMATS[kind].check(came, nonce, source.mapping)
    if isinstance(found, Refused):
        sources.note_refusal(source.id, found.reason, at=clock.monotonic(), actor=engine(), now=now)
        return HttpResponse(found.body, status=found.status, content_type=found.content_type)
    if found.reports or found.confirm_url:
        if found.left_out:
            why = f"{found.left_out} alerts of one request were left out: send at most {REPORTS:,} together."
            sources.note_refusal(source.id, why, at=clock.monotonic(), actor=engine(), now=now)
        _make_room(now)
        gatherer.keep(Raw(source.id, now, _head(came), came.body, nonce), now=now)
    return HttpResponse(found.body, status=found.status, content_type=found.content_type)


def _source(kind: str, key: str, *, is_path: bool, now: datetime) -> Known:
    """Who reports. Raises _Refusal for a key nobody has, or of another format."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    source = queries.source_by_digest(digest, now=now) if key else None
    if source is None or source.kind != kind:
        raise _Refusal(_said(404 if is_path else 401, "This key is not known here."))
    if not source.is_active:
        raise _Refusal(_said(403, "This source is switched off."))
    return source


def _note_too_large(key: str, *, now: datetime) -> None:
    """Show at the source that what it sent was not read; a key inside the body is not known."""
    source = queries.source_by_digest(hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest(), now=now) if key else None
    if source is not None:
        why = "A request was larger than 5 MB and was not read: send fewer alerts together (Alertmanager: max_alerts)."
        sources.note_refusal(source.id, why, at=clock.monotonic(), actor=engine(), now=now)


def _body(request: HttpRequest) -> bytes:
    """The bytes of a request, unpacked. Raises _TooLarge before more than that was read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MOST_BYTES:
        raise _TooLarge
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raw = request.META["wsgi.input"].read(MOST_BYTES + 1)
    else:
        raw = request.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise _TooLarge
    if request.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate"):
        opening = zlib.decompressobj(zlib.MAX_WBITS | 32)
        raw = opening.decompress(raw, MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise _TooLarge
        if not opening.eof:
            raise EOFError
    return bytes(raw)


def _plain(said: str) -> str:
    """A text that every database takes: what is around a body is kept as text, too."""
    return said if said.isascii() and said.isprintable() else text.clean(said)


def _head(came: Request) -> dict[str, Any]:
    """What is kept of a request besides its bytes: nothing that lets anybody in."""
    return {
        "method": came.method,
        "path": came.path,
        "query": {name: value for name, value in came.query.items() if "key" not in name.lower() and "token" not in name.lower()},
        "headers": {name: value for name, value in came.headers.items() if _KEPT.fullmatch(name)},
        "content_type": came.content_type,
    }


_room = {"at": -1.0, "waiting": 0}


def _make_room(now: datetime) -> None:
    """Refuse to keep more when very much waits; looked up once a second. Raises _Refusal."""
    at = clock.monotonic()
    if at - _room["at"] > 1:
        _room["at"], _room["waiting"] = at, queries.waiting_count(limit=MOST_WAITING + 1)
    if _room["waiting"] > MOST_WAITING:
        raise _Refusal(_said(503, "Too much is waiting. Come again in a moment.", retry_after=5))


def _said(status: int, words: str, *, retry_after: int | None = None) -> HttpResponse:
    body = msgspec.json.encode({"status": "error" if status >= 400 else "success", "message": words})
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)
