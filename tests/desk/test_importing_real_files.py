"""The real files of three desks arrive whole."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F

from allswell.desk import importing
from allswell.desk.tickets import matrix_for
from allswell.intake import readers
from allswell.intake.rules.mapping import zone
from allswell.journal.models import Entry
from allswell.kernel import actor
from allswell.people.models import Organization
from allswell.tickets.models import Ticket
from tests.support.shared_files import real

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def bring(path: Path, name: str, where: str, folder: Path) -> importing.Outcome:
    mapping, digest = readers.mapping(name)
    return importing.import_tickets(
        path,
        mapping,
        mapping_sha256=digest,
        zone=zone(where),
        rejects=folder / "rejected.csv",
        actor=actor.importer(),
        now=lambda: NOW,
    )


def test_servicenow_audit_log(tmp_path: Path) -> None:
    path = real("uci_incidents_dev.csv")
    outcome = bring(path, "servicenow-audit", "America/Sao_Paulo", tmp_path)
    assert (outcome.created, outcome.changed, outcome.entries, outcome.rejected) == (964, 0, 5435, 0)
    assert outcome.differing == 0
    assert Entry.objects.filter(ticket__isnull=False, actor_kind="import").count() == 5435
    last: dict[str, dict[str, str]] = {}
    matrix = matrix_for(Organization.objects.get(name="ServiceNow audit log"))
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert matrix.priority(int(row["impact"][0]), int(row["urgency"][0])) == int(row["priority"][0])
            last[row["number"]] = row
    here = ZoneInfo("America/Sao_Paulo")
    for ticket in Ticket.objects.all():
        row = last[ticket.external_ref]
        assert (ticket.state, ticket.priority, ticket.priority_reason) == ("closed", int(row["priority"][0]), "")
        assert ticket.opened_at <= ticket.acknowledged_at
        assert ticket.opened_at <= ticket.resolved_at == ticket.done_at <= ticket.closed_at
        if row["resolved_at"] != "?":
            told = datetime.strptime(row["resolved_at"], "%d/%m/%Y %H:%M").replace(tzinfo=here)
            assert ticket.resolved_at == told
        assert ticket.closed_at == datetime.strptime(row["closed_at"], "%d/%m/%Y %H:%M").replace(tzinfo=here)
    again = bring(path, "servicenow-audit", "America/Sao_Paulo", tmp_path)
    assert (again.created, again.changed, again.entries, again.unchanged) == (0, 0, 0, 5435)


def test_servicenow_table(tmp_path: Path) -> None:
    outcome = bring(real("servicenow_demo_incidents.csv"), "servicenow-table", "UTC", tmp_path)
    assert (outcome.created, outcome.rejected, outcome.differing) == (67, 0, 0)
    assert Ticket.objects.filter(state="closed", closed_at__isnull=False).count() == 27
    assert not Ticket.objects.filter(resolved_at__lt=F("opened_at")).exists()


def test_a_citys_desk(tmp_path: Path) -> None:
    outcome = bring(real("boston311_sla_dev.csv"), "boston-311", "America/New_York", tmp_path)
    assert (outcome.created, outcome.rejected) == (2939, 0)
    assert Ticket.objects.filter(done_at__isnull=True).count() == 196
    first = Ticket.objects.get(external_ref="101000295665")
    assert first.opened_at == datetime(2011, 7, 1, 12, 7, 43, tzinfo=UTC)
    assert first.organization.parent.name == "City of Boston"
    assert {"incident", "request"} == set(Ticket.objects.values_list("kind", flat=True))
