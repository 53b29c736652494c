"""Reports by mail: which ones the caller gets every week or month."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, FieldError, operation
from allswell.api.problems import Refusal
from allswell.desk import report_mails as desk
from allswell.desk import reports
from allswell.reporting import telling
from allswell.reporting.queries import subscriptions

from .reports import TAG, Word

_FILTERS = ("organization", "service", "team", "priority", "kind", "agreement", "metric")


class ReportSubscription(Struct):
    """A report that comes by mail about the week or month that is over; `next_at` is when it comes next."""

    id: int
    report: str
    every: Literal["week", "month"]
    by: str
    filters: dict[str, str]
    next_at: datetime
    created_at: datetime


class ReportSubscriptions(Struct):
    """All of the caller's, oldest first."""

    items: list[ReportSubscription]


class NewReportSubscription(Body, kw_only=True):
    """Which report, how often, with which lines and filters: as `getReport` takes them, without a period."""

    report: Word
    every: Literal["week", "month"]
    by: Word | UnsetType = UNSET
    organization: Word | UnsetType = UNSET
    service: Word | UnsetType = UNSET
    team: Word | UnsetType = UNSET
    priority: Word | UnsetType = UNSET
    kind: Word | UnsetType = UNSET
    agreement: Word | UnsetType = UNSET
    metric: Word | UnsetType = UNSET


def _made(row: Any) -> ReportSubscription:
    filters = {key: value for key, value in row.asked.items() if key != "by"}
    return ReportSubscription(row.pk, row.report, row.every, row.asked.get("by", ""), filters, row.next_at, row.created_at)


@operation(
    "GET",
    "/report-subscriptions",
    id="listReportSubscriptions",
    summary="The reports one gets by mail",
    tag=TAG,
    scope="tickets:read",
    answer=ReportSubscriptions,
)
def list_subscriptions(call: Call) -> ReportSubscriptions:
    reports.require_desk(call.actor)
    return ReportSubscriptions([_made(row) for row in subscriptions.of_person(call.actor.person or 0)])


@operation(
    "POST",
    "/report-subscriptions",
    id="createReportSubscription",
    summary="Get a report by mail, every week or month; asked for again it is the one there is",
    tag=TAG,
    scope="tickets:write",
    body=NewReportSubscription,
    answer=ReportSubscription,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    reports.require_desk(call.actor)
    body: NewReportSubscription = call.body
    given = {key: value for key in ("by", *_FILTERS) if (value := getattr(body, key)) is not UNSET}
    known = telling.KINDS.get(body.report)
    if known is None:
        raise _wrong("report", "There is no such report.")
    if "by" in given and given["by"] not in known.cuts:
        raise _wrong("by", "This report is not cut that way.")
    for key in given:
        if key != "by" and key not in known.filters:
            raise _wrong(key, "This report does not know this filter.")
    asked = telling.asked(body.report, given, zone=call.actor.time_zone, now=call.now)
    return desk.subscribe(body.report, asked, every=body.every, actor=call.actor, now=call.now)


def _wrong(field: str, detail: str) -> Refusal:
    return Refusal(422, "invalid", detail, errors=[FieldError(field, detail)])


def _created(call: Call, row: Any) -> ReportSubscription:
    call.headers["Location"] = f"{BASE}/report-subscriptions/{row.pk}"
    return _made(row)


@operation(
    "DELETE",
    "/report-subscriptions/{id}",
    id="removeReportSubscription",
    summary="Get a report by mail no longer",
    tag=TAG,
    scope="tickets:write",
    status=204,
)
def remove(call: Call) -> Any:
    return desk.unsubscribe(call.path["id"], actor=call.actor, now=call.now)
