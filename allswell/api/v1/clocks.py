"""The clocks of a ticket, with why each says what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from allswell.api.contract import Call, Page, Paged, operation
from allswell.api.paging import page
from allswell.calendars import queries as calendars
from allswell.sla import explaining, telling
from allswell.sla import queries as sla
from allswell.sla.rules.shapes import ClockState
from allswell.sla.rules.terms import Metric
from allswell.tickets import queries

from .shapes import NamedRef, named_ref
from .tickets import TAG, visible


class Stretch(Struct):
    """What a clock did from one instant to another. `counted` and `used` (up to its end) in seconds; `entry` of the journal began it."""

    what: Literal["running", "closed", "paused", "stopped", "more"]
    starts_at: datetime
    ends_at: datetime
    counted: float
    used: float
    is_ahead: bool
    entry: int | None
    why: str
    words: str


class Clock(Struct):
    """A promise, counted. Lengths of time are in seconds; `due_at` is null while the clock is paused, or cannot be counted.

    From `agreement` on the fields are the desk's: they are missing for a requester.
    """

    metric: Metric
    number: int
    state: ClockState
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    stopped_at: datetime | None
    is_late: bool
    agreement: NamedRef | UnsetType = UNSET
    version: int | UnsetType = UNSET
    target: str | UnsetType = UNSET
    team: NamedRef | UnsetType | None = UNSET
    is_rerated: bool | UnsetType = UNSET
    budget: float | UnsetType = UNSET
    left: float | UnsetType = UNSET
    wall: float | UnsetType | None = UNSET
    working: float | UnsetType | None = UNSET
    zone: str | UnsetType = UNSET
    calendar: str | UnsetType = UNSET
    calendar_version: int | UnsetType = UNSET
    stretches: list[Stretch] | UnsetType = UNSET
    explanation: list[str] | UnsetType = UNSET


@operation(
    "GET",
    "/tickets/{number}/clocks",
    id="listClocks",
    summary="The clocks of a ticket, newest first, and, line by line, why each is due when it is",
    tag=TAG,
    scope="tickets:read",
    details="A requester sees what was promised to them and how it stands; the desk sees the agreement, the calendar and every stretch.",
    query=Paged,
    answer=Page[Clock],
)
def clocks(call: Call) -> Page[Clock]:
    ticket, book = visible(call), sla.book()
    rows = sla.listed(ticket.pk)
    if not queries.may_see_internal(call.actor, ticket):
        rows = rows.filter(agreement__audience="customer")
        return page(call, rows, lambda found: [_shown(telling.telling(one, book, now=call.now)) for one in found])
    names = calendars.names()
    return page(call, rows, lambda found: [_whole(telling.telling(one, book, now=call.now), names) for one in found])


def _shown(told: telling.Telling) -> Clock:
    clock = told.clock
    return Clock(
        metric=Metric(clock.metric),
        number=clock.number,
        state=ClockState(clock.state),
        started_at=clock.started_at,
        due_at=clock.due_at,
        warn_at=clock.warn_at,
        stopped_at=clock.stopped_at,
        is_late=told.is_late,
    )


def _whole(told: telling.Telling, names: Mapping[str, str]) -> Clock:
    made, clock = _shown(told), told.clock
    agreement = named_ref(clock.agreement_id, clock.agreement.slug, clock.agreement.name)
    assert agreement is not None
    made.agreement, made.version, made.target = agreement, clock.version, clock.target
    made.team = named_ref(clock.team_id, clock.team.slug, clock.team.name) if clock.team else None
    made.is_rerated, made.zone = clock.is_rerated, told.terms.zone
    made.budget, made.left = clock.budget / 1e6, _seconds(told.left)
    made.wall, made.working = (None, None) if told.is_open else (clock.wall / 1e6, clock.working / 1e6)
    made.calendar, made.calendar_version = clock.calendar, clock.calendar_version
    made.stretches = [
        Stretch(
            one.what,  # type: ignore[arg-type]
            one.starts_at,
            one.ends_at,
            _seconds(one.counted),
            _seconds(one.used),
            one.is_ahead,
            one.entry,
            one.why,
            explaining.line(one, told.target),
        )
        for one in told.stretches
    ]
    made.explanation = explaining.told(told, names)
    return made


def _seconds(time: timedelta) -> float:
    return time / timedelta(seconds=1)
