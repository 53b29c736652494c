"""Nothing learns from what is known only later: not the parts of a ticket, not columns of a file, however well they would tell."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from allswell.intake import readers
from allswell.intake.rules.mapping import FIELDS, parse_flat
from allswell.kernel.errors import Invalid
from allswell.triage import flat
from allswell.triage.rules.evaluating import evaluate
from allswell.triage.rules.facts import AT_OPENING, LATER, facts, is_later

MAPPING = {
    "date_order": "ymd",
    "rows": "ticket",
    "columns": {
        "ref": "id",
        "title": "title",
        "team": "team",
        "assignee": "assignee",
        "opened_at": "opened",
        "closed_at": "closed",
        "resolution": "resolution",
        "by": "closed_by",
    },
    "custom": {"close_code": "code", "site": "site", "resolved_by": "resolver", "stamp": "closed"},
}
HEADER = ["id", "title", "team", "assignee", "opened", "closed", "resolution", "closed_by", "code", "site", "resolver"]


def _file(path: Path, later: str) -> Path:
    """Tickets whose team follows from everything that came later, and hardly from their titles."""
    chance = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(200):
            team = chance.choice(["Payments", "Network", "Desk"])
            hint = team if later == "tells" else f"nothing {number}"
            opened, closed = f"2026-01-{number // 10 + 1:02d} 09:{number % 60:02d}", f"2026-02-{number // 10 + 1:02d} 10:00"
            site = chance.choice(["Bern", "Lyon"])
            title = chance.choice(["It is slow", "It is down"])
            writer.writerow([number, title, team, hint, opened, closed, hint, hint, hint, site, hint])
    return path


def test_what_came_later_changes_nothing(tmp_path: Path) -> None:
    how = parse_flat(MAPPING)
    told = flat.read(_file(tmp_path / "tells.csv", "tells"), how, "team")
    silent = flat.read(_file(tmp_path / "silent.csv", "nothing"), how, "team")
    assert told.looked_at == ["site"]
    assert {"assignee", "by", "close_code", "closed_at", "resolution", "resolved_by", "stamp"} <= set(told.left_out)
    assert [one.facts for one in told.examples] == [one.facts for one in silent.examples]
    one, other = evaluate(told.examples, "team"), evaluate(silent.examples, "team")
    assert one == other
    assert one["top1"] < 0.7  # three teams by chance: had anything later told, it were near 1


def test_every_part_of_a_ticket_is_known_at_opening_or_later() -> None:
    parts = set(FIELDS) - {"ref", "title", "description", "opened_at", "occurred_at"}
    assert parts <= set(AT_OPENING) | set(LATER)
    assert not set(AT_OPENING) & set(LATER)


@pytest.mark.parametrize("name", LATER)
def test_facts_refuse_what_is_known_later(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        facts(title="It is slow", names={name: "x"})


def test_an_own_field_is_known_by_its_name() -> None:
    late = "closed_code made_sla resolved_by u_resolution closedBy ResolvedAt sys_updated_by reopen_count reassignment_count sys_mod_count"
    late += " problem_id rfc caused_by vendor assigned_to assignment_group close_notes root_cause time_spent csat work_notes on_time_sla"
    early = "location u_symptom site device cost_center floor building sys_created_by opened_by subcategory language hostname"
    assert [name for name in late.split() if not is_later(name)] == []
    assert [name for name in early.split() if is_later(name)] == []


def test_a_mapping_cannot_declare_the_end_known_at_the_beginning(tmp_path: Path) -> None:
    path = _file(tmp_path / "tells.csv", "tells")
    with pytest.raises(Invalid, match="known only later"):
        flat.read(path, parse_flat({**MAPPING, "triage": {"at_opening": ["assignee"]}}), "team")
    declared = flat.read(path, parse_flat({**MAPPING, "triage": {"later": ["site"]}}), "team")
    assert declared.looked_at == []


def test_the_first_row_of_a_log_tells_and_its_last_row_is_right(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    rows = [
        {"id": "1", "at": "2026-01-02 10:00", "who": "Network", "place": "Lyon"},
        {"id": "1", "at": "2026-01-01 10:00", "who": "Desk", "place": "Bern"},
        {"id": "1", "at": "2026-01-03 10:00", "who": "", "place": "Rome"},
    ]
    path.write_text(json.dumps(rows))
    how = parse_flat({"rows": "entry", "columns": {"ref": "id", "at": "at", "team": "who"}, "custom": {"place": "place"}})
    (example,) = flat.read(path, how, "team").examples
    assert (example.facts.names, example.label, example.given) == ({"place": "Bern"}, "Network", "Desk")


def test_the_shipped_mapping_of_a_log_looks_at_nothing_that_came_later() -> None:
    how, _ = readers.mapping("servicenow-audit", parse_flat)
    looked_at, left_out = flat._fields(how, "team")
    assert {"location", "symptom", "category", "reporter", "sys_created_by"} <= set(looked_at)
    assert {"closed_code", "made_sla", "sys_updated_by", "rfc", "problem_id"} <= set(left_out)
    columns = {column for spot in looked_at.values() for column in spot.columns}
    assert not columns & {"assignment_group", "assigned_to", "closed_code", "resolved_by", "resolved_at", "closed_at", "made_sla"}
