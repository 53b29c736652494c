"""A team's history is brought in from another desk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import importing
from allswell.intake import readers
from allswell.intake.models import ImportedEntry, ImportRun
from allswell.intake.rules.mapping import parse, zone
from allswell.journal.models import Entry
from allswell.kernel import actor
from allswell.kernel.errors import Invalid
from allswell.people.models import Organization, Person, Team
from allswell.search import queries as search
from allswell.tickets.models import Comment, Ticket

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MAPPING = {
    "name": "old-desk",
    "rows": "ticket",
    "date_order": "dmy",
    "missing": ["?"],
    "organization": {"name": "Old desk", "priority_matrix": [[1, 2], [2, 4]]},
    "columns": {
        "ref": "id",
        "title": "subject",
        "state": {"column": "state", "values": {"Open": "new", "Pending": "waiting on supplier", "Done": "closed"}},
        "impact": "impact",
        "urgency": "urgency",
        "requester": "caller",
        "team": "group",
        "opened_at": "opened",
        "closed_at": "closed",
    },
    "comments": [{"column": "remark", "public": False, "by": "caller"}],
}
HEADER = "id,subject,state,impact,urgency,caller,group,opened,closed,remark\n"
THREE = (
    HEADER
    + "T1,Printer jams,Open,2 - Medium,1 - High,anna@old.example,Line 1,1/2/2024 08:00,?,\n"
    + 'T2,"Mail, slow",Pending,1,1,Bo,Line 1,2/2/2024 09:30,?,"Asked the\nprovider"\n'
    + "T3,VPN drops,Done,2,2,?,Network,3/2/2024 10:00,4/2/2024 11:00,\n"
)


def mapping_file(folder: Path, **changes: Any) -> Path:
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump({**MAPPING, **changes}))
    return path


def bring(path: Path, folder: Path, *, where: str = "UTC", **changes: Any) -> importing.Outcome:
    mapping, digest = readers.mapping(str(mapping_file(folder, **changes)))
    return importing.import_tickets(
        path,
        mapping,
        mapping_sha256=digest,
        zone=zone(where),
        rejects=folder / "rejected.csv",
        actor=actor.importer(),
        now=lambda: NOW,
    )


def write(folder: Path, content: str, name: str = "old.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def rows_of_everything() -> int:
    models = (Ticket, Entry, Person, Team, Organization, ImportRun, ImportedEntry, Comment)
    return sum(model.objects.count() for model in models)


def test_tickets_come_with_people_teams_instants_and_history(tmp_path: Path) -> None:
    outcome = bring(write(tmp_path, THREE), tmp_path, where="Europe/Paris")
    assert (outcome.created, outcome.changed, outcome.rejected, outcome.entries) == (3, 0, 0, 6)
    first, second, third = Ticket.objects.order_by("id")
    assert (first.external_source, first.external_ref, first.state, first.priority) == ("old-desk", "T1", "new", 2)
    assert first.opened_at == datetime(2024, 2, 1, 7, 0, tzinfo=UTC)
    assert first.requester.addresses.get().proof == "vouched"
    assert not first.requester.has_usable_password()
    assert (second.state, second.waiting_on, second.team.name, second.queue_rank) == ("waiting", "supplier", "Line 1", 11)
    assert (third.requester, third.state, third.priority) == (None, "closed", 4)
    assert third.resolved_at == third.done_at == third.closed_at == datetime(2024, 2, 4, 10, 0, tzinfo=UTC)
    entries = Entry.objects.filter(ticket=third).order_by("id")
    assert [entry.verb for entry in entries] == ["incident.reported", "ticket.resolved", "ticket.closed"]
    assert {entry.actor_kind for entry in entries} == {"import"}
    assert entries[0].happened_at == third.opened_at
    assert entries[0].recorded_at == NOW
    assert Comment.objects.get().body == "Asked the\nprovider"
    assert list(search.newest(Ticket.objects.all(), "provider", internal=True, limit=5)) == [second.pk]


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, THREE)
    before = rows_of_everything()
    mapping, _ = readers.mapping(str(mapping_file(tmp_path)))
    told = importing.preview(path, mapping, zone=zone("UTC"))
    assert rows_of_everything() == before
    done = bring(path, tmp_path)
    assert (told.created, told.entries, told.rejected) == (done.created, done.entries, done.rejected)
    assert told.made["team"] == done.made["team"]
    assert told.made["person"] == done.made["person"]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, THREE)
    bring(path, tmp_path)
    seen = {ticket.pk: ticket.version for ticket in Ticket.objects.all()}
    entries = Entry.objects.filter(ticket__isnull=False).count()
    again = bring(path, tmp_path)
    assert (again.created, again.changed, again.entries, again.unchanged) == (0, 0, 0, 3)
    assert {ticket.pk: ticket.version for ticket in Ticket.objects.all()} == seen
    assert Entry.objects.filter(ticket__isnull=False).count() == entries


def test_a_newer_export_brings_only_what_changed(tmp_path: Path) -> None:
    bring(write(tmp_path, THREE), tmp_path)
    newer = THREE.replace("Printer jams,Open", "Printer jams,Done").replace("1/2/2024 08:00,?", "1/2/2024 08:00,5/2/2024 12:00")
    outcome = bring(write(tmp_path, newer), tmp_path)
    assert (outcome.created, outcome.changed, outcome.entries, outcome.unchanged) == (0, 1, 1, 2)
    ticket = Ticket.objects.get(external_ref="T1")
    assert (ticket.state, ticket.closed_at) == ("closed", datetime(2024, 2, 5, 12, 0, tzinfo=UTC))
    last = Entry.objects.filter(ticket=ticket).latest("id")
    assert (last.verb, last.data["from"], last.data["to"], last.happened_at) == (
        "ticket.closed",
        "new",
        "closed",
        ticket.closed_at,
    )


def test_an_interrupted_import_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    lines = "".join(f"T{n},Case {n},Open,1,1,Caller {n},Line 1,1/2/2024 08:00,?,\n" for n in range(35))
    path = write(tmp_path, HEADER + lines + "T99,Bad date,Open,1,1,?,?,99/99/2024,?,\n")
    real, batches = importing.bring_in, []

    def power_cut(*args: Any, **kwargs: Any) -> importing.Outcome:
        batches.append(1)
        if len(batches) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(importing, "bring_in", power_cut)
    with pytest.raises(KeyboardInterrupt):
        bring(path, tmp_path)
    assert Ticket.objects.count() == 20
    monkeypatch.setattr(importing, "bring_in", real)
    outcome = bring(path, tmp_path)
    assert (outcome.resumed_at, outcome.created, outcome.rejected, outcome.rows) == (20, 35, 1, 36)
    assert Ticket.objects.count() == 35
    assert Ticket.objects.values("external_ref").distinct().count() == 35
    assert ImportRun.objects.get().finished_at == NOW


def test_rejected_rows_stand_in_a_file_with_reasons(tmp_path: Path) -> None:
    bad = (
        HEADER
        + "T1,Bad date,Open,1,1,?,?,31/31/2024,?,\n"
        + "T2,Bad state,Limbo,1,1,?,?,1/2/2024,?,\n"
        + "T3,Too few\n"
        + "T4,Bad impact,Open,9,1,?,?,1/2/2024,?,\n"
        + ",No reference,Open,1,1,?,?,1/2/2024,?,\n"
        + "T6,?,Open,1,1,?,?,1/2/2024,?,\n"
        + "T7,Good,Open,1,1,?,?,1/2/2024,?,\n"
    )
    outcome = bring(write(tmp_path, bad), tmp_path)
    assert (outcome.created, outcome.rejected) == (1, 6)
    told = (tmp_path / "rejected.csv").read_text()
    for word in ("31/31/2024", "Limbo", "has 2 fields", "not between 1 and 4", "ref:", "title:"):
        assert word in told


def test_hostile_csv_rejects_its_rows_and_brings_in_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "hostile.csv"
    good = "T{n},Fine {n},Open,1,1,?,?,1/2/2024,?,\n"
    path.write_bytes(
        HEADER.encode()
        + b"T1,NUL \x00 and bad \xff bytes,Open,1,1,?,?,1/2/2024,?,\n"
        + ("T2," + "x" * 1_200_000 + ",Open,1,1,?,?,1/2/2024,?,\n").encode()
        + good.format(n=3).encode()
        + b"T4,=cmd|' /C calc'!A0,Open,1,1,<script>,?,1/2/2024,?,\n"
        + b"T5," + b"y" * 9_000_000 + b"\n"
        + good.format(n=6).encode()
    )  # fmt: skip
    outcome = bring(path, tmp_path)
    assert (outcome.created, outcome.rejected) == (4, 2)
    assert "\x00" not in Ticket.objects.get(external_ref="T1").title
    assert Ticket.objects.get(external_ref="T4").title == "=cmd|' /C calc'!A0"


def test_a_file_without_the_mapped_columns_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    before = rows_of_everything()
    with pytest.raises(Invalid, match="no column caller, closed, group"):
        bring(write(tmp_path, "id,subject,state,impact,urgency,opened,remark\n1,a,Open,1,1,1/2/2024,\n"), tmp_path)
    assert rows_of_everything() == before


def test_json_and_workbooks_are_read_alike(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "subject": "A", "state": "Open", "caller": {"display_value": "Ann", "link": "x"}, "opened": "1/2/2024"},
        {"id": 2, "subject": "B", "state": "Done", "opened": "1/2/2024", "closed": "2/2/2024 10:00"},
    ]
    bring(write(tmp_path, json.dumps({"result": rows}), "a.json"), tmp_path, records="result")
    again = bring(write(tmp_path, "\n".join(json.dumps(row) for row in rows[:1]), "a.jsonl"), tmp_path)
    assert (again.created, again.unchanged) == (0, 1)
    assert [ticket.state for ticket in Ticket.objects.order_by("id")] == ["new", "closed"]
    assert Ticket.objects.get(external_ref="1").requester.name == "Ann"
    book = openpyxl.Workbook()
    book.active.append(HEADER.strip().split(","))
    book.active.append(
        ["X1", "From a sheet", "Done", 1, 1, None, "Line 1", datetime(2024, 2, 1, 8, 0), datetime(2024, 2, 1, 9, 0), None]
    )
    book.save(tmp_path / "a.xlsx")
    assert bring(tmp_path / "a.xlsx", tmp_path, where="Europe/Paris").created == 1
    assert Ticket.objects.get(external_ref="X1").opened_at == datetime(2024, 2, 1, 7, 0, tzinfo=UTC)


def test_a_broken_json_file_says_where(tmp_path: Path) -> None:
    rows = json.dumps([{"id": 1, "subject": "A", "state": "Open", "opened": "1/2/2024"}])[:-1] + ', {"id": 2, "sub'
    outcome = bring(write(tmp_path, rows, "cut.json"), tmp_path)
    assert (outcome.created, outcome.rejected) == (1, 1)
    assert "not readable as JSON" in outcome.reasons[0][1]


AUDIT = {
    **MAPPING,
    "rows": "entry",
    "columns": {**MAPPING["columns"], "at": "at", "by": "who", "assignee": "owner"},  # type: ignore[dict-item]
    "comments": [],
}
AUDIT_HEADER = "id,subject,state,impact,urgency,caller,group,opened,closed,at,who,owner\n"


def audit(*steps: tuple[str, str, str, str]) -> str:
    return AUDIT_HEADER + "".join(
        f"A1,Ledger,{state},2,2,Maria,{team},1/2/2024 08:00,?,{at},Bo,{owner}\n" for at, state, team, owner in steps
    )


def test_an_audit_log_becomes_the_history_of_the_ticket(tmp_path: Path) -> None:
    log = audit(
        ("1/2/2024 08:00", "Open", "Line 1", "?"),
        ("1/2/2024 08:10", "Open", "Line 1", "Jo"),
        ("1/2/2024 08:20", "Open", "DBA", "?"),
        ("1/2/2024 08:30", "Open", "Line 1", "?"),
        ("1/2/2024 08:40", "Pending", "Line 1", "?"),
        ("1/2/2024 09:00", "Done", "Line 1", "Jo"),
    )
    changes = {name: AUDIT[name] for name in ("rows", "columns", "comments")}
    outcome = bring(write(tmp_path, log), tmp_path, **changes)
    assert (outcome.created, outcome.entries) == (1, 6)
    ticket = Ticket.objects.get()
    entries = Entry.objects.filter(ticket=ticket).order_by("happened_at", "id")
    assert [entry.verb.split(".")[1] for entry in entries] == [
        "reported",
        "assigned",
        "handed_over",
        "handed_over",
        "waited",
        "closed",
    ]
    assert [entry.happened_at.minute for entry in entries] == [0, 10, 20, 30, 40, 0]
    assert entries[3].data["returns"] is True
    assert entries[4].data["on"] == "supplier"
    assert {entry.person.name for entry in entries} == {"Bo"}
    assert (ticket.handover_count, ticket.return_count) == (2, 1)
    assert ticket.acknowledged_at.minute == 40
    assert ticket.resolved_at == datetime(2024, 2, 1, 9, 0, tzinfo=UTC)
    assert ticket.assignee.name == "Jo"


def test_a_log_split_in_two_files_ends_the_same(tmp_path: Path) -> None:
    steps = [
        ("1/2/2024 08:00", "Open", "Line 1", "?"),
        ("1/2/2024 08:20", "Open", "DBA", "?"),
        ("1/2/2024 08:30", "Open", "Line 1", "?"),
        ("1/2/2024 09:00", "Done", "Line 1", "Jo"),
    ]
    changes = {name: AUDIT[name] for name in ("rows", "columns", "comments")}
    bring(write(tmp_path, audit(*steps[:2])), tmp_path, **changes)
    outcome = bring(write(tmp_path, audit(*steps)), tmp_path, **changes)
    assert (outcome.created, outcome.changed, outcome.entries, outcome.unchanged) == (0, 1, 2, 2)
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.handover_count, ticket.return_count) == ("closed", 2, 1)
    late = bring(write(tmp_path, audit(("1/2/2024 08:05", "Open", "Line 1", "Zoe"))), tmp_path, **changes)
    assert late.entries == 1
    assert Ticket.objects.get().state == "closed"


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        ({"rows": "both"}, "rows"),
        ({"columns": {"ref": "id"}}, "title"),
        ({"columns": {**MAPPING["columns"], "colour": "x"}}, "colour"),  # type: ignore[dict-item]
        ({"source": "Old Desk!"}, "source"),
        ({"date_order": "ydm"}, "date_order"),
        ({"timezone": "Mars/Base"}, "Mars/Base"),
        ({"organization": {"name": "x", "priority_matrix": [[1, 9]]}}, "1 to 5"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(broken: dict[str, Any], word: str) -> None:
    with pytest.raises(Invalid, match=word):
        parse({**MAPPING, **broken})


def test_shipped_mappings_are_valid() -> None:
    assert readers.shipped() == ["boston-311", "servicenow-audit", "servicenow-table"]
    for name in readers.shipped():
        assert readers.mapping(name)[0].source == name


def test_an_import_asks_the_database_per_batch_not_per_row(tmp_path: Path) -> None:
    def asked(folder: str, tickets: int) -> int:
        """Statements of a log in which every step of a ticket stands in another batch."""
        (tmp_path / folder).mkdir()
        times = ("08:00", "08:20", "09:00")
        rows = [
            f"{folder}{number},Ledger,{state},2,2,Maria,{team},1/2/2024 08:00,?,1/2/2024 {at},Bo,?\n"
            for at, state, team in zip(times, ("Open", "Pending", "Done"), ("Line 1", "DBA", "DBA"), strict=True)
            for number in range(tickets)
        ]
        with pytest.MonkeyPatch.context() as patch, CaptureQueriesContext(connection) as statements:
            patch.setattr(importing, "BATCH", tickets)
            changes = {name: AUDIT[name] for name in ("rows", "columns", "comments")}
            outcome = bring(write(tmp_path / folder, AUDIT_HEADER + "".join(rows)), tmp_path, **changes)
        assert (outcome.created, outcome.entries) == (tickets, 3 * tickets)
        return len(statements)

    asked("A", 1)  # makes the people and teams
    assert asked("B", 40) <= asked("C", 4) + 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite needs no counts to use its indexes")
def test_postgresql_learns_how_large_the_tables_have_become(tmp_path: Path) -> None:
    bring(write(tmp_path, THREE), tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'intake_importedentry'")
        assert cursor.fetchone() == (ImportedEntry.objects.count(),)
