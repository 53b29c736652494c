"""The command line."""

from __future__ import annotations


def main() -> int:
    """Run a command; 0 done, 1 failed, 2 wrong use."""
    return 2
