"""Receiving incidents and requests, and following up what is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import assigning, settling, steps
from allswell.desk.door import use_case, use_case_after
from allswell.incidents import operations as incidents
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor, Channel, Role
from allswell.kernel.errors import Conflict, Invalid
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import Act
from allswell.services import queries as services
from allswell.services.rules import impact_of
from allswell.tickets import operations as tickets
from allswell.tickets import queries, rules
from allswell.tickets.rules import Kind, LinkKind, State

if TYPE_CHECKING:
    from allswell.people.models import Person, Team
    from allswell.services.models import ConfigurationItem
    from allswell.tickets.models import Ticket

WORKS = (Role.AGENT, Role.LEAD, Role.DUTY_MANAGER)
MOST_PEOPLE = 10_000_000
_URGENCY = {"no": 1, "detour": 2, "yes": 3, "": 3}


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports or asks for. Ids are keys; `service` is an id or a slug; `requester` an id or an e-mail address.

    `impact` and `urgency` are 1 (highest) to 4; what is None is worked out. `can_work` is "no", "detour", "yes" or "".
    `is_by_mail`: nobody was asked for fields, and a mailbox and its rules chose service and team. Who is not `is_answered` is not told
    that it was received: a program, perhaps.
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
    category: int | None = None
    attachments: tuple[str, ...] = ()
    custom: dict[str, Any] = field(default_factory=dict)
    is_by_mail: bool = False
    is_answered: bool = True


def _works(actor: Actor) -> bool:
    return actor.has_role(*WORKS) or actor.is_system


def _requester(report: Report, actor: Actor) -> Person | None:
    wanted = report.requester if report.requester not in (None, "") else actor.person
    if wanted is None:
        return None
    person = steps.person_within_reach(wanted, actor=actor, field="requester")
    if person.pk != actor.person and not _works(actor):
        raise Invalid("Nobody is known by this name or address.", field="requester")
    return person


def service_named(ref: int | str | None, *, actor: Actor, is_known: bool = False) -> ConfigurationItem | None:
    """The service somebody names, by id or slug. Raises Invalid. `is_known`: the house named it, whoever it is for."""
    if ref is None or ref == "":
        return None
    service = services.by_ref(ref)
    if service is None or not service.is_active or not (is_known or _knows(actor, service)):
        raise Invalid("There is no such service.", field="service")
    return service


def _knows(actor: Actor, service: ConfigurationItem) -> bool:
    return service.organization_id is None or services.visible_to(actor).filter(pk=service.pk).exists()


def _team(what: Report, service: ConfigurationItem | None, actor: Actor) -> Team | None:
    if what.team is not None:
        found = people.team(what.team) if what.is_by_mail else None
        return found or steps.team_within_reach(what.team, actor=actor)
    if service is not None and service.team is not None and service.team.is_active:
        return service.team
    return people.first_line()


def _is_from_portal(actor: Actor) -> bool:
    return actor.channel is Channel.PORTAL or not _works(actor)


def _checked(what: Report, actor: Actor) -> None:
    if not _works(actor) and not what.is_by_mail:
        for name in ("team", "assignee"):
            if getattr(what, name) is not None:
                raise Invalid("Only the desk chooses this.", field=name)
    if what.can_work not in _URGENCY:
        raise Invalid("Choose one of the list.", field="can_work")
    affected(what.people_affected)
    for name in ("impact", "urgency"):
        level(getattr(what, name), name)


def affected(people_affected: int | None) -> None:
    """Refuse what is no number of people; None is fine."""
    if people_affected is not None and not 0 <= people_affected <= MOST_PEOPLE:
        raise Invalid("This is not a number of people.", field="people_affected")


def level(value: int | None, name: str) -> None:
    """Refuse what is no impact or urgency; None is fine."""
    if value is not None and not 1 <= value <= 4:
        raise Invalid("Use a number from 1 (highest) to 4.", field=name)


def category_named(category: int | None) -> int | None:
    """A category in use, by id. Raises Invalid."""
    if category is not None and queries.category(category) is None:
        raise Invalid("There is no such category.", field="category")
    return category


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a report comes to: the ticket it will open, not yet written, and how its requester wants to hear of it."""

    ticket: Ticket
    ways: notifications.Ways


def _as_asked(what: Report, *, actor: Actor, now: datetime) -> _Asked:
    """Find the service, the team, the priority and the first promises of what is reported."""
    _checked(what, actor)
    requester = _requester(what, actor)
    service = service_named(what.service, actor=actor, is_known=what.is_by_mail)
    organization = requester.organization if requester else None
    impact = what.impact or impact_of(service.criticality if service else 3, what.people_affected)
    urgency = what.urgency or _URGENCY[what.can_work]
    team = _team(what, service, actor)
    priority = steps.matrix_for(organization).priority(impact, urgency)
    ticket = tickets.new_ticket(
        actor=actor,
        now=now,
        kind=what.kind.value,
        title=text.line(what.title, field="title", limit=200),
        description=text.prose(what.description, field="description"),
        impact=impact,
        urgency=urgency,
        priority=priority,
        service=service,
        category_id=category_named(what.category),
        team=team,
        requester=requester,
        organization=organization,
        occurred_at=rules.past(what.occurred_at, now=now, field="occurred_at"),
        custom={}
        if what.is_by_mail
        else steps.custom_values(what.kind.value, what.custom, is_from_portal=_is_from_portal(actor)),
        **settling.foretell(
            what.kind.value,
            priority=priority,
            service=service.pk if service else None,
            organization=organization.pk if organization else None,
            team=team.pk if team else None,
            now=now,
        ),
    )
    return _Asked(ticket, notifications.ways(Topic.RECEIVED, [requester.pk] if requester and what.is_answered else []))


@use_case_after(_as_asked)
def report(asked: _Asked, what: Report, *, actor: Actor, now: datetime) -> Ticket:
    """Receive an incident or a request: find its service, team and priority, open it, tell the requester.

    Raises Invalid (field named), NotAllowed.
    """
    ticket = asked.ticket
    entry = tickets.open_ticket(ticket, actor=actor, now=now)
    if what.kind is Kind.INCIDENT:
        incidents.open_incident(ticket, people_affected=what.people_affected, can_work=what.can_work)
    if what.attachments:
        attach_to(ticket, what.attachments, is_public=True, actor=actor, now=now)
    if what.assignee is not None:
        assigning.give(ticket, person=what.assignee, actor=actor, now=now)
    team = ticket.team
    if team is not None and team.assignment != "manual":
        team = people.team(team.pk)  # whose turn it is, now that nobody else can be given one
    assigning.automatically(ticket, team=team, actor=actor, now=now)
    if ticket.requester_id is not None and what.is_answered:
        told, known = [ticket.requester_id], asked.ways
        steps.tell(entry, topic=Topic.RECEIVED, persons=told, actor=actor, now=now, is_for_actor_too=True, known=known)
    return ticket


def attach_to(ticket: Ticket, tokens: tuple[str, ...], *, is_public: bool, actor: Actor, now: datetime) -> None:
    """Put uploads of the actor on a ticket itself (not on a comment), and journal it."""
    attached = tickets.attach(ticket, tokens, comment=None, is_public=is_public, actor=actor)
    tickets.record(Verb.ATTACHED, ticket, actor=actor, now=now, data={"attachments": attached, "is_public": is_public})


def open_like(
    ticket: Ticket, *, title: str, description: str, link: LinkKind, requester: int | None, actor: Actor, now: datetime
) -> Ticket:
    """A new ticket that has everything from another but the words and perhaps who asked, linked to it."""
    priority = steps.matrix_for(ticket.organization).priority(ticket.impact, ticket.urgency)
    copied = ("kind", "impact", "urgency", "service_id", "category_id", "team_id", "organization_id", "custom")
    opened = tickets.new_ticket(
        actor=actor,
        now=now,
        title=title,
        description=description,
        priority=priority,
        is_restricted=ticket.is_restricted,
        requester_id=requester,
        **{name: getattr(ticket, name) for name in copied},
        **settling.foretell(
            ticket.kind,
            priority=priority,
            service=ticket.service_id,
            organization=ticket.organization_id,
            team=ticket.team_id,
            now=now,
        ),
    )
    entry = tickets.open_ticket(opened, actor=actor, now=now)
    if opened.kind == Kind.INCIDENT:
        incidents.open_incident(opened, people_affected=None, can_work="")
    if ticket.is_restricted:
        tickets.copy_named(ticket, opened, now=now)
    tickets.link(opened, ticket, kind=link, actor=actor, now=now)
    if opened.requester_id:
        steps.tell(entry, topic=Topic.RECEIVED, persons=[opened.requester_id], actor=actor, now=now, is_for_actor_too=True)
    return opened


def open_follow_up(ticket: Ticket, *, description: str, actor: Actor, now: datetime) -> Ticket:
    """The follow-up of a closed ticket; both journals say so."""
    opened = open_like(
        ticket,
        title=ticket.title,
        description=description,
        link=LinkKind.FOLLOW_UP_OF,
        requester=ticket.requester_id,
        actor=actor,
        now=now,
    )
    tickets.record(Verb.FOLLOWED_UP, ticket, actor=actor, now=now, data={"by": opened.pk})
    return opened


@use_case
def follow_up(number: int, *, description: str, actor: Actor, now: datetime) -> Ticket:
    """Open a new ticket for what a closed one did not settle; a closed ticket itself never reopens. Raises Conflict."""
    ticket = steps.ticket_for(number, Act.SPEAK, actor=actor)
    if State(ticket.state) not in rules.FINAL_STATES:
        raise Conflict("This ticket is not closed; reply to it or reopen it.")
    description = text.prose(description, field="description", required=True)
    return open_follow_up(ticket, description=description, actor=actor, now=now)
