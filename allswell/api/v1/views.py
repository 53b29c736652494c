"""Views of the queue: those everybody at the desk has, and the saved ones of oneself, one's teams and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from django.db.models import QuerySet
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import views as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.people.rules import INSTALLATION, Act, require
from allswell.tickets import queue

from .ticket_shapes import Ticket, make_all, rows_of

TAG = "Views"
_BUILT_IN: dict[str, tuple[str, Callable[[Actor], QuerySet[Any]]]] = {
    "mine": ("My work", queue.mine),
    "triage": ("Triage", queue.triage),
    "waiting": ("Waiting", queue.waiting),
    "watching": ("Watching", queue.watching),
    "all": ("All", queue.everything),
}
_NO_FILTERS = queue.Filters()


class View(Struct):
    """A named part of the queue. `whose` is "built_in", "mine", "team" or "all"; `filters` are those of the queue's page."""

    slug: str
    name: str
    whose: str
    filters: dict[str, str]


class Views(Struct):
    """The views of the caller, in their order."""

    items: list[View]


def _saved(row: Any) -> View:
    whose = "mine" if row.person_id else "team" if row.team_id else "all"
    return View(row.slug, row.name, whose, queue.Filters.parse(row.filters).chosen())


@operation("GET", "/views", id="listViews", summary="The views of the caller", tag=TAG, scope="tickets:read", answer=Views)
def list_views(call: Call) -> Views:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    built_in = [View(slug, name, "built_in", {}) for slug, (name, _) in _BUILT_IN.items()]
    return Views(items=[*built_in, *(_saved(row) for row in queue.saved_views(call.actor))])


@operation(
    "GET",
    "/views/{slug}/tickets",
    id="listViewTickets",
    summary="The tickets of a view, newest first",
    tag=TAG,
    scope="tickets:read",
    query=Paged,
    answer=Page[Ticket],
)
def tickets(call: Call) -> Page[Ticket]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)

    def make(rows: Sequence[Any]) -> list[Ticket]:
        return make_all(rows, actor=call.actor)

    return page(call, rows_of(view_tickets(call.path["slug"], call.actor)), make)


def view_tickets(slug: str, actor: Actor, filters: queue.Filters = _NO_FILTERS) -> QuerySet[Any]:
    """The tickets of a built-in or saved view of the actor; `filters` replace the view's own of the same name. Raises NotFound."""
    if slug in _BUILT_IN:
        return queue.narrowed(_BUILT_IN[slug][1](actor), filters, actor=actor)
    for row in queue.saved_views(actor):
        if row.slug == slug:
            own = queue.Filters.parse(row.filters)
            return queue.narrowed(queue.everything(actor), replace(own, **filters.chosen()), actor=actor)
    raise NotFound("There is no such view.")


Filters = Annotated[
    dict[str, Annotated[str, Meta(max_length=200)]],
    Meta(
        description="state, kind, priority, service, team, assignee, organization, category, tag, q; as the queue's page has them."
    ),
]
ViewName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S")]


class NewView(Body):
    """A filter to keep under a name: for oneself, for a team, or for everybody at the desk."""

    name: ViewName
    filters: Filters
    team: Id | None = None
    is_for_all: bool = False


@operation(
    "POST",
    "/views",
    id="createView",
    summary="Keep a filter under a name",
    tag=TAG,
    scope="tickets:write",
    body=NewView,
    answer=View,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewView = call.body
    return desk.save(body.name, filters=body.filters, team=body.team, is_for_all=body.is_for_all, actor=call.actor, now=call.now)


def _created(call: Call, row: Any) -> View:
    call.headers["Location"] = f"{BASE}/views/{row.slug}/tickets"
    return _saved(row)


class ViewChange(Body):
    """What to change; what is left out stays."""

    name: ViewName | UnsetType = UNSET
    filters: Filters | UnsetType = UNSET


@operation(
    "PATCH",
    "/views/{slug}",
    id="updateView",
    summary="Name a saved view anew or give it other filters; its address stays",
    tag=TAG,
    scope="tickets:write",
    body=ViewChange,
    answer=View,
    present=lambda call, row: _saved(row),
)
def update(call: Call) -> Any:
    body: ViewChange = call.body
    return desk.change(
        call.path["slug"],
        name=None if body.name is UNSET else body.name,
        filters=None if body.filters is UNSET else body.filters,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "DELETE",
    "/views/{slug}",
    id="removeView",
    summary="Take a saved view out of use",
    tag=TAG,
    scope="tickets:write",
    status=204,
)
def remove(call: Call) -> Any:
    return desk.remove(call.path["slug"], actor=call.actor, now=call.now)
