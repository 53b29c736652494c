"""Pages on their way: claimed under a lease, sent by the engine outside any transaction, settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from allswell.journal import bulk
from allswell.oncall.models import PageDelivery, PageEvent
from allswell.oncall.rules import sending
from allswell.oncall.rules.sending import Claim

from .escalations import note_events

#: no database column here holds more
_STATUS_LIMIT = 32768
_NAMES = ("id", "lease", "key", "page_id", "contact_id", "channel", "destination", "attempts", "due_at")


def claim(*, now: datetime, limit: int, destination: str = "") -> list[Claim]:
    """Take up to `limit` due deliveries under a lease, the longest waiting first; all, or those for one destination."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    due = PageDelivery.objects.filter(free, settled_at=None, due_at__lte=now).order_by("due_at")
    if destination:
        due = due.filter(destination=destination)
    rows = list(due.select_for_update(skip_locked=True).values_list("claimed_until", *_NAMES)[:limit])
    if not rows:
        return []
    held = [Claim(*row) for _, *row in rows]
    # one whose lease ran out may have been sent by the engine that held it
    if again := [row[1] for row in rows if row[0] is not None]:
        PageDelivery.objects.filter(pk__in=again).update(is_maybe_twice=True)
    ids = [one.id for one in held]
    PageDelivery.objects.filter(pk__in=ids).update(lease=F("lease") + 1, claimed_until=now + sending.LEASE)
    return sorted((replace(one, lease=one.lease + 1) for one in held), key=lambda one: (one.due_at, one.id))


def postpone(destination: str, *, until: datetime, now: datetime, limit: int) -> None:
    """Let what waits for one destination wait until then; what another engine is at is left to it."""
    waiting = PageDelivery.objects.filter(destination=destination, settled_at=None, claimed_until=None, due_at__lte=now)
    ids = [pk for (pk,) in waiting.order_by("due_at").select_for_update(skip_locked=True).values_list("pk")[:limit]]
    PageDelivery.objects.filter(pk__in=ids).update(due_at=until)


def sent_lately(destinations: Iterable[str], *, now: datetime) -> dict[str, list[datetime]]:
    """Destination -> when it got messages lately."""
    found: dict[str, list[datetime]] = defaultdict(list)
    rows = PageDelivery.objects.filter(destination__in=set(destinations), outcome="sent", settled_at__gt=now - sending.WITHIN)
    for destination, settled_at in rows.values_list("destination", "settled_at"):
        if settled_at is not None:
            found[destination].append(settled_at)
    return found


def settle(held: Claim, outcome: str, *, now: datetime, detail: str = "", status: int | None = None, reference: str = "") -> bool:
    """The delivery is over; False when another engine holds it by now."""
    mine = PageDelivery.objects.filter(pk=held.id, lease=held.lease, settled_at=None)
    values: dict[str, Any] = {"settled_at": now, "outcome": outcome, "claimed_until": None, "reference": _kept(reference, 120)}
    if outcome in ("sent", "failed"):
        values["attempts"] = held.attempts + 1
    if not mine.update(**values):
        return False
    note_events([_event(held, outcome, now=now, detail=detail, status=status)])
    return True


@dataclass(frozen=True, slots=True)
class Sent:
    """What a carrier took: its reference for the message, the status it answered, and when."""

    held: Claim
    reference: str
    status: int | None
    at: datetime


def settle_sent(done: Sequence[Sent]) -> None:
    """Settle many that were sent at once; those that another engine holds by now are left out."""
    rows = PageDelivery.objects.filter(pk__in=[one.held.id for one in done], settled_at=None)
    held = set(rows.select_for_update().values_list("pk", "lease"))
    mine = [one for one in done if (one.held.id, one.held.lease) in held]
    alike: dict[tuple[int, datetime], list[int]] = defaultdict(list)
    for one in mine:
        alike[one.held.attempts, one.at].append(one.held.id)
    for (attempts, at), ids in alike.items():
        PageDelivery.objects.filter(pk__in=ids).update(settled_at=at, outcome="sent", claimed_until=None, attempts=attempts + 1)
    named = [(one.held.id, {"reference": _kept(one.reference, 120)}) for one in mine if one.reference]
    bulk.update_columns(PageDelivery, named)
    note_events(_event(one.held, "sent", now=one.at, status=one.status) for one in mine)


def bundle(head: Claim, rest: Iterable[Claim], *, now: datetime) -> None:
    """What is told in one message with `head` is over."""
    rest = list(rest)
    by_lease: dict[int, list[int]] = defaultdict(list)
    for held in rest:
        by_lease[held.lease].append(held.id)
    for lease, ids in by_lease.items():
        PageDelivery.objects.filter(pk__in=ids, lease=lease, settled_at=None).update(
            settled_at=now, outcome="bundled", claimed_until=None, bundled_in=head.id
        )
    note_events(_event(held, "bundled", now=now, detail=head.key) for held in rest)


def put_back(held: Claim, *, due_at: datetime, is_attempt: bool, is_certain: bool = True) -> bool:
    """To be tried again; False when another engine holds it by now."""
    values: dict[str, Any] = {"due_at": due_at, "claimed_until": None, "attempts": held.attempts + int(is_attempt)}
    if not is_certain:
        values["is_maybe_twice"] = True
    return bool(PageDelivery.objects.filter(pk=held.id, lease=held.lease, settled_at=None).update(**values))


def note_attempt(held: Claim, *, now: datetime, detail: str, status: int | None, is_certain: bool = True) -> None:
    """A try that did not do it."""
    note_events([_event(held, "attempted" if is_certain else "maybe_twice", now=now, detail=detail, status=status)])


def hurry_next(page: int, *, now: datetime) -> None:
    """One way has failed: the next one planned for the page is taken now."""
    waiting = PageDelivery.objects.filter(page=page, settled_at=None, claimed_until=None, due_at__gt=now, attempts=0)
    following = waiting.order_by("due_at", "id").values_list("pk", flat=True).first()
    if following is not None:
        PageDelivery.objects.filter(pk=following, claimed_until=None, settled_at=None).update(due_at=now)


def receipt(row: PageDelivery, what: str, *, now: datetime, detail: str) -> bool:
    """What a carrier says became of a message: "delivered" or "undelivered"; False when that is no news."""
    if row.receipt == what or row.receipt == "delivered":
        return False
    PageDelivery.objects.filter(pk=row.pk).update(receipt=what, receipt_at=now)
    row.receipt, row.receipt_at = what, now
    note_events([PageEvent(page_id=row.page_id, delivery=row, happened_at=now, kind="receipt", detail=detail[:300])])
    return True


def _event(held: Claim, kind: str, *, now: datetime, detail: str = "", status: int | None = None) -> PageEvent:
    status = status if status is not None and 0 <= status < _STATUS_LIMIT else None
    return PageEvent(page_id=held.page, delivery_id=held.id, happened_at=now, kind=kind, detail=_kept(detail, 300), status=status)


def _kept(said: str, limit: int) -> str:
    """What a carrier said, as any database can hold it."""
    return said.replace("\0", "").encode("utf-8", "replace").decode()[:limit]
