"""What was agreed with one customer is nobody else's business: no page and no operation names it to those of another."""

from __future__ import annotations

import pytest

from allswell.sla import queries
from allswell.sla.rules.terms import Audience
from tests.support.program import Program
from tests.support.promises import promise, target
from tests.web.test_who_may import Stage

PAGES = ("/setup/agreements", "/reports", "/reports/attainment", "/desk/calendars", "/tickets/{number}", "/tickets/{number}/why")
CALLS = ("/agreements", "/agreements/{slug}", "/agreements/{slug}/versions", "/tickets/{number}/clocks", "/reports/attainment")


def kestrel(stage: Stage) -> dict[str, object]:
    """An agreement with the bank, another between its teams, and a ticket of the bank that they hold for."""
    world = stage.world
    row = promise(world, target("resolution", 60), name="Kestrel", organization=world.bank)
    internal = target("team_time", 60)
    promise(world, internal, name="Kestrel within", audience=Audience.INTERNAL, team=world.desk_team)
    return {"number": world.report().pk, "slug": row.slug}


@pytest.mark.parametrize("role", ["requester", "colleague", "outsider", "outside_agent"])
def test_no_page_names_what_was_agreed_with_others(stage: Stage, role: str) -> None:
    names = kestrel(stage)
    assert "Kestrel within" in [clock.agreement.name for clock in queries.shown(int(str(names["number"])))]
    client = stage.client(role)
    told = {path: client.get(path.format(**names)) for path in (*PAGES, f"/setup/agreements/{names['slug']}")}
    assert [path for path, answer in told.items() if b"Kestrel" in answer.content] == []
    assert [path for path, answer in told.items() if answer.status_code >= 500] == []


@pytest.mark.parametrize("role", ["requester", "outsider", "outside_agent"])
def test_no_operation_names_what_was_agreed_with_others(stage: Stage, role: str) -> None:
    names = kestrel(stage)
    person = stage.cast[role]
    assert person is not None
    program = Program(stage.world, person)
    told = {path: program.get(path.format(**names)) for path in CALLS}
    assert [path for path, answer in told.items() if b"Kestrel" in answer.content] == []
    assert [path for path, answer in told.items() if answer.status_code >= 500] == []
