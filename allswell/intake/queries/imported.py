"""Reading what was brought in before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from allswell.intake.models import ImportedEntry, ImportRun
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.tickets.models import Ticket

if TYPE_CHECKING:
    from allswell.intake.rules.history import Columns


def interrupted(*, source: str, file_sha256: str, mapping_sha256: str) -> ImportRun | None:
    """The run of this very file and mapping that did not come to its end; the newest."""
    runs = ImportRun.objects.filter(source=source, file_sha256=file_sha256, mapping_sha256=mapping_sha256)
    return runs.filter(finished_at__isnull=True).order_by("-id").first()


def known(source: str, digests: Iterable[str]) -> set[str]:
    """Which of these rows came in before."""
    found: set[str] = set()
    wanted = list(digests)
    for start in range(0, len(wanted), 900):  # SQLite takes 999 values a statement
        part = wanted[start : start + 900]
        found |= set(ImportedEntry.objects.filter(source=source, digest__in=part).values_list("digest", flat=True))
    return found


def numbers(source: str, refs: Iterable[str]) -> dict[str, int]:
    """Reference at the source -> number here."""
    found: dict[str, int] = {}
    wanted = list(refs)
    for start in range(0, len(wanted), 900):
        rows = Ticket.objects.filter(external_source=source, external_ref__in=wanted[start : start + 900])
        found |= dict(rows.values_list("external_ref", "pk"))
    return found


def columns(source: str, refs: Iterable[str]) -> dict[str, Columns]:
    """Reference at the source -> the ticket's columns as they are now, its number as "id"."""
    found: dict[str, Columns] = {}
    wanted = list(refs)
    for start in range(0, len(wanted), 900):
        rows = Ticket.objects.filter(external_source=source, external_ref__in=wanted[start : start + 900])
        found |= {row["external_ref"]: dict(row) for row in rows.values()}
    return found


def teams_that_had(numbers_: Iterable[int]) -> dict[int, set[int]]:
    """Ticket number -> the teams it was handed over from."""
    had: dict[int, set[int]] = defaultdict(set)
    wanted = list(numbers_)
    for start in range(0, len(wanted), 900):
        rows = Entry.objects.filter(ticket__in=wanted[start : start + 900], verb=Verb.HANDED_OVER.value)
        for number, what in rows.values_list("ticket_id", "data"):
            if isinstance(what.get("from"), int):
                had[number].add(what["from"])
    return had


def highest_number() -> int:
    """The highest ticket number there is; 0 when there is none."""
    return Ticket.objects.order_by("-id").values_list("id", flat=True).first() or 0
