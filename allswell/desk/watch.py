"""The watch goes on by itself: shifts are written ahead, who is on call soon is told, what nobody accepted expires."""

from __future__ import annotations

from datetime import datetime, timedelta

from allswell.kernel.actor import Actor
from allswell.notifications import bulk as notices
from allswell.oncall import operations as rotas
from allswell.oncall import queries

from . import planning, shift_notices
from .door import use_case

#: how long before a shift begins its person is told
BEFORE = timedelta(hours=1)


def is_due(now: datetime) -> bool:
    """Whether there is anything to do."""
    if queries.is_behind(planning.horizon(now)) or queries.starts_soon(now=now, until=now + BEFORE):
        return True
    return queries.outdated(now).exists()


@use_case
def extend(*, actor: Actor, now: datetime) -> bool:
    """Write the shifts of one rota as far ahead as they should be; False when none lacks any."""
    row = rotas.hold_shortest(planning.horizon(now))
    if row is None:
        return False
    planning.replan([row], actor=actor, now=now)
    return True


@use_case
def tell_starts(*, limit: int, actor: Actor, now: datetime) -> int:
    """Tell those whose shift begins within the hour, once each; who is on call at that level already knows. Answers how many shifts."""
    found = rotas.claim_starting(now=now, until=now + BEFORE, limit=limit)
    known = queries.goes_on(found)
    news = [shift_notices.tell_start(shift, actor=actor, now=now) for shift in found if shift.pk not in known]
    notices.enqueue(news, now=now)
    return len(found)


@use_case
def expire_requests(*, limit: int, actor: Actor, now: datetime) -> int:
    """End the requests whose time is over; who asked is told. Answers how many."""
    found = list(queries.outdated(now).select_for_update(skip_locked=True)[:limit])
    for asked in found:
        entry = rotas.settle_request(asked, "expired", actor=actor, now=now)
        shift_notices.tell_request(entry, asked, [asked.asked_by_id], actor=actor, now=now)
    return len(found)
