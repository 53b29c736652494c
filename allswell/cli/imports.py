"""Bring in what another desk holds. `allswell import tickets --help` says more."""

from __future__ import annotations

import argparse

from . import importing


def options(parser: argparse.ArgumentParser) -> None:
    """What can be brought in."""
    kinds = parser.add_subparsers(dest="what", required=True, metavar="tickets")
    importing.add_arguments(kinds.add_parser("tickets", help="tickets and their history, from CSV, JSON or XLSX"))


def run(options: argparse.Namespace) -> int:
    """Bring it in."""
    return importing.run(options)
