"""A ticket as the API shows it. What only the desk may know is left out for everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from msgspec import UNSET, Struct, UnsetType

from allswell.database.rows import Prepared
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.people.rules import Act, TicketFacts, may
from allswell.tickets import queries, rules

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket as Record

from .shapes import NamedRef, PersonRef, named_ref, person_ref


class Ticket(Struct):
    """A ticket. The fields from `team` on are the desk's: they are missing for a requester."""

    number: int
    reference: str
    url: str
    kind: rules.Kind
    title: str
    description: str
    state: rules.State
    waiting_on: rules.WaitingOn | None
    waiting_until: datetime | None
    impact: int
    urgency: int
    priority: int
    service: NamedRef | None
    category: NamedRef | None
    requester: PersonRef | None
    organization: NamedRef | None
    channel: str
    occurred_at: datetime | None
    opened_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    first_response_at: datetime | None
    restored_at: datetime | None
    resolved_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    resolution_code: str
    resolution: str
    rating: int | None
    version: int
    team: NamedRef | UnsetType | None = UNSET
    assignee: PersonRef | UnsetType | None = UNSET
    reporter: PersonRef | UnsetType | None = UNSET
    priority_reason: str | UnsetType = UNSET
    is_restricted: bool | UnsetType = UNSET
    is_major: bool | UnsetType = UNSET
    reopened_count: int | UnsetType = UNSET
    handover_count: int | UnsetType = UNSET
    return_count: int | UnsetType = UNSET
    escalation_level: int | UnsetType = UNSET
    closing_at: datetime | UnsetType | None = UNSET
    next_due_at: datetime | UnsetType | None = UNSET
    next_metric: str | UnsetType = UNSET
    merged_into: int | UnsetType | None = UNSET
    custom: dict[str, Any] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    external_source: str | UnsetType = UNSET
    external_ref: str | UnsetType = UNSET


_PUBLIC = (
    "pk",
    "kind",
    "title",
    "description",
    "state",
    "waiting_on",
    "waiting_until",
    "impact",
    "urgency",
    "priority",
    "service_id",
    "service__slug",
    "service__name",
    "category_id",
    "category__slug",
    "category__name",
    "requester_id",
    "requester__name",
    "organization_id",
    "organization__slug",
    "organization__name",
    "channel",
    "occurred_at",
    "opened_at",
    "updated_at",
    "acknowledged_at",
    "first_response_at",
    "restored_at",
    "resolved_at",
    "done_at",
    "closed_at",
    "resolution_code",
    "resolution",
    "rating",
    "version",
)
_DESK = (
    "team_id",
    "team__slug",
    "team__name",
    "assignee_id",
    "assignee__name",
    "reporter_id",
    "reporter__name",
    "priority_reason",
    "is_restricted",
    "is_major",
    "reopened_count",
    "handover_count",
    "return_count",
    "escalation_level",
    "closing_at",
    "next_due_at",
    "next_metric",
    "merged_into_id",
    "custom",
    "external_source",
    "external_ref",
)
COLUMNS = _PUBLIC + _DESK


def make(row: Sequence[Any], *, internal: bool) -> Ticket:
    """A ticket from its COLUMNS."""
    values = dict(zip(COLUMNS, row, strict=True))
    ticket = Ticket(
        number=values["pk"],
        reference=rules.reference(values["kind"], values["pk"]),
        url=f"{settings.PUBLIC_URL}/tickets/{values['pk']}",
        waiting_on=values["waiting_on"] or None,
        service=named_ref(values["service_id"], values["service__slug"], values["service__name"]),
        category=named_ref(values["category_id"], values["category__slug"], values["category__name"]),
        requester=person_ref(values["requester_id"], values["requester__name"]),
        organization=named_ref(values["organization_id"], values["organization__slug"], values["organization__name"]),
        **{name: values[name] for name in _PLAIN},
    )
    if internal:
        ticket.team = named_ref(values["team_id"], values["team__slug"], values["team__name"])
        ticket.assignee = person_ref(values["assignee_id"], values["assignee__name"])
        ticket.reporter = person_ref(values["reporter_id"], values["reporter__name"])
        ticket.merged_into = values["merged_into_id"]
        for name in _DESK_PLAIN:
            setattr(ticket, name, values[name])
    return ticket


def _plain(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in Ticket.__struct_fields__ and name != "waiting_on")


_PLAIN, _DESK_PLAIN = _plain(_PUBLIC), _plain(_DESK)


def _facts(values: dict[str, Any]) -> TicketFacts:
    return TicketFacts(
        organization=values["organization_id"],
        team=values["team_id"],
        requester=values["requester_id"],
        assignee=values["assignee_id"],
        is_restricted=values["is_restricted"],
    )


def _row_of(ticket: Record, actor: Actor) -> list[Any] | None:
    """The COLUMNS of a ticket just opened, from what is at hand; None when a name in them is not."""
    if ticket.custom:
        return None  # as the database gives it back
    others = ticket._state.fields_cache
    told = {"reporter_id": actor.person, "reporter__name": actor.name} if ticket.reporter_id == actor.person else {}
    row: list[Any] = []
    value: Any
    for name in COLUMNS:
        relation, _, column = name.partition("__")
        if name in told:
            value = told[name]
        elif not column:
            value = getattr(ticket, name)
            if isinstance(value, datetime):
                value = value.astimezone(UTC)
        elif getattr(ticket, f"{relation}_id") is None:
            value = None
        elif (other := others.get(relation)) is not None:
            value = getattr(other, column)
        else:
            return None
        row.append(value)
    return row


def _without_tags(ticket: Ticket) -> Ticket:
    if ticket.team is not UNSET:
        ticket.tags = []
    return ticket


def make_all(rows: Sequence[Sequence[Any]], *, actor: Actor, is_new: bool = False) -> list[Ticket]:
    """Tickets from rows the actor may see; the desk's facts on those where the actor is of the desk.

    Most are decided from the row alone. Watching adds rights, so the rest is asked in one statement.
    """
    decided = {row[0]: may(actor, Act.SEE_INTERNAL, _facts(dict(zip(COLUMNS, row, strict=True)))) for row in rows}
    open_ones = [number for number, internal in decided.items() if not internal] if actor.grants else []
    if open_ones:
        for number in queries.at_the_desk(actor).filter(pk__in=open_ones).values_list("pk", flat=True):
            decided[number] = True
    made = [make(row, internal=decided[row[0]]) for row in rows]
    if is_new:
        return [_without_tags(ticket) for ticket in made]
    inside = [ticket for ticket in made if decided[ticket.number]]
    words = queries.tags_of([ticket.number for ticket in inside])
    hidden = queries.hidden_from(actor, [ticket.merged_into for ticket in inside if ticket.merged_into])
    for ticket in inside:
        if ticket.merged_into in hidden:
            ticket.merged_into = None
        ticket.tags = words.get(ticket.number, [])
    return made


def rows_of(tickets: QuerySet[Any]) -> QuerySet[Any, Any]:
    """The COLUMNS of tickets."""
    return tickets.values_list(*COLUMNS)


def ticket_for(number: int, *, actor: Actor) -> Ticket:
    """One ticket as the actor sees it. Raises NotFound."""
    row = rows_of(queries.visible_to(actor).filter(pk=number)).first()
    if row is None:
        raise NotFound("There is no such ticket, or you may not see it.")
    return make_all([row], actor=actor)[0]


_BY_NUMBER = Prepared(lambda number: rows_of(queries.all_tickets().filter(pk=number)))


def after_act(number: int, *, actor: Actor) -> Ticket:
    """One ticket as it is after an act of the actor, who may have lost sight of it by handing it over: then its public side."""
    row = _BY_NUMBER.first(number)
    assert row is not None
    return make_all([row], actor=actor)[0]


def opened(ticket: Record, *, actor: Actor) -> Ticket:
    """A ticket the actor has just opened."""
    row = _row_of(ticket, actor) or _BY_NUMBER.first(ticket.pk)
    assert row is not None
    return make_all([row], actor=actor, is_new=True)[0]
