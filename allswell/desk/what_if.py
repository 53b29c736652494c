"""What if another agreement had held for the tickets of a time: what was kept, and what would have been. Nothing of theirs is written.

Who may read what is set up may ask: administrators and auditors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.calendars.rules import Calendar
from allswell.jobs import operations as jobs
from allswell.jobs import queries as job_queries
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.kernel.instants import sensible
from allswell.people import queries as people
from allswell.people.rules import Act, place_of, require
from allswell.sla import queries
from allswell.sla.queries import AgreementBook
from allswell.sla.rules.shapes import Chosen, ClockState, Solved
from allswell.sla.rules.solving import solve
from allswell.sla.rules.story import Facts, story
from allswell.sla.rules.terms import Audience, Metric, Target, Terms
from allswell.tickets import queries as tickets

from . import job_ends
from .agreements import checked, parties
from .door import use_case

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.jobs.models import Job
    from allswell.sla.models import Clock
    from allswell.tickets.models import Ticket

KIND = "what_if"
#: so many tickets are looked at while the caller waits; more are left to the engine
AT_ONCE = 500
BATCH = 200
LONGEST = timedelta(days=400)
#: how many tickets that differ are named
SHOWN = 200

Tally = list[int]  # kept, missed, still open


@dataclass(frozen=True, slots=True)
class Question:
    """Whose terms are tried, on which tickets: those opened at `since` or later and before `until`, of an organization and those
    below it (None: of all), for an agreement between teams while `team` has them (None: any)."""

    definition: Mapping[str, Any]
    since: datetime
    until: datetime
    audience: str = Audience.CUSTOMER
    organization: int | str | None = None
    team: int | str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A target, and how its promises fared: (kept, missed, still open) as it was and as it would have been.

    `target` is None for what would no longer be promised, `metric` says what.
    """

    metric: Metric
    target: Target | None
    before: tuple[int, int, int]
    after: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A ticket that would have fared otherwise. `before` and `after` are kept, missed, open or none, with the due instants."""

    ticket: Ticket
    metric: str
    before: str
    before_due_at: datetime | None
    after: str
    after_due_at: datetime | None


@dataclass(slots=True)
class _Book:
    """One agreement, and the calendars there are."""

    chosen: Chosen
    audience: Audience
    organizations: frozenset[int] | None
    team: int | None
    real: AgreementBook

    def customer(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The agreement, where it is one with customers and fits."""
        return self._fitting(facts) if self.audience is Audience.CUSTOMER else None

    def internal(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The agreement, where it is one between teams and fits."""
        return self._fitting(facts) if self.audience is Audience.INTERNAL else None

    def _fitting(self, facts: Facts) -> Chosen | None:
        if self.organizations is not None and facts.organization not in self.organizations:
            return None
        if self.team is not None and facts.team != self.team:
            return None
        fits = self.chosen.terms.fits(kind=facts.kind, service=facts.service, priority=facts.priority)
        return self.chosen if fits else None

    def calendar(self, slug: str, number: int | None) -> Calendar:
        """A calendar as known at a version."""
        return self.real.calendar(slug, number)


def ask(question: Question, *, actor: Actor, now: datetime) -> Job:
    """Try terms on past tickets. The answer is there at once for up to `AT_ONCE` tickets; more are left to the engine.

    Raises Invalid naming the field, NotAllowed.
    """
    params, total = _prepared(question, actor=actor, now=now)
    result: dict[str, Any] = {}
    if total <= AT_ONCE:  # before the transaction: reading takes a while, and nobody who writes has to wait for it
        result = {"after": 0, "targets": {}, "differing": [], "differences": 0}
        _count(list(_numbers(params, after=0)), {**params, **result}, result, now=now)
    return begin(params, result, total, actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a question comes to: how many tickets were looked at, how each promise fared, and how many would have fared otherwise.

    `differing` are the first of those.
    """

    tickets: int
    compared: list[Compared]
    differences: int
    differing: list[Difference]


def tried(question: Question, *, actor: Actor, now: datetime, progress: Callable[[int, int], None]) -> Tried:
    """Try terms on past tickets while the caller waits, however many they are; nothing is written, not even the question.

    `progress` is told (done, of how many). Raises Invalid naming the field, NotAllowed.
    """
    params, total = _prepared(question, actor=actor, now=now)
    result: dict[str, Any] = {"after": 0, "targets": {}, "differing": [], "differences": 0}
    done = 0
    while numbers := list(_numbers(params, after=result["after"])[:BATCH]):
        _count(numbers, {**params, **result}, result, now=now)
        done += len(numbers)
        progress(min(done, total), total)
    return Tried(done, _compared({**params, **result}), result["differences"], _differing(result["differing"], actor=actor))


def _prepared(question: Question, *, actor: Actor, now: datetime) -> tuple[dict[str, Any], int]:
    if question.audience not in set(Audience):
        raise Invalid("Choose one of the list.", field="audience")
    whom = parties(question.audience, organization=question.organization, team=question.team, actor=actor)
    require(actor, Act.READ_SETUP, place_of(whom["organization_id"]))
    terms = checked(question.definition, audience=Audience(question.audience), actor=actor, now=now)
    since, until = sensible(question.since, field="since"), sensible(question.until, field="until")
    if until <= since:
        raise Invalid("The end is before the beginning.", field="until")
    if until - since > LONGEST:
        raise Invalid("Use at most %(days)s days.", field="until", days=LONGEST.days)
    params: dict[str, Any] = {
        "definition": terms.as_json(),
        "audience": question.audience,
        "organization": whom["organization_id"],
        "team": whom["team_id"],
        "since": since.isoformat(),
        "until": until.isoformat(),
        "name": question.name,
    }
    return params, _numbers(params, after=0).count()


@use_case
def begin(params: dict[str, Any], result: dict[str, Any], total: int, *, actor: Actor, now: datetime) -> Job:
    """Write the question down, with its answer if that is there already; for `ask`."""
    blank: dict[str, Any] = {"after": 0, "targets": {}, "differing": [], "differences": 0}
    job = jobs.start(KIND, params={**params, **(result or blank)}, total=total, actor=actor, now=now)
    if result:
        jobs.advance(job, done=total, changed=result["differences"], now=now)
        jobs.finish(job, actor=actor, now=now)
    return job


def _numbers(params: Mapping[str, Any], *, after: int) -> QuerySet[Any]:
    rows = tickets.all_tickets().filter(
        opened_at__gte=datetime.fromisoformat(params["since"]),
        opened_at__lt=datetime.fromisoformat(params["until"]),
        pk__gt=after,
    )
    if params["organization"] is not None:
        rows = rows.filter(organization__in=people.organization_and_below(params["organization"]))
    return rows.order_by("pk").values_list("pk", flat=True)


@use_case
def run_batch(job: Job, *, limit: int = BATCH, actor: Actor, now: datetime) -> bool:
    """Look at the next tickets of a claimed question; True while there is more to do and it is still ours."""
    current = job_queries.job(job.pk)
    if current is None or current.finished_at or current.is_cancelled:
        job_ends.end(job, came_of_it=None, actor=actor, now=now)
        return False
    numbers = list(_numbers(job.params, after=job.params["after"])[:limit])
    before = job.params["differences"]
    _count(numbers, job.params, job.params, now=job.created_at)
    jobs.remember(job)
    if not jobs.advance(job, done=len(numbers), changed=job.params["differences"] - before, now=now):
        raise Conflict("Another engine has taken this job over.")  # takes back what this one just did
    if len(numbers) == limit:
        return True
    job_ends.end(job, came_of_it={"subject": KIND, "changed": job.changed}, actor=actor, now=now)
    return False


# counting


def _count(numbers: Sequence[int], params: Mapping[str, Any], result: dict[str, Any], *, now: datetime) -> None:
    """Add some tickets to the answer."""
    audience = Audience(params["audience"])
    terms = Terms.parse(params["definition"], audience=audience)
    inside = params["organization"]
    book = _Book(
        Chosen(0, 1, terms),
        audience,
        None if inside is None else frozenset(people.organization_and_below(inside)),
        params["team"],
        queries.book(),
    )
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        kept, noted = queries.clocks_of(some), queries.entries_of_many(some)
        for ticket in tickets.standing(some):
            steps = story(
                noted.get(ticket.pk, []),
                now=queries.facts_of(ticket),
                requester=ticket.requester_id,
                opened_at=ticket.opened_at,
            )
            found = solve(steps, book, now=now)
            if found:
                was = [one for one in kept.get(ticket.pk, []) if (one.metric == Metric.TEAM_TIME) == (audience == "internal")]
                _compare(ticket.pk, was, found, result, now=now)
    if numbers:
        result["after"] = numbers[-1]


def _compare(number: int, kept: Iterable[Clock], found: Iterable[Solved], result: dict[str, Any], *, now: datetime) -> None:
    before: dict[str, list[tuple[str, datetime | None]]] = {}
    after: dict[str, list[tuple[str, datetime | None]]] = {}
    keys: dict[str, str] = {}
    for one in found:
        if (fared := _fared(one.state, one.is_met, one.breached_at is not None)) is not None:
            after.setdefault(one.key.metric.value, []).append((fared, one.due_at))
            keys[one.key.metric.value] = one.target.key
            _add(result, one.target.key, "after", fared)
    for clock in kept:
        is_late = clock.breached_at is not None or (clock.state == "running" and clock.due_at is not None and clock.due_at < now)
        if (fared := _fared(clock.state, clock.met_at is not None, is_late)) is not None:
            before.setdefault(clock.metric, []).append((fared, clock.due_at))
            _add(result, keys.get(clock.metric, f"-{clock.metric}"), "before", fared)
    for metric in {*before, *after}:
        was, would = before.get(metric, []), after.get(metric, [])
        if sum(fared == "missed" for fared, _ in was) != sum(fared == "missed" for fared, _ in would):
            result["differences"] += 1
            if len(result["differing"]) < SHOWN:
                result["differing"].append([number, metric, *_telling(was), *_telling(would)])


def _fared(state: str, is_met: bool, is_late: bool) -> str | None:
    if state in (ClockState.CANCELLED, ClockState.MERGED):
        return None
    return "missed" if is_late else "kept" if is_met else "open"


def _add(result: dict[str, Any], key: str, when: str, fared: str) -> None:
    tally: Tally = result["targets"].setdefault(key, {"before": [0, 0, 0], "after": [0, 0, 0]})[when]
    tally[("kept", "missed", "open").index(fared)] += 1


def _telling(clocks: Sequence[tuple[str, datetime | None]]) -> tuple[str, str | None]:
    """Of several clocks of one promise the one that was missed, else the last."""
    if not clocks:
        return "none", None
    fared, due_at = next((one for one in clocks if one[0] == "missed"), clocks[-1])
    return fared, due_at.isoformat() if due_at else None


# reading


def answer(job_id: int, *, actor: Actor) -> Job:
    """A question the actor asked. Raises NotFound."""
    job = job_queries.job(job_id)
    if job is None or job.kind != KIND or job.person_id != actor.person or actor.person is None:
        raise NotFound("There is no such job.")
    return job


def compared(job: Job) -> list[Compared]:
    """How every promise fared and would have fared, as far as it was looked at, in the order of the terms."""
    return _compared(job.params)


def _compared(params: Mapping[str, Any]) -> list[Compared]:
    terms = Terms.parse(params["definition"], audience=Audience(params["audience"]))
    tallies = params["targets"]
    rows = []
    for target in terms.targets:
        tally = tallies.get(target.key, {"before": (0, 0, 0), "after": (0, 0, 0)})
        rows.append(Compared(target.metric, target, _three(tally["before"]), _three(tally["after"])))
    gone = [key for key in sorted(tallies) if key.startswith("-")]
    rows += [Compared(Metric(key[1:]), None, _three(tallies[key]["before"]), (0, 0, 0)) for key in gone]
    return rows


def _three(tally: Sequence[int]) -> tuple[int, int, int]:
    kept, missed, still = tally
    return kept, missed, still


def differences(job: Job, *, actor: Actor) -> list[Difference]:
    """The first tickets that would have fared otherwise, those the actor sees at the desk."""
    return _differing(job.params["differing"], actor=actor)


def _differing(rows: Sequence[Sequence[Any]], *, actor: Actor) -> list[Difference]:
    seen = {row.pk: row for row in tickets.at_the_desk(actor).filter(pk__in={row[0] for row in rows})}
    return [
        Difference(seen[number], metric, before, _instant(before_due), after, _instant(after_due))
        for number, metric, before, before_due, after, after_due in rows
        if number in seen
    ]


def _instant(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
