"""`allswell import tickets` as an operator and as a program use it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from allswell.cli import imports
from allswell.tickets.models import Ticket

pytestmark = pytest.mark.django_db
MAPPING = """
name: old-desk
date_order: dmy
columns:
  ref: id
  title: subject
  state: {column: state, values: {Open: new}}
  opened_at: opened
"""
ROWS = "id,subject,state,opened\n1,Printer,Open,1/2/2024 10:00\n2,Screen,Open,1/2/2024 11:00\n3,Bad,Limbo,1/2/2024\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "old.csv").write_text(ROWS)
    return tmp_path


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    imports.options(parser)
    return imports.run(parser.parse_args(["tickets", *arguments]))


def test_a_dry_run_then_the_real_one_then_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    how = ("old.csv", "--mapping", "map.yaml", "--timezone", "Europe/Paris")
    assert run(*how, "--dry-run") == 1
    assert "Would bring in 2 new tickets" in capsys.readouterr().out
    assert not Ticket.objects.exists()
    assert not (desk / "old.csv.rejected.csv").exists()
    assert run(*how, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["tickets"], told["entries"], told["rejected"]) == ({"created": 2, "changed": 0}, {"created": 2}, 1)
    assert "Limbo" in (desk / "old.csv.rejected.csv").read_text()
    assert run(*how, "--json") == 1
    assert json.loads(capsys.readouterr().out)["tickets"] == {"created": 0, "changed": 0}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("none.csv", "--mapping", "map.yaml"), "There is no file"),
        (("old.csv", "--mapping", "nowhere"), "servicenow-audit"),
        (("old.csv", "--mapping", "boston-311"), "no column"),
        (("old.csv", "--mapping", "map.yaml", "--timezone", "Moon/Base"), "Moon/Base"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], word: str
) -> None:
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert word in said
    assert said.count("\n") == 1
