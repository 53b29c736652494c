"""Keeping what reports are counted from, the stretches of tickets, and who gets which report by mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from allswell.journal import bulk
from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.queries import newest_id
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.sla import queries as sla
from allswell.sla.rules.story import Step, story
from allswell.tickets.models import Ticket

from .models import Counted, Place, Stretch, Subscription
from .rules.stretches import stays, waits

#: entries before the newest counted one that are looked at again: what was written at the same time may have come in later
OVERLAP = 10_000
#: entries gone through at once, so that no transaction is long however much there is to catch up with
WINDOW = 2_000


def count(*, limit: int) -> int:
    """Work out the stretches of tickets whose journal has grown, at most `limit` of them; 0 when all is done."""
    newest = newest_id()
    place, _created = Place.objects.select_for_update().get_or_create(pk=1)  # one engine at a time
    upto = _end_of_window(place.entry) or newest
    since = place.entry - OVERLAP if upto == newest else place.entry
    known = Counted.objects.filter(ticket=OuterRef("ticket")).values("entry")
    grown = (
        Entry.objects.filter(ticket__isnull=False, pk__gt=since, pk__lte=upto)
        .values("ticket")
        .annotate(last=Max("pk"), known=Coalesce(Subquery(known), 0))
        .filter(last__gt=F("known"))
        .order_by("ticket")
        .values_list("ticket", "last")[:limit]
    )
    found = dict(grown)
    if found:
        _write(found)
    if len(found) < limit and upto != place.entry:
        Place.objects.filter(pk=1).update(entry=upto)
    return len(found) or int(upto < newest)


def _end_of_window(since: int) -> int | None:
    """The entry at which the window after `since` ends; None when fewer are left. By count: numbers may have gaps of any size."""
    return Entry.objects.filter(pk__gt=since).order_by("pk").values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first()


def _write(found: dict[int, int]) -> None:
    """The stretches of tickets, anew. `found` is ticket -> newest entry."""
    numbers = list(found)
    tickets = Ticket.objects.in_bulk(numbers)
    noted = sla.entries_of_many(numbers)
    rows: list[Stretch] = []
    for number, ticket in tickets.items():
        steps = story(noted.get(number, []), now=sla.facts_of(ticket), requester=ticket.requester_id, opened_at=ticket.opened_at)
        rows += _rows(number, steps)
    Stretch.objects.filter(ticket__in=numbers).delete()
    bulk.insert(rows)
    Counted.objects.bulk_create(
        [Counted(ticket_id=number, entry=last) for number, last in found.items()],
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["entry"],
    )


def _rows(number: int, steps: Sequence[Step]) -> list[Stretch]:
    with_teams = [
        Stretch(
            ticket_id=number,
            kind="team",
            team_id=one.team,
            hop=min(one.hop, 30_000),
            is_return=one.is_return,
            started_at=one.starts_at,
            ended_at=one.ends_at,
        )
        for one in stays(steps)
    ]
    waited = [
        Stretch(ticket_id=number, kind="wait", reason=one.reason, started_at=one.starts_at, ended_at=one.ends_at)
        for one in waits(steps)
    ]
    return with_teams + waited


# -- by mail -------------------------------------------------------------------------------------------------------------------


def subscribe(
    person: int, *, report: str, asked: dict[str, Any], every: str, next_at: datetime, actor: Actor, now: datetime
) -> Subscription:
    """Let a person get a report regularly."""
    row = Subscription(person_id=person, report=report, asked=asked, every=every, next_at=next_at, created_at=now)
    journal.create(row, about="subscription", actor=actor, now=now)
    return row


def unsubscribe(row: Subscription, *, actor: Actor, now: datetime) -> None:
    """End it."""
    journal.record(Verb.REMOVED, about=("subscription", row.pk), actor=actor, now=now, data={"person": row.person_id})
    row.delete()


def due(*, now: datetime, limit: int) -> list[Subscription]:
    """Subscriptions whose time has come, locked; what another engine holds is skipped."""
    rows = Subscription.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    return list(rows.select_for_update(skip_locked=True, no_key=True)[:limit])


def sent(row: Subscription, *, next_at: datetime) -> None:
    """It was sent; the next comes then."""
    Subscription.objects.filter(pk=row.pk).update(next_at=next_at)
