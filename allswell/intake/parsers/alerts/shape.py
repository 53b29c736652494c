"""What every format is turned into, and the limits that hold for all of them.

A format's `check` is run twice on the same request: before it is answered (senders need their refusals and keys at once), and by the
engine on what was stored. It therefore depends on nothing but its arguments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import msgspec.structs

from allswell.kernel import text as texts

KEY, TITLE, TEXT, LABELS, LABEL_NAME, LABEL_VALUE, LINKS, URL, WHO = 512, 255, 20_000, 64, 128, 1_024, 20, 2_000, 255
REPORTS = 10_000

_URL = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"'`\\^{|}]+", re.IGNORECASE)
_JSON = "application/json"


class Severity(StrEnum):
    """How bad the sender says it is."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Action(StrEnum):
    """What a report asks for."""

    FIRE = "fire"
    RESOLVE = "resolve"
    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"
    CHANGE = "change"
    HEARTBEAT = "heartbeat"


class AlertReport(msgspec.Struct, frozen=True):
    """One thing a sender says about one alert. Made by `clean_report` only, so that its limits hold.

    `key` names the alert within its source and `group` what it belongs to; `started_at` tells one outage of a key from the next.
    `happened_at` is the sender's own instant of what is said, so that what comes late is known to be late. `resolves_group` says that the
    sender takes the whole group for resolved: everything open under `group` is closed, named or not; one report of a message, its last,
    says so for all. `lists_group`, of the last report of a message, says that the message named all that fires of the group, by `told_by`,
    who tells of it. `lease_until` says that the alert is over by itself when nobody repeats it until then. `is_flapping` is None where
    the sender says nothing about it.
    """

    action: Action
    key: str
    group: str = ""
    title: str = ""
    text: str = ""
    severity: Severity = Severity.ERROR
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    happened_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    lease_until: datetime | None = None
    is_flapping: bool | None = None
    is_test: bool = False
    resolves_group: bool = False
    note: str = ""
    by: str = ""
    told_by: str = ""
    lists_group: bool = False


class Request(msgspec.Struct, frozen=True):
    """What came over HTTP, as far as formats look at it.

    `path` is what follows the source's own address ("" or "/v2/enqueue"), or the whole path at a vendor's address, decoded; header names
    are lower case; `query` holds the first value of each name. `received_at` is stored with the request: some formats speak relative to it.
    """

    method: str = "POST"
    path: str = ""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    content_type: str = ""
    received_at: datetime | None = None


class Accepted(msgspec.Struct, frozen=True):
    """The answer its sender relies on, and what was said. `left_out` counts reports above the limit of one request.

    `confirm_url` is an address that the sender wants to have called once its signature was checked.
    """

    status: int
    body: bytes
    reports: tuple[AlertReport, ...] = ()
    content_type: str = _JSON
    left_out: int = 0
    confirm_url: str = ""


class Refused(msgspec.Struct, frozen=True):
    """The answer to a malformed request, in the sender's own terms. `reason` is the same in one line, for the people of the source."""

    status: int
    body: bytes
    reason: str
    content_type: str = _JSON


class Malformed(ValueError):
    """Why a request cannot be understood; formats turn it into what their sender expects."""


#: what a source sets for its format: the mapping of a generic one, the patterns of a mail
Options = Mapping[str, Any]
Check = Callable[[Request, str, Options], Accepted | Refused]


def refusal(reason: str) -> Refused:
    """A refusal for senders that look at the number only."""
    return Refused(400, msgspec.json.encode({"status": "error", "message": reason}), reason)


def accepted(reports: Iterable[AlertReport], *, status: int = 200, body: bytes = b'{"status":"success"}') -> Accepted:
    """An answer with the reports of a request, as many as one request may hold."""
    reports = tuple(reports)
    return Accepted(status, body, reports[:REPORTS], left_out=max(0, len(reports) - REPORTS))


def made_up(*parts: str | bytes) -> str:
    """A key for what has none: the same for the same parts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:32]


def clean_report(
    action: Action,
    key: str,
    *,
    group: str = "",
    title: str = "",
    text: str = "",
    severity: Severity = Severity.ERROR,
    labels: Mapping[str, str] | None = None,
    links: Iterable[tuple[str, str]] = (),
    happened_at: datetime | None = None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    lease_until: datetime | None = None,
    is_flapping: bool | None = None,
    is_test: bool = False,
    resolves_group: bool = False,
    note: str = "",
    by: str = "",
    told_by: str = "",
) -> AlertReport:
    """A report that both databases take and every screen can show: cut to the limits, cleaned, addresses of http and https only.

    Nothing is refused here: an alert that is too long is still an alert.
    """
    key = _key(key)
    return AlertReport(
        action,
        key,
        _key(group) if group else "",
        _line(title, TITLE) or _line(key, TITLE),
        _prose(text) if text else "",
        severity,
        _labels(labels) if labels else {},
        _links(links) if links else (),
        happened_at,
        started_at,
        ended_at,
        lease_until,
        is_flapping,
        is_test,
        resolves_group,
        _prose(note) if note else "",
        _line(by, WHO) if by else "",
        told_by,
    )


def with_lease(report: AlertReport, action: Action, ends_at: datetime | None) -> AlertReport:
    """The same report with its end: a lease while it fires, the end itself once it is over."""
    if action is Action.RESOLVE:
        return msgspec.structs.replace(report, action=action, ended_at=ends_at, happened_at=ends_at)
    return msgspec.structs.replace(report, action=action, lease_until=ends_at)


def address(said: str) -> str:
    """An address that may be shown as a link, "" for what is none: nothing but http and https, nothing that ends an attribute."""
    said = said.strip()
    return said if len(said) <= URL and _URL.fullmatch(said) else ""


def _key(said: str) -> str:
    # a key that cleaning would change could become another alert's key: its digest stands for it
    if len(said) <= KEY and texts.clean(said) == said:
        return said
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _line(said: str, limit: int) -> str:
    if len(said) > limit * 8:
        said = said[: limit * 8]
    if not (said.isascii() and said.isprintable()) or "  " in said:
        said = texts.line(said, field="line", limit=len(said) * 4, required=False)
    said = said.strip()
    return said if len(said) <= limit else said[: limit - 1] + "…"


def _prose(said: str) -> str:
    if len(said) > TEXT * 2:
        said = said[: TEXT * 2]
    said = texts.clean(said).strip()
    return said if len(said) <= TEXT else said[: TEXT - 1] + "…"


def _labels(said: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in said.items():
        if len(name) > LABEL_NAME or not name.isascii() or not name.isprintable():
            name = _line(name, LABEL_NAME)
        if len(value) > LABEL_VALUE or not value.isascii() or not value.isprintable():
            value = _line(value, LABEL_VALUE)
        if name:
            kept[name] = value
            if len(kept) == LABELS:
                break
    return kept


def _links(said: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    kept: list[tuple[str, str]] = []
    for name, url in said:
        if url and (url := address(url)):
            kept.append((_line(name, LABEL_NAME) or url, url))
            if len(kept) == LINKS:
                break
    return tuple(kept)
