"""Reading what was kept: from requests, word for word, to reports. Nothing is written here, and no transaction is open."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from allswell.intake.parsers.alerts import sns
from allswell.intake.parsers.alerts.reading import json_object
from allswell.intake.parsers.alerts.registry import FORMATS
from allswell.intake.parsers.alerts.shape import Accepted, AlertReport, Refused, Request
from allswell.intake.queries import alerts as queries
from allswell.intake.queries.alerts import Known

if TYPE_CHECKING:
    from allswell.intake.models import RawReport

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """What a request said, or why it could not be read (`error`). `raw` is the kept request."""

    raw: int
    source: Known
    received_at: datetime
    reports: tuple[AlertReport, ...] = ()
    error: str = ""


def request_of(head: dict[str, Any], body: bytes, *, received_at: datetime) -> Request:
    """A request as formats look at it, from what is kept of it."""
    return Request(
        method=head.get("method", "POST"),
        path=head.get("path", ""),
        query=head.get("query", {}),
        headers=head.get("headers", {}),
        body=body,
        content_type=head.get("content_type", ""),
        received_at=received_at,
    )


class Amazon(Protocol):
    """Who fetches what Amazon's messages name."""

    def certificate(self, url: str) -> bytes | None:
        """The certificate there, None when it cannot be had."""

    def confirm(self, url: str) -> bool:
        """Call the address that confirms a subscription; whether that went well."""


def read(rows: Iterable[RawReport], *, amazon: Amazon | None = None) -> list[Read]:
    """What requests said. One that cannot be read must not stop the others. `amazon` fetches what its messages name."""
    rows = list(rows)
    sources = queries.known({row.source_id for row in rows})
    return [_read(row, sources[row.source_id], amazon) for row in rows if row.source_id in sources]


def _read(row: RawReport, source: Known, amazon: Amazon | None) -> Read:
    format_ = FORMATS.get(source.kind)
    if format_ is None:
        return Read(row.pk, source, row.received_at, error="This installation does not know this format.")
    request = request_of(row.head, bytes(row.body), received_at=row.received_at)
    try:
        found = format_.check(request, row.nonce, source.mapping)
        why = _doubt(found, request, source, amazon) if format_.secret == "sns" and isinstance(found, Accepted) else ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is noted with this request, and the others are read
        log.error("report %s of source %s cannot be read: %s", row.pk, source.slug, type(error).__name__)
        return Read(row.pk, source, row.received_at, error=f"It cannot be read: {type(error).__name__}")
    if isinstance(found, Refused):  # it was taken under another mapping than today's
        return Read(row.pk, source, row.received_at, error=found.reason)
    if why:
        return Read(row.pk, source, row.received_at, error=why)
    return Read(row.pk, source, row.received_at, found.reports)


def _doubt(found: Accepted, request: Request, source: Known, amazon: Amazon | None) -> str:
    """Why a message of Amazon's is not taken, "" when it is; a subscription that was allowed is confirmed here."""
    message = json_object(request.body)
    certificate = amazon.certificate(sns.certificate_url(message)) if amazon is not None else None
    topics = source.mapping.get("topics", ())
    assert request.received_at is not None
    if why := sns.why_not(message, certificate, topics=topics, received_at=request.received_at):
        return why
    if found.confirm_url and not (amazon is not None and amazon.confirm(found.confirm_url)):
        return "Amazon did not take the confirmation."
    return ""
