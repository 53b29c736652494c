"""What stories are told with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.phones import Phones
from tests.support.world import World


@pytest.fixture
def phones(world: World, caplog: pytest.LogCaptureFixture) -> Iterator[Phones]:
    """Nobody has heard anything yet; and nothing goes wrong unheard."""
    yield Phones(world)
    wrong = [record.getMessage() for record in caplog.get_records("call") if record.levelname in ("ERROR", "CRITICAL")]
    assert wrong == []
