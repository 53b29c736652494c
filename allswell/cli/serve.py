"""Serve pages, API and live updates on one port, and run the engine beside them.

Where it listens and how many processes it uses: ALLSWELL_HOST, ALLSWELL_PORT, ALLSWELL_WORKERS.
"""

from __future__ import annotations

import argparse

from django.conf import settings
from django.db import connections

from allswell.jobs import schema

from .migrate import bring_up


def options(parser: argparse.ArgumentParser) -> None:
    """--web-only and --migrate."""
    parser.add_argument("--web-only", action="store_true", help="leave the engine to another machine (allswell engine)")
    parser.add_argument("--migrate", action="store_true", help="bring the database to this version first")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    found = schema.look()
    found.refuse_newer()
    if options.migrate:
        bring_up()
    else:
        found.refuse_pending()
    connections.close_all()
    return int(options.launch("serve", with_engine=not options.web_only, on_ready=announce))


def announce() -> None:
    """Say where it is, once it answers."""
    print(f"Allswell is at {settings.PUBLIC_URL} (Ctrl-C ends it).", flush=True)
