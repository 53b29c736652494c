"""`allswell triage evaluate`: figures of any file of tickets, for others to repeat."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.shared_files import real
from tests.triage.test_learning import tickets

from .conftest import Done

Run = Callable[..., Done]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A flat file of 120 tickets."""
    path = tmp_path / "tickets.csv"
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["Short description", "Description", "Site", "Assignment group"])
        for one in tickets(120):
            writer.writerow([one.facts.title, one.facts.description, one.facts.names["site"], one.label])
    return path


def test_a_file_without_instants_is_asked_in_its_own_order(allswell: Run, file: Path) -> None:
    mapping = file.with_name("map.yml")
    mapping.write_text(
        "columns:\n  title: Short description\n  description: Description\n  team: Assignment group\n  Where: Site\n"
    )
    done = allswell("triage", "evaluate", "--data", str(file), "--mapping", str(mapping), "--target", "team")
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    assert (report["n"], report["order"], report["looked_at"]) == (24, "file", ["where"])
    assert report["top3"] >= report["top1"] >= 0.9
    assert report["baselines"]["majority"]["top1"] < report["top1"]


def test_a_mapping_may_be_nothing_but_columns(allswell: Run, file: Path) -> None:
    mapping = file.with_name("map.yml")
    mapping.write_text("title: Short description\nteam: Assignment group\n")
    report = json.loads(allswell("triage", "evaluate", "--data", str(file), "--mapping", str(mapping)).out)
    assert report["top1"] >= 0.9


def test_wrong_use_says_what_is_missing(allswell: Run, file: Path) -> None:
    mapping = file.with_name("map.yml")
    mapping.write_text("columns: {title: Short description}\n")
    done = allswell("triage", "evaluate", "--data", str(file), "--mapping", str(mapping), "--target", "team")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "no team to tell" in done.err
    assert allswell("triage", "evaluate", "--data", "nothing.csv", "--mapping", str(mapping)).code == 2
    mapping.write_text("columns: {title: Title, team: Assignment group}\n")
    assert "has no column Title" in allswell("triage", "evaluate", "--data", str(file), "--mapping", str(mapping)).err


def test_a_real_log_is_told_better_than_by_its_categories(allswell: Run) -> None:
    path = real("uci_incidents_dev.csv")
    report = json.loads(allswell("triage", "evaluate", "--data", str(path), "--mapping", "servicenow-audit").out)
    assert report["n"] > 150
    assert report["top1"] > report["baselines"]["category"]["top1"] > report["baselines"]["majority"]["top1"]
