"""The program: `allswell`, or `python -m allswell`. Brings the command line and the processes together."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run a command; 0 done, 1 failed, 2 wrong use."""
    from allswell.cli.main import run  # noqa: PLC0415 - the first line of a script must not wait for it

    return run(sys.argv[1:], launch=_launch)


def _launch(what: str, **options: object) -> int:
    """Start the processes of `serve` or the engine alone. They stand above the command line, which therefore gets them here."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
    from allswell.boot import server  # noqa: PLC0415 - other commands do without the web server

    return server.launch(what, **options)


if __name__ == "__main__":
    sys.exit(main())
