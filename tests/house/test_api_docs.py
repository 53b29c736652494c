"""Every operation of the API is in its guide, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from allswell.api import front  # declares the operations
from allswell.api.contract import OPERATIONS
from allswell.people.rules import TokenScope

GUIDE = Path(__file__).parents[2] / "docs" / "extend" / "api.md"


def test_every_operation_is_in_the_guide() -> None:
    assert front.answer
    written = set(re.findall(r"^\| `(\w+)` \| `([A-Z]+ \S+)` \| (?:`([\w:]+)`|any|none) \|", GUIDE.read_text(), re.MULTILINE))
    assert written == {(made.id, f"{made.method} {made.path}", made.scope) for made in OPERATIONS}


def test_every_scope_is_in_the_guide() -> None:
    text = GUIDE.read_text()
    assert {made.scope for made in OPERATIONS if made.scope} <= {scope.value for scope in TokenScope}
    for scope in TokenScope:
        assert f"| `{scope.value}` |" in text
