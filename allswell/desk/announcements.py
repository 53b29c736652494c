"""The use cases of announcing: tell the world about an incident, join it, tell more, end it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from allswell.incidents import operations as incidents
from allswell.incidents import queries, rules
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.kernel.instants import sensible
from allswell.people import queries as people
from allswell.people.rules import Act, may, require
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import Kind

from . import steps
from .door import use_case
from .tickets.reporting import service_named

if TYPE_CHECKING:
    from allswell.incidents.models import Announcement
    from allswell.people.models import Organization
    from allswell.tickets.models import Ticket

TITLE_LIMIT = 160
BODY_LIMIT = 4000


def reachable_audience(ticket: Ticket, actor: Actor) -> tuple[bool, list[Organization]]:
    """Whom the actor may announce this incident to: whether to everybody, and to which organizations (by name)."""
    known = list(people.organizations().order_by("name", "id"))
    home = next((organization.path for organization in known if organization.pk == ticket.organization_id), None)
    own = frozenset(organization.pk for organization in known if home and organization.path.startswith(home))
    choices = [
        organization
        for organization in known
        if organization.is_active and rules.may_announce_to(actor, organization.pk, own=own)
    ]
    return rules.may_announce_to(actor, None, own=own), choices


def _audience(ticket: Ticket, *, is_for_all: bool, audience: tuple[int, ...], actor: Actor) -> list[int] | None:
    """The ids of the organizations told, None for everybody. Raises Invalid, NotAllowed."""
    may_tell_all, choices = reachable_audience(ticket, actor)
    if is_for_all:
        if not may_tell_all:
            raise NotAllowed("Your role does not reach everybody. Choose organizations.", field="audience")
        return None
    wanted = sorted(set(audience))
    if not wanted:
        raise Invalid("Choose who is told.", field="audience")
    if not set(wanted) <= {organization.pk for organization in choices}:
        raise Invalid("There is no such organization, or your role does not reach it.", field="audience")
    return wanted


def _next_update(next_update_at: datetime | None, now: datetime) -> datetime | None:
    next_update_at = sensible(next_update_at, field="next_update_at")
    if next_update_at is not None and next_update_at <= now:
        raise Invalid("This is in the past.", field="next_update_at")
    return next_update_at


@use_case
def announce(
    number: int,
    *,
    title: str,
    body: str = "",
    is_for_all: bool = False,
    audience: tuple[int, ...] = (),
    service: int | str | None = None,
    next_update_at: datetime | None = None,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> Announcement:
    """Tell everybody, or some organizations with all below them, about an incident. These words are all they see of it.

    `service` (id or slug) defaults to the incident's. Those who reported the same or were affected before are told.
    Raises Invalid, Conflict (done, no incident, announced already), NotAllowed.
    """
    ticket = steps.ticket_for(number, Act.WORK, actor=actor, version=version)
    if ticket.kind != Kind.INCIDENT:
        raise Conflict("Only incidents are announced.")
    if ticket.done_at:
        raise Conflict("This ticket is done; reopen it first.")
    told = _audience(ticket, is_for_all=is_for_all, audience=audience, actor=actor)
    shown = service_named(service, actor=actor) or ticket.service
    tickets.change(ticket, now=now)  # of two who announce at once the second waits here, then sees the first
    if queries.open_announcement(number):
        raise Conflict("This is announced already. Write an update instead.")
    written, entry = incidents.announce(
        ticket,
        title=text.line(title, field="title", limit=TITLE_LIMIT),
        body=text.prose(body, field="body", limit=BODY_LIMIT),
        service=shown.pk if shown else None,
        audience=told,
        next_update_at=_next_update(next_update_at, now),
        actor=actor,
        now=now,
    )
    audience_told = _followers(ticket)
    steps.tell_announced(entry, written, step="announced", persons=audience_told, actor=actor, now=now, body=written.body)
    return written


def _followers(ticket: Ticket) -> set[int]:
    """Who hears news of an announced incident: who asked, who reported the same, who said "same for me"."""
    return steps.public_audience(ticket) | ticket_queries.requesters_of_same(ticket.pk) | steps.affected_audience(ticket)


def _open(announcement: int, *, actor: Actor) -> Announcement:
    """The announcement, open, of an incident the actor works on. Raises NotFound, NotAllowed, Conflict."""
    found = queries.announcement(announcement)
    facts = ticket_queries.facts(found.ticket, person=actor.person) if found else None
    if found is None or facts is None or not may(actor, Act.SEE, facts):
        raise NotFound("There is no such announcement.")
    require(actor, Act.WORK, facts)
    if found.ended_at:
        raise Conflict("This announcement has ended.")
    return found


@use_case
def update(announcement: int, *, body: str, next_update_at: datetime | None = None, actor: Actor, now: datetime) -> Announcement:
    """One more word on an announcement; everybody who follows it is told. `next_update_at` replaces the former promise."""
    found = _open(announcement, actor=actor)
    body = text.prose(body, field="body", limit=BODY_LIMIT, required=True)
    until = _next_update(next_update_at, now)
    _, entry = incidents.update_announcement(found, body=body, next_update_at=until, actor=actor, now=now)
    steps.tell_announced(entry, found, step="updated", persons=_followers(found.ticket), actor=actor, now=now, body=body)
    return found


@use_case
def end(announcement: int, *, body: str = "", actor: Actor, now: datetime) -> Announcement:
    """Take an announcement down before its incident is resolved; `body` are closing words for who follows it."""
    found = _open(announcement, actor=actor)
    body = text.prose(body, field="body", limit=BODY_LIMIT)
    if body:
        incidents.update_announcement(found, body=body, next_update_at=None, actor=actor, now=now)
    entry = incidents.end_announcement(found, actor=actor, now=now)
    steps.tell_announced(entry, found, step="ended", persons=_followers(found.ticket), actor=actor, now=now, body=body)
    return found


@use_case
def same_for_me(announcement: int, *, actor: Actor, now: datetime) -> Announcement:
    """The actor has it too: they are counted, and told every update and the end. Saying it twice changes nothing.

    Raises NotFound when it is not announced to them (or no longer).
    """
    found = queries.visible_announcements(actor).select_related("ticket").filter(pk=announcement).first()
    if found is None or actor.person is None:
        raise NotFound("This is no longer announced. If it still does not work, report it.")
    if actor.person not in steps.public_audience(found.ticket):
        incidents.affect(found, person=actor.person, actor=actor, now=now)
    return found
