"""When nothing was watching."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from allswell.api.contract import Call, Page, Paged, operation
from allswell.api.paging import page
from allswell.jobs import queries
from allswell.kernel.errors import Invalid
from allswell.kernel.instants import sensible
from allswell.people.rules import INSTALLATION, Act, require

from .rota_shapes import READ
from .shapes import Instant

#: what is looked at when nothing is said
USUAL = timedelta(days=30)


class BlindTimesAsked(Paged, rename={"since": "from"}):
    """From when until when: the last 30 days when left out."""

    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType = UNSET


class BlindTime(Struct):
    """A time in which nothing was watching. `clock_moved`: a clock was set by `moved_seconds` (back: negative)."""

    id: int
    from_at: datetime
    until_at: datetime
    why: Literal["stopped", "silent", "database_away", "clock_moved"]
    moved_seconds: int
    node: str


@operation(
    "GET",
    "/blind-times",
    id="listBlindTimes",
    summary="When nothing was watching, and when a clock was set, the latest first",
    tag="Escalations",
    scope=READ,
    details="What fell due in such a time was done late.",
    query=BlindTimesAsked,
    answer=Page[BlindTime],
)
def list_blind_times(call: Call) -> Page[BlindTime]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    until = call.now + timedelta(days=1) if call.query.until is UNSET else sensible(call.query.until, field="until")
    since = min(until, call.now) - USUAL if call.query.since is UNSET else sensible(call.query.since, field="from")
    if since >= until:
        raise Invalid("This ends before it begins.", field="until")
    return page(call, queries.blind_times(since, until), _items)


def _items(rows: Sequence[Any]) -> list[BlindTime]:
    return [BlindTime(row.pk, row.from_at, row.until_at, row.why, row.moved_seconds, row.node) for row in rows]
