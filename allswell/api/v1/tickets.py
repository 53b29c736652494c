"""Tickets: list, report, read, change; their conversation and their journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import last_seen, page, page_of
from allswell.desk import tickets as desk
from allswell.journal import queries as journal
from allswell.journal.rules import PUBLIC_VERBS, others_in, without_others
from allswell.kernel import text
from allswell.kernel.errors import NotFound
from allswell.kernel.instants import sensible
from allswell.search import queries as search
from allswell.tickets import queries, rules

from .shapes import Instant, Level, PersonRef, Ref, person_ref
from .ticket_shapes import Ticket, after_act, make_all, opened, rows_of, ticket_for

TAG = "Tickets"


def shown(call: Call, result: Any) -> Ticket:
    """The ticket of the address, after the act."""
    return after_act(call.path["number"], actor=call.actor)


def visible(call: Call) -> Any:
    """The ticket of the address, if the actor may see any part of it. Raises NotFound."""
    ticket = queries.visible_to(call.actor).filter(pk=call.path["number"]).first()
    if ticket is None:
        raise NotFound("There is no such ticket, or you may not see it.")
    return ticket


class TicketFilters(Paged):
    """What of the tickets the caller may see. A parameter given more than once means any of its values."""

    kind: list[rules.Kind] | UnsetType = UNSET
    state: list[rules.State] | UnsetType = UNSET
    priority: list[Annotated[int, Meta(ge=1, le=5)]] | UnsetType = UNSET
    team: list[Id] | UnsetType = UNSET
    assignee: list[Id] | UnsetType = UNSET
    requester: list[Id] | UnsetType = UNSET
    service: list[Id] | UnsetType = UNSET
    organization: list[Id] | UnsetType = UNSET
    is_open: bool | UnsetType = UNSET
    updated_since: Instant | UnsetType = UNSET
    q: Annotated[str, Meta(max_length=200, description="Words that all occur in the ticket.")] | UnsetType = UNSET


_ANY_OF = ("kind", "state", "priority", "service", "requester", "organization")
_DESK_ONLY = ("team", "assignee")


def filtered(call: Call, filters: TicketFilters) -> QuerySet[Any]:
    """The visible tickets the filters leave. Filters on facts of the desk look only at tickets whose desk facts are visible."""
    asks_desk = any(getattr(filters, name) is not UNSET for name in _DESK_ONLY)
    tickets = queries.at_the_desk(call.actor) if asks_desk else queries.visible_to(call.actor)
    for name in (*_ANY_OF, *_DESK_ONLY):
        if (wanted := getattr(filters, name)) is not UNSET:
            tickets = tickets.filter(**{f"{name}__in": wanted})
    if filters.is_open is not UNSET:
        tickets = tickets.filter(done_at__isnull=filters.is_open)
    if filters.updated_since is not UNSET:
        tickets = tickets.filter(updated_at__gte=sensible(filters.updated_since, field="updated_since"))
    return tickets


def found(call: Call, tickets: QuerySet[Any], words: str, *, limit: int, before: int | None) -> list[int]:
    """Numbers of those of `tickets` that contain the words, newest first; notes are looked into at the desk only."""
    numbers = set(search.newest(tickets, words, internal=False, limit=limit, before=before))
    if call.actor.is_agent:
        inside = tickets.filter(pk__in=queries.at_the_desk(call.actor).values("pk"))
        numbers |= set(search.newest(inside, words, internal=True, limit=limit, before=before))
    return sorted(numbers, reverse=True)[:limit]


@operation(
    "GET",
    "/tickets",
    id="listTickets",
    summary="Tickets the caller may see, newest first",
    tag=TAG,
    scope="tickets:read",
    query=TicketFilters,
    answer=Page[Ticket],
)
def list_tickets(call: Call) -> Page[Ticket]:
    filters: TicketFilters = call.query
    tickets = filtered(call, filters)

    def make(rows: Sequence[Any]) -> list[Ticket]:
        return make_all(rows, actor=call.actor)

    if filters.q is UNSET:
        return page(call, rows_of(tickets), make)
    numbers = found(call, tickets, filters.q, limit=filters.limit + 1, before=last_seen(call))
    rows = list(rows_of(tickets.filter(pk__in=numbers)).order_by("-pk"))
    return page_of(call, rows, make)


class NewTicket(Body):
    """What somebody reports or asks for. `requester` and `service` are ids, or an e-mail address and a short name."""

    title: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    kind: rules.Kind = rules.Kind.INCIDENT
    description: Annotated[str, Meta(max_length=100_000)] = ""
    requester: Id | Annotated[str, Meta(max_length=254)] | None = None
    service: Ref | None = None
    team: Id | None = None
    assignee: Id | None = None
    impact: Level | None = None
    urgency: Level | None = None
    people_affected: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    can_work: Literal["no", "detour", "yes", ""] = ""
    category: Id | None = None
    occurred_at: Instant | None = None
    attachments: Annotated[list[Annotated[str, Meta(max_length=43)]], Meta(max_length=20)] = []
    custom: dict[str, Any] = {}


@operation(
    "POST",
    "/tickets",
    id="createTicket",
    summary="Report an incident or make a request",
    tag=TAG,
    scope="tickets:write",
    details="Without `impact` and `urgency` they are worked out from the service and the number of people affected. "
    "Without `requester` it is the token's person.",
    body=NewTicket,
    answer=Ticket,
    status=201,
    present=lambda call, result: _created(call, result),
)
def create(call: Call) -> Any:
    body: NewTicket = call.body
    requester = body.requester
    if isinstance(requester, str) and not (requester.isascii() and requester.isdigit() and len(requester) < 16):
        requester = text.folded_address(requester, field="requester")
    what = desk.Report(
        kind=body.kind,
        title=body.title,
        description=body.description,
        requester=requester,
        service=body.service,
        team=body.team,
        assignee=body.assignee,
        impact=body.impact,
        urgency=body.urgency,
        people_affected=body.people_affected,
        can_work=body.can_work,
        category=body.category,
        occurred_at=body.occurred_at,
        attachments=tuple(body.attachments),
        custom=body.custom,
    )
    return desk.report(what, actor=call.actor, now=call.now)


def _created(call: Call, ticket: Any) -> Ticket:
    call.headers["Location"] = f"{BASE}/tickets/{ticket.pk}"
    return opened(ticket, actor=call.actor)


@operation(
    "GET",
    "/tickets/{number}",
    id="getTicket",
    summary="One ticket",
    tag=TAG,
    scope="tickets:read",
    answer=Ticket,
)
def get(call: Call) -> Ticket:
    return ticket_for(call.path["number"], actor=call.actor)


class Comment(Struct):
    """A public reply, or an internal note (`is_public` false), in Markdown. `is_auto`: written by a program."""

    id: int
    is_public: bool
    is_auto: bool
    author: PersonRef | None
    channel: str
    body: str
    created_at: datetime


_COMMENT = ("pk", "is_public", "is_auto", "author_id", "author__name", "channel", "body", "created_at")


def _comment(row: Sequence[Any]) -> Comment:
    pk, is_public, is_auto, author, name, channel, body, created_at = row
    return Comment(pk, is_public, is_auto, person_ref(author, name), channel, body, created_at)


def comment_shown(call: Call, comment: Any) -> Comment:
    """What was just written."""
    author = person_ref(call.actor.person, call.actor.name)
    return Comment(comment.pk, comment.is_public, comment.is_auto, author, comment.channel, comment.body, comment.created_at)


@operation(
    "GET",
    "/tickets/{number}/comments",
    id="listComments",
    summary="The conversation of a ticket, newest first; notes for the desk only",
    tag=TAG,
    scope="tickets:read",
    query=Paged,
    answer=Page[Comment],
)
def comments(call: Call) -> Page[Comment]:
    ticket = visible(call)
    rows = queries.comments(ticket, internal=queries.may_see_internal(call.actor, ticket))
    rows = rows.select_related(None)
    return page(call, rows.values_list(*_COMMENT), lambda found: [_comment(row) for row in found])


class Entry(Struct):
    """Something that happened to a ticket. `data` (ids and states) and whoever did it are told to the desk only."""

    id: int
    verb: str
    happened_at: datetime
    recorded_at: datetime
    actor_kind: str
    channel: str
    action: str
    person: PersonRef | UnsetType | None = UNSET
    data: dict[str, Any] | UnsetType = UNSET


_ENTRY = (
    "pk",
    "verb",
    "happened_at",
    "recorded_at",
    "actor_kind",
    "channel",
    "action",
    "person_id",
    "person__name",
    "data",
)


@operation(
    "GET",
    "/tickets/{number}/journal",
    id="listJournal",
    summary="What happened to a ticket, newest first",
    tag=TAG,
    scope="tickets:read",
    details="A requester sees the steps of their ticket; the desk sees everything, with who did it.",
    query=Paged,
    answer=Page[Entry],
)
def entries(call: Call) -> Page[Entry]:
    ticket = visible(call)
    internal = queries.may_see_internal(call.actor, ticket)
    rows = journal.of_ticket(ticket.pk)
    if not internal:
        rows = rows.filter(verb__in=[verb.value for verb in PUBLIC_VERBS])

    def make(found: Sequence[Any]) -> list[Entry]:
        made = []
        others = {number for row in found for number in others_in(row[1], row[-1])} if internal else set()
        hidden = queries.hidden_from(call.actor, others)
        for *plain, action, person, name, data in found:
            entry = Entry(*plain, str(action))  # type: ignore[call-arg]
            if internal:
                entry.person, entry.data = person_ref(person, name), without_others(entry.verb, data, hidden)
            made.append(entry)
        return made

    return page(call, rows.values_list(*_ENTRY), make)
