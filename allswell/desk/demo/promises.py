"""What Northbank promises: to everybody, to its customer, and between its teams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.calendars.rules import Day
from allswell.desk import agreements, clocks, promises
from allswell.desk.calendars import Hours
from allswell.desk.door import use_case
from allswell.kernel.actor import Actor

from .company import ZONE, Company

#: the public holidays of the head office, and two days on which it closes at noon
CLOSED = Hours(
    country="CH",
    subdivision="ZH",
    days={"12-24": Day("Christmas Eve", ((8 * 60, 12 * 60),)), "12-31": Day("New Year's Eve", ((8 * 60, 12 * 60),))},
)


@use_case
def agree(company: Company, *, actor: Actor, now: datetime) -> None:
    """What everybody is promised, what the customer is promised beyond that, and what the databases promise to the others."""
    promises.start_step(zone=ZONE, closed=CLOSED, actor=actor, now=now)
    for name, audience, whom, definition in (
        ("Riverside Savings", "customer", {"organization": company.organizations["Riverside Savings"]}, customer_terms()),
        ("Databases", "internal", {"team": company.teams["Databases"]}, database_terms()),
    ):
        place = {"organization": None, "team": None, **whom}
        row = agreements.create_step(name=name, audience=audience, actor=actor, now=now, **place)
        agreements.agree_step(row, definition, in_force_from=None, note="", actor=actor, now=now)


def customer_terms() -> dict[str, Any]:
    """Riverside Savings pays for more than the standard."""
    working, target, asked = promises.working, promises.target, ("requester",)
    return {
        "zone": ZONE,
        "targets": [
            target("acknowledgement", working(10), 1),
            target("acknowledgement", working(15), 2),
            target("acknowledgement", working(60, promises.OFFICE_HOURS)),
            target("first_response", working(30), 1, 2),
            target("first_response", working(2 * 60, promises.OFFICE_HOURS)),
            target("next_update", working(30), 1, warn={"minutes": 5}),
            target("next_update", working(2 * 60), 2, warn={"minutes": 15}),
            target("restoration", working(2 * 60), 1),
            target("restoration", working(4 * 60), 2),
            target("restoration", working(8 * 60, promises.OFFICE_HOURS), pauses=asked),
            target("resolution", promises.working_days(3), pauses=asked),
            target("fulfilment", promises.working_days(3), pauses=asked),
        ],
    }


def database_terms() -> dict[str, Any]:
    """Henrik's team answers faster than the others have to."""
    working, target, waiting = promises.working, promises.target, ("requester", "supplier", "change")
    return {
        "zone": ZONE,
        "targets": [
            target("team_time", working(60), 1, pauses=waiting),
            target("team_time", working(2 * 60), 2, pauses=waiting),
            target("team_time", working(10 * 60, promises.OFFICE_HOURS), pauses=waiting),
        ],
    }


@use_case
def count(numbers: list[int], *, actor: Actor, now: datetime) -> None:
    """The clocks of tickets that were opened before anybody counted."""
    clocks.follow_many(numbers, now=now)
