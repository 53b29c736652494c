"""Changes: what was deployed or set where we watch, as tools told it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from allswell.api.contract import Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.intake.queries import changes
from allswell.people.rules import INSTALLATION, Act, require

from .alerts import SCOPE, TAG
from .shapes import Instant


class Link(Struct):
    """An address, http or https, and what it is called."""

    name: str
    url: str


class Change(Struct):
    """Something that was changed, as a source of alerts told it. `happened_at` is by the sender's clock, `seen_at` by ours."""

    id: int
    source: str
    service: int | None
    title: str
    text: str
    labels: dict[str, str]
    links: list[Link]
    happened_at: datetime
    seen_at: datetime


class ChangesAsked(Paged):
    """Those of a service or a time; all of the last three months when nothing is said."""

    service: Id | UnsetType = UNSET
    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType = UNSET


@operation(
    "GET",
    "/changes",
    id="listChanges",
    summary="What was changed where you watch, the newest first",
    tag=TAG,
    scope=SCOPE,
    query=ChangesAsked,
    answer=Page[Change],
)
def list_changes(call: Call) -> Page[Change]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = changes.visible_to(call.actor).select_related("source")
    for name, lookup in (("service", "service"), ("since", "happened_at__gte"), ("until", "happened_at__lt")):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{lookup: wanted})
    return page(call, rows, _shown)


def _shown(rows: Sequence[Any]) -> list[Change]:
    return [
        Change(
            id=row.pk,
            source=row.source.slug,
            service=row.service_id,
            title=row.title,
            text=row.text,
            labels=row.labels,
            links=[Link(name, url) for name, url in row.links],
            happened_at=row.happened_at,
            seen_at=row.seen_at,
        )
        for row in rows
    ]
