"""Words find tickets, newest first, and never more than the viewer may see."""

from __future__ import annotations

import pytest
from django.db import connection

from allswell.desk import searching
from allswell.desk import tickets as desk
from allswell.engine.searching import Searching
from allswell.kernel.actor import engine
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


SAID = (
    "ORA-00060 on db-prod-01.example.net, 0x80070005, HTTP 503, see /var/log/oracle/alert.log or https://intra.example.net/wiki/errors, "
    "ask ops@example.net; job nightly_run; St\u00f6rung in Z\u00fcrich"
)
PARTS = [
    *("ORA-00060", "ora 00060", "00060", "0x80070005", "http 503", "db-prod-01", "example.net", "/var/log/oracle", "alert.log"),
    *("wiki/errors", "ops@example.net", "ops", "nightly_run", "nightly", "storung", "St\u00f6rung", "Zurich z\u00fcrich"),
]


@pytest.mark.parametrize("text", PARTS)
def test_codes_hosts_paths_and_accents_are_found_in_their_parts(world: World, text: str) -> None:
    ticket = world.report(title="Deadlock", description=SAID)
    noted = world.report(title="Other")
    desk.note(noted.pk, body=SAID, **world.by(world.jonas))
    world.report(title="ORA-00061 on db-prod-02, HTTP 502")
    assert found(world, text) == [noted.pk, ticket.pk]
    assert found(world, text, internal=False) == [ticket.pk]
    assert found(world, text, is_typing=True) == [noted.pk, ticket.pk]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has always kept words in this form")
def test_documents_of_an_older_form_are_written_anew_the_newest_first(world: World) -> None:
    first, second, third = [world.report(title=f"ORA-00060 at Z\u00fcrich {nth}") for nth in range(3)]
    desk.note(first.pk, body="and at db-prod-01.example.net", **world.by(world.jonas))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE search_document SET public = to_tsvector('english', title), words = to_tsvector('english', title)"
            " FROM tickets_ticket WHERE id = ticket_id"
        )
        cursor.execute("INSERT INTO search_renewal VALUES (%s)", [third.pk + 1])
    assert found(world, "ora-00060") == []
    assert found(world, "z\u00fcrich") == [third.pk, second.pk, first.pk]
    assert searching.renew(limit=2, actor=engine(), now=world.now) == 2
    assert found(world, "ora-00060") == [third.pk, second.pk]
    module = Searching()
    assert module.is_due(world.now)
    while module.tick(world.now).is_more:
        pass
    assert not module.is_due(world.now)
    assert found(world, "ora-00060") == [third.pk, second.pk, first.pk]
    assert found(world, "example.net") == [first.pk]
    assert found(world, "example.net", internal=False) == []
