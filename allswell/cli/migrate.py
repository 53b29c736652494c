"""Bring the database to the schema of this version. Back it up first; there is no way back but the backup."""

from __future__ import annotations

import argparse
import json

from django.core.management import call_command

from allswell.jobs import schema


def options(parser: argparse.ArgumentParser) -> None:
    """--check and --json."""
    parser.add_argument("--check", action="store_true", help="only say what is pending; exit 1 when something is")
    parser.add_argument("--json", action="store_true", help="print what was found and done as JSON")


def run(options: argparse.Namespace) -> int:
    """Apply what is pending."""
    found = schema.look()
    found.refuse_newer()
    if options.check:
        if options.json:
            print(json.dumps({"pending": list(found.pending)}))
        else:
            print("\n".join(["Pending:", *found.pending]) if found.pending else "Nothing is pending.")
        return 1 if found.pending else 0
    bring_up()
    if options.json:
        print(json.dumps({"applied": list(found.pending)}))
    else:
        print(f"{len(found.pending)} migrations applied." if found.pending else "The database is up to date.")
    return 0


def bring_up() -> None:
    """Apply what is pending."""
    call_command("migrate", verbosity=0, interactive=False)
