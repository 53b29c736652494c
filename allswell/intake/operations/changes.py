"""Writing what was changed where we watch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allswell.intake.models import SystemChange
from allswell.intake.rules.kept import Changed
from allswell.journal import bulk


def keep(rows: Iterable[Changed]) -> None:
    """Write them down."""
    bulk.insert(
        [
            SystemChange(
                source_id=row.source,
                service_id=row.service,
                title=row.title,
                text=row.text,
                labels=row.labels,
                links=[list(link) for link in row.links],
                happened_at=row.happened_at,
                seen_at=row.seen_at,
            )
            for row in rows
        ]
    )


def sweep(*, before: datetime, limit: int) -> int:
    """Forget those we heard of before; how many."""
    ids = list(SystemChange.objects.filter(seen_at__lt=before).order_by("seen_at").values_list("pk", flat=True)[:limit])
    SystemChange.objects.filter(pk__in=ids).delete()
    return len(ids)
