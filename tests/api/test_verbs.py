"""Whatever the desk does to one ticket, the API offers under the same name."""

from __future__ import annotations

import inspect

from allswell.api import front  # declares the operations
from allswell.api.contract import OPERATIONS
from allswell.desk import tickets as desk

#: use cases the API offers in another form, or that no caller asks for
ELSEWHERE = {
    "report": "createTicket",
    "edit": "updateTicket",
}


def test_every_verb_of_the_desk_is_an_operation() -> None:
    assert front.answer
    verbs = {name for name in desk.__all__ if getattr(getattr(desk, name), "is_use_case", False)}
    assert len(verbs) > 20
    offered = {made.path.removeprefix("/tickets/{number}/") for made in OPERATIONS if made.method == "POST"}
    taking_a_number = {name for name in verbs if "number" in inspect.signature(getattr(desk, name)).parameters}
    assert sorted(taking_a_number - offered - set(ELSEWHERE)) == []
    assert set(ELSEWHERE.values()) <= {made.id for made in OPERATIONS}
