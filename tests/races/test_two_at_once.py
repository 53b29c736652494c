"""Two people do something to one ticket in the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from allswell.desk import tickets as desk
from allswell.desk import writing
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, DeskError, Stale
from allswell.tickets import queries
from allswell.tickets.models import Comment, Draft
from allswell.tickets.rules import LinkKind, WaitingOn
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]
ROUNDS = 10


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do the acts in threads that start at once; what each answered, or the refusal it met."""
    gate = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        gate.wait(10)
        try:
            answers[place] = act()
        except DeskError as refused:
            answers[place] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(answer is not None for answer in answers)
    return answers


def verbs(number: int, verb: str) -> int:
    return Entry.objects.filter(ticket=number, verb=verb).count()


def test_of_two_who_take_one_wins_and_the_other_is_told(world: World) -> None:
    first, second = world.by(world.jonas), world.by(world.julia)
    for _ in range(ROUNDS):
        number = world.report().pk
        answers = together(lambda n=number: desk.take(n, **first), lambda n=number: desk.take(n, **second))
        refused = [answer for answer in answers if isinstance(answer, DeskError)]
        assert len(refused) == 1
        assert isinstance(refused[0], Stale | Conflict)
        winner = world.jonas.pk if refused[0] is answers[1] else world.julia.pk
        assert queries.ticket(number).assignee_id == winner
        assert verbs(number, "ticket.assigned") == verbs(number, "ticket.acknowledged") == 1


def test_two_replies_at_once_both_stand(world: World) -> None:
    first, second = world.by(world.jonas), world.by(world.julia)
    for _ in range(ROUNDS):
        number = world.report().pk
        answers = together(
            lambda n=number: desk.reply(n, body="Looking", **first), lambda n=number: desk.reply(n, body="Me too", **second)
        )
        assert all(isinstance(answer, Comment) for answer in answers), answers
        ticket = queries.ticket(number)
        assert (ticket.state, ticket.version) == ("in_progress", 4)
        assert verbs(number, "ticket.replied") == 2
        assert verbs(number, "ticket.acknowledged") == 1


def test_resolve_against_wait_ends_in_one_of_the_two(world: World) -> None:
    first, second = world.by(world.jonas), world.by(world.julia)
    for _ in range(ROUNDS):
        number = world.report().pk
        answers = together(
            lambda n=number: desk.resolve(n, **first),
            lambda n=number: desk.wait(n, on=WaitingOn.SUPPLIER, **second),
        )
        ticket = queries.ticket(number)
        happened = [verb for verb in ("ticket.waited", "ticket.resolved") if verbs(number, verb)]
        won = [answer for answer in answers if not isinstance(answer, DeskError)]
        assert len(won) == len(happened)
        assert ticket.state == ("resolved" if "ticket.resolved" in happened else "waiting")
        assert (ticket.done_at is not None) is (ticket.state == "resolved")
        assert ticket.waiting_on == ("" if ticket.state == "resolved" else "supplier")


def test_two_tickets_do_not_become_each_others_child(world: World) -> None:
    first, second = world.by(world.jonas), world.by(world.julia)
    for _ in range(ROUNDS):
        one, two = world.report().pk, world.report().pk
        answers = together(
            lambda a=one, b=two: desk.link(a, kind=LinkKind.CHILD_OF, target=b, **first),
            lambda a=one, b=two: desk.link(b, kind=LinkKind.CHILD_OF, target=a, **second),
        )
        assert sum(isinstance(answer, Conflict) for answer in answers) == 1
        assert [queries.parent_of(one), queries.parent_of(two)].count(None) == 1


def test_two_merges_into_each_other_leave_one(world: World) -> None:
    first, second = world.by(world.jonas), world.by(world.julia)
    for _ in range(ROUNDS):
        one, two = world.report().pk, world.report().pk
        answers = together(
            lambda a=one, b=two: desk.merge(a, into=b, **first), lambda a=one, b=two: desk.merge(b, into=a, **second)
        )
        assert sum(isinstance(answer, DeskError) for answer in answers) == 1
        assert sorted([queries.ticket(one).state, queries.ticket(two).state]) == ["cancelled", "new"]


def test_a_draft_is_kept_twice_in_the_same_instant(world: World) -> None:
    by = world.by(world.jonas)
    for _ in range(ROUNDS):
        number = world.report().pk
        kept = [{"body": "Looking"}, {"body": "Looking at it"}]
        saving = [
            lambda n=number, c=content: writing.save_draft(place="note", number=n, content=c, **by) or True for content in kept
        ]
        assert together(*saving) == [True, True]
        assert Draft.objects.get(ticket=number).content in kept
