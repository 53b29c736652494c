"""What `may` says of one ticket, the database filters say of all: every list is as tight as every door."""

from __future__ import annotations

import random

import pytest

from allswell.kernel.actor import Role
from allswell.people.models import Membership, Person, RoleGrant
from allswell.people.rules import Act, may
from allswell.tickets import queries
from allswell.tickets.models import Ticket, Watcher
from allswell.tickets.rules import WatcherKind
from tests.support.world import World


def shuffled(world: World, seed: int) -> tuple[list[Ticket], list[Person]]:
    """People with random roles, scopes and teams; tickets with random everything that permission depends on."""
    dice = random.Random(seed)
    organizations = [world.bank, world.branch, world.other]
    teams = [world.desk_team, world.dba_team, world.other_team]
    cast = [world.maria, world.rolf, world.jonas, world.amir, world.otto, world.oskar, world.audrey, world.lena, world.ada]
    RoleGrant.objects.all().delete()
    Membership.objects.all().delete()
    for person in cast:
        for role in dice.sample(list(Role), dice.choice([0, 1, 1, 2])):
            scope = dice.choice(["installation", "organization", "team"])
            world._grant(
                person,
                role.value,
                organization=dice.choice(organizations) if scope == "organization" else None,
                team=dice.choice(teams) if scope == "team" else None,
            )
        for team in dice.sample(teams, dice.choice([0, 0, 1])):
            Membership.objects.create(person=person, team=team, joined_at=world.now)
    tickets = [world.report(title=f"Ticket {n}") for n in range(12)]
    for ticket in tickets:
        Ticket.objects.filter(pk=ticket.pk).update(
            organization=dice.choice([*organizations, None]),
            team=dice.choice([*teams, None]),
            requester=dice.choice([*cast, None]),
            assignee=dice.choice([*cast, None, None]),
            is_restricted=dice.random() < 0.5,
        )
        for person in dice.sample(cast, 3):
            kind = dice.choice(list(WatcherKind)).value
            Watcher.objects.create(ticket=ticket, person=person, kind=kind, since=world.now)
    return list(Ticket.objects.order_by("pk")), cast


@pytest.mark.parametrize("seed", range(20))
def test_filters_and_decisions_agree(world: World, seed: int) -> None:
    tickets, cast = shuffled(world, seed)
    for person in cast:
        actor = world.actor(person)
        facts = {ticket.pk: queries.facts(ticket, person=person.pk) for ticket in tickets}
        for act, filtered in ((Act.SEE, queries.visible_to), (Act.SEE_INTERNAL, queries.at_the_desk)):
            decided = {number for number, known in facts.items() if may(actor, act, known)}
            assert set(filtered(actor).values_list("pk", flat=True)) == decided, (person.name, act)
        for number, known in facts.items():
            assert not may(actor, Act.WORK, known) or may(actor, Act.SEE_INTERNAL, known), number
            assert not may(actor, Act.SPEAK, known) or may(actor, Act.SEE, known), number


@pytest.mark.parametrize("seed", range(3))
def test_many_actors_at_once_are_the_same_as_one_by_one(world: World, seed: int) -> None:
    from allswell.people import queries as people

    _, cast = shuffled(world, seed)
    for person, actor in people.actors([person.pk for person in cast]).items():
        alone = world.actor(Person.objects.get(pk=person))
        assert set(actor.grants) == set(alone.grants)
        assert actor.teams == alone.teams
