"""What an installation promises from its first day on: sensible, and to be changed on the pages of setup."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from allswell.calendars import queries as calendars
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict
from allswell.people.rules import INSTALLATION, Act, require
from allswell.sla import operations as sla
from allswell.sla import queries
from allswell.sla.rules.terms import Audience

from .agreements import agree_step, create_step
from .calendars import FIRST_DAY, Hours, around_the_clock, create_calendar_step
from .door import use_case

OFFICE_HOURS = "office-hours"
OPENS, CLOSES = 8 * 60, 18 * 60
HOUR = 60
DAY = CLOSES - OPENS

Json = dict[str, Any]


def working(minutes: int, calendar: str = calendars.BUILT_IN) -> Json:
    """So many minutes of working time."""
    return {"counting": "working", "amount": minutes, "calendar": calendar}


def working_days(days: int, calendar: str = OFFICE_HOURS) -> Json:
    """So many working days; what comes at 17:00 or later counts from the next morning."""
    return {
        "counting": "working_days",
        "amount": days,
        "calendar": calendar,
        "cutoff": "17:00",
        "opening": "08:00",
        "off_day": "opening",
    }


def target(metric: str, within: Json, *priorities: int, pauses: tuple[str, ...] = (), warn: Json | None = None) -> Json:
    """A promise; for all priorities when none is named. It warns when four fifths of the time are used up."""
    key = "-".join([metric.replace("_", "-"), *(f"p{priority}" for priority in priorities)])
    return {
        "key": key,
        "metric": metric,
        "within": within,
        "priorities": list(priorities),
        "pauses": list(pauses),
        "warn": warn or {"share": 0.8},
    }


def incident_terms(zone: str) -> Json:
    """Incidents: priorities 1 and 2 are looked after around the clock, the others in office hours."""
    asked = ("requester",)
    return {
        "zone": zone,
        "kinds": ["incident"],
        "targets": [
            target("acknowledgement", working(15), 1),
            target("acknowledgement", working(30), 2),
            target("acknowledgement", working(4 * HOUR, OFFICE_HOURS)),
            target("first_response", working(30), 1),
            target("first_response", working(HOUR), 2),
            target("first_response", working(8 * HOUR, OFFICE_HOURS)),
            target("next_update", working(HOUR), 1, warn={"minutes": 10}),
            target("next_update", working(4 * HOUR), 2, warn={"minutes": 30}),
            target("restoration", working(4 * HOUR), 1, pauses=asked),
            target("restoration", working(8 * HOUR), 2, pauses=asked),
            target("restoration", working(2 * DAY, OFFICE_HOURS), 3, pauses=asked),
            target("restoration", working(5 * DAY, OFFICE_HOURS), pauses=asked),
            target("resolution", working(24 * HOUR), 1, pauses=asked),
            target("resolution", working(72 * HOUR), 2, pauses=asked),
            target("resolution", working_days(5), 3, pauses=asked),
            target("resolution", working_days(10), pauses=asked),
        ],
    }


def request_terms(zone: str) -> Json:
    """Requests: answered within a working day, fulfilled within five."""
    return {
        "zone": zone,
        "kinds": ["request"],
        "targets": [
            target("first_response", working(8 * HOUR, OFFICE_HOURS)),
            target("fulfilment", working_days(5), pauses=("requester", "supplier")),
        ],
    }


def team_terms(zone: str) -> Json:
    """How long one team holds a ticket before it is done or goes on."""
    waiting = ("requester", "supplier", "change")
    return {
        "zone": zone,
        "targets": [
            target("team_time", working(2 * HOUR), 1, pauses=waiting),
            target("team_time", working(4 * HOUR), 2, pauses=waiting),
            target("team_time", working(2 * DAY, OFFICE_HOURS), pauses=waiting),
        ],
    }


def start_step(*, zone: str, actor: Actor, now: datetime, closed: Hours | None = None) -> None:
    """Office hours (`closed` says on which days not), and the agreements everybody starts with; for use cases that do more."""
    around_the_clock(actor=actor, now=now)
    if calendars.by_ref(OFFICE_HOURS) is None:
        daily = ((OPENS, CLOSES),)
        create_calendar_step(
            name="Office hours",
            slug=OFFICE_HOURS,
            zone=zone,
            hours=replace(closed or Hours(), week=[daily] * 5 + [(), ()]),
            effective_on=FIRST_DAY,
            actor=actor,
            now=now,
        )
    for name, audience, definition in (
        ("Standard for incidents", Audience.CUSTOMER, incident_terms(zone)),
        ("Standard for requests", Audience.CUSTOMER, request_terms(zone)),
        ("Between teams", Audience.INTERNAL, team_terms(zone)),
    ):
        row = create_step(name=name, audience=audience, organization=None, team=None, actor=actor, now=now)
        agree_step(row, definition, in_force_from=None, note="", actor=actor, now=now)


@use_case
def start(*, zone: str, actor: Actor, now: datetime) -> None:
    """Begin to promise something, in an installation that has no agreement yet. Raises Conflict, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    sla.one_at_a_time()
    if queries.agreements(is_active=None).exists():
        raise Conflict("There are agreements already. Change those.")
    start_step(zone=zone, actor=actor, now=now)
