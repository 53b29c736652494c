"""A desk with a demo company: makes it in an empty database, the first time, and serves it.

It lives in data/demo unless ALLSWELL_DATA_DIR says otherwise. Everybody in it is made up; the passwords are public.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection, connections

from allswell.desk import demo
from allswell.jobs import schema
from allswell.kernel import clock
from allswell.kernel.errors import CannotStart
from allswell.people import queries

from .migrate import bring_up
from .progress import Bar

MADE = "demo.made"  # written when the company is complete; what was interrupted is made anew
WIDTHS = (16, 16, 36, 20)


def options(parser: argparse.ArgumentParser) -> None:
    """--no-serve, --seed."""
    parser.add_argument("--no-serve", action="store_true", help="make the company and end")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another number makes another history (1)")


def run(options: argparse.Namespace) -> int:
    """Make it if need be, and serve it."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    found = schema.look()
    found.refuse_newer()
    if found.pending:
        bring_up()
    _make(options.seed)
    if options.no_serve:
        return 0
    connections.close_all()
    return int(options.launch("serve", with_engine=True, on_ready=announce))


def _make(seed: int) -> None:
    mark = settings.DATA_DIR / MADE
    if demo.exists() and not mark.exists():
        _clear()
        bring_up()
    if not queries.people().exists():
        with Bar("Making the demo company") as bar:
            demo.create(now=clock.now(), seed=seed, progress=bar)
        mark.write_text("The demo company is complete.\n", encoding="utf-8")


def _clear() -> None:
    """Throw away a company whose making was interrupted."""
    if connection.vendor != "sqlite":
        raise CannotStart("The demo company in this database is incomplete. Empty the database and start again.")
    name = str(settings.DATABASES["default"]["NAME"])
    connection.close()
    for end in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(name + end).unlink()


def announce() -> None:
    """Where it is, and who may sign in."""
    print(f"\nAllswell is at {settings.PUBLIC_URL} (Ctrl-C ends it).")
    if demo.exists():
        print("Sign in as:\n")
        for account in demo.sign_ins():
            print("  " + "".join(f"{cell:<{width}}" for cell, width in zip(account, WIDTHS, strict=True)).rstrip())
    print(flush=True)
