"""What silences and announced work share: who may quiet what, for how long, and which alerts that is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk import runs, steps
from allswell.intake.operations import alert_settings as writing
from allswell.intake.queries import alerts as queries
from allswell.intake.queries import quiet as reading
from allswell.intake.rules.matching import Matcher, fit, parse_all
from allswell.intake.rules.routing import Quiet
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.kernel.instants import sensible
from allswell.oncall.rules.escalating import RunState
from allswell.people.rules import INSTALLATION, Act, TicketFacts, may, place_of
from allswell.services import queries as services
from allswell.tickets import operations as ticket_writing
from allswell.tickets import queries as tickets

if TYPE_CHECKING:
    from allswell.services.models import ConfigurationItem
    from allswell.tickets.models import Ticket

#: nothing is planned farther ahead
AHEAD = timedelta(days=366)
SHORTEST = timedelta(minutes=1)
MOST_SERVICES = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """How many alerts that fire now a quiet would be about; `is_more`: there are more than were looked at."""

    count: int
    is_more: bool


def works(actor: Actor) -> bool:
    """Whether the actor may quiet anything at all; of what, is asked of each thing."""
    return actor.is_system or actor.has_role(Role.AGENT, Role.LEAD, Role.DUTY_MANAGER, Role.ADMINISTRATOR)


def may_quiet(service: ConfigurationItem | None, *, actor: Actor) -> bool:
    """Whether the actor works on tickets of this service, or sets it up. None: of every service."""
    team = service.team if service is not None else None
    organization = service.organization_id if service is not None else None
    home = organization if organization is not None or team is None else team.organization_id
    facts = TicketFacts(home, team.pk if team else None, None, None, is_restricted=False)
    if may(actor, Act.WORK, facts) or may(actor, Act.SET_UP, INSTALLATION if service is None else place_of(organization)):
        return True
    is_ours = team is not None and team.pk in actor.teams
    return is_ours and actor.has_role(Role.AGENT, Role.LEAD, Role.DUTY_MANAGER)


def require_works(actor: Actor) -> None:
    """Raises NotAllowed for who only reads."""
    if not works(actor):
        raise NotAllowed("Your role does not allow this.")


def conditions(given: Iterable[Mapping[str, Any]], *, is_enough: bool) -> tuple[Matcher, ...]:
    """Conditions that do not fit everything, unless something else says what this is about. Raises Invalid."""
    found = parse_all(given)
    if not is_enough and fit(found, {}):
        raise Invalid("Say what it is about: a service, or a condition that not every alert fits.", field="matchers")
    return found


def named(refs: Collection[int | str], *, actor: Actor, field: str) -> list[ConfigurationItem]:
    """Services in use that the actor may quiet. Raises Invalid, NotAllowed."""
    if len(refs) > MOST_SERVICES:
        raise Invalid("These are too many services.", field=field)
    found = {}
    known = services.visible_to(actor).filter(is_active=True)
    for ref in refs:
        row = services.named(ref, known=known)
        if row is None:
            raise Invalid("There is no such service.", field=field)
        if not may_quiet(row, actor=actor):
            raise NotAllowed("You do not work on this service.", field=field)
        found[row.pk] = row
    return list(found.values())


def about_all(*, actor: Actor) -> None:
    """Labels alone are about every service. Raises NotAllowed."""
    if not may_quiet(None, actor=actor):
        raise NotAllowed("Your role reaches some services only. Choose one.", field="service")


def ticket_for(number: int, *, actor: Actor) -> Ticket:
    """A ticket that is open, and that the actor works on. Raises Invalid, Conflict, NotAllowed."""
    try:
        ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    except NotFound as error:
        raise Invalid(error.template, field="ticket") from error
    if ticket.done_at is not None:
        raise Conflict("This ticket is done.", field="ticket")
    return ticket


def span(starts_at: datetime | None, ends_at: datetime | None, *, longest: timedelta, now: datetime) -> tuple[datetime, datetime]:
    """A time from now on at the earliest, of a sensible length. Raises Invalid."""
    begin, end = sensible(starts_at, field="starts_at") or now, sensible(ends_at, field="ends_at")
    if end is None:
        raise Invalid("Say until when.", field="ends_at")
    begin = max(begin, now)
    if end <= now:
        raise Invalid("This is over already.", field="ends_at")
    if end < begin + SHORTEST:
        raise Invalid("The end is before the beginning.", field="ends_at")
    if begin > now + AHEAD:
        raise Invalid("This is too far ahead.", field="starts_at")
    if end > begin + longest:
        raise Invalid("This is longer than %(days)s days.", field="ends_at", days=longest.days)
    return begin, end


def hold(about: Quiet, *, until: datetime, is_planned: bool = False, actor: Actor, now: datetime) -> None:
    """What fires already and fits is held back, too: incidents that were opened for alerts, of which none is left, call nobody meanwhile.

    What had been sent for them is called back; what fires still afterwards calls again where it had come to. `is_planned`: it was
    made earlier, and begins now.
    """
    found = reading.covered(about, reading.everything_firing(), most=None)
    writing.hold(found, **{about.kind: about.number})
    for number in sorted(reading.at_rest(reading.tickets_of(found))):
        ticket = tickets.ticket(number, is_locked=True)
        if ticket is None or ticket.done_at is not None:
            continue
        data = {about.kind: about.number, "until": until.isoformat(), "is_planned": is_planned}
        ticket_writing.record(Verb.ALERTS_QUIETED, ticket, actor=actor, now=now, data=data)
        running = [row for row in runs.hold_open(number) if row.state == RunState.RUNNING.value]
        runs.rest([row for row in running if runs.may_rest(row, ticket)], now=now)


def begin(*, actor: Actor, now: datetime) -> int:
    """Silences and announced work that were planned for now begin: what fires already is held back. How many."""
    begun = queries.to_begin(now=now)
    held = writing.begin(silences=begun[0], windows=begun[1], now=now) if any(begun) else set()
    for one, until in queries.quiet_until(now=now) if held else ():
        if (one.kind, one.number) in held:
            hold(one, until=until, is_planned=True, actor=actor, now=now)
    return len(held)


def hold_on(alerts: Collection[int], *, now: datetime) -> None:
    """What one quiet time let go and another is about as well stays held back by that."""
    rows = reading.everything_firing().filter(pk__in=alerts)
    for one in queries.quiet(now=now):
        writing.hold(reading.covered(one, rows, most=None), **{one.kind: one.number})


def preview(quiet: Quiet, *, actor: Actor) -> Preview:
    """How many alerts that the actor sees and that fire now it would be about."""
    found = reading.covered(quiet, queries.visible_to(actor))
    return Preview(len(found), len(found) >= reading.MOST)
