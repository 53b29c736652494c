"""Keeping where an import stands, in the transaction of its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.database import hurry
from allswell.intake.models import ImportedEntry, ImportRun
from allswell.intake.queries import imported
from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.people.models import Person
from allswell.tickets.models import Comment, Ticket


def begin(*, source: str, file_sha256: str, mapping_sha256: str, actor: Actor, now: datetime) -> ImportRun:
    """Write down that an import starts."""
    run = ImportRun.objects.create(
        source=source,
        file_sha256=file_sha256,
        mapping_sha256=mapping_sha256,
        started_at=now,
        counts={"floor": imported.highest_number()},
    )
    journal.record(Verb.JOB_STARTED, about=("import_run", run.pk), actor=actor, now=now, data={"source": source})
    return run


def advance(run: ImportRun, *, position: int, counts: dict[str, Any]) -> None:
    """`position` rows of the file are done."""
    ImportRun.objects.filter(pk=run.pk).update(position=position, counts=counts)
    run.position, run.counts = position, counts


def finish(run: ImportRun, *, actor: Actor, now: datetime) -> None:
    """The whole file is done."""
    ImportRun.objects.filter(pk=run.pk).update(finished_at=now)
    journal.record(Verb.JOB_FINISHED, about=("import_run", run.pk), actor=actor, now=now, data=dict(run.counts))


def recount() -> None:
    """Let the database know how much larger the tables are by what was brought in so far."""
    hurry.recount(ImportedEntry, Ticket, Entry, Comment, Person)
