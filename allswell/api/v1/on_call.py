"""Who is on call, now and at any instant, and the shifts of a rota."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from allswell.api.contract import Call, Page, Paged, Query, operation
from allswell.api.paging import last_seen, page_of_read
from allswell.desk import people as people_desk
from allswell.desk import rotas as desk
from allswell.desk import services as services_desk
from allswell.kernel.errors import Invalid
from allswell.kernel.instants import sensible
from allswell.oncall import queries
from allswell.oncall.rules import FARTHEST, Slot
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

from .rota_shapes import READ, Names, RotaLevel, RotaShift, Why, rota_ref, shifts
from .shapes import Instant, NamedRef, PersonRef, Ref, named_ref

TAG = "Rotas"
#: the longest time whose shifts are shown, and how long when nothing is said
LONGEST, USUAL = timedelta(days=100), timedelta(days=14)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")


class WhoIsAsked(Query):
    """About a `service`, a `team` or a `rota`, one of them (id or short name); `at` is now when left out."""

    service: Ref | UnsetType = UNSET
    team: Ref | UnsetType = UNSET
    rota: Ref | UnsetType = UNSET
    at: Instant | UnsetType = UNSET


class OnCall(Struct):
    """Who is on call at a level of a rota, and who comes next; nobody where `why` (`next_why`) says why.

    `held` is who was on call before and stays until the shift is taken.
    """

    rota: NamedRef | None
    level: RotaLevel
    person: PersonRef | None
    starts_at: datetime
    ends_at: datetime
    why: Why | None
    is_gap: bool
    stands_for: PersonRef | None
    override: int | None
    next_person: PersonRef | None
    next_why: Why | None
    held: PersonRef | None


class WhoIsOnCall(Struct):
    """Who is on call at an instant, first who is called first. A rota that had not begun by then is left out."""

    at: datetime
    service: NamedRef | None
    team: NamedRef | None
    items: list[OnCall]


@operation(
    "GET",
    "/on-call",
    id="whoIsOnCall",
    summary="Who is on call for a service, a team or in a rota, at an instant",
    tag=TAG,
    scope=READ,
    details="For a service: all rotas of its team.",
    query=WhoIsAsked,
    answer=WhoIsOnCall,
    names_thing=True,
)
def who_is_on_call(call: Call) -> WhoIsOnCall:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    given = [name for name in ("service", "team", "rota") if getattr(call.query, name) is not UNSET]
    if len(given) != 1:
        raise Invalid("Give one of service, team and rota.", field=given[1] if given else "service")
    at = call.now if call.query.at is UNSET else sensible(call.query.at, field="at")
    if at > call.now + FARTHEST:
        raise Invalid("This is too far ahead.", field="at")
    service, team, rows = _asked(call, given[0])
    found = {row.pk: row for row in rows}
    answers = [answer for by_level in queries.on_call(found, at).values() for answer in by_level.values()]
    answers.sort(key=lambda answer: (answer.level, found[answer.rota].name, answer.rota))
    names = Names(pk for answer in answers for pk in (answer.person, answer.stands_for, answer.next_person, answer.held))
    return WhoIsOnCall(at, service, team, [_answer(answer, found[answer.rota], names) for answer in answers])


def _asked(call: Call, given: str) -> tuple[NamedRef | None, NamedRef | None, Any]:
    """The service, the team and the rotas a question is about, as far as the caller may know them."""
    service = None
    ref = getattr(call.query, given)
    if given == "rota":
        row = desk.rota_for(ref, actor=call.actor)
        return None, named_ref(row.team_id, row.team.slug, row.team.name), [row]
    if given == "team":
        team = people_desk.team_for(ref, Act.SEE_DESK, actor=call.actor)
    else:
        named = services_desk.service_for(ref, Act.SEE_DESK, actor=call.actor)
        service = named_ref(named.pk, named.slug, named.name)
        if named.team is None or not services.known_inside(call.actor).filter(pk=named.pk).exists():
            return service, None, []
        team = named.team
    rows = list(queries.visible_to(call.actor).filter(team=team.pk, is_active=True))
    return service, named_ref(team.pk, team.slug, team.name) if rows or given == "team" else None, rows


def _answer(answer: queries.Answer, row: Any, names: Names) -> OnCall:
    return OnCall(
        rota_ref(row),
        answer.level,
        names.ref(answer.person),
        answer.starts_at,
        answer.ends_at,
        answer.why.value if answer.why else None,
        answer.is_gap,
        names.ref(answer.stands_for),
        answer.override,
        names.ref(answer.next_person),
        answer.next_why.value if answer.next_why else None,
        names.ref(answer.held),
    )


class ShiftsAsked(Paged, rename={"since": "from"}):
    """From when until when: at most 100 days, the coming two weeks when left out."""

    since: Instant | UnsetType = UNSET
    until: Instant | UnsetType = UNSET


@operation(
    "GET",
    "/rotas/{ref}/shifts",
    id="listShifts",
    summary="The shifts of a rota in their order, cut off where the time asked for begins and ends",
    tag=TAG,
    scope=READ,
    details="Gaps are shifts of nobody. Beyond what is written ahead it is worked out.",
    query=ShiftsAsked,
    answer=Page[RotaShift],
)
def list_shifts(call: Call) -> Page[RotaShift]:
    row = desk.rota_for(call.path["ref"], actor=call.actor)
    since, until = span(call)
    last = last_seen(call)
    found = sorted(queries.slots([row], since, until)[row.pk], key=_place)
    found = [slot for slot in found if last is None or _place(slot) > last]
    shown = found[: call.query.limit]
    return page_of_read(call, shifts(shown), _place(shown[-1]) if len(found) > len(shown) else None)


def _place(slot: Slot) -> int:
    """Where a slot stands among all of a rota: by time, then by level."""
    return (slot.starts_at - _EPOCH) // timedelta(microseconds=1) * 10 + slot.level


def span(call: Call) -> tuple[datetime, datetime]:
    """The time a list is asked for. Raises Invalid."""
    asked = call.query
    since = call.now if asked.since is UNSET else sensible(asked.since, field="from")
    if since > call.now + FARTHEST:
        raise Invalid("This is too far ahead.", field="from")
    until = since + USUAL if asked.until is UNSET else sensible(asked.until, field="until")
    if not since < until <= since + LONGEST:
        raise Invalid("Ask for 1 to %(limit)s days, from the first to the last.", field="until", limit=LONGEST.days)
    return since, until
