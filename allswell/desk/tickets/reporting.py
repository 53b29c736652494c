"""Receiving incidents and requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.incidents import operations as incidents
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.services.rules import impact_of
from allswell.tickets import operations as tickets
from allswell.tickets import rules
from allswell.tickets.rules import Kind

if TYPE_CHECKING:
    from allswell.people.models import Organization, Person
    from allswell.services.models import ConfigurationItem
    from allswell.tickets.models import Ticket


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
