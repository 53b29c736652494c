"""Every page, for everybody who may open it, asks the database at most 15 times, however much there is to show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import announcements
from allswell.desk import tickets as desk
from allswell.kernel.actor import Role
from allswell.tickets.models import Category
from allswell.tickets.rules import LinkKind
from tests.support.kept import Keeper, Scene, begins_with
from tests.web.test_who_may import DECIDED, LISTS, ROLES, STAGE, Stage, at_its_time, stage, words_of

__all__ = ["stage"]
MOST = 15


def make_much(stage: Stage) -> Stage:
    """More of everything that pages repeat, and somebody who is everything, each in one part of the bank."""
    with at_its_time(stage.world):
        _make_much(stage)
        stage.sign_in("everything")
    return stage


MUCH = Scene(make_much, below=STAGE)


@pytest.fixture
@begins_with(MUCH)
def much(stage: Stage, keeper: Keeper) -> Stage:
    made: Stage = keeper.copy(MUCH)
    return made


def _make_much(stage: Stage) -> None:
    world, ticket = stage.world, stage.ticket
    all_of_it = world._person("Alma All", world.branch)
    stage.cast["everything"] = all_of_it
    world._grant(all_of_it, Role.ADMINISTRATOR, organization=world.bank)
    world._grant(all_of_it, Role.AUDITOR, organization=world.branch)
    world._grant(all_of_it, Role.AGENT, team=world.dba_team)
    by = world.by(world.jonas)
    paper = Category.objects.get()
    for number in range(6):
        team, service = world._team(f"Team {number}", organization=world.bank), world._service(f"Service {number}")
        service.team, service.organization = team, world.branch
        service.save()
        person = world._person(f"P{number} Person", world.branch, role="agent", teams=[team, world.desk_team, world.dba_team])
        world._grant(world.rolf, Role.AGENT, team=team)
        world._grant(all_of_it, Role.LEAD, team=team)
        one = world.report(person, title=f"Slow too, {number}", service=service.slug)
        another = world.report(title=f"Slow as well, {number}", service=world.printing.slug)
        desk.assign(another.pk, person=world.jonas.pk, **by)
        desk.link(ticket.pk, target=one.pk, kind=LinkKind.RELATED, **by)
        desk.tag(ticket.pk, name=f"tag {number}", **by)
        desk.add_participant(ticket.pk, person=person.pk, **by)
        category = Category.objects.create(name=f"C{number}", slug=f"c{number}")
        desk.edit(ticket.pk, changes={"service": service.pk, "category": category.pk}, **by)
        desk.hand_over(ticket.pk, team=team.pk, reason="theirs", **by)
        desk.hand_over(ticket.pk, team=world.desk_team.pk, reason="ours after all", **world.by(world.olga))
        desk.reply(ticket.pk, body=f"Still looking, {number}", **by)
        desk.reply(ticket.pk, body=f"Still slow, {number}", **world.by(world.maria))
        told = announcements.announce(another.pk, title="Slow", audience=(world.bank.pk,), **world.by(world.olga))
        announcements.update(told.pk, body="News", **by)
    desk.edit(ticket.pk, changes={"service": world.printing.pk, "category": paper.pk, "custom": {"floor": "3"}}, **by)


def asked(stage: Stage, path: str, role: str) -> tuple[int, list[str]]:
    """(status, statements) of a page."""
    client = stage.client(role)
    words_of(client.get(path))  # once per process: what is composed then is kept
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(path)
        words_of(answer)
    return answer.status_code, [query["sql"] for query in caught]


@pytest.mark.parametrize("name", sorted(name for name, row in DECIDED.items() if row.get))
def test_a_page_asks_little(much: Stage, name: str) -> None:
    address = much.address(name)
    for role in (*ROLES, "everything"):
        if role in DECIDED[name].get or role == "everything":
            _, statements = asked(much, address.path, role)
            assert len(statements) <= MOST, (role, statements)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_little(much: Stage, path: str) -> None:
    for role in ("requester", "team_agent", "lead", "duty_manager", "administrator", "auditor", "everything"):
        status, statements = asked(much, path, role)
        assert status < 400 or role in ("requester",), role
        assert len(statements) <= MOST, (role, statements)
