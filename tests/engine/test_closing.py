"""Resolved tickets close and waiting ones go on when their time has come."""

from __future__ import annotations

from datetime import timedelta

from allswell.desk import tickets as desk
from allswell.engine.closing import Closing
from allswell.journal.models import Entry
from allswell.notifications.models import Delivery
from allswell.tickets import queries
from allswell.tickets.rules import WaitingOn
from tests.support.world import World


def test_a_resolved_ticket_closes_by_itself_after_some_days(world: World) -> None:
    ticket = world.report()
    desk.resolve(ticket.pk, code="fixed", **world.by(world.jonas))
    closing = Closing()
    assert not closing.is_due(world.forward(days=4))
    assert closing.is_due(world.forward(days=2))
    assert closing.tick(world.now).done == 1
    found = queries.ticket(ticket.pk)
    assert found is not None
    assert found.state == "closed"
    assert not closing.is_due(world.now)
    closed = Entry.objects.get(ticket=ticket.pk, verb="ticket.closed", actor_kind="engine")
    told = Delivery.objects.filter(entry=closed.pk).values_list("person", "topic", "channel")
    assert set(told) == {(world.maria.pk, "state", "app"), (world.maria.pk, "state", "email")}


def test_a_waiting_ticket_goes_on_when_its_time_has_come(world: World) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    until = world.now + timedelta(days=1)
    desk.wait(ticket.pk, on=WaitingOn.SUPPLIER, until=until, **world.by(world.jonas))
    closing = Closing()
    assert not closing.is_due(world.forward(hours=23))
    assert closing.is_due(world.forward(hours=2))
    closing.tick(world.now)
    found = queries.ticket(ticket.pk)
    assert found is not None
    assert (found.state, found.waiting_until) == ("in_progress", None)
