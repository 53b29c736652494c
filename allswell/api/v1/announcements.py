"""Announcements: what an agent tells the world about an incident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import announcements as desk
from allswell.incidents import queries
from allswell.kernel.errors import NotFound

from .shapes import Instant, NamedRef, Ref
from .verbs import verb

TAG = "Announcements"
Words = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S")]


class Update(Struct):
    """One more word."""

    body: str
    created_at: datetime


class Announcement(Struct):
    """What is announced, in the announcement's own words. The incident's number is told to the desk only."""

    id: int
    title: str
    body: str
    service: NamedRef | None
    announced_at: datetime
    updated_at: datetime
    next_update_at: datetime | None
    ended_at: datetime | None
    updates: list[Update]
    ticket: int | UnsetType = UNSET


def _make(row: Any, *, internal: bool) -> Announcement:
    service = row.service
    made = Announcement(
        id=row.pk,
        title=row.title,
        body=row.body,
        service=NamedRef(service.pk, service.slug, service.name) if service else None,
        announced_at=row.announced_at,
        updated_at=row.updated_at,
        next_update_at=row.next_update_at,
        ended_at=row.ended_at,
        updates=[Update(update.body, update.created_at) for update in row.updates.all()],
    )
    if internal:
        made.ticket = row.ticket_id
    return made


@operation(
    "GET",
    "/announcements",
    id="listAnnouncements",
    summary="What is announced to the caller now, newest first",
    tag=TAG,
    scope="tickets:read",
    query=Paged,
    answer=Page[Announcement],
)
def list_announcements(call: Call) -> Page[Announcement]:
    inside = {row.pk for row in queries.announcements_at_the_desk(call.actor)} if call.actor.is_agent else set()

    def make(found: Sequence[Any]) -> list[Announcement]:
        rows = queries.visible_announcements(call.actor).filter(pk__in=[row[0] for row in found]).order_by("-pk")
        return [_make(row, internal=row.pk in inside) for row in rows]

    numbers = queries.visible_announcements(call.actor).select_related(None).prefetch_related(None)
    return page(call, numbers.values_list("pk"), make)


def _shown(call: Call, announcement: Any) -> Announcement:
    row = queries.last_announcement(announcement.ticket_id)
    assert row is not None
    return _make(row, internal=True)


def _created(call: Call, announcement: Any) -> Announcement:
    call.headers["Location"] = f"{BASE}/announcements"
    return _shown(call, announcement)


class NewAnnouncement(Body):
    """What to tell, and whom: everybody, or organizations with all below them. `service` is the incident's unless said."""

    title: Annotated[str, Meta(min_length=1, max_length=160, pattern=r"\S")]
    body: Annotated[str, Meta(max_length=4000)] = ""
    is_for_all: bool = False
    audience: list[Id] = []
    service: Ref | None = None
    next_update_at: Instant | None = None


@verb(
    "announce",
    id="announceTicket",
    summary="Tell people about an incident; these words are all they see of it",
    body=NewAnnouncement,
    answer=Announcement,
    status=201,
    present=_created,
)
def announce(call: Call) -> Any:
    body: NewAnnouncement = call.body
    return desk.announce(
        call.path["number"],
        title=body.title,
        body=body.body,
        is_for_all=body.is_for_all,
        audience=tuple(body.audience),
        service=body.service,
        next_update_at=body.next_update_at,
        actor=call.actor,
        now=call.now,
        version=call.version,
    )


class NewUpdate(Body):
    """One more word; `next_update_at` replaces the former promise."""

    body: Words
    next_update_at: Instant | None = None


@operation(
    "POST",
    "/announcements/{id}/update",
    id="updateAnnouncement",
    summary="One more word; everybody who follows it is told",
    tag=TAG,
    scope="tickets:write",
    body=NewUpdate,
    answer=Announcement,
    status=201,
    present=_created,
)
def update(call: Call) -> Any:
    body: NewUpdate = call.body
    return desk.update(call.path["id"], body=body.body, next_update_at=body.next_update_at, actor=call.actor, now=call.now)


class End(Body):
    """Closing words, if any."""

    body: Annotated[str, Meta(max_length=4000)] = ""


@operation(
    "POST",
    "/announcements/{id}/end",
    id="endAnnouncement",
    summary="Take an announcement down before its incident is resolved",
    tag=TAG,
    scope="tickets:write",
    body=End,
    answer=Announcement,
    present=_shown,
)
def end(call: Call) -> Any:
    return desk.end(call.path["id"], body=call.body.body, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/announcements/{id}/same_for_me",
    id="joinAnnouncement",
    summary="The caller has it too: they are counted and told every update",
    tag=TAG,
    scope="tickets:write",
    answer=Announcement,
    present=lambda call, row: _joined(call),
)
def same_for_me(call: Call) -> Any:
    return desk.same_for_me(call.path["id"], actor=call.actor, now=call.now)


def _joined(call: Call) -> Announcement:
    row = queries.visible_announcements(call.actor).filter(pk=call.path["id"]).first()
    if row is None:
        raise NotFound("This is no longer announced.")
    return _make(row, internal=False)
