"""Keeping the search index in the form that questions are asked in."""

from __future__ import annotations

from datetime import datetime

from allswell.kernel.actor import Actor
from allswell.search import renewing
from allswell.tickets import operations as tickets
from allswell.tickets import queries

from .door import use_case


@use_case
def renew(*, limit: int = 100, actor: Actor, now: datetime) -> int:
    """Write the search documents of the next tickets anew, the newest first; answers how many, at most `limit`."""
    numbers = renewing.take(limit=limit)
    for ticket in queries.all_tickets().filter(pk__in=numbers).order_by("-pk"):
        tickets.index(ticket)
    return len(numbers)


def is_anything_due() -> bool:
    """Whether documents are still to be written anew."""
    return renewing.is_due()
