"""Replay: who would have been called in a time under another policy, beside who was. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotFound
from allswell.kernel.instants import sensible
from allswell.oncall.queries import escalations
from allswell.oncall.queries.ahead import Ahead
from allswell.oncall.queries.escalations import RealCall
from allswell.oncall.rules.policies import Policy
from allswell.oncall.rules.simulating import walk
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services
from allswell.tickets import queries as tickets

from .policies import policy_for
from .simulating import Asked, policy_asked

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation

LONGEST = timedelta(days=31)
MOST_RUNS = 300
#: what is a night by the clocks of who is called: from 22:00 to 06:00
_EVENING, _MORNING = 22, 6


@dataclass(frozen=True, slots=True)
class Heard:
    """One who was called, or would have been, how long after the run began; a room or a webhook where it is no person."""

    after: timedelta
    person: int | None


@dataclass(frozen=True, slots=True)
class Fared:
    """How a run went: the calls, and how long after it began the first way to a person went out; None where none did."""

    calls: int
    reached_after: timedelta | None
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Again:
    """A run as it was and as it would have been; `starts`: the other policy would have begun by itself."""

    row: Escalation
    before: Fared
    after: Fared
    starts: bool

    @property
    def ticket(self) -> int:
        """Which ticket it was about."""
        return self.row.ticket_id

    @property
    def priority(self) -> int:
        """The priority of the ticket as it is now."""
        return self.row.ticket.priority

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.row.started_at

    @property
    def misses_who_answered(self) -> bool:
        """Whether whoever really answered would not have been called by then."""
        person = self.row.acknowledged_by_id
        return person is not None and all(one.person != person for one in self.after.heard)


@dataclass(slots=True)
class Load:
    """How often somebody was called, and would have been; of it at night."""

    before: int = 0
    before_at_night: int = 0
    after: int = 0
    after_at_night: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """The comparison; `is_cut` when there were more runs than are compared; `names` of everybody in it."""

    runs: tuple[Again, ...]
    persons: dict[int, Load] = field(default_factory=dict)
    is_cut: bool = False
    names: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Other:
    """The other policy: one that is written, as its newest `version` says or another, or a draft (`definition`) of it or of a new one."""

    policy: int | str | None = None
    version: int | None = None
    definition: dict[str, Any] | None = None


def replay(
    other: Other,
    *,
    since: datetime,
    until: datetime,
    actor: Actor,
    now: datetime,
    of: int | str | None = None,
    service: int | str | None = None,
    team: int | str | None = None,
) -> Replayed:
    """The runs that began in a time under another policy: of all tickets the actor may see, or only those of one policy (`of`), about
    one service, or with one team.

    Each is followed until somebody really answered or it really ended. Rotas and leave are as they were written then, ways and
    priorities as they are now. Raises Invalid, NotFound, NotAllowed.
    """
    require(actor, Act.SEE_DESK, INSTALLATION)
    since, until = sensible(since, field="from"), min(sensible(until, field="until"), now)
    if not since < until <= since + LONGEST:
        raise Invalid("Ask for 1 to %(limit)s days, from the first to the last.", field="until", limit=LONGEST.days)
    said = _said(other, actor=actor)
    only = policy_for(of, actor=actor).pk if of is not None else None
    seen = tickets.visible_to(actor)
    if team is not None:
        seen = seen.filter(team__in=people.teams_visible_to(actor).filter(**escalations.named(team)).values("pk"))
    if service is not None:
        seen = seen.filter(service__in=services.known_inside(actor).filter(**escalations.named(service)).values("pk"))
    found = list(escalations.runs_between(since, until, tickets=seen, policy=only)[: MOST_RUNS + 1])
    rows = found[:MOST_RUNS]
    real = escalations.real_calls([row.pk for row in rows])
    zones = {person: zone for calls in real.values() for call in calls for person, zone in [(call.person, call.zone)] if person}
    ahead = Ahead([said], since, now + timedelta(days=1))
    zones |= ahead.zones
    loads: dict[int, Load] = {}
    runs = tuple(_again(row, said, real.get(row.pk, []), ahead, zones, loads, now=now) for row in rows)
    names = {call.person: call.name for calls in real.values() for call in calls if call.person is not None}
    return Replayed(runs, loads, len(found) > MOST_RUNS, {**names, **ahead.names})


def _said(other: Other, *, actor: Actor) -> Policy:
    """What the other policy says. Raises Invalid, NotFound."""
    if other.policy is not None and other.definition is None:
        found = escalations.versions_within(escalations.policies_visible_to(actor), other.policy, number=other.version)
        if found is None:
            raise NotFound("There is no such policy, or you may not know it.")
        return Policy.parse(found)
    _service, _team, _row, said = policy_asked(Asked(policy=other.policy, definition=other.definition), actor=actor)
    if said is None:
        raise Invalid("Choose a policy.", field="policy")
    return said


def _again(
    row: Escalation,
    said: Policy,
    real: list[RealCall],
    ahead: Ahead,
    zones: dict[int, str],
    loads: dict[int, Load],
    *,
    now: datetime,
) -> Again:
    """One run, compared; what everybody carries is added to."""
    stop = min(one for one in (row.acknowledged_at, row.ended_at, now) if one is not None)
    starts = row.cause == "by_hand" or row.ticket.priority in said.starts
    moments = (
        walk(
            said,
            priority=row.ticket.priority,
            at=row.started_at,
            world=ahead.world,
            reach=ahead.reach,
            rooms=ahead.rooms,
            until=stop,
        )
        if starts
        else ()
    )
    calls = [(moment.at, call) for moment in moments for call in moment.calls]
    first = [way.due_at for _, call in calls for way in call.planned if call.called.person and way.due_at <= stop]
    _carry(loads, ((at, call.called.person) for at, call in calls), zones, is_after=True)
    mine = [call for call in real if call.at <= stop]
    _carry(loads, ((call.at, call.person) for call in mine), zones, is_after=False)
    went_out = [call.first_at for call in mine if call.first_at is not None and call.person and call.first_at <= stop]
    was = tuple(Heard(max(call.at - row.started_at, timedelta()), call.person) for call in mine)
    would = tuple(Heard(at - row.started_at, call.called.person) for at, call in calls)
    return Again(
        row,
        Fared(len(mine), min(went_out) - row.started_at if went_out else None, was),
        Fared(len(calls), min(first) - row.started_at if first else None, would),
        starts,
    )


def _carry(
    loads: dict[int, Load], calls: Iterable[tuple[datetime, int | None]], zones: dict[int, str], *, is_after: bool
) -> None:
    counted: Counter[tuple[int, bool]] = Counter()
    for at, person in calls:
        if person is not None:
            hour = at.astimezone(ZoneInfo(zones.get(person) or "UTC")).hour
            counted[person, hour >= _EVENING or hour < _MORNING] += 1
    for (person, is_night), times in counted.items():
        load = loads.setdefault(person, Load())
        if is_after:
            load.after += times
            load.after_at_night += times if is_night else 0
        else:
            load.before += times
            load.before_at_night += times if is_night else 0
