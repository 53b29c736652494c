"""The command line: what an operator types and what comes back."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allswell.cli.main import COMMANDS
from allswell.jobs import schema
from allswell.people import queries
from tests.support.program import Program
from tests.support.world import World

Run = Callable[..., Any]
PASSWORD = "a watch at night"


def test_the_version_and_the_overview_come_without_loading_the_desk() -> None:
    code = "import sys; from allswell.__main__ import main; sys.argv[1:] = {!r}; main(); print('django' in sys.modules)"
    for argument in ("version", "--version", "--help"):
        done = subprocess.run([sys.executable, "-c", code.format([argument])], capture_output=True, text=True, check=True)
        assert done.stdout.strip().endswith("False"), argument


def test_wrong_use_is_one_line_and_two(allswell: Run, db: None) -> None:
    for arguments in (["frobnicate"], ["token", "create"], ["person", "add", "--nmae", "x"], ["serve", "--bogus"]):
        done = allswell(*arguments)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), arguments
        assert done.err.startswith("allswell: ")
    assert allswell().code == 2


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_explains_itself(allswell: Run, command: str, db: None) -> None:
    done = allswell(command, "--help")
    assert done.code == 0
    assert f"allswell {command}" in done.out


def test_a_new_installation_is_set_up_without_questions_and_only_once(allswell: Run, db: None, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    who = ["--name", "Ada Admin", "--email", "Ada@Example.org", "--organization", "Northbank", "--password-file", str(secret)]
    done = allswell("setup", *who)
    assert (done.code, done.err) == (0, "")
    ada = queries.person_by_address("ada@example.org")
    assert ada is not None
    assert ada.check_password(PASSWORD)
    assert {grant.role for grant in queries.grants(ada.pk)} >= {"administrator"}
    again = allswell("setup", *who)
    assert again.code == 1
    assert "set up already" in again.err


def test_setup_without_a_terminal_says_what_is_missing(allswell: Run, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = allswell("setup", "--email", "ada@example.org", "--organization", "Northbank", "--password", PASSWORD)
    assert (done.code, done.err) == (2, "allswell: --name is needed.\n")
    weak = allswell("setup", "--name", "A", "--email", "a@example.org", "--organization", "N", "--password", "short")
    assert weak.code == 2
    assert "password" in weak.err
    assert queries.people().count() == 0


def test_a_token_alone_is_printed_and_opens_the_api(allswell: Run, world: World) -> None:
    done = allswell("token", "create", "--person", "jonas@example.org", "--scope", "all", "--quiet")
    assert (done.code, done.err) == (0, "")
    secret = done.out.strip()
    assert done.out == secret + "\n"
    program = Program(world, world.jonas)
    program.secret = secret
    assert program.get("/tickets").status_code == 200
    listed = json.loads(allswell("token", "list", "--person", "jonas@example.org", "--json").out)
    made = next(row for row in listed if row["hint"] and secret.startswith(row["hint"]))
    assert secret not in json.dumps(listed)
    assert allswell("token", "revoke", str(made["id"])).code == 0
    assert program.get("/tickets").status_code == 401


def test_a_token_needs_a_person_and_a_known_scope(allswell: Run, world: World) -> None:
    nobody = allswell("token", "create", "--person", "nobody@example.org", "--scope", "all")
    assert (nobody.code, nobody.err) == (2, "allswell: Nobody has the address nobody@example.org.\n")
    assert allswell("token", "create", "--person", "jonas@example.org", "--scope", "root").code == 2
    assert allswell("token", "create", "--person", "jonas@example.org", "--scope", "all", "--days", "0").code == 2


def test_people_are_added_listed_and_deactivated(allswell: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    given = ["--name", "Nora Neu", "--email", "nora@example.org", "--organization", "northbank", "--team", "service-desk"]
    done = allswell("person", "add", *given, "--role", "auditor", "--password-stdin", "--json")
    assert (done.code, done.err) == (0, "")
    nora = queries.person(json.loads(done.out)["id"])
    assert nora is not None
    assert nora.check_password(PASSWORD)
    assert {(grant.role, grant.scope) for grant in queries.grants(nora.pk)} >= {("auditor", "installation"), ("agent", "team")}
    assert "nora@example.org" in allswell("person", "list").out
    assert allswell("person", "deactivate", "nora@example.org").code == 0
    assert "nora@example.org" not in allswell("person", "list").out
    listed = json.loads(allswell("person", "list", "--inactive", "--json").out)
    assert [row["is_active"] for row in listed if row["email"] == "nora@example.org"] == [False]
    assert allswell("person", "activate", "nora@example.org").code == 0
    assert allswell("person", "password", "nora@example.org", "--password", "another watch").code == 0
    assert queries.any_person(nora.pk).check_password("another watch")  # type: ignore[union-attr]


def test_nothing_runs_on_a_schema_that_does_not_fit(allswell: Run, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.known()
    monkeypatch.setattr(schema, "known", lambda: known | {("tickets", "0999_later")})
    for command in (["serve"], ["engine"], ["person", "list"], ["token", "list", "--person", "a@example.org"]):
        done = allswell(*command)
        assert done.code == 1
        assert "1 migrations are pending" in done.err
    assert json.loads(allswell("migrate", "--check", "--json").out) == {"pending": ["tickets.0999_later"]}
    monkeypatch.setattr(schema, "known", lambda: known - {("tickets", "0001_initial")})
    for command in (["serve"], ["serve", "--migrate"], ["engine"], ["migrate"], ["setup"]):
        done = allswell(*command)
        assert done.code == 1
        assert "newer than this program" in done.err
