"""Bringing in the history of another desk, in batches that each happen whole or not at all.

An interrupted import goes on where it stopped; the same file a second time changes nothing. Nobody is told of what was.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from allswell.database.hurry import frugal
from allswell.incidents import operations as incidents
from allswell.intake import readers
from allswell.intake.operations import runs
from allswell.intake.operations import tickets as intake
from allswell.intake.operations.names import Names
from allswell.intake.queries import imported
from allswell.intake.rules import history
from allswell.intake.rules.mapping import TicketMapping
from allswell.intake.rules.records import Record, Translator
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.sla import operations as sla

from . import clocks
from .door import use_case

if TYPE_CHECKING:
    from allswell.intake.models import ImportRun

BATCH = 1000
DEFAULT_CLOSES_AFTER_DAYS = 5
#: how many reasons are kept to be shown; the file of rejected rows has them all
SHOWN = 10


@dataclass(slots=True)
class Outcome:
    """What an import did, or (dry) would do. `differing` rows carry a priority that is not the matrix'."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    entries: int = 0
    unchanged: int = 0
    rejected: int = 0
    differing: int = 0
    resumed_at: int = 0
    floor: int = 0
    made: dict[str, int] = field(default_factory=dict)
    reasons: list[tuple[int, str]] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """What is kept with the run, to be continued."""
        return {
            "rows": self.rows,
            "created": self.created,
            "changed": self.changed,
            "entries": self.entries,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "differing": self.differing,
            "floor": self.floor,
            "made": self.made,
        }


Progress = Callable[[Outcome], None]


@dataclass(slots=True)
class _Batch:
    records: list[Record] = field(default_factory=list)
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    size: int = 0


def _batches(path: Path, translator: Translator, *, skip: int) -> Iterator[_Batch]:
    """The file in batches of rows, each row a record or a rejection; the first `skip` rows left out."""
    batch = _Batch()
    for position, (line, row) in enumerate(readers.rows(path, translator.mapping)):
        if position < skip:
            continue
        batch.size += 1
        if isinstance(row, readers.Unreadable):
            batch.rejected.append((line, row.reason, row.raw))
        else:
            try:
                batch.records.append(translator.record(row, line))
            except Invalid as error:
                raw = json.dumps({name: str(value)[:200] for name, value in row.items() if name}, ensure_ascii=False)
                batch.rejected.append((line, str(error), raw[:4000]))
        if batch.size >= BATCH:
            yield batch
            batch = _Batch()
    if batch.size:
        yield batch


class Rejects:
    """The file of rejected rows: line, reason, row. It is made with the first one, and continued when an import goes on."""

    def __init__(self, path: Path | None, *, is_continued: bool) -> None:
        self.path, self.is_continued = path, is_continued
        self._file: IO[str] | None = None
        self._lines: Any = None

    def write(self, rejected: list[tuple[int, str, str]]) -> None:
        """Add rows; on disk when this returns."""
        if self.path is None or not rejected:
            return
        if self._file is None:
            self._file = self.path.open("a" if self.is_continued else "w", encoding="utf-8", newline="")
            self._lines = csv.writer(self._file)
            if self._file.tell() == 0:
                self._lines.writerow(["line", "reason", "row"])
        self._lines.writerows((line, text.spreadsheet_cell(why), text.spreadsheet_cell(raw)) for line, why, raw in rejected)
        self._file.flush()

    def close(self) -> None:
        """No more rows."""
        if self._file:
            self._file.close()


@use_case
def begin(*, source: str, file_sha256: str, mapping_sha256: str, actor: Actor, now: datetime) -> ImportRun:
    """Go on with the interrupted run of this file and mapping, or start one."""
    found = imported.interrupted(source=source, file_sha256=file_sha256, mapping_sha256=mapping_sha256)
    return found or runs.begin(source=source, file_sha256=file_sha256, mapping_sha256=mapping_sha256, actor=actor, now=now)


@use_case
def bring_in(run: ImportRun, batch: _Batch, names: Names, outcome: Outcome, *, actor: Actor, now: datetime) -> Outcome:
    """Write one batch and how far the file is done, together. Returns the outcome so far."""
    mapping = names.mapping
    brought = intake.bring_in(
        batch.records,
        names=names,
        source=mapping.source,
        is_history=mapping.is_history,
        days=names.days() or DEFAULT_CLOSES_AFTER_DAYS,
        floor=outcome.floor,
        actor=actor,
        now=now,
    )
    incidents.open_many(brought.incidents)
    if names.created.get("organization"):
        sla.renew()  # an agreement with one above holds for it
    clocks.follow_many(brought.numbers, now=now)
    if names.created.get("organization"):
        sla.renew()  # an agreement with one above now holds for it
    after = Outcome(
        rows=outcome.rows + batch.size,
        created=outcome.created + brought.created,
        changed=outcome.changed + brought.changed,
        entries=outcome.entries + brought.entries,
        unchanged=outcome.unchanged + brought.unchanged,
        rejected=outcome.rejected + len(batch.rejected),
        differing=outcome.differing + sum(_differs(record, names) for record in batch.records if brought.entries),
        resumed_at=outcome.resumed_at,
        floor=outcome.floor,
        made={**outcome.made, **{kind: outcome.made.get(kind, 0) + n for kind, n in names.created.items()}},
        reasons=_reasons(outcome, batch),
    )
    runs.advance(run, position=run.position + batch.size, counts=after.counts())
    return after


@use_case
def finish(run: ImportRun, *, actor: Actor, now: datetime) -> None:
    """The file is done."""
    runs.finish(run, actor=actor, now=now)


def _differs(record: Record, names: Names) -> bool:
    return bool(history.priority(record, names.matrix(record))[1])


def _reasons(outcome: Outcome, batch: _Batch) -> list[tuple[int, str]]:
    return (outcome.reasons + [(line, reason) for line, reason, _ in batch.rejected])[:SHOWN]


def import_tickets(
    path: Path,
    mapping: TicketMapping,
    *,
    mapping_sha256: str,
    zone: ZoneInfo,
    rejects: Path | None,
    actor: Actor,
    now: Callable[[], datetime],
    progress: Progress = lambda outcome: None,
) -> Outcome:
    """Bring in a file of tickets or of their history. `now` is asked once per batch. Raises Invalid before anything is written.

    Memory does not grow with the file.
    """
    translator = Translator(mapping, zone)
    digest = readers.file_digest(path)
    first = next(_batches(path, translator, skip=0), None)  # a file that is none is refused before a run begins
    if first is None:
        return Outcome()
    run = begin(source=mapping.source, file_sha256=digest, mapping_sha256=mapping_sha256, actor=actor, now=now())
    kept = dict(run.counts)
    outcome = Outcome(**kept, resumed_at=run.position)
    names, rejected = Names(mapping, actor=actor), Rejects(rejects, is_continued=run.position > 0)
    recount_at = BATCH
    try:
        with frugal():
            for batch in _batches(path, translator, skip=run.position):
                rejected.write(batch.rejected)  # before the batch: rather twice than never
                outcome = bring_in(run, batch, names, outcome, actor=actor, now=now())
                names.created = {}
                progress(outcome)
                if outcome.rows - outcome.resumed_at >= recount_at:
                    runs.recount()
                    recount_at *= 4
    finally:
        rejected.close()
    runs.recount()
    finish(run, actor=actor, now=now())
    return outcome


def preview(path: Path, mapping: TicketMapping, *, zone: ZoneInfo, progress: Progress = lambda outcome: None) -> Outcome:
    """What an import of this file would do; nothing is written. New names are those the database does not have yet."""
    outcome = Outcome()
    with frugal(), _Seen() as seen:
        for batch in _batches(path, Translator(mapping, zone), skip=0):
            outcome.rows += batch.size
            outcome.rejected += len(batch.rejected)
            outcome.reasons = _reasons(outcome, batch)
            _foresee(batch.records, mapping, seen, outcome)
            progress(outcome)
    return outcome


def _foresee(records: list[Record], mapping: TicketMapping, seen: _Seen, outcome: Outcome) -> None:
    known = imported.known(mapping.source, {record.digest for record in records})
    fresh = [record for record in records if record.digest not in known and seen.is_new("row", record.digest)]
    outcome.unchanged += len(records) - len(fresh)
    there = imported.numbers(mapping.source, {record.ref for record in fresh})
    matrix = mapping.house.matrix if mapping.house else None
    for record in fresh:
        if matrix and history.priority(record, matrix)[1]:
            outcome.differing += 1
        is_first = seen.is_new("ref", record.ref)
        if record.ref in there:
            outcome.changed += int(is_first)
            outcome.entries += 1
        else:
            outcome.created += int(is_first)
            outcome.entries += 1 if mapping.is_history or not is_first else history.entries_of_new(record)
        for kind, name in (("team", record.team), ("service", record.service), ("organization", record.unit)):
            if name and seen.is_new(kind, name):
                outcome.made[kind] = outcome.made.get(kind, 0) + 1
        for name in record.people.values():
            if name and seen.is_new("person", name):
                outcome.made["person"] = outcome.made.get("person", 0) + 1


class _Seen:
    """What a preview met so far, in a temporary file that the database library keeps and removes itself."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("")
        self._table.execute("CREATE TABLE met (what TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *_: object) -> None:
        self._table.close()

    def is_new(self, kind: str, name: str) -> bool:
        """Whether this was not met before; it is from now on."""
        cursor = self._table.execute("INSERT OR IGNORE INTO met VALUES (?)", [f"{kind}\x1f{name}"])
        return cursor.rowcount == 1
