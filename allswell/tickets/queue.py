"""Reading the queue: which tickets a view holds, in the order of attention, fifty at a time, in one statement.

Rows are plain tuples made into `Row`s: fifty model instances with their joins would cost more than the page around them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from allswell.database.rows import Composed
from allswell.kernel.actor import Actor, Role, ScopeKind
from allswell.kernel.text import clean, whole
from allswell.search import queries as search

from . import queries
from .models import OPEN, SavedView, Tag, Ticket, TicketTag, Watcher
from .rules import DONE_STATES, State, WatcherKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

PAGE = 50
_MOST_NUMBER = 10**15
#: a tab counts no further
CAP = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket as the queue shows it."""

    id: int
    kind: str
    title: str
    state: str
    waiting_on: str
    waiting_until: datetime | None
    priority: int
    queue_rank: int
    queue_at: datetime
    next_due_at: datetime | None
    next_metric: str
    next_started_at: datetime | None
    opened_at: datetime
    updated_at: datetime
    asked_at: datetime | None
    first_response_at: datetime | None
    done_at: datetime | None
    escalation_level: int
    reopened_count: int
    return_count: int
    is_restricted: bool
    version: int
    assignee_id: int | None
    assignee: str | None
    requester: str | None
    organization: str | None
    service: str | None
    team: str | None


_COLUMNS = {"assignee": "assignee__name", "requester": "requester__name", "organization": "organization__name"} | {
    "service": "service__name",
    "team": "team__name",
}
_PATHS = [_COLUMNS.get(field.name, field.name) for field in fields(Row)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a view; the same names stand in the address. "" means no filter.

    `state` is a state, "open" (the default), "done" or "any"; `assignee` an id, "me" or "none"; `service`, `team`, `organization`
    and `category` are slugs.
    """

    state: str = ""
    kind: str = ""
    priority: str = ""
    service: str = ""
    team: str = ""
    assignee: str = ""
    organization: str = ""
    category: str = ""
    tag: str = ""
    q: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Filters:
        """Filters from an address or a saved view; unknown names are left out."""
        return cls(**{f.name: clean(str(given[f.name])[:200]).strip() for f in fields(cls) if given.get(f.name)})

    def chosen(self) -> dict[str, str]:
        """The filters in force."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}

    @property
    def is_by_age(self) -> bool:
        """Whether done tickets are in it: then the newest come first, there is no attention to order by."""
        return self.state in ("done", "any") or self.state in {state.value for state in DONE_STATES}


def _in_state(tickets: QuerySet[Ticket], state: str) -> QuerySet[Ticket]:
    if state in ("", "open"):
        return tickets.filter(OPEN)
    if state == "any":
        return tickets
    if state == "done":
        return tickets.exclude(OPEN)
    return tickets.filter(state=state) if state in {s.value for s in DONE_STATES} else tickets.filter(OPEN, state=state)


def narrowed(tickets: QuerySet[Ticket], filters: Filters, *, actor: Actor) -> QuerySet[Ticket]:
    """Those of `tickets` that pass the filters."""
    tickets = _in_state(tickets, filters.state)
    if filters.kind:
        tickets = tickets.filter(kind=filters.kind)
    if (priority := whole(filters.priority)) is not None:
        tickets = tickets.filter(priority=priority)
    for name in ("service", "team", "organization", "category"):
        if value := getattr(filters, name):
            tickets = tickets.filter(**{f"{name}__isnull": True} if value == "none" else {f"{name}__slug": value})
    if filters.assignee == "none":
        tickets = tickets.filter(assignee__isnull=True)
    elif filters.assignee == "me":
        tickets = tickets.filter(assignee=actor.person)
    elif (assignee := whole(filters.assignee)) is not None:
        tickets = tickets.filter(assignee=assignee)
    if filters.tag:
        tickets = tickets.filter(pk__in=TicketTag.objects.filter(tag__name=filters.tag).values("ticket"))
    if filters.q:
        tickets = search.matching(tickets, filters.q, internal=True)
    return tickets


def _near(actor: Actor) -> QuerySet[Ticket]:
    """What the actor sees at the desk, where only what is their own or their teams' is looked at.

    Whoever reads the whole installation sees all of that, restricted or not; not asking for each row lets indexes alone answer.
    """
    reads = (Role.AGENT, Role.LEAD, Role.DUTY_MANAGER, Role.AUDITOR)
    sees_all = any(grant.scope is ScopeKind.INSTALLATION and grant.role in reads for grant in actor.grants)
    return Ticket.objects.all() if sees_all and actor.person is not None else queries.at_the_desk(actor)


def of_team(team: int, *, actor: Actor) -> QuerySet[Ticket]:
    """What a team has."""
    return (_near(actor) if team in actor.teams else queries.at_the_desk(actor)).filter(team=team)


def mine(actor: Actor) -> QuerySet[Ticket]:
    """What is assigned to the actor."""
    return _near(actor).filter(assignee=actor.person)


def triage(actor: Actor) -> QuerySet[Ticket]:
    """What nobody has taken: in the actor's teams, or anywhere when they are in none."""
    if actor.teams:
        return _near(actor).filter(assignee__isnull=True, team__in=sorted(actor.teams))
    return queries.at_the_desk(actor).filter(assignee__isnull=True)


def waiting(actor: Actor) -> QuerySet[Ticket]:
    """What waits for somebody else: the actor's own and their teams'."""
    return _waits(_near(actor)).filter(Q(assignee=actor.person) | Q(team__in=sorted(actor.teams)))


def _waits(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Those that wait. The word itself stands in the statement: a plan for any state could not use the indexes of this one."""
    return tickets.filter(OPEN, state=RawSQL(f"'{State.WAITING.value}'", ()))


def watching(actor: Actor) -> QuerySet[Ticket]:
    """What the actor follows."""
    followed = Watcher.objects.filter(person=actor.person, kind=WatcherKind.WATCHER.value).values("ticket")
    return queries.at_the_desk(actor).filter(pk__in=followed)


def everything(actor: Actor) -> QuerySet[Ticket]:
    """All the actor sees at the desk."""
    return queries.at_the_desk(actor)


#: a view by name ("mine", "triage", "waiting", "watching", "all") or a team's by its id
View = str | int
_VIEWS = {"mine": mine, "triage": triage, "waiting": waiting, "watching": watching, "all": everything}


def of_view(view: View, *, actor: Actor) -> QuerySet[Ticket]:
    """The tickets of a view. Raises KeyError for a name that is none."""
    return of_team(view, actor=actor) if isinstance(view, int) else _VIEWS[view](actor)


#: teams up to whose number each is read by itself
_FEW_TEAMS = 8


def _parts(view: View, *, actor: Actor, is_ordered: bool) -> list[QuerySet[Ticket]]:
    """The tickets of a view as lists that may overlap, each of which one index gives: in their order when `is_ordered`.

    Of several teams, or of teams and an assignee, an index gives no common order: all would be read and sorted for the first fifty.
    """
    teams = sorted(actor.teams)
    if view not in ("triage", "waiting") or not teams:
        return [of_view(view, actor=actor)]
    each = [[team] for team in teams] if is_ordered and len(teams) <= _FEW_TEAMS else [teams]
    if view == "triage":
        return [_near(actor).filter(assignee__isnull=True, team__in=some) for some in each]
    wait = _waits(_near(actor))
    return [wait.filter(assignee=actor.person), *(wait.filter(team__in=some) for some in each)]


def _after(tickets: QuerySet[Ticket], after: str) -> QuerySet[Ticket]:
    """Continue behind the last row seen: "rank.microseconds.id". Comparing the three at once keeps to the index."""
    try:
        rank, stamp, number = (int(part) for part in after.split("."))
        opened = _EPOCH + timedelta(microseconds=stamp)
    except (ValueError, OverflowError, OSError):
        return tickets
    if not (0 <= rank <= 1000 and 0 <= number <= _MOST_NUMBER):
        return tickets  # nobody was given such a place; a database would not take it
    adapted = connection.ops.adapt_datetimefield_value(opened)
    return tickets.extra(
        where=["(tickets_ticket.queue_rank, tickets_ticket.queue_at, tickets_ticket.id) > (%s, %s, %s)"],
        params=[rank, adapted, number],
    )


def _below(tickets: QuerySet[Ticket], after: str) -> QuerySet[Ticket]:
    number = whole(after)
    return tickets if number is None else tickets.filter(pk__lt=number)


def rows(tickets: QuerySet[Ticket], *, is_by_age: bool = False, limit: int = PAGE) -> tuple[list[Row], str]:
    """The first rows of `tickets` and where the next page begins ("" on the last)."""
    tickets = tickets.order_by(*_order(is_by_age=is_by_age))
    return _page([Row(*values) for values in tickets.values_list(*_PATHS)[: limit + 1]], limit=limit, is_by_age=is_by_age)


def _order(*, is_by_age: bool) -> tuple[str, ...]:
    return ("-pk",) if is_by_age else ("queue_rank", "queue_at", "id")


def _page(found: list[Row], *, limit: int, is_by_age: bool) -> tuple[list[Row], str]:
    if len(found) <= limit:
        return found, ""
    found.pop()
    return found, place(found[-1], is_by_age=is_by_age)


def place(row: Row, *, is_by_age: bool = False) -> str:
    """Where a row stands, for the address of the next page."""
    if is_by_age:
        return str(row.id)
    micros = (row.queue_at - _EPOCH) // _MICROSECOND
    return f"{row.queue_rank}.{micros}.{row.id}"


def first_rows(view: View, filters: Filters, *, actor: Actor) -> tuple[list[Row], str]:
    """The first page of a view. Its statement depends on the view, the filters and the actor's rights alone and is composed once
    for each; what it finds is always read."""
    found = _first_rows(connection.vendor, view, filters, queries.rights_of(actor)).rows()
    return _page([Row(*values) for values in found], limit=PAGE, is_by_age=filters.is_by_age)


@functools.lru_cache(maxsize=1024)
def _first_rows(vendor: str, view: View, filters: Filters, rights: Actor) -> Composed:
    return _rows_of_view(view, filters, actor=rights)


def later_rows(view: View, filters: Filters, *, after: str, actor: Actor) -> tuple[list[Row], str]:
    """The page of a view that begins after the row at `after`."""
    found = _rows_of_view(view, filters, after=after, actor=actor).rows()
    return _page([Row(*values) for values in found], limit=PAGE, is_by_age=filters.is_by_age)


def _rows_of_view(view: View, filters: Filters, *, after: str = "", actor: Actor) -> Composed:
    order = _order(is_by_age=filters.is_by_age)
    parts = [narrowed(part, filters, actor=actor) for part in _parts(view, actor=actor, is_ordered=True)]
    if after:
        parts = [(_below if filters.is_by_age else _after)(part, after) for part in parts]
    parts = [part.order_by(*order) for part in parts]
    found = parts[0] if len(parts) == 1 else _together(parts, limit=PAGE + 1).order_by(*order)
    return Composed(found.values_list(*_PATHS)[: PAGE + 1])


def _together(parts: list[QuerySet[Ticket]], *, limit: int) -> QuerySet[Ticket]:
    """The first tickets of each part."""
    united, values = _united(parts, limit, "UNION ALL")
    return Ticket.objects.filter(pk__in=RawSQL(united, values)) if united else Ticket.objects.none()


def _united(parts: list[QuerySet[Ticket]], limit: int, how: str) -> tuple[str, list[Any]]:
    """The keys of the first tickets of each part as one statement, and its values."""
    composed = [Composed(part.values_list("pk")[:limit]) for part in parts]
    composed = [part for part in composed if part.sql]
    selects = [f"SELECT pk FROM ({part.sql}) part{number}" for number, part in enumerate(composed)]  # noqa: S608 - Django's own
    return f" {how} ".join(selects), [value for part in composed for value in part.values]


def _counting(lists: Iterable[list[QuerySet[Ticket]]], cap: int) -> tuple[str, list[Any]]:
    """One statement that counts the tickets of each list of parts, up to `cap`, and its values. A single part gives no keys: its
    index might not hold them."""
    selects: list[str] = []
    values: list[Any] = []
    for number, parts in enumerate(lists):
        if len(parts) == 1:
            alone = Composed(parts[0].order_by().values_list(Value(1))[:cap])
            inside, inner = alone.sql, alone.values
        else:
            inside, inner = _united([part.order_by() for part in parts], cap, "UNION")
            inside = inside and f"{inside} LIMIT {int(cap)}"
        selects.append(f"(SELECT count(*) FROM ({inside}) counted{number})" if inside else "0")  # noqa: S608 - Django's own
        values += inner
    return f"SELECT {', '.join(selects)}", values


def _counted(statement: tuple[str, list[Any]]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return list(cursor.fetchone())


def counts(views: Mapping[str, QuerySet[Ticket]], *, cap: int = CAP) -> dict[str, int]:
    """How many open tickets each view holds, up to `cap`, in one statement."""
    if not views:
        return {}
    numbers = _counted(_counting([[found.filter(OPEN)] for found in views.values()], cap))
    return dict(zip(views, numbers, strict=True))


def count_views(views: Iterable[tuple[View, Filters]], *, actor: Actor) -> list[int]:
    """How many open tickets each view with its filters holds, up to CAP, in one statement that is composed once for the actor's rights."""
    wanted = tuple(views)
    return _counted(_counting_views(connection.vendor, wanted, queries.rights_of(actor))) if wanted else []


@functools.lru_cache(maxsize=1024)
def _counting_views(vendor: str, views: tuple[tuple[View, Filters], ...], rights: Actor) -> tuple[str, list[Any]]:
    lists = [
        [
            narrowed(part if not filters.is_by_age else part.filter(OPEN), filters, actor=rights)
            for part in _parts(view, actor=rights, is_ordered=False)
        ]
        for view, filters in views
    ]
    return _counting(lists, CAP)


def saved_views(actor: Actor) -> list[SavedView]:
    """The saved views of the actor: their own, their teams', and those for all agents."""
    whose = Q(person=actor.person) | Q(team__in=sorted(actor.teams)) | Q(person__isnull=True, team__isnull=True)
    return list(SavedView.objects.filter(whose, is_active=True).order_by("position", "name", "id"))


def tag_names(actor: Actor) -> list[str]:
    """The tags on tickets the actor sees at the desk, by name: what others call theirs may say what happened there."""
    seen = TicketTag.objects.filter(tag=OuterRef("pk"), ticket__in=queries.at_the_desk(actor).values("pk"))
    return list(Tag.objects.filter(Exists(seen)).order_by("name").values_list("name", flat=True)[:500])


def row(number: int, *, actor: Actor) -> Row | None:
    """One ticket as a row."""
    found = queries.at_the_desk(actor).filter(pk=number).values_list(*_PATHS).first()
    return Row(*found) if found else None
