"""Proof before the night: what would happen, and whether somebody would be reached."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Call, Id, Query, operation
from allswell.desk import coverage as proving
from allswell.desk import replaying, simulating
from allswell.desk.replaying import Other
from allswell.desk.simulating import Answer, Asked, Simulated
from allswell.oncall.queries.escalations import Use
from allswell.oncall.rules.covering import Stretch
from allswell.oncall.rules.simulating import Moment as Happening

from .rota_shapes import READ, Names
from .shapes import Instant, NamedRef, PersonRef, Ref, named_ref

TAG = "Policies"

Priority = Annotated[int, Meta(ge=1, le=5, description="1 (highest) to 5.")]
Channel = Literal["desk", "push", "ntfy", "chat", "email", "webhook", "apprise", "sms", "voice"]
Lack = Literal["no_policy", "never_starts", "nobody", "no_person", "no_contact", "late", "one_way"]
Absent = Literal["off_hours", "on_purpose", "gap", "on_leave", "not_planned", "no_lead", "no_members"]


class Supposed(Query):
    """About a `service`, a `team` or a `policy`, one of them (id or short name); `at` is now when left out.

    With `answered_step` somebody answers what that step asked, `answered_after` minutes later, and keeps the promise or not.
    """

    service: Ref | UnsetType = UNSET
    team: Ref | UnsetType = UNSET
    policy: Ref | UnsetType = UNSET
    at: Instant | UnsetType = UNSET
    priority: Priority = 1
    answered_step: Annotated[int, Meta(ge=1, le=20)] | UnsetType = UNSET
    answered_after: Annotated[int, Meta(ge=0, le=simulating.MOST_MINUTES)] = 5
    is_kept: bool = True


class ByWay(Struct):
    """A page goes out by a channel at an instant; `contact` is null for the primary e-mail address and for the open desk."""

    channel: Channel
    contact: int | None
    at: datetime


class Called(Struct):
    """A person, a team's room or a webhook that is called."""

    person: PersonRef | None
    room: int | None
    webhook: int | None
    ways: list[ByWay]


class Moment(Struct):
    """Something that happens. `step` (from 1) in a `round`: whom it calls, or why it is `empty` and does not wait.

    Of an answer: until when it holds, null where it is kept.
    """

    at: datetime
    what: Literal["step", "answered", "broken", "exhausted", "goes_on"]
    step: int | None
    round: int | None
    empty: Literal["priority", "hours", "nobody", "unreachable"] | None
    until: datetime | None
    calls: list[Called]


class Simulation(Struct):
    """What would happen, in order; without a `policy` nobody would be called. `starts`: such an incident starts it by itself."""

    at: datetime
    priority: int
    policy: NamedRef | None
    starts: bool
    moments: list[Moment]


@operation(
    "GET",
    "/on-call/simulation",
    id="simulatePaging",
    summary="Who would be called when, and by what, if an incident began at an instant",
    tag=TAG,
    scope=READ,
    details="The steps are those of the engine, on a clock of their own; nothing is written and nobody is called. People's rotas,"
    " leave and contacts are as they are planned now.",
    query=Supposed,
    answer=Simulation,
    names_thing=True,
)
def simulate_paging(call: Call) -> Simulation:
    query: Supposed = call.query
    at = call.now if query.at is UNSET else simulating.check_horizon(query.at, now=call.now)
    given = {name: value for name in ("service", "team", "policy") if (value := getattr(query, name)) is not UNSET}
    answer = None
    if query.answered_step is not UNSET:
        answer = Answer(query.answered_step - 1, timedelta(minutes=query.answered_after), is_kept=query.is_kept)
    found = simulating.what_happens(Asked(**given), at=at, priority=query.priority, answer=answer, actor=call.actor)
    row = found.row
    policy = named_ref(row.pk, row.slug, row.name) if row is not None else None
    return Simulation(found.at, found.priority, policy, found.starts, [_moment(one, found) for one in found.moments])


def _moment(one: Happening, found: Simulated) -> Moment:
    names, taken = found.names or {}, one.taken
    calls = [
        Called(
            PersonRef(call.called.person, names.get(call.called.person, "")) if call.called.person is not None else None,
            call.called.room,
            call.called.webhook,
            [ByWay(way.channel.value, way.contact, way.due_at) for way in call.planned],
        )
        for call in one.calls
    ]
    empty: Any = taken.empty.value if taken and taken.empty else None
    step, turn = (taken.position + 1, taken.round + 1) if taken else (None, None)
    return Moment(one.at, one.what.value, step, turn, empty, one.until, calls)


class CoverageAsked(Query):
    """For the coming `weeks`: is somebody surely reached `within` so many minutes? Of one service, or of all the caller may know."""

    weeks: Annotated[int, Meta(ge=1, le=proving.MOST_WEEKS)] = proving.WEEKS
    within: Annotated[int, Meta(ge=1, le=proving.MOST_WITHIN)] = proving.WITHIN
    service: Id | UnsetType = UNSET


class MissingTarget(Struct):
    """The target (from 1) of a step (from 1) that reaches nobody, and why."""

    step: int
    target: int
    absent: Absent | None


class Gap(Struct):
    """A time in which nobody would surely be reached, and what is lacking; `people` are called, but it is not enough."""

    starts_at: datetime
    ends_at: datetime
    priorities: list[int]
    lack: Lack
    people: list[PersonRef]
    missing: list[MissingTarget]


class Covered(Struct):
    """A service, the policy in force, its gaps, and for how many minutes in all it is not covered."""

    service: NamedRef | None
    policy: NamedRef | None
    missing_minutes: int
    gaps: list[Gap]


class Coverage(Struct):
    """The services with gaps first, the soonest of them first; `lacking` counts them."""

    since: datetime
    until: datetime
    within: int
    lacking: int
    services: list[Covered]


@operation(
    "GET",
    "/on-call/coverage",
    id="getCoverage",
    summary="Whether every service is covered at every minute of the coming weeks, and where not",
    tag=TAG,
    scope=READ,
    details="Covered: a person who is not on leave is reached in time by two independent ways that are verified and work. Where"
    " nobody is called on purpose, outside support hours, nothing is lacking.",
    query=CoverageAsked,
    answer=Coverage,
)
def get_coverage(call: Call) -> Coverage:
    query: CoverageAsked = call.query
    service = None if query.service is UNSET else query.service
    found = proving.coverage(actor=call.actor, now=call.now, weeks=query.weeks, within=query.within, service=service)
    lacking = found.lacking
    known = {one.service.pk for one in lacking}
    rows = [*lacking, *(one for one in found.services if one.service.pk not in known)]
    names = Names(())
    names.known = found.names
    return Coverage(found.since, found.until, found.within, len(lacking), [_covered(one, names) for one in rows])


def _covered(one: proving.Covered, names: Names) -> Covered:
    row = one.service
    return Covered(
        named_ref(row.pk, row.slug, row.name),
        _policy_ref(one.policy),
        int(one.missing / timedelta(minutes=1)),
        [_gap(gap, names) for gap in one.gaps],
    )


def _policy_ref(use: Use | None) -> NamedRef | None:
    return NamedRef(use.policy, use.slug, use.name) if use is not None else None


def _gap(gap: Stretch, names: Names) -> Gap:
    people = [found for person in gap.verdict.persons if (found := names.ref(person)) is not None]
    missing = [
        MissingTarget(one.step + 1, one.target + 1, one.absent.value if one.absent else None) for one in gap.verdict.missing
    ]
    lack: Any = gap.verdict.lack.value if gap.verdict.lack else "nobody"
    return Gap(gap.starts_at, gap.ends_at, list(gap.priorities), lack, people, missing)


class ReplayAsked(Query, rename={"since": "from"}):
    """Runs that began from `from` to `until` (at most 31 days), under another `policy` or an older `version` of it.

    Only those `of` one policy if named, about one `service`, or with one `team`.
    """

    policy: Ref
    since: Instant
    until: Instant | UnsetType = UNSET
    of: Ref | UnsetType = UNSET
    version: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    service: Ref | UnsetType = UNSET
    team: Ref | UnsetType = UNSET


class Fared(Struct):
    """How many were called, and after how many seconds the first way to a person went out; null where none did."""

    calls: int
    reached_after: int | None


class RunAgain(Struct):
    """A run as it was and as it would have been, until it was really answered or ended."""

    ticket: int
    priority: int
    started_at: datetime
    starts: bool
    before: Fared
    after: Fared


class LoadAgain(Struct):
    """How often somebody was called, and would have been; of it from 22:00 to 06:00 by their own clocks."""

    person: PersonRef | None
    before: int
    before_at_night: int
    after: int
    after_at_night: int


class Replay(Struct):
    """The comparison, at most 300 runs; `is_cut` when there were more."""

    runs: list[RunAgain]
    people: list[LoadAgain]
    is_cut: bool


@operation(
    "GET",
    "/on-call/replay",
    id="replayPaging",
    summary="Who would have been called in a time under another policy, beside who was",
    tag=TAG,
    scope=READ,
    details="Rotas and leave are as they were written then, ways and priorities as they are now. Only runs of tickets the caller may"
    " see.",
    query=ReplayAsked,
    answer=Replay,
    names_thing=True,
)
def replay_paging(call: Call) -> Replay:
    query: ReplayAsked = call.query
    found = replaying.replay(
        Other(query.policy, None if query.version is UNSET else query.version),
        since=query.since,
        until=call.now if query.until is UNSET else query.until,
        of=None if query.of is UNSET else query.of,
        service=None if query.service is UNSET else query.service,
        team=None if query.team is UNSET else query.team,
        actor=call.actor,
        now=call.now,
    )
    names = Names(found.persons)
    runs = [
        RunAgain(one.ticket, one.priority, one.started_at, one.starts, _fared(one.before), _fared(one.after))
        for one in found.runs
    ]
    people = [
        LoadAgain(names.ref(person), load.before, load.before_at_night, load.after, load.after_at_night)
        for person, load in found.persons.items()
    ]
    return Replay(runs, people, found.is_cut)


def _fared(one: replaying.Fared) -> Fared:
    return Fared(one.calls, int(one.reached_after.total_seconds()) if one.reached_after is not None else None)
