"""Running commands inside the tests' process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from allswell.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def allswell(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """allswell("token", "list", …) runs a command."""

    def run(*arguments: str) -> Done:
        launched: list[str] = []

        def launch(what: str, **options: object) -> int:
            launched.append(what)
            return 0

        capsys.readouterr()
        try:
            code = main.run(arguments, launch=launch)
        except SystemExit as end:  # --help
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run
