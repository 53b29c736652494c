"""Who slipped takes it back, and nobody was misinformed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, NotFound
from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.search import queries as search
from allswell.tickets import queries
from allswell.tickets.models import Ticket
from allswell.tickets.rules import WaitingOn
from tests.support.world import World


def doing(world: World, person: Person) -> tuple[dict[str, Any], uuid.UUID]:
    """actor= and now= of a use case, and the action it will be."""
    by = world.by(person)
    return by, by["actor"].action


COLUMNS = [field.attname for field in Ticket._meta.concrete_fields if field.attname not in ("version", "updated_at")]


def row(number: int) -> dict[str, Any]:
    return Ticket.objects.values(*COLUMNS).get(pk=number)


@pytest.mark.parametrize("act", ["resolve", "take", "assign", "hand_over", "wait", "restore"])
def test_everything_is_as_it_was(world: World, act: str) -> None:
    ticket = world.report(service="account-look-up")
    before = row(ticket.pk)
    by, action = doing(world, world.jonas)
    match act:
        case "resolve":
            desk.resolve(ticket.pk, resolution="Done", **by)
        case "take":
            desk.take(ticket.pk, **by)
        case "assign":
            desk.assign(ticket.pk, person=world.julia.pk, **by)
        case "hand_over":
            desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="Pool", **by)
        case "wait":
            desk.wait(ticket.pk, on=WaitingOn.REQUESTER, reason="Which branch?", **by)
        case "restore":
            desk.restore(ticket.pk, **by)
    assert row(ticket.pk) != before
    world.forward(seconds=5)
    desk.undo(ticket.pk, action=action, **world.by(world.jonas))
    assert row(ticket.pk) == before
    assert not queries.comments(queries.ticket(ticket.pk), internal=True).exists()
    assert not Delivery.objects.filter(entry__action=action, channel="email", settled_at__isnull=True).exists()
    assert Entry.objects.filter(ticket=ticket).latest("id").verb == "ticket.undone"
    with pytest.raises(Conflict):
        desk.undo(ticket.pk, action=action, **world.by(world.jonas))


def test_a_reply_is_retracted_before_it_is_sent(world: World) -> None:
    ticket = world.report()
    before = row(ticket.pk)
    by, action = doing(world, world.jonas)
    desk.reply(ticket.pk, body="Go away", **by)
    mail = Delivery.objects.get(entry__action=action, channel="email", person=world.maria)
    assert (mail.due_at - world.now).total_seconds() >= 6
    desk.undo(ticket.pk, action=action, **world.by(world.jonas))
    assert row(ticket.pk) == before
    mail.refresh_from_db()
    assert mail.outcome == "moot"
    assert not search.matching(Ticket.objects.all(), "away", internal=True).exists()


@pytest.mark.parametrize("state", ["new", "in_progress"])
def test_a_reply_that_makes_it_wait_is_one_act(world: World, state: str) -> None:
    ticket = world.report()
    if state == "in_progress":
        desk.take(ticket.pk, **world.by(world.jonas))
    before = row(ticket.pk)
    by, action = doing(world, world.jonas)
    desk.reply(ticket.pk, body="Which branch?", then_waits=True, **by)
    after = row(ticket.pk)
    assert (after["state"], after["waiting_on"]) == ("waiting", "requester")
    assert Delivery.objects.filter(entry__action=action, channel="email", person=world.maria).count() == 1
    desk.undo(ticket.pk, action=action, **world.by(world.jonas))
    assert row(ticket.pk) == before
    assert not queries.comments(queries.ticket(ticket.pk), internal=True).exists()
    assert not Delivery.objects.filter(entry__action=action, settled_at__isnull=True).exists()


def test_a_reply_that_cannot_make_it_wait_is_not_sent(world: World) -> None:
    ticket = world.report()
    desk.resolve(ticket.pk, **world.by(world.jonas))
    with pytest.raises(Conflict):
        desk.reply(ticket.pk, body="Which branch?", then_waits=True, **world.by(world.jonas))
    assert not queries.comments(queries.ticket(ticket.pk), internal=False).exists()


def test_a_requester_does_not_wait_for_themselves(world: World) -> None:
    ticket = world.report()
    desk.reply(ticket.pk, body="Any news?", then_waits=True, **world.by(world.maria))
    assert row(ticket.pk)["state"] == "new"


def test_a_reply_that_is_out_stays(world: World) -> None:
    ticket = world.report()
    by, action = doing(world, world.jonas)
    desk.reply(ticket.pk, body="Go away", **by)
    world.forward(seconds=8)
    Delivery.objects.filter(entry__action=action, channel="email").update(settled_at=world.now, outcome="sent")
    with pytest.raises(Conflict, match="sent"):
        desk.undo(ticket.pk, action=action, **world.by(world.jonas))
    assert queries.comments(queries.ticket(ticket.pk), internal=True).count() == 1


def test_not_after_somebody_else_did_something_nor_too_late_nor_for_others(world: World) -> None:
    ticket = world.report()
    by, action = doing(world, world.jonas)
    desk.take(ticket.pk, **by)
    with pytest.raises(NotFound):
        desk.undo(ticket.pk, action=action, **world.by(world.julia))
    world.forward(seconds=61)
    with pytest.raises(Conflict, match="too late"):
        desk.undo(ticket.pk, action=action, **world.by(world.jonas))
    by, action = doing(world, world.jonas)
    desk.resolve(ticket.pk, **by)
    desk.reopen(ticket.pk, **world.by(world.maria))
    with pytest.raises(Conflict, match="since"):
        desk.undo(ticket.pk, action=action, **world.by(world.jonas))


def test_tags_come_and_go(world: World) -> None:
    ticket = world.report()
    by, action = doing(world, world.jonas)
    desk.tag(ticket.pk, name=" Month-End ", **by)
    assert queries.tags(ticket.pk) == ["month-end"]
    desk.undo(ticket.pk, action=action, **world.by(world.jonas))
    assert queries.tags(ticket.pk) == []
