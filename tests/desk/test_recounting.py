"""An agreement or a calendar changes: open clocks are solved again in the background, completed ones stay as they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from allswell.calendars.rules import Day
from allswell.database import alone
from allswell.desk import agreement_files, recounting, teams
from allswell.desk import agreements as desk
from allswell.desk import calendars as desk_calendars
from allswell.desk import tickets as desk_tickets
from allswell.desk.calendars import Hours
from allswell.desk.clocks import replay
from allswell.engine.jobs import Jobs
from allswell.jobs.models import Job
from allswell.journal.models import Entry
from allswell.kernel.actor import importer
from allswell.notifications.models import Delivery
from allswell.sla import queries
from allswell.sla.models import Clock
from allswell.tickets.models import Ticket
from tests.desk.test_agreements import agreement, due_of, office_hours, terms, working
from tests.support.world import START, World

TWO = [
    {"metric": "acknowledgement", "within": working(30)},
    {"metric": "resolution", "within": working(240)},
]


def work(world: World) -> None:
    """The engine does what waits."""
    jobs = Jobs(now=lambda: world.now)
    for _ in range(20):
        if not jobs.is_due(world.now):
            return
        jobs.tick(world.now)
    raise AssertionError("the jobs never end")


def recount() -> Job:
    """The job that has something to count."""
    return Job.objects.get(kind=recounting.KIND, total__gt=0)


def clocks(ticket: Ticket) -> dict[str, tuple[int, str, datetime | None]]:
    """metric -> (version, state, due)."""
    return {clock.metric: (clock.version, clock.state, clock.due_at) for clock in queries.clocks(ticket.pk)}


def moved(ticket: Ticket) -> list[Entry]:
    """What the journal says of moved promises."""
    return list(Entry.objects.filter(ticket=ticket, verb="clock.replayed").order_by("id"))


def test_a_holiday_is_added_and_open_clocks_move_while_completed_ones_keep_theirs(world: World) -> None:
    slug = office_hours(world)
    targets = [
        {"metric": "acknowledgement", "within": working(60, slug)},
        {"metric": "resolution", "within": working(900, slug)},  # fifteen hours: into Tuesday
    ]
    agreement(world, definition=terms(targets=targets))
    work(world)
    ticket = world.report()  # Monday 10:00 in Zurich
    desk_tickets.take(ticket.pk, **world.by(world.jonas))
    before = clocks(ticket)
    assert before["resolution"][2] == datetime(2026, 11, 24, 14, tzinfo=UTC)
    days_off = Hours(days={"2026-11-23": Day("Closed today"), "2026-11-24": Day("Closed")})
    desk_calendars.change_calendar(slug, hours=days_off, effective_on=date(2026, 11, 1), **world.by(world.ada))
    assert clocks(ticket) == before
    work(world)
    after = clocks(ticket)
    assert after["acknowledgement"] == before["acknowledgement"]
    assert after["resolution"][2] == datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert due_of(ticket) == after["resolution"][2]
    (entry,) = moved(ticket)
    assert entry.data["because"]["calendar"] == slug
    assert entry.data["because"]["calendar_version"] == 2
    assert [(one["metric"], one["from"], one["to"]) for one in entry.data["moved"]] == [
        ("resolution", "2026-11-24T14:00:00+00:00", "2026-11-26T12:00:00+00:00")
    ]
    versions = {clock.metric: clock.calendar_version for clock in queries.clocks(ticket.pk)}
    assert versions == {"acknowledgement": 1, "resolution": 2}


def test_a_version_in_the_past_changes_what_is_open_and_nothing_else(world: World) -> None:
    agreement(world, definition=terms(targets=TWO))
    taken, fresh = world.report(), world.report()
    world.forward(minutes=10)
    desk_tickets.take(taken.pk, **world.by(world.jonas))
    world.forward(minutes=10)
    tighter = [{"metric": "acknowledgement", "within": working(5)}, {"metric": "resolution", "within": working(60)}]
    agreed = desk.agree("standard", definition=terms(targets=tighter), in_force_from=START, **world.by(world.ada))
    assert agreed.touched == 2
    work(world)
    assert clocks(taken) == {
        "acknowledgement": (1, "completed", START + timedelta(minutes=30)),
        "resolution": (2, "running", START + timedelta(hours=1)),
    }
    assert clocks(fresh)["acknowledgement"] == (2, "running", START + timedelta(minutes=5))
    # and so it stays when something happens to the ticket
    desk_tickets.reply(taken.pk, body="Soon.", **world.by(world.jonas))
    assert clocks(taken)["acknowledgement"] == (1, "completed", START + timedelta(minutes=30))
    assert Clock.objects.get(ticket=taken, metric="acknowledgement").breached_at is None


def test_out_of_use_it_holds_for_what_was_opened_before(world: World) -> None:
    agreement(world, definition=terms(targets=TWO))
    ticket = world.report()
    desk_tickets.take(ticket.pk, **world.by(world.jonas))
    world.forward(minutes=5)
    desk.set_active("standard", is_active=False, **world.by(world.ada))
    work(world)
    assert set(clocks(ticket)) == {"acknowledgement", "resolution"}
    assert due_of(ticket) == START + timedelta(hours=4)
    world.forward(minutes=5)
    desk_tickets.reply(ticket.pk, body="Soon.", **world.by(world.jonas))
    assert due_of(ticket) == START + timedelta(hours=4)
    later = world.report()
    assert (clocks(later), due_of(later)) == ({}, None)
    desk.set_active("standard", is_active=True, **world.by(world.ada))
    work(world)
    assert set(clocks(later)) == {"acknowledgement", "resolution"}


def test_another_agreement_takes_over_what_is_open(world: World) -> None:
    agreement(world, definition=terms(targets=TWO))
    agreement(world, "Others", terms(targets=TWO), organization=world.other.pk)
    ticket = world.report()
    desk_tickets.take(ticket.pk, **world.by(world.jonas))
    desk.change("others", organization=None, **world.by(world.ada))
    work(world)
    held = {clock.metric: clock.agreement.slug for clock in Clock.objects.filter(ticket=ticket).select_related("agreement")}
    assert held == {"acknowledgement": "standard", "resolution": "others"}
    # resolved under the new one, reopened, and moved back: nothing is counted twice
    world.forward(minutes=30)
    desk_tickets.resolve(ticket.pk, code="fixed", resolution="Restarted.", **world.by(world.jonas))
    desk.move("others", by=1, **world.by(world.ada))
    work(world)
    held = {clock.metric: clock.agreement.slug for clock in Clock.objects.filter(ticket=ticket).select_related("agreement")}
    assert held == {"acknowledgement": "standard", "resolution": "others"}


def test_a_breach_taken_back_by_an_undo_is_gone_whatever_was_agreed(world: World) -> None:
    agreement(world, definition=terms(targets=TWO))
    ticket = world.report()
    by = world.by(world.jonas)
    desk_tickets.take(ticket.pk, **by)
    desk_tickets.undo(ticket.pk, action=by["actor"].action, **world.by(world.jonas))
    assert clocks(ticket)["acknowledgement"][1] == "running"


def test_the_job_goes_on_where_it_stopped_and_tells_who_asked_once(world: World) -> None:
    agreement(world, definition=terms(targets=TWO))
    work(world)
    tickets = [world.report() for _ in range(7)]
    shorter = terms(targets=[{"metric": "resolution", "within": working(60)}])
    desk.agree("standard", definition=shorter, in_force_from=START, **world.by(world.ada))
    job = recount()
    assert job.total == 7
    by = world.by(world.ada)
    claimed = recount()
    assert recounting.run_batch(claimed, limit=3, **by)
    assert Entry.objects.filter(verb="clock.replayed").count() == 3
    world.forward(seconds=61)  # that engine died
    work(world)
    job.refresh_from_db()
    assert (job.position, job.changed) == (7, 7)
    assert job.finished_at is not None
    assert [len(moved(ticket)) for ticket in tickets] == [1] * 7
    assert Delivery.objects.filter(person=world.ada, topic="job").count() == 1
    assert not Delivery.objects.filter(topic="job").exclude(person=world.ada).exists()


def test_nothing_open_means_nothing_to_do_and_nobody_is_told(world: World) -> None:
    slug = office_hours(world)
    agreement(world, definition=terms(within=working(60, slug)))
    desk_calendars.change_calendar(slug, hours=Hours(days={"2026-12-25": Day("Christmas")}), **world.by(world.ada))
    assert Job.objects.exists() == alone.is_shared()  # where others write at once, some may not be seen yet
    work(world)
    assert not Job.objects.filter(finished_at=None).exists()
    assert not Delivery.objects.exists()


def test_all_agreements_of_a_file_are_counted_in_one_job(world: World) -> None:
    world.report()
    world.forward(hours=1)
    two = [{"name": name, **terms(targets=TWO)} for name in ("First", "Second")]
    agreement_files.load({"agreements": two, "in_force_from": START.date()}, actor=importer(), now=world.now)
    work(world)
    job = recount()
    assert (job.total, job.changed) == (1, 1)
    assert len(job.params["agreements"]) == 2 - (not alone.is_shared())


def test_an_organization_moves_below_another_and_its_open_tickets_are_promised_what_those_there_are(world: World) -> None:
    agreement(world, name="Bank", organization=world.bank.pk)
    agreement(world, name="Othertown", definition=terms(within=working(60)), organization=world.other.pk)
    ticket, elsewhere = world.report(), world.report(world.otto)
    assert due_of(ticket) == START + timedelta(hours=4)
    work(world)
    teams.edit_organization(world.branch.pk, parent=world.other.pk, **world.by(world.ada))
    work(world)
    assert due_of(ticket) == due_of(elsewhere) == START + timedelta(hours=1)
    assert list(replay(None, is_dry=True, **world.by(world.ada))) == []
    told = Entry.objects.get(verb="clock.replayed")
    assert Job.objects.get(pk=told.data["because"]["job"]).changed == 1
    assert (told.ticket_id, told.data["because"]["organization"]) == (ticket.pk, world.branch.pk)
