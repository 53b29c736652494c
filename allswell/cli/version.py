"""Print the version."""

from __future__ import annotations

import argparse

import allswell


def options(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace) -> int:
    """Print it."""
    print(f"allswell {allswell.__version__}")
    return 0
