"""Reading what was kept: from requests, word for word, to reports. Nothing is written here, and no transaction is open."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.intake.parsers.alerts.registry import FORMATS
from allswell.intake.parsers.alerts.shape import AlertReport, Refused, Request
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


def read(rows: Iterable[RawReport]) -> list[Read]:
    """What requests said. One that cannot be read must not stop the others."""
    rows = list(rows)
    sources = queries.known({row.source_id for row in rows})
    return [_read(row, sources[row.source_id]) for row in rows if row.source_id in sources]


def _read(row: RawReport, source: Known) -> Read:
    format_ = FORMATS.get(source.kind)
    if format_ is None:
        return Read(row.pk, source, row.received_at, error="This installation does not know this format.")
    request = request_of(row.head, bytes(row.body), received_at=row.received_at)
    try:
        found = format_.check(request, row.nonce, source.mapping)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is noted with this request, and the others are read
        log.error("report %s of source %s cannot be read: %s", row.pk, source.slug, type(error).__name__)
        return Read(row.pk, source, row.received_at, error=f"It cannot be read: {type(error).__name__}")
    if isinstance(found, Refused):  # it was taken under another mapping than today's
        return Read(row.pk, source, row.received_at, error=found.reason)
    return Read(row.pk, source, row.received_at, found.reports)
