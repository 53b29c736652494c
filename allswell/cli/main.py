"""The command line: finds the command and runs it. A command is a module of this package with `options` and `run`.

Exit codes: 0 done, 1 failed, 2 wrong use. An error is one line on stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import allswell
from allswell.kernel.errors import CannotStart, DeskError


class Launch(Protocol):
    """Starts long-lived processes: "serve" or "engine". Returns the exit code."""

    def __call__(self, what: str, **options: object) -> int: ...


@dataclass(frozen=True)
class Command:
    """A command as the overview shows it. `needs_desk`: Django and the models are loaded before its module.

    `settings` are used where the environment does not say otherwise. `failure` is the exit code of whatever keeps it from working, a
    wrong use too: a mail server whose delivery ends so keeps the mail and tries again, where it would send it back otherwise.
    """

    name: str
    module: str
    about: str
    needs_desk: bool = True
    settings: tuple[tuple[str, str], ...] = ()
    #: the exit code when it cannot work now, if another than 1 or 2
    failure: int | None = None


_DEMO = (("ALLSWELL_DATA_DIR", "data/demo"), ("ALLSWELL_SQLITE_SYNCHRONOUS", "NORMAL"))

COMMANDS: tuple[Command, ...] = (
    Command("demo", "demo", "Make a demo company, once, and serve it.", settings=_DEMO),
    Command("serve", "serve", "Serve pages, API and live updates, and run the engine."),
    Command("engine", "engine", "Run the engine alone: notices, timers, jobs."),
    Command("setup", "setup", "Set up a new installation and its first administrator."),
    Command("person", "person", "Add, list, deactivate people; set passwords."),
    Command("token", "token", "Make, list, revoke tokens for the API."),
    Command("import", "imports", "Bring in tickets from another desk."),
    Command("export", "exports", "Take tickets out as CSV or JSON."),
    Command("clocks", "clocks", "Explain the clocks of a ticket; replay them from the journal; try other terms."),
    Command("triage", "triage", "Say how well the likely team is told, on any file of tickets."),
    Command("oncall", "oncall", "Say who is on call and what would happen; take rotas and policies out, bring them in."),
    Command("mail", "mail", "Take a mail that a mail server hands over; make a key that signs mail.", failure=75),
    Command("watch", "watch", "Watch an installation from another machine, and page when it is silent.", needs_desk=False),
    Command("migrate", "migrate", "Bring the database to this version."),
    Command("backup", "backup", "Write database and attachments into one file."),
    Command("restore", "restore", "Verify or restore such a file."),
    Command("doctor", "doctor", "Look at everything and say what to do about what is wrong."),
    Command("version", "version", "Print the version.", needs_desk=False),
)


class Wrong(Exception):
    """The command was used wrongly; the message says how it is meant."""


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise Wrong(f"{message}. Try: {self.prog} --help")


def overview() -> str:
    """What `allswell --help` prints."""
    width = max(len(command.name) for command in COMMANDS) + 2
    lines = [f"  {command.name:<{width}}{command.about}" for command in COMMANDS]
    return "\n".join(
        [
            "usage: allswell COMMAND [options]",
            "",
            "The production-support desk in one program.",
            "",
            *lines,
            "",
            "allswell COMMAND --help says more. Settings come from the environment: docs/operate/settings.md.",
        ]
    )


def run(arguments: Sequence[str], *, launch: Launch) -> int:
    """Run one command line; returns the exit code."""
    failure = next(
        (command.failure for command in COMMANDS if command.failure and arguments and command.name == arguments[0]), None
    )
    try:
        return _run(list(arguments), launch)
    except CannotStart as error:
        return fail(str(error), code=failure or error.code)
    except Wrong as error:
        return fail(str(error), code=failure or 2)
    except DeskError as error:
        return fail(f"{error.field}: {error}" if error.field else str(error), code=failure or 2)
    except KeyboardInterrupt:
        return fail("Interrupted.", code=failure or 1)
    except BrokenPipeError:  # the reader of our output has seen enough
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def fail(line: str, *, code: int) -> int:
    """Say why on stderr, in one line."""
    print("allswell: " + " ".join(line.split()), file=sys.stderr)
    return code


def _run(arguments: list[str], launch: Launch) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    if arguments[0] == "--version":
        arguments[0] = "version"
    command = next((command for command in COMMANDS if command.name == arguments[0]), None)
    if command is None:
        raise Wrong(f"There is no command {arguments[0]!r}. allswell --help lists them")
    for name, value in command.settings:
        os.environ.setdefault(name, value)
    if command.needs_desk:
        _open_desk()
    module = importlib.import_module(f"allswell.cli.{command.module}")
    parser = Parser(prog=f"allswell {command.name}", description=module.__doc__, allow_abbrev=False)
    module.options(parser)
    options = parser.parse_args(arguments[1:])
    options.launch = launch
    return guarded(lambda: int(module.run(options)), needs_desk=command.needs_desk)


def guarded(work: Callable[[], int], *, needs_desk: bool) -> int:
    """Run it; a database that cannot be used is one line, not a traceback."""
    if not needs_desk:
        return work()
    from django.db import Error  # noqa: PLC0415 - `version` does without Django

    try:
        return work()
    except Error as error:
        raise CannotStart(f"The database does not answer: {error}") from error


def _open_desk() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
    import django  # noqa: PLC0415 - `version` does without Django

    django.setup()


def version() -> str:
    """The version of this program."""
    return allswell.__version__
