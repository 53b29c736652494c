"""What is done most costs little: statements per use case, counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.kernel.actor import Channel
from allswell.tickets.rules import Kind
from tests.support.world import World


@contextmanager
def at_most(count: int) -> Iterator[None]:
    """No more statements than these, savepoints of the test itself not counted."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        yield
    made = [query["sql"] for query in seen.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(made) <= count, "\n".join(made)


def test_receiving_a_report_through_the_api(world: World) -> None:
    world.report()
    actor = world.actor(world.jonas, Channel.API)
    what = desk.Report(
        kind=Kind.INCIDENT, title="Down", requester="maria@example.org", service="account-look-up", impact=2, urgency=2
    )
    with at_most(15):
        desk.report(what, actor=actor, now=world.now)


@pytest.mark.parametrize("watchers", [0, 5])
def test_replying(world: World, watchers: int) -> None:
    ticket = world.report()
    for person in [world.julia, world.amir, world.priya, world.lena, world.olga][:watchers]:
        desk.watch(ticket.pk, **world.by(person))
    by = world.by(world.jonas)
    with at_most(25):
        desk.reply(ticket.pk, body="Looking at it", **by)
