"""Run the engine alone: it sends notices and keeps time. As many as you like, on as many machines; they share the work."""

from __future__ import annotations

import argparse

from django.db import connections

from allswell.jobs import schema


def options(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C."""
    schema.look().refuse_pending()
    connections.close_all()
    return int(options.launch("engine"))
