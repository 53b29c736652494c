"""Taking a report out as CSV: the figures as shown, or the tickets behind a number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotAllowed
from allswell.people.rules import INSTALLATION, Act, may
from allswell.reporting import operations, telling, wording
from allswell.reporting.queries.scope import Asked
from allswell.tickets.rules import reference

from .door import use_case


class _Line:
    """What `csv` writes a line into."""

    def write(self, line: str) -> str:
        return line


def require_desk(actor: Actor) -> None:
    """Reports are the desk's. Raises NotAllowed."""
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        raise NotAllowed("Your role does not allow this.")


def report(name: str, asked: Asked, *, actor: Actor, now: datetime) -> telling.Report:
    """A report of what the actor sees at the desk. Raises NotFound, NotAllowed."""
    require_desk(actor)
    return telling.tell(name, asked, actor=actor, now=now)


@use_case
def count_stretches(*, limit: int, actor: Actor, now: datetime) -> int:
    """Work out of the journal where tickets were and what they waited for, since it was last done; answers for how many tickets."""
    return operations.count(limit=limit)


@use_case
def _written_down(*, name: str, asked: Asked, actor: Actor, now: datetime) -> None:
    about = ("person", actor.person or 0)
    data = {"kind": f"report {name}", "filters": sorted(asked.asked())}
    journal.record(Verb.EXPORTED, about=about, actor=actor, now=now, data=data)


def figures_csv(name: str, asked: Asked, *, actor: Actor, now: datetime) -> Iterator[str]:
    """The lines of a report with their sum; lengths of time in seconds. That it was taken out is journaled. Raises NotFound, NotAllowed."""
    found = report(name, asked, actor=actor, now=now)
    _written_down(name=name, asked=asked, actor=actor, now=now)
    return _figures(found)


def _figures(found: telling.Report) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    yield writer.writerow([found.asked.by, "name", *(_column(column) for column in found.columns)])
    for line in (*found.lines, found.total):
        named = "" if line is found.total else wording.line(found.asked.by, line.key, line.name)
        key = "sum" if line is found.total else text.spreadsheet_cell(line.key) if line.key != "-" else ""
        yield writer.writerow([key, text.spreadsheet_cell(named), *(_number(column, line) for column in found.columns)])


def _column(column: telling.Column) -> str:
    return f"{column.key}_seconds" if column.what == "time" else f"{column.key}_percent" if column.what == "share" else column.key


def _number(column: telling.Column, line: telling.Line) -> Any:
    value = line.values.get(column.key)
    if value is None:
        return ""
    return f"{int(value) / 1000:.3f}" if column.what == "time" else value


def rows_csv(name: str, asked: Asked, part: str, key: str, *, actor: Actor, now: datetime) -> Iterator[str]:
    """The tickets behind a number. Instants are in the actor's zone with their offset. That they were taken out is journaled.

    Raises NotFound, NotAllowed.
    """
    require_desk(actor)
    found = telling.every_row(name, asked, part, key, actor=actor, now=now)
    _written_down(name=name, asked=asked, actor=actor, now=now)
    return _rows(found, ZoneInfo(actor.time_zone))


def _rows(found: Iterator[telling.Row], zone: ZoneInfo) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    yield writer.writerow(["reference", "number", "title", "what", "outcome", "at", "until", "seconds"])
    for row in found:
        cells = [reference(row.kind, row.ticket), row.ticket, text.spreadsheet_cell(row.title), text.spreadsheet_cell(row.what)]
        instants = [at.astimezone(zone).isoformat(timespec="seconds") if at else "" for at in (row.at, row.until)]
        seconds = "" if row.value is None else f"{timedelta(milliseconds=row.value) / timedelta(seconds=1):.3f}"
        yield writer.writerow([*cells, row.outcome, *instants, seconds])
