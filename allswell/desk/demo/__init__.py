"""The demo company: Northbank and ninety days of its service desk, made from a seed relative to now.

Everything is done by the same use cases as in real life, each with the instant at which it happened, so journal, notices
and search are what they would be.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from allswell.database.hurry import hurry
from allswell.desk.door import use_case
from allswell.kernel import actor as actors
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict
from allswell.notifications import operations as notifications
from allswell.people import queries as people
from allswell.tickets import queries as ticket_queries

from . import company, letters, monitoring, play, policies, promises, rotas
from .company import SignIn

__all__ = ["SignIn", "create", "exists"]

DAYS = 90
TICKETS = 400


def exists() -> bool:
    """Whether this database holds the demo company already."""
    return people.person_by_address(company.address("Maria Keller")) is not None


@use_case
def _settle(*, actor: Actor, now: datetime) -> None:
    """What would have been mailed in those ninety days is not mailed now; older notices count as read."""
    notifications.settle_the_past(before=now - timedelta(hours=4), now=now)


def create(
    *, now: datetime, seed: int = 1, tickets: int = TICKETS, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[SignIn]:
    """Make the demo company in an empty database. Returns one account per role. Raises Conflict when somebody is there.

    The same `now` and `seed` make the same company. `progress` is told (tickets made, tickets to make).
    """
    if people.people().exists():
        raise Conflict("This database is in use. The demo company needs an empty one.")
    operator = actors.setup()
    begin = now - timedelta(days=DAYS + 10)
    with hurry():
        made = company.found(actor=operator, now=begin)
        play.Play(made, now=now, seed=seed, tickets=tickets, progress=progress).run()
        monitoring.run(made, actor=operator, begin=begin, now=now)
        letters.run(made, actor=operator, begin=begin, now=now)
        # counted at the end, all at once, which is faster than after every act
        promises.agree(made, actor=operator, now=begin)
        promises.count(list(ticket_queries.all_tickets().values_list("pk", flat=True)), actor=operator, now=now)
        rotas.run(made, actor=operator, begin=begin, now=now)
        policies.run(made, actor=operator, begin=begin, now=now)
        _settle(actor=operator, now=now)
    return company.sign_ins()


def sign_ins() -> list[SignIn]:
    """One account per role of the demo company."""
    return company.sign_ins()
