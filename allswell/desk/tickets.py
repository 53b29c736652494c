"""The use cases of a ticket's life: report, take, hand over, answer, resolve, close."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.incidents import operations as incidents
from allswell.journal import queries as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import Act
from allswell.services import queries as services
from allswell.services.rules import impact_of
from allswell.tickets import operations as tickets
from allswell.tickets import rules
from allswell.tickets.rules import Kind, Move, State, WaitingOn, WatcherKind

from . import steps
from .door import use_case
from .practices import lifecycle

if TYPE_CHECKING:
    from allswell.people.models import Organization, Person
    from allswell.services.models import ConfigurationItem
    from allswell.tickets.models import Comment, Ticket

DEFAULT_CLOSES_AFTER_DAYS = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports or asks for. Ids are keys; `service` is an id or a slug; `requester` an id or an e-mail address.

    `impact` and `urgency` are 1 (highest) to 4; what is None is worked out. `can_work` is "no", "detour", "yes" or "".
    """

    kind: Kind
    title: str
    description: str = ""
    requester: int | str | None = None
    service: int | str | None = None
    team: int | None = None
    assignee: int | None = None
    impact: int | None = None
    urgency: int | None = None
    people_affected: int | None = None
    can_work: str = ""
    occurred_at: datetime | None = None
    attachments: tuple[str, ...] = ()
    custom: dict[str, Any] = field(default_factory=dict)


_URGENCY = {"no": 1, "detour": 2, "yes": 3, "": 3}


def _requester(report: Report, actor: Actor) -> Person | None:
    wanted = report.requester if report.requester is not None else actor.person
    if wanted is None:
        return None
    if isinstance(wanted, str) and not wanted.isdigit():
        person = people.person_by_address(text.folded_address(wanted, field="requester"))
    else:
        person = people.person(int(wanted))
    if person is None or not person.is_active:
        raise Invalid("Nobody is known by this name or address.", field="requester")
    if person.pk != actor.person and not (actor.is_agent or actor.is_system):
        raise Invalid("You can report for yourself only.", field="requester")
    return person


def _service(ref: int | str | None) -> ConfigurationItem | None:
    if ref is None or ref == "":
        return None
    service = services.by_ref(ref)
    if service is None or not service.is_active:
        raise Invalid("There is no such service.", field="service")
    return service


def matrix_for(organization: Organization | None) -> rules.Matrix:
    """The priority matrix in force for an organization."""
    return rules.Matrix.parse(people.inherited(organization, "priority_matrix"))


@use_case
def report(what: Report, *, actor: Actor, now: datetime) -> Ticket:
    """Receive an incident or a request: find its service, team and priority, open it, tell the requester and the team.

    Raises Invalid (field named), NotAllowed.
    """
    requester = _requester(what, actor)
    service = _service(what.service)
    organization = requester.organization if requester else None
    impact = what.impact or impact_of(service.criticality if service else 3, what.people_affected)
    urgency = what.urgency or _URGENCY.get(what.can_work, 3)
    for name, value in (("impact", impact), ("urgency", urgency)):
        if not 1 <= value <= 4:
            raise Invalid("Use a number from 1 (highest) to 4.", field=name)
    ticket, entry = tickets.open_ticket(
        actor=actor,
        now=now,
        kind=what.kind.value,
        title=text.line(what.title, field="title", limit=200),
        description=text.prose(what.description, field="description"),
        impact=impact,
        urgency=urgency,
        priority=matrix_for(organization).priority(impact, urgency),
        service=service,
        team_id=what.team or (service.team_id if service else None) or people.default_team(),
        requester=requester,
        organization=organization,
        occurred_at=what.occurred_at,
        custom=what.custom,
    )
    if what.kind is Kind.INCIDENT:
        incidents.open_incident(ticket, people_affected=what.people_affected, can_work=what.can_work)
    steps.tell(entry, topic=Topic.RECEIVED, persons=steps.public_audience(ticket), actor=actor, now=now)
    return ticket


@use_case
def take(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Make it mine. Of two who take at once one wins and the other is told. Raises Conflict, Stale."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    _assign(ticket, person=actor.person, actor=actor, now=now)
    return ticket


@use_case
def assign(number: int, *, person: int | None, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Give it to a person, or to nobody (None). Raises Invalid, Conflict, Stale."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    _assign(ticket, person=person, actor=actor, now=now)
    return ticket


def _assign(ticket: Ticket, *, person: int | None, actor: Actor, now: datetime) -> None:
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    before = ticket.assignee_id
    if person == before:
        return
    if person is not None and people.person(person) is None:
        raise Invalid("There is no such person.", field="person")
    tickets.change(ticket, now=now, guard={"assignee": before}, assignee_id=person)
    verb = Verb.ASSIGNED if person else Verb.UNASSIGNED
    entry = tickets.record(verb, ticket, actor=actor, now=now, data={"from": before, "to": person})
    if ticket.state == State.NEW and person == actor.person:
        tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.ACKNOWLEDGE, actor=actor, now=now)
    if person:
        steps.tell(entry, topic=Topic.ASSIGNED, persons=[person], actor=actor, now=now)


@use_case
def hand_over(
    number: int, *, team: int, reason: str, tried: str = "", actor: Actor, now: datetime, version: int | None = None
) -> Ticket:
    """Functional escalation: another team has the skill. Says why and what was tried; returns to a former team are counted."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    target = people.team(team)
    if target is None:
        raise Invalid("There is no such team.", field="team")
    if target.pk == ticket.team_id:
        raise Invalid("This team has it already.", field="team")
    reason = text.prose(reason, field="reason", limit=4000, required=True)
    tried = text.prose(tried, field="tried", limit=4000)
    before, returns = ticket.team_id, _had_it_before(ticket, target.pk)
    tickets.change(
        ticket,
        now=now,
        guard={"team": before},
        team_id=target.pk,
        assignee_id=None,
        handover_count=ticket.handover_count + 1,
        return_count=ticket.return_count + int(returns),
    )
    body = reason if not tried else f"{reason}\n\n{tried}"
    comment, _ = tickets.comment(ticket, body=body, is_public=False, actor=actor, now=now, data={"of": "handed_over"})
    entry = tickets.record(
        Verb.HANDED_OVER,
        ticket,
        actor=actor,
        now=now,
        data={"from": before, "to": target.pk, "comment": comment.pk, "returns": returns},
    )
    members = people.members(target.pk).values_list("pk", flat=True)
    steps.tell(entry, topic=Topic.TEAM, persons=members, actor=actor, now=now)
    return ticket


def _had_it_before(ticket: Ticket, team: int) -> bool:
    return team in journal.values(ticket.pk, Verb.HANDED_OVER, "from")


@use_case
def escalate(number: int, *, reason: str, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Hierarchic escalation: to the team's lead, then one manager further up each time. Raises Conflict at the end of the chain."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    reason = text.prose(reason, field="reason", limit=4000, required=True)
    chain = people.manager_chain(ticket.team) if ticket.team else []
    if ticket.escalation_level >= len(chain):
        raise Conflict("Nobody further up is known. Set the team's lead and the managers in setup.")
    person = chain[ticket.escalation_level]
    tickets.change(
        ticket,
        now=now,
        guard={"escalation_level": ticket.escalation_level},
        escalation_level=ticket.escalation_level + 1,
    )
    tickets.watch(ticket, person=person, kind=WatcherKind.WATCHER, now=now)
    comment, _ = tickets.comment(ticket, body=reason, is_public=False, actor=actor, now=now, data={"of": "escalated"})
    entry = tickets.record(
        Verb.ESCALATED,
        ticket,
        actor=actor,
        now=now,
        data={"to": person, "level": ticket.escalation_level, "comment": comment.pk},
    )
    steps.tell(entry, topic=Topic.ESCALATED, persons=[person], actor=actor, now=now)
    return ticket


@use_case
def reply(
    number: int,
    *,
    body: str,
    attachments: tuple[str, ...] = (),
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Comment:
    """Say something publicly: the desk to the requester, or the requester to the desk.

    The desk's first public reply is the first response. A requester's reply resumes a ticket that waits for them.
    """
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version)
    if ticket.state == State.CLOSED:
        raise Conflict("This ticket is closed; open a follow-up.")
    body = text.prose(body, field="body", required=True)
    written, entry = tickets.comment(ticket, body=body, is_public=True, actor=actor, now=now)
    if steps.is_requester_side(actor, ticket):
        tickets.change(ticket, now=now, asked_at=ticket.asked_at or now)
        if ticket.state == State.WAITING and ticket.waiting_on == WaitingOn.REQUESTER:
            tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
        steps.tell(entry, topic=Topic.REPLIED, persons=steps.desk_audience(ticket), actor=actor, now=now)
    else:
        tickets.change(ticket, now=now, asked_at=None, first_response_at=ticket.first_response_at or now)
        if ticket.state == State.NEW:
            tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.ACKNOWLEDGE, actor=actor, now=now)
        steps.tell(entry, topic=Topic.REPLIED, persons=steps.public_audience(ticket), actor=actor, now=now)
    return written


@use_case
def note(
    number: int,
    *,
    body: str,
    attachments: tuple[str, ...] = (),
    mentions: tuple[int, ...] = (),
    actor: Actor,
    now: datetime,
) -> Comment:
    """Write an internal note; the requester never sees it. `mentions` are people to tell."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor)
    body = text.prose(body, field="body", required=True)
    written, entry = tickets.comment(ticket, body=body, is_public=False, actor=actor, now=now)
    tickets.change(ticket, now=now)
    steps.tell(entry, topic=Topic.MENTIONED, persons=mentions, actor=actor, now=now)
    steps.tell(entry, topic=Topic.WATCHED, persons=steps.desk_audience(ticket) - set(mentions), actor=actor, now=now)
    return written


@use_case
def wait(
    number: int,
    *,
    on: WaitingOn,
    until: datetime | None = None,
    reason: str = "",
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Ticket:
    """It cannot go on: it waits for the requester, a supplier or a change, at most until `until` (aware, in the future)."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if until is not None and until <= now:
        raise Invalid("This is in the past.", field="until")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.WAIT,
        actor=actor,
        now=now,
        data={
            "on": on.value,
            "until": until.isoformat() if until else None,
            "reason": text.line(reason, field="reason", limit=500, required=False),
        },
        waiting_on=on.value,
        waiting_until=until,
    )
    if on is WaitingOn.REQUESTER:
        steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    return ticket


@use_case
def resume(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Go on with a waiting ticket."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.RESUME, actor=actor, now=now)
    return ticket


@use_case
def resolve(
    number: int, *, code: str = "fixed", resolution: str = "", actor: Actor, now: datetime, version: int | None = None
) -> Ticket:
    """Resolve an incident or fulfil a request; everybody who asked is told. It closes by itself after some days."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if code not in rules.CODES:
        raise Invalid("Choose how it was resolved.", field="code")
    days = people.inherited(ticket.organization, "closes_after_days")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.RESOLVE,
        actor=actor,
        now=now,
        data={"code": code},
        resolution_code=code,
        resolution=text.prose(resolution, field="resolution"),
        restored_at=ticket.restored_at or now,
        closing_at=tickets.closing_at(now, DEFAULT_CLOSES_AFTER_DAYS if days is None else days),
    )
    steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    return ticket


@use_case
def reopen(number: int, *, reason: str = "", actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """It is not solved after all. A closed ticket never reopens; it gets a follow-up."""
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor, version=version)
    entry = tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.REOPEN, actor=actor, now=now, asked_at=now)
    if reason := text.prose(reason, field="reason"):
        tickets.comment(ticket, body=reason, is_public=True, actor=actor, now=now)
    steps.tell(
        entry,
        topic=Topic.STATE,
        persons=steps.desk_audience(ticket) | steps.public_audience(ticket),
        actor=actor,
        now=now,
    )
    return ticket


@use_case
def close(number: int, *, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """Close a resolved ticket for good."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    tickets.move(ticket, lifecycle=lifecycle(ticket), verb=Move.CLOSE, actor=actor, now=now)
    return ticket


@use_case
def cancel(number: int, *, reason: str, actor: Actor, now: datetime, version: int | None = None) -> Ticket:
    """End a ticket that should not be worked: a duplicate, withdrawn, a mistake, not ours."""
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if reason not in rules.CANCEL_REASONS:
        raise Invalid("Choose why it is cancelled.", field="reason")
    entry = tickets.move(
        ticket,
        lifecycle=lifecycle(ticket),
        verb=Move.CANCEL,
        actor=actor,
        now=now,
        data={"reason": reason},
        resolution_code=reason,
    )
    steps.tell(entry, topic=Topic.STATE, persons=steps.public_audience(ticket), actor=actor, now=now)
    return ticket
