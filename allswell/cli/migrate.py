"""Bring the database to the schema of this version. Back it up first; there is no way back but the backup."""

from __future__ import annotations

import argparse
import json

from .schema import bring_up, look


def options(parser: argparse.ArgumentParser) -> None:
    """--check and --json."""
    parser.add_argument("--check", action="store_true", help="only say what is pending; exit 1 when something is")
    parser.add_argument("--json", action="store_true", help="print what was found and done as JSON")


def run(options: argparse.Namespace) -> int:
    """Apply what is pending."""
    schema = look()
    schema.refuse_newer()
    if options.check:
        if options.json:
            print(json.dumps({"pending": list(schema.pending)}))
        else:
            print("\n".join(["Pending:", *schema.pending]) if schema.pending else "Nothing is pending.")
        return 1 if schema.pending else 0
    bring_up()
    if options.json:
        print(json.dumps({"applied": list(schema.pending)}))
    else:
        print(f"{len(schema.pending)} migrations applied." if schema.pending else "The database is up to date.")
    return 0
