"""The dry run of what a monitoring tool sends: what it would be told, and what would be done. Nothing is written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Call, operation
from allswell.desk.alerts import trying
from allswell.kernel.errors import Conflict

from .alerts import TAG, Severity

SCOPE = "setup:write"


class AlertPayload(Body):
    """What a tool would send: its body, and where its format looks at them, the content type and what follows the source's address.

    Without a `body` the request that came last is taken. `mapping` is tried instead of that of the source.
    """

    body: Annotated[str, Meta(max_length=trying.MOST_BYTES)] | UnsetType = UNSET
    content_type: Annotated[str, Meta(max_length=200)] = "application/json"
    path: Annotated[str, Meta(max_length=500)] = ""
    mapping: dict[str, Any] | UnsetType = UNSET


class TriedHold(Struct):
    """A silence or a maintenance window that holds an alert back."""

    kind: str
    id: int
    words: str
    ends_at: datetime


class TriedPlace(Struct):
    """The incident an alert would come to: `how` is opened, attached, reopened, storm, expected, silenced or recorded; `basis` says what
    the alerts of one incident have in common. `ticket` is null for a new one, and for one that the caller does not see. `policy` and
    `called`: who would be called first; empty where nobody would be."""

    how: str
    basis: str | None
    ticket: int | None
    priority: int | None
    team: str
    policy: str
    called: list[str]


class TriedAlert(Struct):
    """What one alert of the payload would come to. `change` is fires, repeated, worse, over, brief, acknowledged, ignored, note, change
    or heartbeat. `rule` is null where none fits, and where none is asked; `ending` says what would become of its incident."""

    key: str
    title: str
    severity: Severity
    labels: dict[str, str]
    times: int
    change: str
    service: str
    act: str | None
    rule: int | None
    rules_passed: list[int]
    held: TriedHold | None
    place: TriedPlace | None
    ending: str | None


class TriedPayload(Struct):
    """What the sender would be told (`status`, `answer`), why it would be refused, and what its alerts would come to."""

    status: int
    answer: str
    refusal: str
    left_out: int
    incidents: int
    alerts: list[TriedAlert]
    more: int


def _place(place: trying.Place | None) -> TriedPlace | None:
    if place is None:
        return None
    paged = place.paged if place.paged is not None and place.paged.starts else None
    return TriedPlace(
        place.how.value,
        place.basis.value if place.basis else None,
        place.ticket.pk if place.ticket else None,
        place.priority,
        place.team,
        paged.policy if paged else "",
        list(paged.names) if paged else [],
    )


def _alert(one: trying.Told) -> TriedAlert:
    held = one.held
    return TriedAlert(
        key=one.report.key,
        title=one.report.title,
        severity=one.report.severity.value,
        labels=one.report.labels,
        times=one.times,
        change=one.change,
        service=one.service,
        act=one.act.value if one.act else None,
        rule=one.rule.number if one.rule else None,
        rules_passed=[rule.number for rule, _why in one.passed if rule.number is not None],
        held=TriedHold(held.kind, held.number, held.words, held.ends_at) if held else None,
        place=_place(one.place),
        ending=one.ending.value if one.ending else None,
    )


@operation(
    "POST",
    "/alert-sources/{id}/dry-run",
    id="tryAlertPayload",
    summary="What would happen if a tool sent this now; nothing is written",
    tag=TAG,
    scope=SCOPE,
    body=AlertPayload,
    answer=TriedPayload,
)
def try_payload(call: Call) -> TriedPayload:
    body: AlertPayload = call.body
    source = call.path["id"]
    if body.body is UNSET:
        payload = trying.last_payload(source, actor=call.actor)
        if payload is None:
            raise Conflict("Nothing that came from it lately is kept.")
    else:
        payload = trying.Payload(body.body.encode(), body.content_type, body.path)
    mapping = None if body.mapping is UNSET else body.mapping
    found = trying.tried(source, payload, mapping=mapping, actor=call.actor, now=call.now)
    return TriedPayload(
        found.status, found.body, found.refusal, found.left_out, found.incidents, [_alert(one) for one in found.told], found.more
    )
