"""The use cases of maintenance windows: work on services is announced, and their alerts belong to it while it lasts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk.door import use_case
from allswell.intake.operations import alert_settings as writing
from allswell.intake.queries import quiet as reading
from allswell.intake.rules.routing import Quiet
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotAllowed, NotFound

from . import quiet
from .quiet import Preview

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import MaintenanceWindow

LONGEST = timedelta(days=60)


def visible_to(actor: Actor) -> QuerySet[MaintenanceWindow]:
    """The announced work an actor may know."""
    return reading.windows_visible_to(actor)


def one(window: int, *, actor: Actor) -> MaintenanceWindow:
    """Announced work the actor may know. Raises NotFound."""
    found = visible_to(actor).filter(pk=window).first()
    if found is None:
        raise NotFound("There is no such work, or you may not see it.")
    return found


def _about(
    services: Collection[int | str], matchers: Iterable[Mapping[str, Any]], *, actor: Actor
) -> tuple[list[int], list[dict[str, str]], Quiet]:
    quiet.require_works(actor)
    found = quiet.conditions(matchers, is_enough=bool(services))
    rows = [row.pk for row in quiet.named(services, actor=actor, field="services")]
    if not rows:
        quiet.about_all(actor=actor)
    return rows, [one.as_json() for one in found], Quiet("window", 0, found, frozenset(rows))


def preview(*, services: Collection[int | str], matchers: Iterable[Mapping[str, Any]] = (), actor: Actor) -> Preview:
    """How many alerts that fire now it would be about; nothing is written. Raises Invalid, NotAllowed."""
    return quiet.preview(_about(services, matchers, actor=actor)[2], actor=actor)


@use_case
def announce(
    *,
    title: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    services: Collection[int | str] = (),
    matchers: Iterable[Mapping[str, Any]] = (),
    ticket: int | None = None,
    actor: Actor,
    now: datetime,
) -> MaintenanceWindow:
    """Announce work: alerts of these services that fire meanwhile call nobody, and belong to `ticket` if there is one.

    What fires when it begins keeps the incident it has, which calls nobody meanwhile.

    Raises Invalid, Conflict, NotAllowed, NotFound.
    """
    rows, conditions, about = _about(services, matchers, actor=actor)
    begin, end = quiet.span(starts_at, ends_at, longest=LONGEST, now=now)
    row = writing.create_window(
        rows,
        title=text.line(title, field="title", limit=200),
        matchers=conditions,
        ticket_id=quiet.ticket_for(ticket, actor=actor).pk if ticket is not None else None,
        starts_at=begin,
        ends_at=end,
        has_begun=begin <= now,
        actor=actor,
        now=now,
    )
    if begin <= now:
        quiet.hold(replace(about, number=row.pk), until=end, actor=actor, now=now)
    return row


def may_change(row: MaintenanceWindow, *, actor: Actor) -> bool:
    """Whether the actor announced it, or works on all it is about."""
    if not quiet.works(actor):
        return False
    about = list(row.services.all())
    return row.created_by_id == actor.person or (
        all(quiet.may_quiet(one, actor=actor) for one in about) if about else quiet.may_quiet(None, actor=actor)
    )


def _mine(window: int, *, actor: Actor, now: datetime) -> MaintenanceWindow:
    row = one(window, actor=actor)
    if not may_change(row, actor=actor):
        raise NotAllowed("Your role does not allow this.")
    if row.ends_at <= now:
        raise Conflict("This is over already.")
    return row


@use_case
def change(
    window: int,
    *,
    title: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    services: Collection[int | str] | None = None,
    matchers: Iterable[Mapping[str, Any]] | None = None,
    ticket: int | None = None,
    actor: Actor,
    now: datetime,
) -> MaintenanceWindow:
    """Change work that has not begun: what is not None; ticket 0 means none. Raises Invalid, Conflict, NotAllowed, NotFound."""
    row = _mine(window, actor=actor, now=now)
    if row.starts_at <= now:
        raise Conflict("This has begun. It can only be ended.")
    before = [one.pk for one in row.services.all()]
    wanted = before if services is None else services
    rows, conditions, _quiet = _about(wanted, row.matchers if matchers is None else matchers, actor=actor)
    begin, end = quiet.span(starts_at or row.starts_at, ends_at or row.ends_at, longest=LONGEST, now=now)
    values: dict[str, Any] = {"matchers": conditions, "starts_at": begin, "ends_at": end}
    if title is not None:
        values["title"] = text.line(title, field="title", limit=200)
    if ticket is not None and ticket != row.ticket_id:
        values["ticket_id"] = quiet.ticket_for(ticket, actor=actor).pk if ticket else None
    writing.change_window(row, values, rows, actor=actor, now=now)
    return one(window, actor=actor)


@use_case
def end(window: int, *, actor: Actor, now: datetime) -> None:
    """The work is over now, and what it held back is looked at again; work that has not begun is forgotten.

    Raises Conflict when it is over, NotAllowed, NotFound.
    """
    row = _mine(window, actor=actor, now=now)
    if row.starts_at > now:
        writing.take_back_window(row, actor=actor, now=now)
    else:
        writing.change_window(row, {"ends_at": now}, None, actor=actor, now=now)
