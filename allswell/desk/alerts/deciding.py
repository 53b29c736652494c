"""Which incident alerts belong to, and what becomes of it: asked before anything is done, and in a dry run. Nothing is written here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from allswell.intake.parsers.alerts.shape import Severity
from allswell.intake.queries import alerts as queries
from allswell.intake.queries.alerts import Known
from allswell.intake.rules import routing
from allswell.intake.rules.routing import Act, Clear, Decision, Facts
from allswell.services import queries as services
from allswell.services.rules import impact_of
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import State

from .folding import Line

if TYPE_CHECKING:
    from allswell.services.models import ConfigurationItem
    from allswell.tickets.models import Ticket

#: how incidents end that nobody worked on
BY_ITSELF = "by_itself"


class How(StrEnum):
    """How alerts came to an incident, or why to none. It is kept with the episode, and in the journal of the incident."""

    OPENED = "opened"
    ATTACHED = "attached"  # to the incident of their case
    REOPENED = "reopened"  # the incident of their case was resolved a moment ago
    STORM = "storm"  # to the one that the source opened last: it opened many at once
    EXPECTED = "expected"  # to the ticket of the announced work
    SILENCED = "silenced"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Setting:
    """What decides, as it stands: rules in their order, what is quiet now, and services by their names."""

    rules: Sequence[routing.Rule]
    quiet: Sequence[routing.Quiet]
    services: dict[str, int]

    @classmethod
    def at(cls, now: datetime) -> Setting:
        """As it stands now."""
        return cls(queries.rules(), queries.quiet(now=now), queries.service_names())


@dataclass(frozen=True, slots=True)
class Place:
    """Where the alerts of a case go: how, and to which ticket (None: to a new one, or to none)."""

    how: How
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a new incident would be about: its service and, where it is not that of the service, its team; and its impact."""

    service: ConfigurationItem | None
    team: int | None
    impact: int


def facts_of(line: Line) -> Facts:
    """What a decision about an alert depends on."""
    row = line.alert
    return Facts.of(
        source=line.source.id,
        source_slug=line.source.slug,
        key=row.key,
        group=row.group,
        severity=Severity(row.severity),
        title=row.title,
        labels=row.labels,
        service=line.source.service,
        team=line.source.team,
    )


def decided(line: Line, setting: Setting) -> Decision:
    """What is done about an alert that fires."""
    return routing.decide(
        facts_of(line), rules=setting.rules, quiet=setting.quiet, services=setting.services, ticket=line.alert.ticket_id
    )


def leading(some: Iterable[tuple[Line, Decision]]) -> Decision:
    """What is decided of the most urgent alert of a case; it speaks for all."""
    return min((one for _, one in some), key=lambda one: one.urgency)


def tickets_of(cases: dict[str, list[tuple[Line, Decision]]], *, now: datetime) -> dict[str, int]:
    """Case -> the ticket that its alerts belonged to lately, as far back as a rule of theirs looks."""
    if not cases:
        return {}
    longest = max(one.rule.window for some in cases.values() for _, one in some)
    since = now - max(timedelta(seconds=longest), routing.REOPENS_WITHIN)
    known: Collection[str] = list(cases)
    return queries.tickets_of(known, since=since)


def place_of(found: Decision, known: int | None, source: Known, *, now: datetime, is_locked: bool = False) -> Place:
    """Where the alerts of a case go whose newest ticket is `known`: an open one, or one resolved a moment ago, which opens again."""
    ticket = ticket_queries.ticket(known, is_locked=is_locked) if known is not None else None
    if ticket is not None and ticket.merged_into_id:
        ticket = ticket_queries.ticket(ticket.merged_into_id, is_locked=is_locked)
    if ticket is not None and ticket.done_at is None:
        return Place(How.ATTACHED, ticket)
    if (
        ticket is not None
        and ticket.state == State.RESOLVED
        and ticket.done_at
        and now <= ticket.done_at + routing.REOPENS_WITHIN
    ):
        return Place(How.REOPENED, ticket)
    return new_place(found, source, now=now, is_locked=is_locked)


def new_place(found: Decision, source: Known, *, now: datetime, is_locked: bool = False) -> Place:
    """Where alerts go that belong to no incident: to a new one; in a storm of a source to the one it opened last."""
    if found.act is not Act.OPEN:
        return Place(How.RECORDED)
    lately = queries.lately_opened(source.id, since=now - routing.STORM_WITHIN)
    if len(lately) >= routing.STORM and (ticket := ticket_queries.ticket(lately[-1], is_locked=is_locked)) is not None:
        return Place(How.STORM, ticket)
    return Place(How.OPENED)


def target_of(found: Decision) -> Target:
    """What a new incident of alerts is about."""
    service = services.by_ref(found.service) if found.service is not None else None
    impact = found.rule.impact or impact_of(service.criticality if service else 3, None)
    is_theirs = bool(found.team) and (found.rule.team is not None or service is None or service.team_id is None)
    active = service if service is not None and service.is_active else None
    return Target(active, found.team if is_theirs else None, impact)


def ending_of(ticket: Ticket, how: Clear) -> Clear:
    """What becomes of an incident whose alerts are over, as its rule says: resolved, restored, or nothing but a note."""
    if how is Clear.AUTO:
        how = Clear.RESOLVE if _is_untouched(ticket) else Clear.RESTORE
    return Clear.NOTE if how is Clear.RESTORE and ticket.restored_at is not None else how


def _is_untouched(ticket: Ticket) -> bool:
    """Whether nobody took it: it is new, or was over by itself once already and opened again when its alerts came back."""
    is_again = ticket.state == State.IN_PROGRESS and ticket.resolution_code == BY_ITSELF
    return ticket.assignee_id is None and (ticket.state == State.NEW or is_again)
