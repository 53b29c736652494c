"""Silences, and announced work: alerts for which nobody is called for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.json import encode

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk.alerts import silences as desk
from allswell.desk.alerts import windows
from allswell.desk.alerts.quiet import MOST_SERVICES
from allswell.intake.parsers.alerts.shape import REPORTS
from allswell.people.rules import INSTALLATION, Act, require
from allswell.tickets import queries as tickets

from .alert_rules import Conditions, said
from .alerts import TAG
from .shapes import Instant, PersonRef

READ, WRITE = "tickets:read", "tickets:write"
Reason = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\S")]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Services = Annotated[list[Id], Meta(max_length=MOST_SERVICES)]


class Silence(Struct):
    """For a while nobody is called for alerts that fit: of a service, with labels, or of a ticket."""

    id: int
    matchers: list[dict[str, str]]
    service: int | None
    ticket: int | None
    reason: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    created_by: PersonRef | None


class CurrentAsked(Paged):
    """Those that are not over, unless `over` is asked for, too."""

    over: bool = False


def _by(row: Any) -> PersonRef | None:
    return PersonRef(row.created_by_id, row.created_by.name) if row.created_by else None


def _seen(call: Call, rows: Sequence[Any]) -> set[int]:
    numbers = {row.ticket_id for row in rows if row.ticket_id is not None}
    if not numbers:
        return set()
    return set(tickets.visible_to(call.actor).filter(pk__in=numbers).values_list("pk", flat=True))


def _silences(call: Call, rows: Sequence[Any]) -> list[Silence]:
    seen = _seen(call, rows)
    return [
        Silence(
            row.pk,
            row.matchers,
            row.service_id,
            row.ticket_id if row.ticket_id in seen else None,
            row.reason,
            row.starts_at,
            row.ends_at,
            row.created_at,
            _by(row),
        )
        for row in rows
    ]


@operation(
    "GET",
    "/silences",
    id="listSilences",
    summary="Silences, newest first",
    tag=TAG,
    scope=READ,
    query=CurrentAsked,
    answer=Page[Silence],
)
def list_silences(call: Call) -> Page[Silence]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = desk.visible_to(call.actor)
    if not call.query.over:
        rows = rows.filter(ends_at__gt=call.now)
    return page(call, rows, lambda some: _silences(call, some))


@operation("GET", "/silences/{id}", id="getSilence", summary="One silence", tag=TAG, scope=READ, answer=Silence)
def get(call: Call) -> Silence:
    return _silences(call, [desk.one(call.path["id"], actor=call.actor)])[0]


class NewSilence(Body, kw_only=True):
    """About a service, labels, both, or the alerts of a ticket; thirty days at most. It begins now unless said."""

    reason: Reason
    ends_at: Instant
    starts_at: Instant | None = None
    matchers: Conditions = []
    service: Id | None = None
    ticket: Id | None = None


@operation(
    "POST",
    "/silences",
    id="createSilence",
    summary="Call nobody for alerts that fit, for a while",
    tag=TAG,
    scope=WRITE,
    body=NewSilence,
    answer=Silence,
    status=201,
    present=lambda call, row: _silenced(call, row.pk),
)
def create(call: Call) -> Any:
    body: NewSilence = call.body
    return desk.create(
        reason=body.reason,
        ends_at=body.ends_at,
        starts_at=body.starts_at,
        matchers=said(body.matchers),
        service=body.service,
        ticket=body.ticket,
        actor=call.actor,
        now=call.now,
    )


def _silenced(call: Call, silence: int) -> Silence:
    call.headers["Location"] = f"{BASE}/silences/{silence}"
    return _silences(call, [desk.one(silence, actor=call.actor)])[0]


class SilenceChange(Body):
    """What to change of a silence that is not over; what is left out stays. `starts_at` only until it has begun."""

    reason: Reason | UnsetType = UNSET
    starts_at: Instant | UnsetType = UNSET
    ends_at: Instant | UnsetType = UNSET


@operation(
    "PATCH",
    "/silences/{id}",
    id="updateSilence",
    summary="Let a silence last longer or less long",
    tag=TAG,
    scope=WRITE,
    body=SilenceChange,
    answer=Silence,
    present=lambda call, row: get(call),
    current=get,
)
def update(call: Call) -> Any:
    body: SilenceChange = call.body
    return desk.change(
        call.path["id"],
        reason=None if body.reason is UNSET else body.reason,
        starts_at=None if body.starts_at is UNSET else body.starts_at,
        ends_at=None if body.ends_at is UNSET else body.ends_at,
        actor=call.actor,
        now=call.now,
    )


class SilencesElsewhere(Body, kw_only=True):
    """`silences` is what Alertmanager answers to `GET /api/v2/silences`. With `is_dry_run` nothing is written."""

    silences: Annotated[list[dict[str, Any]], Meta(max_length=REPORTS)]
    is_dry_run: bool = False


class PlannedSilence(Struct):
    """A silence as it is taken over; for thirty days at most."""

    matchers: list[dict[str, str]]
    reason: str
    starts_at: datetime
    ends_at: datetime


class SilencesTaken(Struct):
    """What is taken over, and how many are left out: over, known already, or about everything. Said again, none is made twice."""

    made: list[PlannedSilence]
    left_out: int


@operation(
    "POST",
    "/silences/import",
    id="importSilences",
    summary="Take over the silences of a running Alertmanager",
    tag=TAG,
    scope=WRITE,
    body=SilencesElsewhere,
    answer=SilencesTaken,
    present=lambda call, done: _taken(done),
)
def take_over(call: Call) -> Any:
    body: SilencesElsewhere = call.body
    do = desk.would_take_over if body.is_dry_run else desk.take_over
    return do(encode(body.silences), actor=call.actor, now=call.now)


def _taken(done: desk.TakenOver) -> SilencesTaken:
    made = [
        PlannedSilence([one.as_json() for one in plan.matchers], plan.reason, plan.starts_at, plan.ends_at)
        for plan in done.planned
    ]
    return SilencesTaken(made, done.left_out)


@operation(
    "POST",
    "/silences/{id}/end",
    id="endSilence",
    summary="It is over now; one that has not begun is taken back",
    tag=TAG,
    scope=WRITE,
    status=204,
)
def end(call: Call) -> Any:
    return desk.end(call.path["id"], actor=call.actor, now=call.now)


# announced work


class MaintenanceWindow(Struct):
    """Work that is announced on services: their alerts call nobody meanwhile, and belong to `ticket`."""

    id: int
    title: str
    services: list[int]
    matchers: list[dict[str, str]]
    ticket: int | None
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    created_by: PersonRef | None


def _windows(call: Call, rows: Sequence[Any]) -> list[MaintenanceWindow]:
    seen = _seen(call, rows)
    return [
        MaintenanceWindow(
            row.pk,
            row.title,
            sorted(one.pk for one in row.services.all()),
            row.matchers,
            row.ticket_id if row.ticket_id in seen else None,
            row.starts_at,
            row.ends_at,
            row.created_at,
            _by(row),
        )
        for row in rows
    ]


@operation(
    "GET",
    "/maintenance-windows",
    id="listMaintenanceWindows",
    summary="Announced work, newest first",
    tag=TAG,
    scope=READ,
    query=CurrentAsked,
    answer=Page[MaintenanceWindow],
)
def list_windows(call: Call) -> Page[MaintenanceWindow]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = windows.visible_to(call.actor)
    if not call.query.over:
        rows = rows.filter(ends_at__gt=call.now)
    return page(call, rows, lambda some: _windows(call, some))


@operation(
    "GET",
    "/maintenance-windows/{id}",
    id="getMaintenanceWindow",
    summary="One piece of announced work",
    tag=TAG,
    scope=READ,
    answer=MaintenanceWindow,
)
def get_window(call: Call) -> MaintenanceWindow:
    return _windows(call, [windows.one(call.path["id"], actor=call.actor)])[0]


class NewMaintenanceWindow(Body, kw_only=True):
    """On services, or with labels; sixty days at most. It begins now unless said."""

    title: Title
    ends_at: Instant
    starts_at: Instant | None = None
    services: Services = []
    matchers: Conditions = []
    ticket: Id | None = None


@operation(
    "POST",
    "/maintenance-windows",
    id="announceMaintenance",
    summary="Announce work on services",
    tag=TAG,
    scope=WRITE,
    body=NewMaintenanceWindow,
    answer=MaintenanceWindow,
    status=201,
    present=lambda call, row: _announced(call, row.pk),
)
def announce(call: Call) -> Any:
    body: NewMaintenanceWindow = call.body
    return windows.announce(
        title=body.title,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        services=body.services,
        matchers=said(body.matchers),
        ticket=body.ticket,
        actor=call.actor,
        now=call.now,
    )


def _announced(call: Call, window: int) -> MaintenanceWindow:
    call.headers["Location"] = f"{BASE}/maintenance-windows/{window}"
    return _windows(call, [windows.one(window, actor=call.actor)])[0]


class MaintenanceWindowChange(Body):
    """What to change of work that has not begun; what is left out stays, a ticket of null is none."""

    title: Title | UnsetType = UNSET
    starts_at: Instant | UnsetType = UNSET
    ends_at: Instant | UnsetType = UNSET
    services: Services | UnsetType = UNSET
    matchers: Conditions | UnsetType = UNSET
    ticket: Id | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/maintenance-windows/{id}",
    id="updateMaintenanceWindow",
    summary="Change announced work that has not begun",
    tag=TAG,
    scope=WRITE,
    body=MaintenanceWindowChange,
    answer=MaintenanceWindow,
    present=lambda call, row: get_window(call),
    current=get_window,
)
def update_window(call: Call) -> Any:
    body: MaintenanceWindowChange = call.body
    return windows.change(
        call.path["id"],
        title=None if body.title is UNSET else body.title,
        starts_at=None if body.starts_at is UNSET else body.starts_at,
        ends_at=None if body.ends_at is UNSET else body.ends_at,
        services=None if body.services is UNSET else body.services,
        matchers=None if body.matchers is UNSET else said(body.matchers),
        ticket=None if body.ticket is UNSET else body.ticket or 0,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "POST",
    "/maintenance-windows/{id}/end",
    id="endMaintenance",
    summary="The work is over now; work that has not begun is taken back",
    tag=TAG,
    scope=WRITE,
    status=204,
)
def end_window(call: Call) -> Any:
    return windows.end(call.path["id"], actor=call.actor, now=call.now)
