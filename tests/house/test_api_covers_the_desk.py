"""What the desk does, a program can do: every use case is an operation of the API, or it is said here why it is none."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import allswell.desk

API = Path(__file__).parents[2] / "allswell" / "api"

#: the engine's and the operator's own work
OF_THE_PROGRAM = {
    "bulk.claim",
    "bulk.put_back",
    "bulk.run_batch",
    "calls.forget_calls",
    "calls.note_token_use",
    "attachments.forget_unsent_uploads",
    "sign_in.tidy",
    "setup.first_administrator",
    "shifts.note_calendar_reading",
    "handovers.draft",
    "handovers.settle",
    "report_mails.send_due",
    "what_if.begin",
    "what_if.run_batch",
}
#: the desk's modules that are looked at; the others are the program's own
COVERED = {
    *("agreements", "report_mails", "what_if"),
    "contacts",
    *("rotas", "shifts", "covering", "leave_files", "oncall_files", "handovers", "policies"),
    *("announcements", "attachments", "bulk", "calls", "csv_records", "notices", "people", "preferences"),
    *("services", "setup", "sign_in", "teams", "tickets", "views", "webhooks", "writing"),
}
#: what only a person at a page does: sign-in and what protects it, drafts, who has a page open, a file of people with its preview
AT_A_PAGE = {
    "agreements.save",  # a program changes it and adds a version
    "agreements.move",  # a program puts them all into order
    "people.set_password",
    "people.create_token",
    "csv_records.bring_in",
    "writing.save_draft",
    "writing.drop_draft",
    "writing.seen",
    "writing.left",
    *(
        f"sign_in.{name}"
        for name in (
            "signed_in",
            "end_session",
            "sign_out_everywhere",
            "session_renewed",
            "new_password",
            "confirm_address",
            "turn_on_second_factor",
            "turn_off_second_factor",
        )
    ),
}


def use_cases() -> set[str]:
    """The names of all use cases: "people.create_person", those of tickets as "tickets.take"."""
    found = set()
    for info in pkgutil.walk_packages(allswell.desk.__path__, "allswell.desk."):
        module = importlib.import_module(info.name)
        place = info.name.removeprefix("allswell.desk.").split(".")[0]
        for name, value in vars(module).items():
            is_ours = getattr(value, "is_use_case", False) and value.__module__ == info.name
            if is_ours and not name.startswith("_") and place in COVERED:
                found.add(f"{place}.{name}")
    return found


def called_by_the_api() -> set[str]:
    """What the API's modules name of the desk's modules."""
    called = set()
    for path in API.rglob("*.py"):
        tree = ast.parse(path.read_text())
        aliases = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "allswell.desk"
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                called.add(f"{aliases[node.value.id]}.{node.attr}")
    return called


def test_every_use_case_is_an_operation() -> None:
    without = use_cases() - called_by_the_api()
    assert without == OF_THE_PROGRAM | AT_A_PAGE, "give it an operation, or say here why it has none"
