"""kill -9 of `serve` while tickets arrive through the API: every 201 is there with its journal, and no notice is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import sudden_death


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_answered_is_lost_when_serve_is_killed_twenty_times(tmp_path: Path) -> None:
    report = sudden_death.play(tmp_path, kills=20, tickets=200)
    assert report.kills == 20
    assert len(report.answered) >= 200
    assert len(set(report.answered)) == len(report.answered), "a number was given twice"
    assert report.pending == 0
    assert report.lost() == {"tickets": [], "journal": [], "notices": [], "mails": [], "unsent": []}
