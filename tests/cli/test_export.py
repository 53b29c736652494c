"""The operator takes the tickets out."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path

import pytest

from allswell.cli import exports
from allswell.journal.models import Entry
from tests.support.world import World


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    exports.options(parser)
    return exports.run(parser.parse_args(["tickets", *arguments]))


def test_csv_neutralizes_formulas_and_is_journaled(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.report(title="=HYPERLINK(A1) is down")
    assert run() == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["title"] for row in rows] == ["'=HYPERLINK(A1) is down"]
    assert Entry.objects.filter(verb="record.exported", actor_kind="setup").count() == 1


def test_json_lines_into_a_file(world: World, tmp_path: Path) -> None:
    ticket = world.report(title="=1 is a title")
    assert run("--format", "jsonl", "--state", "open", "--output", str(tmp_path / "t.jsonl")) == 0
    [row] = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert (row["number"], row["title"], row["custom"]) == (ticket.pk, "=1 is a title", {})
    assert run("--state", "done", "--output", str(tmp_path / "none.csv")) == 0
    assert len((tmp_path / "none.csv").read_text().splitlines()) == 1
    assert run("--output", str(tmp_path)) == 2
