"""The use cases of silences: for a while nobody is called for alerts that fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk.door import use_case
from allswell.intake.operations import alert_settings as writing
from allswell.intake.parsers.alerts.shape import Malformed
from allswell.intake.parsers.alerts.silences import SilenceReport, silences_in
from allswell.intake.queries import quiet as reading
from allswell.intake.rules.matching import Matcher, fit, parse_all
from allswell.intake.rules.routing import Quiet
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from allswell.people.rules import Act, may
from allswell.tickets import queries as tickets

from . import quiet
from .quiet import Preview

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import Silence

LONGEST = timedelta(days=30)
#: so many are taken over at once
MOST_TAKEN = 200


def visible_to(actor: Actor) -> QuerySet[Silence]:
    """The silences an actor may know."""
    return reading.silences_visible_to(actor)


def one(silence: int, *, actor: Actor) -> Silence:
    """A silence the actor may know. Raises NotFound."""
    found = visible_to(actor).filter(pk=silence).first()
    if found is None:
        raise NotFound("There is no such silence, or you may not see it.")
    return found


def _about(
    matchers: Iterable[Mapping[str, Any]], service: int | str | None, ticket: int | None, *, actor: Actor
) -> tuple[Quiet, int | None]:
    """What a silence is about, and its service. Raises Invalid, NotAllowed, NotFound."""
    quiet.require_works(actor)
    found = quiet.conditions(matchers, is_enough=ticket is not None or service not in (None, ""))
    if ticket is not None:
        return Quiet("silence", 0, found, ticket=quiet.ticket_for(ticket, actor=actor).pk), None
    if service not in (None, ""):
        (row,) = quiet.named([service], actor=actor, field="service")
        return Quiet("silence", 0, found, frozenset([row.pk])), row.pk
    quiet.about_all(actor=actor)
    return Quiet("silence", 0, found), None


def preview(
    *, matchers: Iterable[Mapping[str, Any]], service: int | str | None = None, ticket: int | None = None, actor: Actor
) -> Preview:
    """How many alerts that fire now a silence would be about; nothing is written. Raises Invalid, NotAllowed, NotFound."""
    about, _service = _about(matchers, service, ticket, actor=actor)
    return quiet.preview(about, actor=actor)


@use_case
def create(
    *,
    reason: str,
    ends_at: datetime | None,
    starts_at: datetime | None = None,
    matchers: Iterable[Mapping[str, Any]] = (),
    service: int | str | None = None,
    ticket: int | None = None,
    actor: Actor,
    now: datetime,
) -> Silence:
    """Call nobody for what fits, from now or from `starts_at` on; for a ticket, for the alerts that belong to it.

    What fires when it begins keeps the incident it has, which calls nobody meanwhile. Raises Invalid, Conflict, NotAllowed, NotFound.
    """
    about, service_id = _about(matchers, service, ticket, actor=actor)
    begin, end = quiet.span(starts_at, ends_at, longest=LONGEST, now=now)
    row = writing.create_silence(
        matchers=[one.as_json() for one in about.matchers],
        service_id=service_id,
        ticket_id=about.ticket,
        reason=text.line(reason, field="reason", limit=300),
        starts_at=begin,
        ends_at=end,
        has_begun=begin <= now,
        actor=actor,
        now=now,
    )
    if begin <= now:
        quiet.hold(replace(about, number=row.pk), until=end, actor=actor, now=now)
    return row


@dataclass(frozen=True, slots=True)
class Planned:
    """A silence elsewhere, as it would be ours."""

    matchers: tuple[Matcher, ...]
    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Which silences are made, and how many left out: over, known already, or about everything."""

    planned: tuple[Planned, ...]
    left_out: int

    @property
    def made(self) -> int:
        """How many are made."""
        return len(self.planned)


def would_take_over(body: bytes, *, actor: Actor, now: datetime) -> TakenOver:
    """Which silences of a running Alertmanager would become ours; nothing is written. Raises Invalid, NotAllowed."""
    quiet.about_all(actor=actor)
    try:
        told = silences_in(body)
    except Malformed as error:
        raise Invalid("This cannot be read: %(why)s", field="body", why=str(error)) from error
    current = reading.silences_visible_to(actor).filter(is_over=False, ends_at__gt=now, service=None, ticket=None)
    known = {_alike(parse_all(matchers)) for matchers in current.values_list("matchers", flat=True)}
    planned: list[Planned] = []
    for one in told:
        plan = _planned(one, now=now)
        if plan is not None and _alike(plan.matchers) not in known and len(planned) < MOST_TAKEN:
            known.add(_alike(plan.matchers))
            planned.append(plan)
    return TakenOver(tuple(planned), len(told) - len(planned))


def _planned(one: SilenceReport, *, now: datetime) -> Planned | None:
    """None where it is over, too far ahead, or about everything. Raises Invalid."""
    begin = max(one.starts_at or now, now)
    found = parse_all({"label": label, "operator": how, "value": value} for label, how, value in one.matchers)
    if one.is_ended or one.ends_at is None or begin >= one.ends_at or begin > now + quiet.AHEAD or fit(found, {}):
        return None
    said = " · ".join(part for part in (one.reason, one.by) if part)[:300] or "Alertmanager"
    return Planned(found, text.line(said, field="body", limit=300), begin, min(one.ends_at, begin + LONGEST))


@use_case
def take_over(body: bytes, *, actor: Actor, now: datetime) -> TakenOver:
    """Make the silences of a running Alertmanager ours, as its API tells them; those for longer end after thirty days.

    Said again, it makes none twice. Raises Invalid, NotAllowed.
    """
    done = would_take_over(body, actor=actor, now=now)
    for one in done.planned:
        row = writing.create_silence(
            matchers=[matcher.as_json() for matcher in one.matchers],
            reason=one.reason,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            has_begun=one.starts_at <= now,
            actor=actor,
            now=now,
        )
        if one.starts_at <= now:
            quiet.hold(Quiet("silence", row.pk, one.matchers), until=one.ends_at, actor=actor, now=now)
    return done


def _alike(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    return tuple(sorted(matchers, key=str))


def may_end(row: Silence, *, actor: Actor) -> bool:
    """Whether the actor made it, or might have."""
    return row.pk in changeable([row], actor=actor)


def changeable(rows: Iterable[Silence], *, actor: Actor) -> set[int]:
    """Which of these the actor made, or might have."""
    rows = list(rows)
    if not quiet.works(actor):
        return set()
    people = [actor.person] if actor.person is not None else []
    facts = tickets.facts_for_many([row.ticket for row in rows if row.ticket is not None], people)
    return {
        row.pk
        for row in rows
        if row.created_by_id == actor.person
        or (may(actor, Act.WORK, facts[row.ticket_id]) if row.ticket_id in facts else quiet.may_quiet(row.service, actor=actor))
    }


def _mine(silence: int, *, actor: Actor, now: datetime) -> Silence:
    """A silence that is not over, held so that nobody else changes it meanwhile. Raises Conflict, NotAllowed, NotFound."""
    row = one(reading.held_silence(silence), actor=actor)
    if not may_end(row, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    if row.ends_at <= now:
        raise Conflict("This is over already.")
    return row


@use_case
def change(
    silence: int,
    *,
    reason: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    seen_until: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Silence:
    """Let it last longer or less long, begin at another time if it has not begun, or say otherwise why: what is not None.

    `seen_until` is the end that the actor saw: another one means that somebody changed it since. Raises Stale, Invalid, Conflict,
    NotAllowed, NotFound.
    """
    row = _mine(silence, actor=actor, now=now)
    if seen_until is not None and row.ends_at != seen_until:
        raise Stale("Somebody has changed this silence in the meantime. Look at it again.")
    values: dict[str, Any] = {}
    if reason is not None:
        values["reason"] = text.line(reason, field="reason", limit=300)
    if row.starts_at > now:
        values["starts_at"], values["ends_at"] = quiet.span(
            starts_at or row.starts_at, ends_at or row.ends_at, longest=LONGEST, now=now
        )
    elif starts_at is not None and starts_at != row.starts_at:
        raise Conflict("This has begun. It can only be ended, or last longer.", field="starts_at")
    elif ends_at is not None and ends_at != row.ends_at:
        values["ends_at"] = quiet.span(None, ends_at, longest=LONGEST, now=now)[1]
    writing.change_silence(row, values, actor=actor, now=now)
    return one(silence, actor=actor)


@use_case
def end(silence: int, *, actor: Actor, now: datetime) -> None:
    """It is over now, and what it held back is looked at again; one that has not begun is forgotten.

    Raises Conflict when it is over, NotAllowed, NotFound.
    """
    row = _mine(silence, actor=actor, now=now)
    if row.starts_at > now:
        writing.take_back_silence(row, actor=actor, now=now)
    else:
        writing.change_silence(row, {"ends_at": now}, actor=actor, now=now)
