"""Words, facts, priority and kind of a ticket are corrected; who stands around it changes."""

from __future__ import annotations

import pytest

from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.search import queries as search
from allswell.tickets import queries
from allswell.tickets.models import CustomField, Ticket
from allswell.tickets.rules import Kind
from tests.support.world import World


def verbs(number: int) -> list[str]:
    return list(Entry.objects.filter(ticket=number).order_by("id").values_list("verb", flat=True))


def test_priority_follows_impact_and_urgency(world: World) -> None:
    ticket = world.report(impact=2, urgency=2)
    assert ticket.priority == 3
    changed = desk.edit(ticket.pk, changes={"impact": 1, "title": "The whole bank is down"}, **world.by(world.jonas))
    assert (changed.priority, changed.queue_rank, changed.title) == (2, 2, "The whole bank is down")
    assert verbs(ticket.pk) == ["incident.reported", "ticket.edited", "ticket.priority_set"]
    assert search.matching(Ticket.objects.all(), "whole bank", internal=False).get().pk == ticket.pk


def test_an_override_needs_a_reason_and_falls_when_impact_changes(world: World) -> None:
    ticket = world.report(impact=3, urgency=3)
    with pytest.raises(Invalid, match="needed"):
        desk.override_priority(ticket.pk, priority=1, reason=" ", **world.by(world.jonas))
    desk.override_priority(ticket.pk, priority=1, reason="The board looks at it", **world.by(world.jonas))
    kept = desk.edit(ticket.pk, changes={"impact": 4}, keeps_override=True, **world.by(world.jonas))
    assert (kept.priority, kept.priority_reason) == (1, "The board looks at it")
    fallen = desk.edit(ticket.pk, changes={"impact": 2}, **world.by(world.jonas))
    assert (fallen.priority, fallen.priority_reason) == (4, "")
    assert Entry.objects.filter(ticket=ticket, verb="ticket.priority_set").latest("id").data["is_override_dropped"] is True


def test_it_was_somebody_else_who_asked(world: World) -> None:
    world.branch.priority_matrix = [[5]]
    world.branch.save()
    ticket = world.report(world.jonas, impact=1, urgency=1)
    assert (ticket.priority, ticket.organization_id) == (1, world.bank.pk)
    moved = desk.edit(ticket.pk, changes={"requester": "maria@example.org", "people_affected": 3}, **world.by(world.jonas))
    assert (moved.requester_id, moved.organization_id, moved.priority) == (world.maria.pk, world.branch.pk, 5)
    edited = Entry.objects.get(ticket=ticket, verb="ticket.edited")
    assert edited.data["fields"] == ["people_affected", "requester"]
    assert queries.ticket(ticket.pk).incident.people_affected == 3
    with pytest.raises(Invalid):
        desk.edit(ticket.pk, changes={"state": "closed"}, **world.by(world.jonas))


def test_an_incident_becomes_a_request_and_keeps_its_number(world: World) -> None:
    ticket = world.report(people_affected=5)
    desk.resolve(ticket.pk, **world.by(world.jonas))
    desk.refile(ticket.pk, kind=Kind.REQUEST, **world.by(world.jonas))
    request = queries.ticket(ticket.pk)
    assert (request.kind, request.state, request.incident.people_affected) == ("request", "fulfilled", 5)
    desk.reopen(ticket.pk, **world.by(world.maria))
    desk.refile(ticket.pk, kind=Kind.INCIDENT, **world.by(world.jonas))
    assert queries.ticket(ticket.pk).state == "in_progress"


@pytest.mark.parametrize(
    ("custom", "field"),
    [
        ({"branch": "Mars"}, "custom.branch"),
        ({"branch": "Bern", "seats": "many"}, "custom.seats"),
        ({"branch": "Bern", "color": "red"}, "custom.color"),
        ({"seats": 3}, "custom.branch"),
    ],
)
def test_custom_fields_are_checked(world: World, custom: dict, field: str) -> None:
    CustomField.objects.create(
        key="branch", label="Branch", kind="choice", choices=["Bern", "Basel"], is_required=True, is_in_portal=True
    )
    CustomField.objects.create(key="seats", label="Seats", kind="number", is_in_portal=True)
    with pytest.raises(Invalid) as refused:
        world.report(custom=custom)
    assert refused.value.field == field


def test_restored_then_resolved_then_confirmed_and_rated(world: World) -> None:
    ticket = world.report(service="ledger-database")
    restored = world.forward(minutes=20)
    desk.restore(ticket.pk, **world.by(world.amir))
    with pytest.raises(Conflict):
        desk.restore(ticket.pk, **world.by(world.amir))
    world.forward(minutes=20)
    desk.resolve(ticket.pk, **world.by(world.amir))
    with pytest.raises(NotAllowed):
        desk.confirm(ticket.pk, **world.by(world.amir))
    desk.confirm(ticket.pk, **world.by(world.maria))
    desk.rate(ticket.pk, score=5, comment="Quick!", **world.by(world.maria))
    done = queries.ticket(ticket.pk)
    assert (done.state, done.restored_at, done.resolved_at, done.rating) == ("closed", restored, world.now, 5)


def test_a_late_reply_opens_a_follow_up(world: World) -> None:
    ticket = world.report(title="Printer eats paper", service="printing")
    desk.resolve(ticket.pk, **world.by(world.jonas))
    desk.confirm(ticket.pk, **world.by(world.maria))
    comment = desk.reply(ticket.pk, body="It eats again", **world.by(world.maria))
    follow_up = queries.ticket(comment.ticket_id)
    assert follow_up.pk != ticket.pk
    assert (follow_up.title, follow_up.state, follow_up.team_id) == ("Printer eats paper", "new", world.desk_team.pk)
    assert follow_up.links_out.get().kind == "follow_up_of"
    assert "ticket.followed_up" in verbs(ticket.pk)


def test_too_late_to_reopen(world: World) -> None:
    ticket = world.report()
    desk.resolve(ticket.pk, **world.by(world.jonas))
    world.forward(days=15)
    with pytest.raises(Conflict, match="follow-up"):
        desk.reopen(ticket.pk, **world.by(world.maria))


def test_who_is_in_copy_sees_the_public_conversation_only(world: World) -> None:
    ticket = world.report()
    desk.add_participant(ticket.pk, person="rolf@example.org", **world.by(world.jonas))
    desk.note(ticket.pk, body="Secret thoughts", **world.by(world.jonas))
    desk.reply(ticket.pk, body="I have it too", **world.by(world.rolf))
    assert not queries.may_see_internal(world.actor(world.rolf), queries.ticket(ticket.pk))
    desk.remove_participant(ticket.pk, person=world.rolf.pk, **world.by(world.rolf))
    assert not queries.visible_to(world.actor(world.rolf)).exists()


def test_a_restricted_ticket_is_gone_for_all_but_its_team_and_who_is_named(world: World) -> None:
    ticket = world.report(service="account-look-up")
    desk.watch(ticket.pk, **world.by(world.priya))
    desk.restrict(ticket.pk, people=[world.amir.pk], **world.by(world.jonas))
    assert queries.visible_to(world.actor(world.amir)).exists()
    assert queries.visible_to(world.actor(world.julia)).exists()
    assert not queries.visible_to(world.actor(world.priya)).exists()
    assert not queries.visible_to(world.actor(world.olga)).exists()
    with pytest.raises(NotFound):
        desk.take(ticket.pk, **world.by(world.priya))
    with pytest.raises(Invalid):
        desk.name_people(ticket.pk, people=[world.rolf.pk], **world.by(world.jonas))
    desk.reply(ticket.pk, body="Anything new?", **world.by(world.maria))
    assert not Delivery.objects.filter(ticket=ticket, person=world.priya).exists()
    with pytest.raises(NotAllowed):
        desk.unrestrict(ticket.pk, **world.by(world.julia))


def test_only_who_may_see_a_ticket_is_mentioned(world: World) -> None:
    ticket = world.report()
    desk.note(ticket.pk, body="@rolf @julia", mentions=[world.rolf.pk, world.julia.pk, world.oskar.pk], **world.by(world.jonas))
    assert set(Delivery.objects.filter(topic="mentioned").values_list("person", flat=True)) == {world.julia.pk}


def test_nobody_gets_a_ticket_who_could_not_work_on_it(world: World) -> None:
    ticket = world.report()
    for person in (world.rolf, world.oskar, world.audrey):
        with pytest.raises(Invalid):
            desk.assign(ticket.pk, person=person.pk, **world.by(world.jonas))


def test_another_organization_is_out_of_reach(world: World) -> None:
    with pytest.raises(Invalid):
        world.report(world.oskar, requester=world.maria.pk)
    with pytest.raises(Invalid):
        world.report(world.oskar, requester="maria@example.org")
    ticket = world.report(world.otto)
    with pytest.raises(Invalid):
        desk.add_participant(ticket.pk, person=world.maria.pk, **world.by(world.oskar))
    with pytest.raises(Invalid):
        world.report(world.maria, team=world.dba_team.pk)
