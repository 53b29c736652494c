"""One box for everything: tickets by number or words, people, services."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

from allswell.api.bearer import holds
from allswell.api.contract import Call, Query, operation
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import queries

from .shapes import NamedRef, PersonRef
from .ticket_shapes import Ticket, make_all, rows_of
from .tickets import found

_NUMBER = re.compile(r"(?:[A-Za-z]{3}-)?([0-9]{1,15})")


class Words(Query):
    """What is looked for."""

    q: Annotated[str, Meta(min_length=1, max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class Found(Struct):
    """What was found and the caller may see; at most `limit` of each kind. People and services as far as the token's scopes reach."""

    tickets: list[Ticket]
    people: list[PersonRef]
    services: list[NamedRef]


@operation(
    "GET",
    "/search",
    id="search",
    summary="Tickets by number or words, people and services by name",
    tag="Search",
    scope="tickets:read",
    details="Newest tickets first. Notes are looked into for the desk only.",
    query=Words,
    answer=Found,
)
def everything(call: Call) -> Found:
    words: Words = call.query
    tickets = queries.visible_to(call.actor)
    numbers = found(call, tickets, words.q, limit=words.limit, before=None)
    if (named := _NUMBER.fullmatch(words.q.strip())) and (number := int(named[1])) not in numbers:
        numbers = [number, *numbers][: words.limit]
    rows = sorted(rows_of(tickets.filter(pk__in=numbers)), key=lambda row: numbers.index(row[0]))
    known, offered = [], []
    if holds(call.actor, "people:read"):
        inside = people.people_visible_to(call.actor).filter(name__icontains=words.q, is_active=True)
        known = [PersonRef(*row) for row in inside.order_by("name", "pk").values_list("pk", "name")[: words.limit]]
    if holds(call.actor, "services:read"):
        on = services.visible_to(call.actor).filter(name__icontains=words.q, is_active=True)
        offered = [NamedRef(*row) for row in on.order_by("name", "pk").values_list("pk", "slug", "name")[: words.limit]]
    return Found(tickets=make_all(rows, actor=call.actor), people=known, services=offered)
