"""The use cases of silences: for a while nobody is called for alerts that fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk.door import use_case
from allswell.intake.operations import alert_settings as writing
from allswell.intake.parsers.alerts.shape import Malformed
from allswell.intake.parsers.alerts.silences import silences_in
from allswell.intake.queries import quiet as reading
from allswell.intake.rules.matching import Matcher, fit, parse_all
from allswell.intake.rules.routing import Quiet
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
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

    What fires already keeps the incident it has. Raises Invalid, Conflict, NotAllowed, NotFound.
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
        actor=actor,
        now=now,
    )
    if begin <= now:
        writing.hold(reading.covered(about, reading.everything_firing()), silence=row.pk)
    return row


@dataclass(frozen=True, slots=True)
class TakenOver:
    """How many silences were made, and how many left out: over, known already, or about everything."""

    made: int
    left_out: int


@use_case
def take_over(body: bytes, *, actor: Actor, now: datetime) -> TakenOver:
    """Make the silences of a running Alertmanager ours, as its API tells them; those for longer end after thirty days.

    Raises Invalid, NotAllowed.
    """
    quiet.about_all(actor=actor)
    try:
        told = silences_in(body)
    except Malformed as error:
        raise Invalid("This cannot be read: %(why)s", field="body", why=str(error)) from error
    current = reading.silences_visible_to(actor).filter(is_over=False, ends_at__gt=now, service=None, ticket=None)
    known = {_alike(parse_all(matchers)) for matchers in current.values_list("matchers", flat=True)}
    made = 0
    for one in told[:MOST_TAKEN]:
        begin = max(one.starts_at or now, now)
        found = parse_all({"label": label, "operator": how, "value": value} for label, how, value in one.matchers)
        is_fit = not one.is_ended and one.ends_at is not None and begin < one.ends_at and begin <= now + quiet.AHEAD
        if not is_fit or one.ends_at is None or _alike(found) in known or fit(found, {}):
            continue
        known.add(_alike(found))
        row = writing.create_silence(
            matchers=[matcher.as_json() for matcher in found],
            reason=text.line(
                " · ".join(part for part in (one.reason, one.by) if part)[:300] or "Alertmanager", field="body", limit=300
            ),
            starts_at=begin,
            ends_at=min(one.ends_at, begin + LONGEST),
            actor=actor,
            now=now,
        )
        if begin <= now:
            writing.hold(reading.covered(Quiet("silence", row.pk, found), reading.everything_firing()), silence=row.pk)
        made += 1
    return TakenOver(made, len(told) - made)


def _alike(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    return tuple(sorted(matchers, key=str))


def may_end(row: Silence, *, actor: Actor) -> bool:
    """Whether the actor made it, or might have."""
    if not quiet.works(actor):
        return False
    if row.created_by_id == actor.person:
        return True
    if row.ticket_id is not None:
        ticket = tickets.ticket(row.ticket_id)
        return ticket is not None and may(actor, Act.WORK, tickets.facts(ticket, person=actor.person))
    return quiet.may_quiet(row.service, actor=actor)


@use_case
def end(silence: int, *, actor: Actor, now: datetime) -> None:
    """It is over now, and what it held back is looked at again; one that has not begun is forgotten.

    Raises Conflict when it is over, NotAllowed, NotFound.
    """
    row = one(silence, actor=actor)
    if not may_end(row, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    if row.ends_at <= now:
        raise Conflict("This is over already.")
    if row.starts_at > now:
        writing.take_back_silence(row, actor=actor, now=now)
    else:
        writing.end_silence(row, actor=actor, now=now)
