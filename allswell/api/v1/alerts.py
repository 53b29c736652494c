"""Alerts: what monitoring told, how each stands, and which ticket it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, structs

from allswell.api.contract import Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk.alerts import explaining
from allswell.intake.queries import alerts as queries
from allswell.intake.queries.explaining import newest_outcome
from allswell.kernel.errors import NotFound
from allswell.people.rules import INSTALLATION, Act, require
from allswell.tickets import queries as tickets

TAG = "Alerts"
SCOPE = "tickets:read"
State = Literal["firing", "resolved"]
Severity = Literal["critical", "error", "warning", "info"]


class Alert(Struct):
    """What a source says of one thing, by its own key. `started_at` and `last_at` are by the sender's clock.

    `count` are the reports of the present episode, the `episode`-th; `total` all. `ticket` is null where the caller does not see it.
    """

    id: int
    source: str
    key: str
    group: str
    title: str
    text: str
    severity: Severity
    state: State
    labels: dict[str, str]
    episode: int
    count: int
    total: int
    started_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    is_flapping: bool
    is_silenced: bool
    is_expected: bool
    service: int | None
    ticket: int | None


class Because(Struct):
    """Why an alert is where it is. `how`: opened, attached, reopened, storm, expected, silenced, recorded, or null where nothing was done.

    `basis` is what it has in common with the others of its incident: labels, service or group; null where it has none, and where its
    rule was changed since (`is_changed`). `rule` is null where none fitted. `ended_by`: sender, group, left_out, lease, unheard or
    empty.
    """

    how: str | None
    basis: str | None
    rule: int | None
    is_changed: bool
    silence: int | None
    maintenance_window: int | None
    ended_by: str


class AlertExplained(Alert):
    """One alert, and why it is where it is."""

    why: Because


class AlertsAsked(Paged):
    """Those of a state, a severity or a ticket; all when nothing is said."""

    state: State | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    ticket: Id | UnsetType = UNSET


def _shown(call: Call, rows: Sequence[Any]) -> list[Alert]:
    numbers = {row.ticket_id for row in rows if row.ticket_id is not None}
    seen = set(tickets.visible_to(call.actor).filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set()
    return [
        Alert(
            id=row.pk,
            source=row.source.slug,
            key=row.key,
            group=row.group,
            title=row.title,
            text=row.text,
            severity=row.severity,
            state=row.state,
            labels=row.labels,
            episode=row.episode,
            count=row.count,
            total=row.total,
            started_at=row.started_at,
            last_at=row.last_at,
            resolved_at=row.resolved_at,
            is_flapping=row.is_flapping,
            is_silenced=row.silence_id is not None,
            is_expected=row.window_id is not None,
            service=row.service_id,
            ticket=row.ticket_id if row.ticket_id in seen else None,
        )
        for row in rows
    ]


@operation(
    "GET",
    "/alerts",
    id="listAlerts",
    summary="Alerts, the newest first",
    tag=TAG,
    scope=SCOPE,
    query=AlertsAsked,
    answer=Page[Alert],
)
def list_alerts(call: Call) -> Page[Alert]:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    rows = queries.visible_to(call.actor).select_related("source")
    for name in ("state", "severity", "ticket"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows, lambda some: _shown(call, some))


@operation("GET", "/alerts/{id}", id="getAlert", summary="One alert", tag=TAG, scope=SCOPE, answer=AlertExplained)
def get_alert(call: Call) -> AlertExplained:
    row = queries.visible_to(call.actor).select_related("source", "rule").filter(pk=call.path["id"]).first()
    if row is None:
        raise NotFound("There is no such alert, or you may not see it.")
    found = explaining.why(row, outcome=newest_outcome(row.pk))
    because = Because(
        how=found.how.value if found.how else None,
        basis=found.basis.value if found.basis else None,
        rule=found.rule.number,
        is_changed=found.is_changed,
        silence=row.silence_id,
        maintenance_window=row.window_id,
        ended_by=row.ended_by,
    )
    return AlertExplained(**structs.asdict(_shown(call, [row])[0]), why=because)
