"""Links, parents and children, merging and taking it back, splitting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk import attachments, closing
from allswell.desk import tickets as desk
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, Invalid
from allswell.notifications.models import Delivery
from allswell.people.models import Organization
from allswell.search import queries as search
from allswell.tickets import queries
from allswell.tickets.models import Ticket
from allswell.tickets.rules import Kind, LinkKind, WaitingOn
from tests.support.world import World


def test_resolving_the_parent_resolves_its_children_and_tells_everybody(world: World) -> None:
    parent = world.report(world.jonas, title="Pool is full", service="ledger-database")
    first, second = world.report(world.maria), world.report(world.rolf)
    other = world.report(world.rolf, title="Printer")
    for child in (first, second):
        desk.link(child.pk, kind=LinkKind.CHILD_OF, target=parent.pk, **world.by(world.jonas))
    desk.resolve(second.pk, code="workaround", **world.by(world.jonas))
    desk.restore(parent.pk, **world.by(world.amir))
    assert queries.ticket(first.pk).restored_at == world.now
    world.forward(minutes=5)
    by = world.by(world.amir)
    desk.resolve(parent.pk, resolution="Pool enlarged", **by)
    done = queries.ticket(first.pk)
    assert (done.state, done.resolution, done.resolution_code) == ("resolved", "Pool enlarged", "fixed")
    assert queries.ticket(second.pk).resolution_code == "workaround"
    assert queries.ticket(other.pk).state == "new"
    assert Delivery.objects.filter(person=world.maria, ticket=first, topic="state", entry__action=by["actor"].action).exists()
    desk.undo(parent.pk, action=by["actor"].action, **world.by(world.amir))
    assert {queries.ticket(number).state for number in (parent.pk, first.pk)} == {"new"}


def test_one_parent_and_no_circles(world: World) -> None:
    one, two, three = (world.report(title=f"Ticket {n}") for n in range(3))
    by = world.by(world.jonas)
    desk.link(one.pk, kind=LinkKind.CHILD_OF, target=two.pk, **by)
    desk.link(two.pk, kind=LinkKind.CHILD_OF, target=three.pk, **by)
    with pytest.raises(Conflict):
        desk.link(three.pk, kind=LinkKind.CHILD_OF, target=one.pk, **by)
    with pytest.raises(Conflict):
        desk.link(one.pk, kind=LinkKind.CHILD_OF, target=three.pk, **by)
    with pytest.raises(Invalid):
        desk.link(one.pk, kind=LinkKind.RELATED, target=one.pk, **by)
    request = world.report(kind=Kind.REQUEST)
    with pytest.raises(Conflict):
        desk.link(request.pk, kind=LinkKind.CHILD_OF, target=one.pk, **by)


@pytest.mark.parametrize("verb", ["link", "merge"])
def test_tickets_of_another_organization_are_out_of_reach(world: World, verb: str) -> None:
    theirs, ours = world.report(world.otto), world.report(world.maria)
    by = world.by(world.oskar)
    missing = ours.pk + 1000
    for target in (ours.pk, missing):
        act = {"link": {"kind": LinkKind.RELATED, "target": target}, "merge": {"into": target}}[verb]
        with pytest.raises(Invalid, match="may not see"):
            getattr(desk, verb)(theirs.pk, **act, **by)


def test_links_to_what_one_may_not_see_are_not_shown(world: World) -> None:
    one, two = world.report(world.otto), world.report(world.maria)
    desk.link(one.pk, kind=LinkKind.RELATED, target=two.pk, **world.by(world.jonas))
    assert len(queries.links(one.pk, world.actor(world.jonas))) == 1
    assert queries.links(one.pk, world.actor(world.oskar)) == []


def test_merging_moves_everything_and_unmerging_brings_it_back(world: World, settings: object, tmp_path: object) -> None:
    import io

    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    first = world.report(world.maria, title="Look-up down")
    file = attachments.upload(io.BytesIO(b"x"), name="a.txt", content_type="text/plain", **world.by(world.rolf))
    second = world.report(world.rolf, title="Cannot find accounts", attachments=(file.token,))
    desk.reply(second.pk, body="Kaputt since nine", **world.by(world.rolf))
    desk.note(second.pk, body="Pool again", **world.by(world.jonas))
    desk.watch(second.pk, **world.by(world.julia))
    desk.merge(second.pk, into=first.pk, **world.by(world.jonas))

    merged = queries.ticket(second.pk)
    assert (merged.state, merged.resolution_code, merged.merged_into_id) == ("cancelled", "merged", first.pk)
    moved = queries.comments(first, internal=True)
    assert [(row.body, row.moved_from_id) for row in moved] == [("Kaputt since nine", second.pk), ("Pool again", second.pk)]
    assert queries.attachment_for(file.token, world.actor(world.maria)).ticket_id == first.pk
    assert queries.visible_to(world.actor(world.rolf)).filter(pk=first.pk).exists()
    assert search.matching(Ticket.objects.all(), "kaputt", internal=False).get().pk == first.pk
    late = desk.reply(second.pk, body="Still?", **world.by(world.rolf))
    assert late.ticket_id == first.pk

    desk.unmerge(second.pk, **world.by(world.jonas))
    back = queries.ticket(second.pk)
    assert (back.state, back.merged_into_id, back.done_at, back.resolution_code) == ("new", None, None, "")
    assert queries.comments(back, internal=True).count() == 2
    assert queries.attachment_for(file.token, world.actor(world.rolf)).ticket_id == second.pk
    assert not queries.visible_to(world.actor(world.rolf)).filter(pk=first.pk).exists()
    assert search.matching(Ticket.objects.all(), "kaputt", internal=False).get().pk == second.pk
    with pytest.raises(Conflict):
        desk.unmerge(second.pk, **world.by(world.jonas))


def test_what_does_not_merge(world: World) -> None:
    ours, theirs, restricted = world.report(), world.report(world.otto), world.report()
    desk.restrict(restricted.pk, **world.by(world.jonas))
    for source, target in ((theirs, ours), (restricted, ours)):
        with pytest.raises(Conflict):
            desk.merge(source.pk, into=target.pk, **world.by(world.jonas))


def test_a_split_note_is_not_shown_to_the_requester(world: World) -> None:
    ticket = world.report()
    said = desk.reply(ticket.pk, body="And the printer smokes", **world.by(world.maria))
    noted = desk.note(ticket.pk, body="She never reads the manual", **world.by(world.jonas))
    public = desk.split(ticket.pk, comment=said.pk, title="Printer smokes", **world.by(world.jonas))
    internal = desk.split(ticket.pk, comment=noted.pk, title="Improve the manual", **world.by(world.jonas))
    mine = queries.visible_to(world.actor(world.maria))
    assert mine.filter(pk=public.pk, description="And the printer smokes").exists()
    assert not mine.filter(pk=internal.pk).exists()


def test_away_people_are_stood_in_for(world: World) -> None:
    world.jonas.away_from, world.jonas.away_until = world.now - timedelta(days=1), world.now + timedelta(days=7)
    world.jonas.stands_in = world.julia
    world.jonas.save()
    ticket = world.report()
    desk.assign(ticket.pk, person=world.jonas.pk, **world.by(world.lena))
    assert queries.ticket(ticket.pk).assignee_id == world.julia.pk
    world.forward(days=8)
    desk.assign(ticket.pk, person=world.jonas.pk, **world.by(world.lena))
    assert queries.ticket(ticket.pk).assignee_id == world.jonas.pk


def test_in_turn_and_least_loaded(world: World) -> None:
    world.desk_team.assignment = "round_robin"
    world.desk_team.save()
    world.dba_team.assignment = "least_loaded"
    world.dba_team.save()
    given = [world.report(service="printing").pk for _ in range(3)]
    rows = [queries.ticket(number) for number in given]
    assert [row.assignee_id for row in rows] == [world.jonas.pk, world.julia.pk, world.jonas.pk]
    assert all(row.state == "new" and row.acknowledged_at is None for row in rows)
    for number in given:
        desk.hand_over(number, team=world.dba_team.pk, reason="Not ours", **world.by(world.jonas))
    loads = queries.loads([world.amir.pk, world.priya.pk])
    assert sorted(loads.values()) == [1, 2]
    world.amir.away_from = world.now
    world.amir.save()
    assert [world.report(service="ledger-database").assignee_id for _ in range(2)] == [world.priya.pk] * 2


def test_time_closes_and_resumes(world: World) -> None:
    resolved, waiting = world.report(), world.report()
    Organization.objects.filter(pk=world.bank.pk).update(closes_after_days=3)
    desk.resolve(resolved.pk, **world.by(world.jonas))
    desk.take(waiting.pk, **world.by(world.jonas))
    desk.wait(waiting.pk, on=WaitingOn.SUPPLIER, until=world.now + timedelta(days=1), **world.by(world.jonas))
    assert closing.close_due(actor=engine(), now=world.now) == closing.resume_due(actor=engine(), now=world.now) == 0
    world.forward(days=1)
    assert closing.resume_due(actor=engine(), now=world.now) == 1
    resumed = queries.ticket(waiting.pk)
    assert (resumed.state, resumed.waiting_on, resumed.waiting_until) == ("in_progress", "", None)
    assert Delivery.objects.filter(person=world.jonas, ticket=waiting, topic="watched").exists()
    world.forward(days=2)
    assert closing.close_due(actor=engine(), now=world.now) == 1
    assert queries.ticket(resolved.pk).closed_at == world.now
    assert closing.close_due(actor=engine(), now=world.now) == 0
