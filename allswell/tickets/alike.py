"""What helped before: tickets of the same service with much the same title, and how they were resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor

from . import queries
from .rules import reference

if TYPE_CHECKING:
    from .models import Ticket

_WORD = re.compile(r"\w{3,}", re.UNICODE)
#: the newest tickets of the service that are looked at
_LOOKED_AT = 60
#: the share of words two titles have in common from which they are about the same
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Solved:
    """A ticket like this one, and what helped; `times`: how many such there are among the newest."""

    number: int
    reference: str
    title: str
    resolution: str
    times: int


def likeness(one: str, other: str) -> float:
    """The share of their words two titles have in common, 0 to 1."""
    mine, its = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    return len(mine & its) / len(mine | its) if mine and its else 0.0


def solved_before(ticket: Ticket, *, actor: Actor) -> Solved | None:
    """What helped the last time this service had much the same, as far as the actor sees it at the desk."""
    if ticket.service_id is None:
        return None
    rows = queries.at_the_desk(actor).filter(service=ticket.service_id, pk__lt=ticket.pk).order_by("-pk")
    found = [
        (kind, pk, title, resolution)
        for kind, pk, title, resolution in rows.values_list("kind", "pk", "title", "resolution")[:_LOOKED_AT]
        if resolution.strip() and likeness(ticket.title, title) >= _ALIKE
    ]
    if not found:
        return None
    kind, pk, title, resolution = found[0]
    return Solved(pk, reference(kind, pk), title, resolution, len(found))
