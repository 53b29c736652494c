"""Samples of what real programs sent, kept beside the repository and not in it. Where they are missing, their tests are not run, loudly."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PLACES = (
    [Path(os.environ["SHARED_DATA"])]
    if "SHARED_DATA" in os.environ
    else [up / "shared" / "data" for up in list(_ROOT.parents)[:3]]
)
FOLDER = next((place for place in _PLACES if place.is_dir()), None)


def folder(name: str) -> Path:
    """A folder of samples; skips the test where there are none."""
    if FOLDER is None or not (FOLDER / name).is_dir():
        sys.stderr.write(f"\n*** the samples “{name}” are not here (SHARED_DATA says where): their tests are NOT RUN ***\n")
        pytest.skip(f"no samples of {name}")
    return FOLDER / name
