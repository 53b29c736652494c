"""Take tickets out as CSV or as lines of JSON. `allswell export tickets --help` says more."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from allswell.desk import exporting
from allswell.kernel import actor, clock
from allswell.tickets import queries

STATES: dict[str, dict[str, bool]] = {"all": {}, "open": {"done_at__isnull": True}, "done": {"done_at__isnull": False}}


def options(parser: argparse.ArgumentParser) -> None:
    """What can be taken out, and how."""
    kinds = parser.add_subparsers(dest="what", required=True, metavar="tickets")
    tickets = kinds.add_parser("tickets", help="all tickets, one a line")
    tickets.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="csv, or a line of JSON each (csv)")
    tickets.add_argument("--state", choices=tuple(STATES), default="all", help="all, open or done ones (all)")
    tickets.add_argument("--output", type=Path, metavar="PATH", help="a file instead of standard output")


def run(options: argparse.Namespace) -> int:
    """Write them; nothing is kept in memory."""
    rows = queries.all_tickets().filter(**STATES[options.state]).order_by("id")
    by = replace(actor.setup(), time_zone=settings.DEFAULT_TIME_ZONE)
    write = exporting.tickets_csv if options.format == "csv" else exporting.tickets_json
    lines = write(rows, filters={"state": options.state}, actor=by, now=clock.now())
    try:
        target = options.output.open("w", encoding="utf-8", newline="") if options.output else nullcontext(sys.stdout)
    except OSError as error:
        print(f"{options.output} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    with target as file:
        for line in lines:
            file.write(line)
    return 0
