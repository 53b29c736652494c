"""Asking for what was not given, when there is somebody to ask."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from allswell.kernel.errors import CannotStart


def is_terminal() -> bool:
    """Whether somebody sits in front of it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def text(given: str | None, question: str, option: str, *, default: str = "") -> str:
    """What was given, or the answer to the question. Raises CannotStart when it is missing and nobody can be asked."""
    if given is not None:
        return given
    if not is_terminal():
        if default:
            return default
        raise CannotStart(f"{option} is needed.", code=2)
    print(f"{question}{f' [{default}]' if default else ''}: ", end="", file=sys.stderr, flush=True)
    return input().strip() or default


def password_options(parser: argparse.ArgumentParser) -> None:
    """Three ways to give a password; on the command line itself others may see it."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--password", help="the password (others on this machine may see it; better one of the next two)")
    ways.add_argument("--password-file", type=Path, metavar="FILE", help="a file whose first line is the password")
    ways.add_argument("--password-stdin", action="store_true", help="read the password from the first line of the input")


def password(options: argparse.Namespace) -> str:
    """The password given in one of the three ways, or asked for twice. Raises CannotStart."""
    if options.password is not None:
        return str(options.password)
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if options.password_file:
        try:
            lines = options.password_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CannotStart(f"Cannot read {options.password_file}.", code=2) from error
        return lines[0] if lines else ""
    if not is_terminal():
        raise CannotStart("--password-stdin or --password-file is needed.", code=2)
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise CannotStart("The two are not the same.", code=2)
    return first
