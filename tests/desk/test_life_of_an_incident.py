"""An incident is received, taken, handed over, answered, resolved and closed."""

from __future__ import annotations

import pytest

from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.errors import NotAllowed, NotFound, Stale
from allswell.notifications.models import Delivery
from allswell.tickets import queries
from allswell.tickets.models import Ticket
from allswell.tickets.rules import WaitingOn
from tests.support.world import World


def verbs(ticket: Ticket) -> list[str]:
    return list(Entry.objects.filter(ticket=ticket).order_by("id").values_list("verb", flat=True))


def test_it_is_reported_with_team_and_priority(world: World) -> None:
    ticket = world.report(service=world.lookup.slug, can_work="no")
    assert (ticket.priority, ticket.team_id, ticket.state) == (1, world.desk_team.pk, "new")
    assert verbs(ticket) == ["incident.reported"]


def test_it_goes_to_the_dbas_and_is_resolved(world: World) -> None:
    ticket = world.report(service="account-look-up")
    desk.take(ticket.pk, **world.by(world.jonas))
    world.forward(minutes=5)
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="Pool is full", tried="Restarted", **world.by(world.jonas))
    desk.take(ticket.pk, **world.by(world.amir))
    desk.reply(ticket.pk, body="The cause is found.", **world.by(world.amir))
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.amir))
    desk.reply(ticket.pk, body="Works again", **world.by(world.maria))
    assert queries.ticket(ticket.pk).state == "in_progress"
    desk.resolve(ticket.pk, code="fixed", resolution="Pool enlarged", **world.by(world.amir))
    done = queries.ticket(ticket.pk)
    assert done.state == "resolved"
    assert done.first_response_at == world.now
    assert done.closing_at > world.now
    assert Delivery.objects.filter(person=world.maria, topic="state", channel="email", settled_at__isnull=True).exists()


def test_another_organization_sees_nothing(world: World) -> None:
    ticket = world.report()
    assert not queries.visible_to(world.actor(world.oskar)).exists()
    with pytest.raises(NotFound):
        desk.take(ticket.pk, **world.by(world.oskar))
    with pytest.raises(NotAllowed):
        desk.take(ticket.pk, **world.by(world.audrey))


def test_who_saw_an_older_version_is_told(world: World) -> None:
    ticket = world.report()
    desk.take(ticket.pk, version=1, **world.by(world.jonas))
    with pytest.raises(Stale):
        desk.take(ticket.pk, version=1, **world.by(world.julia))


@pytest.mark.django_db(transaction=True)
def test_the_first_tickets_look_grown_up() -> None:
    assert World().report().pk > 1000
