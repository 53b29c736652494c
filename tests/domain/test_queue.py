"""What the views of the queue hold, how much of it the tabs count, and that indexes alone answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import connection

from allswell.desk import tickets as desk
from allswell.kernel.actor import Actor
from allswell.people.models import Membership
from allswell.tickets import queries, queue
from allswell.tickets.models import OPEN, Ticket
from allswell.tickets.queue import Filters, Row, View
from allswell.tickets.rules import WaitingOn
from tests.domain.test_permission import shuffled
from tests.support.world import World

VIEWS: list[View] = ["mine", "triage", "waiting", "watching", "all"]


def every_row(view: View, filters: Filters, actor: Actor) -> list[Row]:
    """All pages of a view, one after the other."""
    found, following = queue.first_rows(view, filters, actor=actor)
    while following:
        more, following = queue.later_rows(view, filters, after=following, actor=actor)
        found += more
    return found


def held(view: View, filters: Filters, actor: Actor) -> list[int]:
    """The same, asked in one plain statement."""
    found = queue.narrowed(queue.of_view(view, actor=actor), filters, actor=actor)
    order = ["-pk"] if filters.is_by_age else ["queue_rank", "queue_at", "pk"]
    return list(found.filter(OPEN).order_by(*order).values_list("pk", flat=True))


@pytest.mark.parametrize("seed", range(4))
def test_pages_and_counts_hold_what_the_viewer_may_see(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets, cast = shuffled(world, seed)
    dice = random.Random(seed)
    for ticket in tickets:
        state, rank = dice.choice([("new", 0), ("in_progress", 3), ("waiting", 0), ("waiting", 13)])
        at = world.now + timedelta(minutes=dice.randint(0, 5))
        Ticket.objects.filter(pk=ticket.pk).update(state=state, queue_rank=rank, queue_at=at)
    for team in (world.desk_team, world.dba_team):
        Membership.objects.get_or_create(person=cast[seed], team=team, defaults={"joined_at": world.now})
    monkeypatch.setattr(queue, "PAGE", 3)
    monkeypatch.setattr(queue, "CAP", 4)
    queue._first_rows.cache_clear()
    queue._counting_views.cache_clear()
    try:
        for person in cast:
            actor = world.actor(person)
            seen = set(queries.at_the_desk(actor).values_list("pk", flat=True))
            views = [*VIEWS, world.desk_team.pk, world.dba_team.pk]
            for filters in (Filters(), Filters(priority="3"), Filters(state="any"), Filters(q="ticket")):
                wanted = [held(view, filters, actor) for view in views]
                for view, numbers in zip(views, wanted, strict=True):
                    assert [row.id for row in every_row(view, filters, actor)] == numbers, (person.name, view)
                    assert seen.issuperset(numbers)
                counted = queue.count_views([(view, filters) for view in views], actor=actor)
                assert counted == [min(len(numbers), 4) for numbers in wanted], person.name
    finally:
        queue._first_rows.cache_clear()
        queue._counting_views.cache_clear()


def test_many_teams_are_read_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = world.report(service="printing").pk
    Membership.objects.create(person=world.jonas, team=world.dba_team, joined_at=world.now)
    actor = world.actor(world.jonas)
    for few in (8, 1):
        monkeypatch.setattr(queue, "_FEW_TEAMS", few)
        queue._first_rows.cache_clear()
        assert [row.id for row in queue.first_rows("triage", Filters(), actor=actor)[0]] == [number]


def test_what_waits_is_in_waiting_though_a_clock_runs_on(world: World) -> None:
    world.promise()
    ticket = world.report(service="printing")
    desk.wait(ticket.pk, on=WaitingOn.SUPPLIER, **world.by(world.jonas))
    actor = world.actor(world.jonas)
    [row], _following = queue.first_rows("waiting", Filters(), actor=actor)
    assert (row.id, row.queue_rank) == (ticket.pk, 0)
    assert queue.count_views([("waiting", Filters())], actor=actor) == [1]


#: view -> the indexes that hold all its count needs, and its first page in order
INDEXES = {
    "mine": ["queue_assignee"],
    "triage": ["queue_unassigned"],
    "waiting": ["queue_waiting_assignee", "queue_waiting_team"],
    "team": ["queue_team"],
}


def read(sql: str, values: Sequence[object], *avoided: str) -> list[str]:
    """How a statement reads the tickets whatever its values, when other ways are the last resort."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            return [
                line for *_, line in cursor.fetchall() if "tickets_ticket USING INDEX" in line or line == "SCAN tickets_ticket"
            ]
        for way in avoided:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        places = tuple(f"${place}" for place in range(1, len(values) + 1))
        cursor.execute(f"PREPARE asked AS {sql % places}")
        given = ", ".join(f"'{value}'" for value in values)
        cursor.execute(f"EXPLAIN EXECUTE asked({given})")
        plan = [line for (line,) in cursor.fetchall()]
        cursor.execute("DEALLOCATE asked")
    return [line for line in plan if " on tickets_ticket" in line and "tickets_ticket_pkey" not in line]


@pytest.fixture
def many(world: World) -> World:
    """Enough tickets of enough teams and people for a planner to tell the indexes apart."""
    teams = [world.desk_team, *(world._team(f"Team {number}") for number in range(9))]
    persons = [world.jonas, *(world._person(f"Agent{number}", world.bank) for number in range(9))]
    Ticket.objects.bulk_create(
        Ticket(
            kind="incident",
            title=f"Case {number}",
            state="closed" if number % 2 else "waiting" if number % 4 else "new",
            done_at=world.now if number % 2 else None,
            impact=3,
            urgency=3,
            priority=3,
            queue_rank=number % 16,
            queue_at=world.now,
            team=teams[number // 4 % 10],
            assignee=None if number % 3 else persons[number // 40 % 10],
            channel="desk",
            opened_at=world.now,
            updated_at=world.now,
        )
        for number in range(1200)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE tickets_ticket")
    return world


@pytest.mark.parametrize("name", INDEXES)
def test_a_tab_is_counted_in_indexes_alone(many: World, name: str) -> None:
    view: View = many.desk_team.pk if name == "team" else name
    rights = queries.rights_of(many.actor(many.jonas))
    sql, values = queue._counting_views(connection.vendor, ((view, Filters()),), rights)
    found = read(sql, values, "seqscan", "bitmapscan")
    assert len(found) == len(INDEXES[name]), found
    for line, index in zip(found, INDEXES[name], strict=True):
        assert f" {index} " in line
        assert connection.vendor == "sqlite" or "Index Only Scan" in line


@pytest.mark.parametrize("name", ["mine", "waiting", "team"])
def test_an_index_gives_the_order_of_the_first_page(many: World, name: str) -> None:
    view: View = many.desk_team.pk if name == "team" else name
    rights = queries.rights_of(many.actor(many.jonas))
    page = queue._first_rows(connection.vendor, view, Filters(), rights)
    found = read(page.sql, list(page.values), "seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin")
    assert len(found) == len(INDEXES[name]), found
    assert all(f" {index} " in line for line, index in zip(found, INDEXES[name], strict=True)), found
