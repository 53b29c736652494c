"""Bulk changes, exports, views, drafts and presence."""

from __future__ import annotations

import csv

import pytest

from allswell.desk import bulk, exporting, views, writing
from allswell.desk import tickets as desk
from allswell.jobs.models import Job
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.tickets import queries
from allswell.tickets.models import Draft, Presence, SavedView, Ticket
from tests.support.world import World


def run(world: World, *, limit: int = 2) -> Job:
    """The engine does all there is to do."""
    job = bulk.claim(actor=engine(), now=world.now)
    assert job is not None
    while bulk.run_batch(job, limit=limit, actor=engine(), now=world.now):
        pass
    job.refresh_from_db()
    return job


def test_five_tickets_are_assigned_with_one_notice(world: World) -> None:
    numbers = [world.report(title=f"Report {n}").pk for n in range(5)]
    theirs = world.report(world.otto).pk
    desk.resolve(numbers[0], **world.by(world.jonas))
    Delivery.objects.all().delete()
    restricted = world.report(service="ledger-database").pk
    desk.restrict(restricted, **world.by(world.amir))
    params = {"person": world.amir.pk}
    bulk.start([*numbers, restricted, theirs + 99], verb="assign", params=params, **world.by(world.jonas))
    job = run(world)
    assert (job.total, job.position, job.changed) == (7, 7, 4)
    assert [(problem["ticket"], problem["code"]) for problem in job.problems] == [
        (numbers[0], "conflict"),
        (restricted, "not-found"),
        (theirs + 99, "not-found"),
    ]
    assert set(Ticket.objects.filter(pk__in=numbers[1:]).values_list("assignee", flat=True)) == {world.amir.pk}
    assert set(Entry.objects.filter(verb="ticket.assigned").values_list("action", flat=True)) == {job.action}
    told = Delivery.objects.filter(person=world.amir, channel="app")
    assert [(notice.topic, notice.content["changed"]) for notice in told] == [("job", 4)]
    assert Delivery.objects.filter(person=world.jonas, topic="job", channel="app").count() == 1


def test_a_bulk_change_is_stopped(world: World) -> None:
    numbers = [world.report(title=f"Report {n}").pk for n in range(4)]
    started = bulk.start(numbers, verb="tag", params={"name": "month-end"}, **world.by(world.jonas))
    job = bulk.claim(actor=engine(), now=world.now)
    assert bulk.run_batch(job, limit=2, actor=engine(), now=world.now) is True
    with pytest.raises(NotFound):
        bulk.cancel(started.pk, **world.by(world.julia))
    bulk.cancel(started.pk, **world.by(world.jonas))
    assert bulk.run_batch(job, limit=2, actor=engine(), now=world.now) is False
    assert [queries.tags(number) for number in numbers] == [["month-end"]] * 2 + [[]] * 2
    with pytest.raises(Conflict):
        bulk.cancel(started.pk, **world.by(world.jonas))


@pytest.mark.parametrize(
    ("verb", "params", "field"),
    [
        ("purge", {}, "verb"),
        ("assign", {"person": "me"}, "person"),
        ("wait", {"on": "godot"}, "on"),
        ("edit", {"changes": {"title": "All the same"}}, "changes"),
        ("close", {"version": 3}, "version"),
    ],
)
def test_what_no_bulk_change_takes(world: World, verb: str, params: dict, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        bulk.start([world.report().pk], verb=verb, params=params, **world.by(world.jonas))
    assert refused.value.field == field


def test_an_export_holds_what_one_sees_and_no_formulas(world: World) -> None:
    world.report(title='=HYPERLINK("http://evil.example")')
    world.report(title="  @SUM(1)")
    world.report(world.otto, title="Othertown's own")
    desk.restrict(world.report(service="ledger-database", title="Secret").pk, **world.by(world.amir))
    rows = list(csv.DictReader(exporting.tickets_csv(Ticket.objects.order_by("pk"), **world.by(world.jonas))))
    assert [row["title"] for row in rows] == ['\'=HYPERLINK("http://evil.example")', "'@SUM(1)", "Othertown's own"]
    assert rows[0]["opened_at"] == "2026-11-23T09:00:00+00:00"
    assert Entry.objects.filter(verb="record.exported", person=world.jonas).count() == 1
    outside = list(csv.DictReader(exporting.tickets_csv(Ticket.objects.order_by("pk"), **world.by(world.oskar))))
    assert [row["title"] for row in outside] == ["Othertown's own"]
    with pytest.raises(NotAllowed):
        exporting.tickets_csv(Ticket.objects.all(), **world.by(world.maria))


def test_views_are_kept_by_whose_they_are(world: World) -> None:
    mine = views.save("My P1", filters={"priority": "1", "q": ""}, **world.by(world.jonas))
    assert (mine.slug, mine.filters, mine.person_id) == ("my-p1", {"priority": "1"}, world.jonas.pk)
    assert views.save("My P1", filters={}, **world.by(world.julia)).slug == "my-p1-2"
    views.save("Ours", filters={"state": "waiting"}, team=world.desk_team.pk, **world.by(world.jonas))
    for refused in ({"team": world.dba_team.pk}, {"is_for_all": True}):
        with pytest.raises(NotAllowed):
            views.save("Theirs", filters={}, **refused, **world.by(world.jonas))
    with pytest.raises(NotFound):
        views.remove("my-p1", **world.by(world.julia))
    views.change("ours", name="Waiting for others", **world.by(world.julia))
    views.remove("ours", **world.by(world.julia))
    assert SavedView.objects.get(slug="ours").is_active is False
    for filters in ({"state": "escalated"}, {"priority": "0"}, {"id__in": "1"}, {"team": "a' or 1=1"}, {"assignee": "x"}):
        with pytest.raises(Invalid):
            views.save("Odd", filters=filters, **world.by(world.jonas))


def test_drafts_and_presence(world: World) -> None:
    ticket = world.report()
    for body in ("Dear Mar", "Dear Maria"):
        writing.save_draft(place="reply", number=ticket.pk, content={"body": body}, **world.by(world.jonas))
    writing.save_draft(place="new", content={"title": "Phone call"}, **world.by(world.jonas))
    assert {draft.content.get("body", "") for draft in Draft.objects.all()} == {"", "Dear Maria"}
    with pytest.raises(NotAllowed):
        writing.save_draft(place="note", number=ticket.pk, content={"body": "x"}, **world.by(world.maria))
    with pytest.raises(NotFound):
        writing.save_draft(place="reply", number=ticket.pk, content={"body": "x"}, **world.by(world.otto))
    writing.drop_draft(place="reply", number=ticket.pk, **world.by(world.jonas))
    assert Draft.objects.get().place == "new"
    writing.seen(ticket.pk, **world.by(world.jonas))
    world.forward(seconds=10)
    writing.seen(ticket.pk, writing="note", **world.by(world.jonas))
    assert list(Presence.objects.values_list("person", "writing", "seen_at")) == [(world.jonas.pk, "note", world.now)]
    with pytest.raises(NotAllowed):
        writing.seen(ticket.pk, **world.by(world.maria))
    writing.left(ticket.pk, **world.by(world.jonas))
    assert not Presence.objects.exists()
