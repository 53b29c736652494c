"""What is done most costs little: statements per use case, counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.kernel.actor import Channel
from allswell.tickets.models import Ticket
from allswell.tickets.rules import Kind
from tests.support.world import World


@contextmanager
def at_most(count: int) -> Iterator[list[str]]:
    """No more statements than these, savepoints of the test itself not counted. They are listed afterwards."""
    listed: list[str] = []
    with CaptureQueriesContext(
        connection,
    ) as seen:
        yield listed
    made = [query["sql"] for query in seen.captured_queries if "SAVEPOINT" not in query["sql"]]
    listed += made
    assert len(made) <= count, "\n".join(made)


def test_receiving_a_report_through_the_api(world: World) -> None:
    world.report()
    actor = world.actor(world.jonas, Channel.API)
    what = desk.Report(
        kind=Kind.INCIDENT, title="Down", requester="maria@example.org", service="account-look-up", impact=2, urgency=2
    )
    with at_most(15):
        desk.report(what, actor=actor, now=world.now)


def test_a_report_with_promises_is_written_once(world: World) -> None:
    world.promise()
    world.report()
    with at_most(18) as made:
        ticket = world.report()
    assert not [sql for sql in made if sql.startswith("UPDATE")]
    assert len([sql for sql in made if "sla_clock" in sql]) == 1
    assert Ticket.objects.get(pk=ticket.pk).next_due_at == ticket.next_due_at == world.now + timedelta(minutes=15)


@pytest.mark.parametrize("watchers", [0, 5])
def test_replying(world: World, watchers: int) -> None:
    ticket = world.report()
    for person in [world.julia, world.amir, world.priya, world.lena, world.olga][:watchers]:
        desk.watch(ticket.pk, **world.by(person))
    by = world.by(world.jonas)
    with at_most(26):  # one of them asks whether somebody is being paged, who may have waited for this word
        desk.reply(ticket.pk, body="Looking at it", **by)
