"""Real files of other desks, which are not part of the project: found in `shared/data` beside or above it, or in SHARED_DATA."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


def folder() -> Path | None:
    """The folder with the files; None where there is none."""
    if named := os.environ.get("SHARED_DATA"):
        return Path(named)
    for above in Path(__file__).resolve().parents:
        if (above / "shared" / "data").is_dir():
            return above / "shared" / "data"
    return None


def real(name: str) -> Path:
    """A real file. Skips the test, loudly, where it is absent."""
    found = folder()
    if found is None or not (found / name).is_file():
        sys.stderr.write(f"\n*** {name} is not here: its test is NOT RUN (set SHARED_DATA) ***\n")
        pytest.skip(f"{name} is not here")
    return found / name
