"""The dry run of what a source sends: what it would be told, what would be read of it, and what would be done. Nothing is written.

What decides is what decides when it comes for good: the same reading, folding and deciding, on rows that are never written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import simulating, steps
from allswell.intake.parsers.alerts.registry import FORMATS, judge
from allswell.intake.parsers.alerts.shape import Accepted, Action, AlertReport, Malformed, Refused, Request, refusal
from allswell.intake.queries import alerts as queries
from allswell.intake.queries import explaining
from allswell.intake.rules import routing
from allswell.intake.rules.matching import Matcher
from allswell.intake.rules.routing import Basis, Clear, Decision, Rule
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, Invalid
from allswell.oncall.rules.simulating import What
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import queries as tickets
from allswell.tickets.rules import Kind

from . import deciding, sources
from .deciding import How, Setting
from .folding import Fold, Line
from .reading import Read

if TYPE_CHECKING:
    from allswell.intake.models import RawReport
    from allswell.tickets.models import Ticket

#: bytes of a payload that is tried; so many alerts of it are told of, and so many new incidents are followed to who is called
MOST_BYTES = 500_000
MOST_TOLD = 50
_FOLLOWED = 5


@dataclass(frozen=True, slots=True)
class Payload:
    """What is tried, as it would come over HTTP."""

    body: bytes
    content_type: str = "application/json"
    path: str = ""
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: RawReport) -> Payload:
        """A request that came."""
        head = row.head
        return cls(
            bytes(row.body),
            head.get("content_type", ""),
            head.get("path", ""),
            head.get("method", "POST"),
            head.get("query", {}),
            head.get("headers", {}),
        )

    def as_request(self, now: datetime) -> Request:
        """As a format looks at it."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(
            method=self.method,
            path=self.path,
            query=self.query,
            headers=headers,
            body=self.body,
            content_type=self.content_type,
            received_at=now,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """What holds an alert back: its words, and until when."""

    kind: str
    number: int
    words: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Paged:
    """Who would be called first for a new or reopened incident, by which policy; nobody when nobody is there."""

    policy: str
    starts: bool
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """The incident an alert would come to. `ticket` is None for a new one, and where the actor may not see it."""

    how: How
    basis: Basis | None = None
    ticket: Ticket | None = None
    priority: int | None = None
    team: str = ""
    paged: Paged | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one alert of a payload, told of `times` times, would come to.

    `change` is what it does to what is known: "fires", "repeated", "worse", "over", "brief" (begins and ends at once),
    "acknowledged", "ignored", "note", "change" or "heartbeat". `passed` are rules before the one that fits, each with what does not fit.
    """

    report: AlertReport
    times: int
    change: str
    rule: Rule | None = None
    passed: tuple[tuple[Rule, Matcher | str], ...] = ()
    act: routing.Act | None = None
    service: str = ""
    held: Held | None = None
    place: Place | None = None
    ending: Clear | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """The whole answer: what the sender would be told, and what would be done. `refusal` says why it would be refused."""

    status: int
    body: str
    content_type: str
    refusal: str = ""
    left_out: int = 0
    told: tuple[Told, ...] = ()
    more: int = 0
    incidents: int = 0


def last_payload(source: int, *, actor: Actor) -> Payload | None:
    """The request that came last from a source, as long as it is kept. Raises NotAllowed, NotFound."""
    sources.one(source, actor=actor)
    row = explaining.newest_request(source)
    return Payload.of(row) if row is not None else None


def tried(source: int, payload: Payload, *, mapping: Mapping[str, Any] | None = None, actor: Actor, now: datetime) -> Tried:
    """What would happen if a source sent this now; by `mapping` instead of its own. Raises Invalid, NotAllowed, NotFound."""
    row = sources.one(source, actor=actor)
    if len(payload.body) > MOST_BYTES:
        raise Invalid("This is too large to be tried.", field="body")
    known = queries.known([source])[source]
    if mapping is not None:
        try:
            judge(row.kind, mapping)
        except Malformed as error:
            raise Invalid("The format cannot work with this: %(why)s", field="mapping", why=str(error)) from error
        known = replace(known, mapping=dict(mapping))
    found = _checked(known, payload.as_request(now))
    if isinstance(found, Refused):
        return Tried(found.status, _text(found.body), found.content_type, found.reason)
    answer = Tried(found.status, _text(found.body), found.content_type, left_out=found.left_out)
    return _followed(answer, known, found.reports, actor=actor, now=now)


def _checked(known: queries.Known, request: Request) -> Accepted | Refused:
    format_ = FORMATS.get(known.kind)
    if format_ is None:
        return refusal("This installation does not know this format.")
    return format_.check(request, sources.nonce(), known.mapping)


def _text(body: bytes) -> str:
    return body.decode(errors="replace")


def _followed(answer: Tried, known: queries.Known, reports: Sequence[AlertReport], *, actor: Actor, now: datetime) -> Tried:
    fold = Fold()
    fold.take_all([Read(0, known, now, tuple(reports))])
    fold.drafted()
    lines = [line for line in fold.lines.values() if line.row is not None]
    setting = Setting.at(now)
    routed = {
        line.key: deciding.decided(line, setting)
        for line in lines
        if line.has_fired or (line.has_worsened and line.alert.ticket_id is None)
    }
    places = _places([(line, routed[line.key]) for line in lines if line.key in routed], actor=actor, now=now)
    of = {row.pk: row for row in tickets.standing(sorted({line.alert.ticket_id for line in lines if line.alert.ticket_id}))}
    endings = _endings(lines, of)
    names = _service_names([one.service for one in routed.values()])
    last = {report.key: report for report in reports}
    for line in lines:  # those of its group that are over, too, which the message does not name
        if line.has_cleared:
            last.setdefault(line.key, AlertReport(Action.RESOLVE, line.key, title=line.alert.title))
    times = Counter(report.key for report in reports)
    told = [
        _told(report, times[key] or 1, fold.lines.get((known.id, key)), routed, setting, places, endings, of, names)
        for key, report in list(last.items())[:MOST_TOLD]
    ]
    opened = {id(place) for place in places.values() if place.how is How.OPENED}
    seen = _seen([one.place.ticket for one in told if one.place and one.place.ticket], actor)
    told = [_within_sight(one, seen) for one in told]
    return replace(answer, told=tuple(told), more=max(0, len(last) - MOST_TOLD), incidents=len(opened))


def _told(
    report: AlertReport,
    times: int,
    line: Line | None,
    routed: Mapping[str, Decision],
    setting: Setting,
    places: Mapping[str, Place],
    endings: Mapping[int, Clear],
    known: Mapping[int, Ticket],
    names: Mapping[int, str],
) -> Told:
    if line is None or line.row is None or report.action in (Action.NOTE, Action.CHANGE, Action.HEARTBEAT):
        is_word = report.action in (Action.NOTE, Action.CHANGE, Action.HEARTBEAT)
        return Told(report, times, report.action.value if is_word else "ignored")
    found = routed.get(line.key)
    if found is None:
        number = line.alert.ticket_id or 0
        ending = endings.get(number) if line.has_cleared else None
        place = Place(How.ATTACHED, ticket=known[number]) if number in known else None
        return Told(report, times, _change(line), ending=ending, place=place)
    facts = deciding.facts_of(line)
    passed = []
    for rule in setting.rules:
        if (why := rule.misfit(facts)) is None:
            break
        passed.append((rule, why))
    return Told(
        report,
        times,
        _change(line),
        found.rule,
        tuple(passed),
        found.act,
        names.get(found.service or 0, ""),
        _held(found),
        places.get(line.key),
    )


def _change(line: Line) -> str:
    if line.has_fired:
        return "fires"
    if line.has_worsened:
        return "worse"
    if line.has_cleared:
        return "over"
    if line.before is None:
        return "brief"
    if line.now == line.before:
        return "ignored"
    if line.now is not None and line.now.acknowledged_at != line.before.acknowledged_at:
        return "acknowledged"
    return "repeated"


def _held(found: Decision) -> Held | None:
    if found.quiet is None:
        return None
    words, ends_at = explaining.quiet_words(found.quiet) or ("", None)
    return Held(found.quiet.kind, found.quiet.number, words, ends_at) if ends_at is not None else None


def _places(routed: list[tuple[Line, Decision]], *, actor: Actor, now: datetime) -> dict[str, Place]:
    """Where each alert that fires would go, by its key."""
    found: dict[str, Place] = {}
    cases: dict[str, list[tuple[Line, Decision]]] = defaultdict(list)
    for line, one in routed:
        if one.quiet is not None:
            expected = one.quiet.kind == "window"
            ticket = tickets.ticket(one.quiet.ticket) if expected and one.quiet.ticket is not None else None
            found[line.key] = Place(How.EXPECTED if expected else How.SILENCED, ticket=ticket)
        elif one.act is routing.Act.RECORD or line.is_test:
            found[line.key] = Place(How.RECORDED)
        else:
            cases[one.case].append((line, one))
    known = deciding.tickets_of(cases, now=now)
    for number, (case, some) in enumerate(cases.items()):
        place = _place(some, known.get(case), is_followed=number < _FOLLOWED, actor=actor, now=now)
        found.update({line.key: place for line, _ in some})
    return found


def _place(some: list[tuple[Line, Decision]], known: int | None, *, is_followed: bool, actor: Actor, now: datetime) -> Place:
    found = deciding.leading(some)
    basis = routing.basis_of(found.rule, found.service)
    place = deciding.place_of(found, known, some[0][0].source, now=now)
    if place.how is not How.OPENED:
        ticket = place.ticket
        priority = ticket.priority if ticket is not None else None
        paged = None
        if ticket is not None and place.how is How.REOPENED and is_followed:
            paged = _paged(None, ticket.service_id, ticket.team_id, ticket.priority, actor=actor, now=now)
        return Place(place.how, basis, ticket, priority, paged=paged)
    target = deciding.target_of(found)
    priority = steps.matrix_for(None).priority(target.impact, found.urgency)
    team = people.team(target.team) if target.team else target.service.team if target.service else None
    team = team if team is not None and team.is_active else people.first_line()
    service = target.service.pk if target.service else None
    paged = None
    if is_followed:
        paged = _paged(found.rule.policy, service, team.pk if team else None, priority, actor=actor, now=now)
    return Place(How.OPENED, basis, None, priority, team.name if team else "", paged)


def _paged(
    policy: int | None, service: int | None, team: int | None, priority: int, *, actor: Actor, now: datetime
) -> Paged | None:
    """Who would be called first, as far as the actor may know it."""
    asked = simulating.Asked(policy=policy) if policy else simulating.Asked(service=service) if service else None
    if asked is None:
        asked = simulating.Asked(team=team) if team else None
    if asked is None:
        return None
    try:
        found = simulating.what_happens(asked, at=now, priority=priority, actor=actor)
    except DeskError:
        return None
    if found.row is None or found.definition is None:
        return None
    first = next((moment for moment in found.moments if moment.what is What.STEP and moment.calls), None)
    called = [call.called.person for call in first.calls if call.called.person is not None] if first else []
    names = tuple((found.names or {}).get(person, "") for person in called)
    return Paged(found.row.name, found.starts or policy is not None, names)


def _endings(lines: Iterable[Line], known: Mapping[int, Ticket]) -> dict[int, Clear]:
    """What would become of incidents of which the last alerts are over, by ticket."""
    over: Counter[int] = Counter()
    for line in lines:
        if line.has_cleared and line.alert.ticket_id is not None and line.now is not None and not line.now.is_flapping:
            over[line.alert.ticket_id] += 1
    if not over:
        return {}
    left, named = queries.unsettled(list(over)), queries.rules_of(list(over))
    rules = {rule.number: rule for rule in queries.rules()}
    found = {}
    for number, count in over.items():
        ticket = known.get(number)
        if left.get(number, 0) > count or ticket is None or ticket.done_at is not None or ticket.kind != Kind.INCIDENT:
            continue
        found[number] = deciding.ending_of(ticket, rules.get(named.get(number), routing.OTHERWISE).on_clear)
    return found


def _service_names(numbers: Iterable[int | None]) -> dict[int, str]:
    wanted = {number for number in numbers if number is not None}
    return dict(services.services().filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def _seen(rows: Iterable[Ticket], actor: Actor) -> set[int]:
    numbers = {row.pk for row in rows}
    return set(tickets.visible_to(actor).filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set()


def _within_sight(one: Told, seen: set[int]) -> Told:
    place = one.place
    if place is None or place.ticket is None or place.ticket.pk in seen:
        return one
    return replace(one, place=replace(place, ticket=None))
