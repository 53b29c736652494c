"""Saved views: named filters of the queue, of a person, of a team, or for everybody at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.people.rules import INSTALLATION, Act, TeamFacts, may, require
from allswell.tickets import queue, rules, setup_operations, setup_queries

from . import steps
from .door import use_case

if TYPE_CHECKING:
    from allswell.tickets.models import SavedView

MOST = 50


def _may_keep(view: SavedView, actor: Actor) -> bool:
    """Whether the actor may change or remove a view: one's own, a team's by its members, everybody's by who sets up or leads."""
    if view.person_id:
        return view.person_id == actor.person
    if view.team_id and (view.team_id in actor.teams or may(actor, Act.LEAD, TeamFacts(view.team_id, None))):
        return True
    return may(actor, Act.SET_UP, INSTALLATION) or (not view.team_id and may(actor, Act.LEAD, INSTALLATION))


def _named(name: str, *, but: str = "", actor: Actor) -> str:
    """A name no other view has that the actor sees. Raises Invalid."""
    name = text.line(name, field="name", limit=60)
    if any(view.name.casefold() == name.casefold() and view.slug != but for view in queue.saved_views(actor)):
        raise Invalid("Something with this name or address is there already.", field="name")
    return name


@use_case
def save(
    name: str, *, filters: Mapping[str, str], team: int | None = None, is_for_all: bool = False, actor: Actor, now: datetime
) -> SavedView:
    """Keep a filter under a name, for oneself, for a team, or for everybody at the desk. Raises Invalid, NotAllowed, Conflict."""
    require(actor, Act.SEE_DESK, INSTALLATION)
    kept = rules.view_filters(filters)
    name = _named(name, actor=actor)
    person = None if is_for_all or team is not None else actor.person
    if team is not None:
        steps.team_within_reach(team, actor=actor)
    held = setup_queries.saved_views()
    if person is not None and held.filter(person=person, is_active=True).count() >= MOST:
        raise Conflict("Remove a view first; you have as many as there can be.")
    view = setup_queries.unsaved_view(name=name, filters=kept, person=person, team=None if is_for_all else team)
    if not _may_keep(view, actor):
        raise NotAllowed("Your role does not allow this.")
    return setup_operations.keep_view(view, actor=actor, now=now)


def _view(slug: str, actor: Actor) -> SavedView:
    view = setup_queries.saved_views().filter(slug=slug, is_active=True).first()
    if view is None or (view.person_id and view.person_id != actor.person):
        raise NotFound("There is no such view.")
    if not _may_keep(view, actor):
        raise NotAllowed("Your role does not allow this.")
    return view


@use_case
def change(
    slug: str, *, name: str | None = None, filters: Mapping[str, str] | None = None, actor: Actor, now: datetime
) -> SavedView:
    """Name a view anew or give it other filters; its address stays."""
    view = _view(slug, actor)
    values: dict[str, object] = {}
    if name is not None:
        values["name"] = _named(name, but=slug, actor=actor)
    if filters is not None:
        values["filters"] = rules.view_filters(filters)
    setup_operations.change_view(view, values, actor=actor, now=now)
    return view


@use_case
def remove(slug: str, *, actor: Actor, now: datetime) -> None:
    """Take a view out of use."""
    setup_operations.change_view(_view(slug, actor), {"is_active": False}, actor=actor, now=now)
