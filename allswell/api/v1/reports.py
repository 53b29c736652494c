"""Reports: the numbers of the desk with how they are counted, and the tickets behind each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.core.signing import BadSignature, Signer
from msgspec import UNSET, Meta, Struct, UnsetType, field

from allswell.api.contract import Call, Cursor, FieldError, Limit, Page, Query, operation
from allswell.api.paging import link_next
from allswell.api.problems import Refusal
from allswell.desk import reports as desk
from allswell.kernel.errors import NotFound
from allswell.kernel.text import whole
from allswell.reporting import telling, wording
from allswell.reporting.queries.scope import Asked

TAG = "Reports"
#: a short name in an address
Word = Annotated[str, Meta(min_length=1, max_length=80)]


class ReportQuery(Query, kw_only=True):
    """What is counted. `period` is 2026-11, 2026-Q4 or 12m (the last months with this one); or give `from` and `to`, both in.

    Without any it is the last six months. Days and months are those of the caller's time zone. Filters are short names; "-" is
    none. `by` is how the lines are cut; each report says which ways it knows.
    """

    period: Word | UnsetType = UNSET
    since: date | UnsetType = field(default=UNSET, name="from")
    until: date | UnsetType = field(default=UNSET, name="to")
    by: Word | UnsetType = UNSET
    organization: Word | UnsetType = UNSET
    service: Word | UnsetType = UNSET
    team: Word | UnsetType = UNSET
    priority: Word | UnsetType = UNSET
    kind: Word | UnsetType = UNSET
    agreement: Word | UnsetType = UNSET
    metric: Word | UnsetType = UNSET


class RowsQuery(ReportQuery, kw_only=True):
    """The same, and which number is opened: `part` is its column (the first unless given), `is` its line (none: of all lines)."""

    part: Word | UnsetType = UNSET
    line: Word | UnsetType = field(default=UNSET, name="is")
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


class ReportColumn(Struct):
    """A column: a count, a share in percent (rounded down, as text, so that it stays exact), or a time in seconds.

    `part` opens the rows its numbers are made of: those of a share are what it is a share of; those of a time are what was measured.
    `order` says which come first, the latest or the longest.
    """

    key: str
    name: str
    kind: Literal["count", "share", "time"]
    definition: str
    part: str
    order: Literal["latest", "longest"]


class ReportKind(Struct):
    """A report there is: how it is counted, its columns, how its lines may be cut, and which filters it knows."""

    slug: str
    title: str
    definition: list[str]
    columns: list[ReportColumn]
    cuts: list[str]
    filters: list[str]


class ReportKinds(Struct):
    """All of them."""

    items: list[ReportKind]


class ReportLine(Struct):
    """A line: its numbers by column; null where there is none."""

    key: str
    name: str
    values: dict[str, int | float | str | None]


class Report(Struct):
    """A report as it was counted, over the tickets the caller sees at the desk. `last` is in the period."""

    report: ReportKind
    first: date
    last: date
    zone: str
    by: str
    filters: dict[str, str]
    total: ReportLine
    months: list[ReportLine]
    lines: list[ReportLine]


class ReportRow(Struct):
    """A ticket behind a number. `at` puts it into the period; `what` and `outcome` say what was counted of it."""

    number: int
    title: str
    what: str
    outcome: str
    at: datetime
    until: datetime | None
    seconds: float | None


def _column(column: telling.Column) -> ReportColumn:
    order: Literal["latest", "longest"] = "longest" if column.is_by_length else "latest"
    return ReportColumn(column.key, wording.column(column.key), column.what, wording.meaning(column.key), column.key, order)


def _kind(name: str) -> ReportKind:
    kind = telling.KINDS[name]
    columns = [_column(column) for column in kind.columns]
    return ReportKind(name, wording.title(name), wording.definition(name), columns, list(kind.cuts), list(kind.filters))


def _line(found: telling.Report, by: str, line: telling.Line) -> ReportLine:
    values: dict[str, int | float | str | None] = {}
    for column in found.columns:
        value = line.values[column.key]
        values[column.key] = int(value) / 1000 if column.what == "time" and value is not None else value
    return ReportLine(line.key, wording.line(by, line.key, line.name) if line.key else "", values)


def _asked(call: Call) -> Asked:
    desk.require_desk(call.actor)
    query, name = call.query, call.path["slug"]
    given: Mapping[str, Any] = {
        "period": query.period,
        "from": query.since,
        "to": query.until,
        **{key: getattr(query, key) for key in ("by", *telling.kind(name).filters)},
    }
    told = {key: str(value) for key, value in given.items() if value is not UNSET}
    return telling.asked(name, told, zone=call.actor.time_zone, now=call.now)


@operation(
    "GET", "/reports", id="listReports", summary="The reports there are, and how each is counted", tag=TAG,
    scope="tickets:read", answer=ReportKinds,
)  # fmt: skip
def list_reports(call: Call) -> ReportKinds:
    desk.require_desk(call.actor)
    return ReportKinds([_kind(name) for name in telling.KINDS])


@operation(
    "GET",
    "/reports/{slug}",
    id="getReport",
    summary="The numbers of a report, by month and by what is asked",
    tag=TAG,
    scope="tickets:read",
    query=ReportQuery,
    answer=Report,
)
def get_report(call: Call) -> Report:
    asked = _asked(call)
    found = desk.report(call.path["slug"], asked, actor=call.actor, now=call.now)
    return Report(
        report=_kind(found.name),
        first=asked.period.first,
        last=asked.period.last,
        zone=asked.period.zone,
        by=asked.by,
        filters=asked.narrowing.chosen(),
        total=_line(found, asked.by, found.total),
        months=[_line(found, "month", line) for line in found.months],
        lines=[_line(found, asked.by, line) for line in found.lines],
    )


def _signer(call: Call, column: telling.Column) -> Signer:
    return Signer(salt=f"api.cursor.{call.operation.id}.{'longest' if column.is_by_length else 'latest'}")


def _after(call: Call, column: telling.Column) -> telling.After:
    """Where the page before ended: an instant or a length, and the id of a row."""
    if call.query.cursor is UNSET:
        return None
    try:
        place, _tilde, number = _signer(call, column).unsign(call.query.cursor).partition("~")
        return (int(place) if column.is_by_length else datetime.fromisoformat(place)), whole(number) or 0
    except (BadSignature, ValueError):
        detail = "This cursor is not from this list. Use `next` of the page before."
        raise Refusal(422, "invalid", detail, errors=[FieldError("cursor", detail)]) from None


def _cursor(call: Call, column: telling.Column, last: telling.Row) -> str:
    place = str(last.value or 0) if column.is_by_length else last.at.isoformat().replace("+00:00", "Z")  # a plus would be a space
    return _signer(call, column).sign(f"{place}~{last.id}")


@operation(
    "GET",
    "/reports/{slug}/rows",
    id="listReportRows",
    summary="The rows a number of a report is made of, the latest or the longest first",
    tag=TAG,
    scope="tickets:read",
    query=RowsQuery,
    answer=Page[ReportRow],
)
def list_report_rows(call: Call) -> Page[ReportRow]:
    asked, query, name = _asked(call), call.query, call.path["slug"]
    kind = telling.KINDS[name]
    column = kind.column(query.part) if query.part is not UNSET else kind.columns[0]
    if column is None:
        raise NotFound("There is no such part of this report.")
    key = "" if query.line is UNSET else query.line
    after, limit = _after(call, column), query.limit
    found = telling.rows(name, asked, column.key, key, actor=call.actor, now=call.now, after=after, limit=limit + 1)
    following = None
    if len(found) > limit:
        following = _cursor(call, column, found[limit - 1])
        link_next(call, following)
    items = [
        ReportRow(
            row.ticket, row.title, row.what, row.outcome, row.at, row.until, None if row.value is None else row.value / 1000
        )
        for row in found[:limit]
    ]
    return Page(items, following)
