"""What is seen of pages beside tickets: whom a run called last, what became of pages lately, what nobody has answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from allswell.database.rows import Prepared
from allswell.oncall.models import Escalation, Page, PageEvent
from allswell.oncall.rules.escalating import RunState

#: what of the ledger says that nothing was sent to somebody
_WHY_NOT = PageEvent.objects.filter(page=OuterRef("pk"), kind__in=["no_way", "unseen"]).order_by("-id").values("kind")[:1]
#: pages of a run that are looked at for those it called last
_LATEST = 40
_CALLED = Prepared(
    lambda run: (
        Page.objects.filter(escalation=run)
        .order_by("-id")
        .annotate(why_not=Subquery(_WHY_NOT))
        .values_list("turn", "person__name", "room__label", "created_at", "opened_at", "why_not")[:_LATEST]
    )
)


@dataclass(frozen=True, slots=True)
class LastCalled:
    """One, or a room, that a run called last; `why_not`: nothing was sent, "no_way" or "unseen"."""

    name: str
    at: datetime
    opened_at: datetime | None
    why_not: str


def called_last(run_id: int, *, turn: int) -> list[LastCalled]:
    """Those a run called at a turn, and those it would have called at the same moment and did not reach."""
    rows = _CALLED.rows(run_id)[::-1]
    at = max((row[3] for row in rows), default=None)
    told = [row for row in rows if row[0] == turn or (row[5] and row[3] == at)]
    return [LastCalled(row[1] or row[2] or "", row[3], row[4], row[5] or "") for row in told]


#: what becomes of a page and is seen beside its ticket, though no journal tells it
_SEEN_BESIDE = ("sent", "failed", "opened", "no_way", "unseen")


def newest_event() -> int:
    """The id of the newest line of the ledger; 0 when there is none."""
    return PageEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def tickets_of_events(*, after: int, limit: int) -> list[tuple[int, int]]:
    """(line of the ledger, ticket) of what became of pages after a line, the newest first."""
    rows = PageEvent.objects.filter(pk__gt=after, page__ticket__isnull=False, kind__in=_SEEN_BESIDE).order_by("-pk")
    return [(pk, ticket) for pk, ticket in rows.values_list("pk", "page__ticket_id")[:limit] if ticket is not None]


def unanswered_among(ticket_ids: Collection[int]) -> dict[int, datetime]:
    """Ticket -> since when it is called for and nobody has answered, of those where that is so; one statement."""
    rows = Escalation.objects.filter(ticket__in=ticket_ids, state=RunState.RUNNING.value, turn__gt=0).order_by("-started_at")
    return dict(rows.values_list("ticket_id", "started_at"))
