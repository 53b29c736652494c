"""The door of the desk: what is looked up before a transaction, what is done in it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from allswell.desk import door
from allswell.desk import tickets as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.tickets.models import Ticket
from tests.support.world import World

taken: list[str] = []


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    taken.clear()
    yield
    taken.clear()


def depth() -> int:
    return len(connection.atomic_blocks)


def seen(word: str, *, actor: Actor, now: datetime) -> str:
    taken.append(f"looked at {depth()}")
    if word == "bad":
        raise Invalid("This does not fit.", field="word")
    return word.upper()


@door.use_case_after(seen)
def act(said: str, word: str, *, actor: Actor, now: datetime) -> str:
    taken.append(f"acted at {depth()}")
    return f"{word} {said}"


class Kept:
    def before(self, *, now: datetime) -> None:
        taken.append(f"before at {depth()}")

    def after(self, result: Any, *, now: datetime) -> None:
        taken.append(f"after {result}")


def test_it_looks_before_its_transaction_and_acts_in_it(world: World) -> None:
    outside = depth()
    assert act("so", **world.by(world.jonas)) == "so SO"
    assert taken == [f"looked at {outside}", f"acted at {outside + 1}"]


def test_what_does_not_fit_begins_no_transaction(world: World) -> None:
    with pytest.raises(Invalid):
        act("bad", **world.by(world.jonas))
    assert taken == [f"looked at {depth()}"]


def test_a_call_that_may_be_repeated_is_claimed_before_anything_is_looked_at(world: World) -> None:
    outside = depth()
    mark = door.around.set(Kept())
    try:
        act("so", **world.by(world.jonas))
    finally:
        door.around.reset(mark)
    assert taken == [f"{what} at {outside + 1}" for what in ("before", "looked", "acted")] + ["after so SO"]


def test_it_is_a_use_case_like_any_other(world: World) -> None:
    assert list(inspect.signature(act).parameters) == ["word", "actor", "now"]
    assert act.__name__ == "act"
    assert door.body_of(act)("so", **world.by(world.jonas)) == "so SO"
    with pytest.raises(TypeError):
        act("so", world.actor(world.jonas), world.now)  # type: ignore[misc]


def test_whose_turn_it_is_is_asked_when_the_ticket_is_opened(world: World) -> None:
    team = world.desk_team
    team.assignment = "round_robin"
    team.save()
    given = [world.report(team=team.pk, person=world.jonas, requester=world.maria.pk) for _ in range(2)]
    first, second = (Ticket.objects.get(pk=ticket.pk).assignee_id for ticket in given)
    assert first != second
    assert desk.report.__name__ == "report"
