"""Practice pages: sent the whole way a real page goes, for no ticket; and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from allswell.api.contract import Body, Call, Id, operation
from allswell.desk import practising

from .contacts import READ, TAG, WRITE, UrgencyName
from .shapes import PersonRef


class PracticeAsked(Body):
    """`person`: somebody of a team the caller leads; null is the caller."""

    urgency: UrgencyName = "normal"
    person: Id | None = None


class PracticeWay(Struct):
    """One way a practice page goes, and what became of it; `contact` is told of one's own alone, null is the primary address."""

    channel: str
    contact: int | None
    due_at: datetime
    settled_at: datetime | None
    outcome: Literal["", "sent", "failed", "moot", "bundled"]
    receipt: Literal["", "delivered", "undelivered"]
    receipt_at: datetime | None


class PracticePage(Struct):
    """A page that tries the way to somebody: it is over once `closed_at` is said, answered where `acknowledged_at` is."""

    id: int
    person: PersonRef
    asked_by: PersonRef
    urgency: UrgencyName
    created_at: datetime
    opened_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None
    ways: list[PracticeWay]


def _practice(call: Call, told: Any) -> PracticePage:
    page = told.page
    is_own = page.person_id == call.actor.person
    return PracticePage(
        page.pk,
        PersonRef(page.person_id, page.person.name),
        PersonRef(page.asked_by_id, page.asked_by.name),
        page.urgency,
        page.created_at,
        page.opened_at,
        page.acknowledged_at,
        page.closed_at,
        [
            PracticeWay(
                row.channel,
                row.contact_id if is_own else None,
                row.due_at,
                row.settled_at,
                row.outcome,
                row.receipt,
                row.receipt_at,
            )
            for row in told.deliveries
        ],
    )


@operation(
    "POST",
    "/paging/practice",
    id="sendPracticePage",
    summary="Send a practice page, by its person's own rules and for no ticket",
    tag=TAG,
    scope=WRITE,
    details="To somebody else an urgent one is refused while it is quiet for them. At most 5 an hour to oneself, 2 to somebody else.",
    body=PracticeAsked,
    answer=PracticePage,
    status=201,
    present=_practice,
)
def send_practice(call: Call) -> Any:
    return practising.send(urgency=call.body.urgency, person=call.body.person, actor=call.actor, now=call.now)


@operation(
    "GET",
    "/paging/practice",
    id="listPracticePages",
    summary="What became of the last day's practice pages to the caller, and of those they sent, the newest first; at most 200",
    tag=TAG,
    scope=READ,
    answer=list[PracticePage],
)
def list_practice(call: Call) -> list[PracticePage]:
    return [_practice(call, told) for told in practising.own(actor=call.actor, now=call.now)]
