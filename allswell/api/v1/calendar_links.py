"""Secret addresses at which a calendar program reads shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from msgspec import Struct

from allswell.api.contract import Body, Call, operation
from allswell.desk import shifts as desk
from allswell.oncall import queries

from .rota_shapes import TAKE_PART, rota_ref
from .shapes import NamedRef, Ref

TAG = "Rotas"


class CalendarLink(Struct):
    """An address for the caller's own shifts, or for those of a rota."""

    id: int
    rota: NamedRef | None
    created_at: datetime
    last_read_at: datetime | None


class NewCalendarLink(CalendarLink):
    """A new address. It is the key to what is read there, and shown this once."""

    address: str | None = None


def _make(row: Any, *, shape: type[Any] = CalendarLink) -> Any:
    rota = rota_ref(row.rota) if row.rota is not None else None
    return shape(row.pk, rota, row.created_at, row.last_read_at)


@operation(
    "GET",
    "/me/calendar-links",
    id="listCalendarLinks",
    summary="The caller's addresses for calendar programs, without their secrets",
    tag=TAG,
    scope=TAKE_PART,
    answer=list[CalendarLink],
)
def list_links(call: Call) -> list[CalendarLink]:
    return [_make(row) for row in queries.calendar_links(call.actor.person or 0)]


class LinkAsked(Body):
    """For the shifts of a rota, or for the caller's own when left out."""

    rota: Ref | None = None


@operation(
    "POST",
    "/me/calendar-links",
    id="makeCalendarLink",
    summary="An address at which a calendar program reads shifts (iCalendar); shown this once",
    tag=TAG,
    scope=TAKE_PART,
    body=LinkAsked,
    answer=NewCalendarLink,
    status=201,
    present=lambda call, made: _made(*made),
    shown_once=("address",),
)
def make(call: Call) -> Any:
    return desk.make_calendar_link(rota=call.body.rota, actor=call.actor, now=call.now)


def _made(row: Any, secret: str) -> NewCalendarLink:
    made: NewCalendarLink = _make(row, shape=NewCalendarLink)
    made.address = f"{settings.PUBLIC_URL}/shifts/{secret}.ics"
    return made


@operation(
    "DELETE",
    "/me/calendar-links/{id}",
    id="revokeCalendarLink",
    summary="End such an address for ever",
    tag=TAG,
    scope=TAKE_PART,
    status=204,
)
def revoke(call: Call) -> Any:
    return desk.revoke_calendar_link(call.path["id"], actor=call.actor, now=call.now)
