"""One HTTP call of a page and what came of it, judged alike for every channel that speaks HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import allswell
from allswell.notifications.rules import Answer, Outcome

from . import guarded_http
from .webhook import retry_after

#: seconds for the whole call: a page that hangs is worse than one that fails, the next channel is waiting
DEADLINE = 10.0
#: characters kept of what a carrier calls a message
REFERENCE_LIMIT = 100
_TRY_AGAIN = frozenset({408, 425, 429})
#: a gateway says so when the server behind it did not answer: it may have taken the page
_UNSURE = frozenset({502, 504})
GONE = 410


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent where. Its address and headers hold secrets."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(repr=False)
    method: str = "POST"


def as_json(content: Mapping[str, Any]) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def read_json(body: bytes) -> dict[str, Any]:
    """What a server said, if it said a JSON object; empty otherwise."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def attempt(
    call: Outgoing,
    *,
    allowed: guarded_http.Allowed,
    started_at: datetime,
    now: Callable[[], datetime],
    read: Callable[[guarded_http.Reply, Answer], Answer] | None = None,
) -> Answer:
    """Make the call. `read` may correct the judgment by what the server said; it sees every answer that came."""
    headers = {"user-agent": f"Allswell/{allswell.__version__}", **call.headers}
    try:
        reply = guarded_http.request(call.method, call.url, body=call.body, headers=headers, allowed=allowed, deadline=DEADLINE)
    except guarded_http.Unreachable as error:
        return Answer(Outcome.RETRY, started_at, now(), detail=str(error), is_certain=error.is_certain)
    answer = judged(reply, started_at=started_at, ended_at=now())
    return read(reply, answer) if read else answer


def judged(reply: guarded_http.Reply, *, started_at: datetime, ended_at: datetime) -> Answer:
    """By its status alone: taken; worth another try; or refused for good, so that the next channel begins at once."""
    if 200 <= reply.status < 300:
        return Answer(Outcome.SENT, started_at, ended_at, status=reply.status)
    answer = Answer(Outcome.FAILED, started_at, ended_at, detail=f"It answered {reply.status}.", status=reply.status)
    if reply.status in _TRY_AGAIN or reply.status >= 500:
        wait = retry_after(reply.headers.get("retry-after", ""), now=started_at)
        return replace(answer, outcome=Outcome.RETRY, retry_after=wait, is_certain=reply.status not in _UNSURE)
    return replace(answer, is_gone=reply.status == GONE)


def named(answer: Answer, reference: object) -> Answer:
    """With the carrier's own name of the message. Who takes a message and does not name it is not the carrier we know.

    It may have arrived all the same; but a second try would be taken the same way.
    """
    if answer.outcome is not Outcome.SENT:
        return answer
    if isinstance(reference, str) and reference:
        return replace(answer, reference=reference[:REFERENCE_LIMIT])
    return replace(
        answer, outcome=Outcome.FAILED, detail=f"It answered {answer.status}, but not as such a server does.", is_certain=False
    )


def unusable(detail: str, *, started_at: datetime, now: Callable[[], datetime]) -> Answer:
    """Nothing was sent, nor can it be: the address or the set-up is wrong."""
    return Answer(Outcome.FAILED, started_at, now(), detail=detail)
