"""Clocks solved again from the journal: what differs is told, written only when asked, and what was is kept."""

from __future__ import annotations

import pytest

from allswell.desk import clocks
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import NotAllowed
from allswell.sla.models import Clock
from allswell.tickets.models import Ticket
from tests.support.promises import promise
from tests.support.world import World


def _replayed(world: World, *, is_dry: bool = False) -> list[clocks.Difference]:
    return list(clocks.replay(None, actor=engine(), now=world.now, is_dry=is_dry))


def test_nothing_differs_after_the_desk_has_worked(world: World) -> None:
    promise(world)
    ticket = world.report()
    world.forward(minutes=10)
    desk.take(ticket.pk, **world.by(world.jonas))
    world.forward(minutes=10)
    desk.reply(ticket.pk, body="Looking at it", **world.by(world.jonas))
    world.forward(hours=30)
    assert _replayed(world, is_dry=True) == []
    desk.resolve(ticket.pk, **world.by(world.jonas))
    assert Clock.objects.count() == 3
    assert _replayed(world) == []


def test_tickets_from_before_the_agreement_was_written_down_get_their_clocks(world: World) -> None:
    ticket = world.report()
    promise(world)
    seen = _replayed(world, is_dry=True)
    assert {one.what for one in seen} == {"added", "promise"}
    assert not Clock.objects.exists()
    assert _replayed(world) == seen
    assert {clock.ticket_id for clock in Clock.objects.all()} == {ticket.pk}
    assert Ticket.objects.get().next_due_at is not None
    assert _replayed(world) == []


def test_what_was_changed_behind_its_back_is_put_right_and_kept_in_the_journal(world: World) -> None:
    promise(world)
    ticket = world.report()
    due = Clock.objects.get(metric="resolution").due_at
    Clock.objects.filter(metric="resolution").update(due_at=world.now)
    Clock.objects.filter(metric="acknowledgement").delete()
    found = _replayed(world)
    assert [(one.what, one.metric) for one in found] == [("added", "acknowledgement"), ("changed", "resolution")]
    assert found[1].before == {"due_at": world.now.isoformat()}
    assert Clock.objects.get(metric="resolution").due_at == due
    kept = Entry.objects.get(verb="clock.replayed", ticket=ticket.pk).data["was"]
    assert kept[1]["before"] == {"due_at": world.now.isoformat()}


def test_a_clock_that_never_was_goes_and_stays_in_the_journal(world: World) -> None:
    promise(world)
    ticket = world.report()
    clock = Clock.objects.get(metric="resolution")
    clock.pk, clock.number = None, 7
    clock.save()
    found = _replayed(world)
    assert [(one.what, one.clock) for one in found] == [("removed", 7)]
    assert Entry.objects.get(verb="clock.replayed").data["was"][0]["before"]["ticket_id"] == ticket.pk
    assert Clock.objects.count() == 3


def test_only_who_sets_up_the_desk_replays(world: World) -> None:
    with pytest.raises(NotAllowed):
        list(clocks.replay([1], actor=world.actor(world.jonas), now=world.now, is_dry=True))
