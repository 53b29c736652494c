"""Tickets with very long histories: an act counts what is open anew, not what ended long ago, and a replay agrees with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import clocks
from allswell.desk import tickets as desk
from allswell.sla import queries
from allswell.sla.models import Clock
from allswell.sla.rules import solving
from allswell.tickets.rules import WaitingOn
from tests.support.promises import promise, target
from tests.support.world import World


def test_an_act_counts_no_ended_clock_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    promise(world, target("first_response", 60), target("next_update", 60), target("resolution", 480, pauses=["requester"]))
    ticket = world.report()
    for _ in range(40):
        world.forward(minutes=50)
        desk.reply(ticket.pk, body="Still looking", **world.by(world.jonas))
    counted: list[Any] = []
    figures_of = solving.figures_of

    def counting(*given: Any, **more: Any) -> Any:
        counted.append(given)
        return figures_of(*given, **more)

    monkeypatch.setattr(solving, "figures_of", counting)
    desk.reply(ticket.pk, body="Found it", **world.by(world.jonas))
    assert len(queries.clocks(ticket.pk)) == 43
    assert len(counted) == 3  # the update now given, the next one, the resolution
    monkeypatch.undo()
    assert list(clocks.replay([ticket.pk], is_dry=True, **world.by(world.ada))) == []


def test_each_rating_looks_at_each_step_once(world: World) -> None:
    """Ratings there and back, each of which asks when it was due before and is due now."""
    targets = [target("resolution", 60 * n, key=f"p{n}", priorities=[n], pauses=["requester"]) for n in (1, 2, 3, 4, 5)]
    promise(world, *targets)
    ticket = world.report()
    for number in range(30):
        world.forward(minutes=1)
        desk.override_priority(ticket.pk, priority=number % 4 + 1, reason="Rated", **world.by(world.jonas))
        if number % 7 == 0:
            desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
        if number % 7 == 3:
            desk.resume(ticket.pk, **world.by(world.jonas))
    kept = Clock.objects.get(ticket_id=ticket.pk)
    waited = timedelta(microseconds=sum((to or 0) - since for letter, since, to, *_ in kept.segments if letter == "p" and to))
    assert waited == timedelta(minutes=12)
    assert list(clocks.replay([ticket.pk], is_dry=True, **world.by(world.ada))) == []
