"""Words find tickets, newest first, and never more than the viewer may see."""

from __future__ import annotations

import pytest

from allswell.desk import tickets as desk
from allswell.search import operations, queries
from allswell.tickets import queries as tickets
from tests.support.world import World


def found(world: World, text: str, *, internal: bool = True, **more: object) -> list[int]:
    return queries.newest(tickets.visible_to(world.actor(world.jonas)), text, internal=internal, limit=50, **more)


def test_newest_first_and_every_word_counts(world: World) -> None:
    first = world.report(title="Printer on floor 3 jams", description="Toner everywhere")
    second = world.report(title="Printers jammed again")
    assert found(world, "printer jam") == [second.pk, first.pk]
    assert found(world, "printer jam toner") == [first.pk]
    assert found(world, "printer", before=second.pk) == [first.pk]
    assert found(world, "prin") == []
    assert found(world, "prin", is_typing=True) == [second.pk, first.pk]


def test_notes_are_found_by_the_desk_only(world: World) -> None:
    ticket = world.report(title="Slow")
    desk.note(ticket.pk, body="blame the zebrafish", **world.by(world.jonas))
    assert found(world, "zebrafish") == [ticket.pk]
    assert found(world, "slow zebrafish") == [ticket.pk]
    assert found(world, "zebrafish", internal=False) == []
    assert found(world, "slow", internal=False) == [ticket.pk]


def test_another_customer_finds_nothing(world: World) -> None:
    world.report(title="Secret merger files")
    assert queries.newest(tickets.visible_to(world.actor(world.oskar)), "merger", internal=True, limit=5) == []


@pytest.mark.parametrize("text", ['"', "' OR 1=1 --", "a AND (", "NEAR(", "*", "public:", ":* & |", "\u00e9t\u00e9", "x" * 5000])
def test_nothing_typed_is_syntax(world: World, text: str) -> None:
    world.report()
    assert isinstance(found(world, text), list)
    assert isinstance(list(queries.matching(tickets.visible_to(world.actor(world.jonas)), text, internal=True)), list)


def test_the_search_goes_on_below_what_may_not_be_seen(world: World) -> None:
    mine = world.report(world.otto, title="toner")
    for _ in range(3):
        world.report(title="toner")
    seen = tickets.visible_to(world.actor(world.oskar))
    assert queries.newest(seen, "toner", internal=True, limit=5) == [mine.pk]


def test_an_edited_document_is_replaced(world: World) -> None:
    ticket = world.report(title="Wrong word")
    operations.replace(ticket.pk, public="right", internal="")
    assert found(world, "wrong") == []
    assert found(world, "right") == [ticket.pk]
