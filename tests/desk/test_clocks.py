"""Whatever is done at the desk, the clocks are what the journal says: in their rows, on the ticket, in the queue."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allswell.calendars import operations as calendars
from allswell.calendars.rules import Definition
from allswell.desk import bulk, clocks
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.actor import Channel, engine
from allswell.kernel.errors import DeskError
from allswell.sla import operations as sla
from allswell.sla.models import Agreement, AgreementVersion, Clock
from allswell.sla.rules.terms import Audience
from allswell.tickets.models import Comment, Ticket
from allswell.tickets.rules import Kind, LinkKind, WaitingOn
from tests.support.promises import promise
from tests.support.world import World

HOUR = timedelta(hours=1)


def around_the_clock(minutes: int) -> dict[str, Any]:
    return {"counting": "working", "amount": minutes, "calendar": "always"}


def promise_all(world: World) -> None:
    """Something of every kind: an agreement for a service, one for everyone, one between teams."""
    promise(
        world,
        {"metric": "resolution", "within": around_the_clock(60), "pauses": ["requester", "supplier"]},
        {"metric": "first_response", "within": around_the_clock(20)},
        name="Ledger",
        services=[world.ledger.pk],
    )
    promise(
        world,
        {"metric": "acknowledgement", "within": around_the_clock(30)},
        {"metric": "first_response", "within": around_the_clock(60), "pauses": ["requester"]},
        {"metric": "next_update", "within": around_the_clock(120)},
        {"metric": "restoration", "within": around_the_clock(240), "pauses": ["requester"]},
        {"key": "r1", "metric": "resolution", "within": around_the_clock(120), "priorities": [1], "warn": {"share": 0.5}},
        {"key": "r", "metric": "resolution", "within": {"counting": "calendar_days", "amount": 1}, "pauses": ["requester"]},
        {"metric": "fulfilment", "within": around_the_clock(600), "stop": "closed"},
        zone="Europe/Zurich",
    )
    promise(
        world,
        {"metric": "team_time", "within": around_the_clock(180), "pauses": ["requester"]},
        name="Databases",
        audience=Audience.INTERNAL,
        team=world.dba_team,
    )


def checked(world: World) -> None:
    """All rows are what a replay of the journal makes of them, and every ticket knows its next promise and its place."""
    assert list(clocks.replay(None, actor=engine(), now=world.now, is_dry=True)) == []
    for ticket in Ticket.objects.all():
        running = Clock.objects.filter(ticket=ticket, state="running", due_at__isnull=False)
        first = min((clock.due_at for clock in running), default=None)
        assert ticket.next_due_at == first
        if ticket.done_at is None and first is not None:
            assert (ticket.queue_rank, ticket.queue_at) == (0, first)
        elif ticket.done_at is None:
            assert (ticket.queue_rank > 0, ticket.queue_at) == (True, ticket.opened_at)


def clock(ticket: Ticket, metric: str = "resolution") -> Clock:
    return Clock.objects.filter(ticket=ticket, metric=metric).order_by("-id")[0]


# -- one use case after the other ----------------------------------------------------------------------------------------------


def test_a_report_starts_the_clocks(world: World) -> None:
    promise_all(world)
    ticket = world.report()
    assert set(Clock.objects.values_list("metric", "state")) == {
        (metric, "running") for metric in ("acknowledgement", "first_response", "restoration", "resolution")
    }
    assert (ticket.next_due_at, ticket.next_metric) == (world.now + HOUR / 2, "acknowledgement")
    checked(world)


def test_what_happens_in_the_act_that_opens_a_ticket_counts(world: World) -> None:
    promise_all(world)
    for values in ({}, {"assignee": world.jonas.pk, "team": world.desk_team.pk}, {"service": world.ledger.pk, "urgency": 1}):
        ticket = world.report(world.jonas, requester=world.maria.pk, **values)
        opening = Entry.objects.filter(ticket=ticket).order_by("id")[0]
        assert {one.segments[0][3] for one in Clock.objects.filter(ticket=ticket) if one.segments} == {opening.pk}
    desk.note(ticket.pk, body="And the printer", **world.by(world.jonas))
    comment = Comment.objects.get(ticket=ticket)
    desk.split(ticket.pk, comment=comment.pk, title="The printer", **world.by(world.jonas))
    assert Ticket.objects.filter(next_due_at__isnull=False).count() == 4
    checked(world)


def test_taking_acknowledges_and_a_reply_answers_and_begins_the_next_update(world: World) -> None:
    promise_all(world)
    ticket = world.report()
    world.forward(minutes=10)
    desk.take(ticket.pk, **world.by(world.jonas))
    assert clock(ticket, "acknowledgement").met_at == world.now
    world.forward(minutes=10)
    desk.reply(ticket.pk, body="Looking at it", **world.by(world.jonas))
    assert clock(ticket, "first_response").met_at == world.now
    assert clock(ticket, "next_update").due_at == world.now + 2 * HOUR
    checked(world)


def test_a_call_is_no_message_so_a_ticket_taken_on_the_phone_is_still_to_be_answered(world: World) -> None:
    promise_all(world)
    told = desk.Report(kind=Kind.INCIDENT, title="Printer is down", requester=world.maria.pk)
    ticket = desk.report(told, actor=world.actor(world.jonas, Channel.PHONE), now=world.now)

    def stands(metric: str) -> tuple[str, datetime | None]:
        clock = Clock.objects.get(ticket=ticket, metric=metric)
        return clock.state, clock.stopped_at

    assert Ticket.objects.get(pk=ticket.pk).channel == "phone"
    world.forward(minutes=5)
    desk.note(ticket.pk, body="She called.", **world.by(world.jonas))
    desk.take(ticket.pk, **world.by(world.jonas))
    assert (stands("acknowledgement"), stands("first_response")) == (("completed", world.now), ("running", None))
    world.forward(minutes=5)
    desk.reply(ticket.pk, body="As said on the phone: we are at it.", **world.by(world.jonas))
    assert stands("first_response") == ("completed", world.now)
    assert Ticket.objects.get(pk=ticket.pk).first_response_at == world.now


def test_waiting_pauses_and_the_requesters_reply_goes_on(world: World) -> None:
    promise_all(world)
    ticket = world.report(service="ledger-database")
    world.forward(minutes=10)
    desk.take(ticket.pk, **world.by(world.amir))
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.amir))
    assert (clock(ticket).state, clock(ticket).due_at) == ("paused", None)
    checked(world)
    world.forward(hours=3)
    desk.reply(ticket.pk, body="Here it is", **world.by(world.maria))
    assert (clock(ticket).state, clock(ticket).due_at) == ("running", world.now + timedelta(minutes=50))
    checked(world)


def test_a_ticket_whose_clocks_all_stand_still_says_which_one(world: World) -> None:
    promise(world, {"metric": "resolution", "within": around_the_clock(60), "pauses": ["requester"]})
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    ticket.refresh_from_db()
    assert (ticket.next_due_at, ticket.next_metric) == (None, "resolution")
    checked(world)


def test_resolving_stops_undoing_runs_on_reopening_resumes(world: World) -> None:
    promise_all(world)
    ticket = world.report()
    due = clock(ticket, "restoration").due_at
    world.forward(minutes=10)
    by = world.by(world.jonas)
    desk.resolve(ticket.pk, **by)
    assert clock(ticket, "restoration").met_at == world.now
    checked(world)
    world.forward(seconds=20)
    desk.undo(ticket.pk, action=by["actor"].action, **world.by(world.jonas))
    assert (clock(ticket, "restoration").state, clock(ticket, "restoration").due_at) == ("running", due)
    checked(world)
    world.forward(minutes=10)
    desk.resolve(ticket.pk, **world.by(world.jonas))
    world.forward(hours=5)
    desk.reopen(ticket.pk, **world.by(world.maria))
    assert clock(ticket, "restoration").due_at == due + 5 * HOUR
    assert clock(ticket, "first_response").state == "completed"
    checked(world)


def test_a_target_that_stops_at_closed_runs_while_resolved(world: World) -> None:
    promise_all(world)
    ticket = world.report(kind=Kind.REQUEST)
    world.forward(hours=1)
    desk.resolve(ticket.pk, **world.by(world.jonas))
    assert clock(ticket, "fulfilment").state == "running"
    checked(world)
    world.forward(hours=10)
    desk.confirm(ticket.pk, **world.by(world.maria))
    assert (clock(ticket, "fulfilment").state, clock(ticket, "fulfilment").met_at) == ("completed", None)
    checked(world)


def test_merging_ends_the_clocks_and_taking_that_back_runs_them_on(world: World) -> None:
    promise_all(world)
    first, second = world.report(), world.report(world.rolf)
    due = clock(second).due_at
    world.forward(minutes=5)
    desk.merge(second.pk, into=first.pk, **world.by(world.jonas))
    assert {one.state for one in Clock.objects.filter(ticket=second)} == {"merged"}
    checked(world)
    world.forward(minutes=5)
    desk.unmerge(second.pk, **world.by(world.jonas))
    assert (clock(second).state, clock(second).due_at) == ("running", due)
    checked(world)


def test_each_hop_of_a_team_has_its_own_clock(world: World) -> None:
    promise_all(world)
    ticket = world.report()
    world.forward(minutes=5)
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="A lock", **world.by(world.jonas))
    assert (clock(ticket, "team_time").team_id, clock(ticket, "team_time").due_at) == (world.dba_team.pk, world.now + 3 * HOUR)
    world.forward(minutes=30)
    desk.hand_over(ticket.pk, team=world.desk_team.pk, reason="No lock", **world.by(world.amir))
    assert clock(ticket, "team_time").met_at == world.now
    world.forward(minutes=30)
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="A lock after all", **world.by(world.jonas))
    assert [one.number for one in Clock.objects.filter(metric="team_time").order_by("number")] == [1, 2]
    checked(world)


def test_another_kind_service_and_priority_bring_other_promises(world: World) -> None:
    promise_all(world)
    ticket = world.report()
    world.forward(minutes=30)
    desk.override_priority(ticket.pk, priority=1, reason="Month end", **world.by(world.jonas))
    assert clock(ticket).target == "r1"
    checked(world)
    desk.edit(ticket.pk, changes={"service": "ledger-database"}, **world.by(world.jonas))
    assert (clock(ticket).budget, clock(ticket).due_at) == (3_600_000_000, ticket.opened_at + HOUR)
    checked(world)
    desk.edit(ticket.pk, changes={"service": "printing"}, **world.by(world.jonas))
    desk.refile(ticket.pk, kind=Kind.REQUEST, **world.by(world.jonas))
    assert clock(ticket, "fulfilment").state == "running"
    assert {one.state for one in Clock.objects.filter(metric="resolution")} == {"cancelled"}
    checked(world)


def test_children_stop_with_their_parent_each_in_its_own_journal(world: World) -> None:
    promise_all(world)
    parent, child = world.report(), world.report(world.rolf)
    desk.link(child.pk, kind=LinkKind.CHILD_OF, target=parent.pk, **world.by(world.jonas))
    world.forward(minutes=15)
    desk.restore(parent.pk, **world.by(world.jonas))
    assert clock(child, "restoration").met_at == world.now
    world.forward(minutes=15)
    desk.resolve(parent.pk, **world.by(world.jonas))
    assert clock(child).met_at == world.now
    checked(world)


def test_many_at_once(world: World) -> None:
    promise_all(world)
    numbers = [world.report(title=f"Report {count}").pk for count in range(3)]
    world.forward(minutes=15)
    bulk.start(numbers, verb="resolve", params={"code": "fixed"}, **world.by(world.jonas))
    job = bulk.claim(actor=engine(), now=world.now)
    assert job is not None
    while bulk.run_batch(job, limit=2, actor=engine(), now=world.now):
        pass
    assert set(Clock.objects.filter(metric="resolution").values_list("met_at", flat=True)) == {world.now}
    checked(world)


def test_a_calendar_edited_meanwhile_moves_open_clocks_and_leaves_the_others(world: World) -> None:
    week = Definition.checked([[(540, 1020)]] * 7)
    row = calendars.create(name="Office", slug="office", zone="UTC", actor=engine(), now=world.now)
    said = {"definition": week.as_json(), "own_days": {}, "note": ""}
    effective = datetime(2026, 1, 1, tzinfo=UTC).date()
    calendars.add_version(row, effective_on=effective, actor=engine(), now=world.now, **said)
    within = {"counting": "working", "amount": 480, "calendar": "office"}
    promise(world, {"metric": "resolution", "within": within}, {"metric": "acknowledgement", "within": {**within, "amount": 60}})
    ticket = world.report()
    world.forward(minutes=30)
    desk.take(ticket.pk, **world.by(world.jonas))
    said["definition"] = Definition.checked([[(540, 780)]] * 7).as_json()
    calendars.add_version(row, effective_on=effective, actor=engine(), now=world.now, **said)
    sla.renew()
    world.forward(minutes=1)
    desk.reply(ticket.pk, body="Half days from now on", **world.by(world.jonas))
    assert (clock(ticket).calendar_version, clock(ticket).due_at) == (2, datetime(2026, 11, 24, 13, 0, tzinfo=UTC))
    assert clock(ticket, "acknowledgement").calendar_version == 1
    checked(world)


# -- nobody's work is refused for a clock --------------------------------------------------------------------------------------


def test_a_clock_that_cannot_be_counted_says_why_and_refuses_nothing(world: World) -> None:
    within = {"counting": "working", "amount": 60, "calendar": "gone"}
    promise(world, {"metric": "resolution", "within": within}, {"metric": "acknowledgement", "within": around_the_clock(30)})
    ticket = world.report()
    assert (clock(ticket).problem, clock(ticket).due_at, clock(ticket).alarm_at) == ("not-found", None, None)
    assert ticket.next_metric == "acknowledgement"
    world.forward(minutes=5)
    desk.resolve(ticket.pk, **world.by(world.jonas))
    assert clock(ticket).state == "completed"
    checked(world)


def test_terms_that_cannot_be_read_leave_the_clocks_alone_and_are_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    promise_all(world)
    ticket = world.report()
    before = clock(ticket).due_at
    AgreementVersion.objects.update(definition={"zone": "Mars/Olympus"})
    sla.renew()
    world.forward(minutes=5)
    desk.take(ticket.pk, **world.by(world.jonas))
    other = world.report(world.rolf)
    assert Ticket.objects.get(pk=other.pk).state == "new"
    assert clock(ticket).due_at == before
    assert "cannot be" in caplog.text


def test_an_agreement_out_of_use_keeps_what_it_promised(world: World) -> None:
    promise_all(world)
    ticket = world.report()
    world.forward(minutes=5)
    desk.take(ticket.pk, **world.by(world.jonas))
    row = Agreement.objects.get(name="Standard")
    sla.change(row, {"is_active": False}, actor=engine(), now=world.now)
    world.forward(minutes=5)
    desk.reply(ticket.pk, body="Looking at it", **world.by(world.jonas))
    assert clock(ticket, "acknowledgement").met_at is not None
    assert clock(ticket).state == "running"
    assert not Clock.objects.filter(ticket=world.report(world.rolf).pk).exists()
    checked(world)


# -- whatever happens ----------------------------------------------------------------------------------------------------------


class Anybody:
    """Does at random what people do, and is refused now and then."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        self.numbers: list[int] = []
        self.last: tuple[int, dict[str, Any]] | None = None
        self.done = 0

    def act(self) -> None:
        """One thing, a while after the last."""
        world, chance = self.world, self.chance
        world.forward(seconds=chance.choice([1, 30, 600, 5000, 90_000]))
        if len(self.numbers) < 2 or chance.random() < 0.1:
            service = chance.choice(["ledger-database", "printing", None])
            kind = chance.choice([Kind.INCIDENT, Kind.INCIDENT, Kind.REQUEST])
            self.numbers.append(world.report(chance.choice([world.maria, world.rolf]), service=service, kind=kind).pk)
            return
        number, other = chance.choice(self.numbers), chance.choice(self.numbers)
        by = world.by(chance.choice([world.jonas, world.amir, world.lena]))
        try:
            self._one_of(number, other, by)
            self.done += 1
            self.last = (number, by)
        except DeskError:
            pass

    def _one_of(self, number: int, other: int, by: dict[str, Any]) -> None:
        world, chance = self.world, self.chance
        team = chance.choice([world.desk_team, world.dba_team]).pk
        acts = [
            lambda: desk.take(number, **by),
            lambda: desk.reply(number, body="A word", then_waits=chance.random() < 0.3, **by),
            lambda: desk.reply(number, body="My word", **world.by(world.maria)),
            lambda: desk.wait(number, on=chance.choice(list(WaitingOn)), **by),
            lambda: desk.resume(number, **by),
            lambda: desk.restore(number, **by),
            lambda: desk.resolve(number, **by),
            lambda: desk.reopen(number, **by),
            lambda: desk.confirm(number, **world.by(world.maria)),
            lambda: desk.cancel(number, reason="mistake", **by),
            lambda: desk.hand_over(number, team=team, reason="Yours", **by),
            lambda: desk.refile(number, kind=chance.choice(list(Kind)), **by),
            lambda: desk.edit(number, changes={"service": chance.choice(["printing", "ledger-database"])}, **by),
            lambda: desk.edit(number, changes={"impact": chance.randint(1, 4), "urgency": chance.randint(1, 4)}, **by),
            lambda: desk.edit(number, changes={"requester": chance.choice([world.maria, world.rolf]).pk}, **by),
            lambda: desk.override_priority(number, priority=chance.choice([1, 3, 5, None]), reason="So", **by),
            lambda: desk.merge(number, into=other, **by),
            lambda: desk.unmerge(number, **by),
            lambda: desk.link(number, kind=LinkKind.CHILD_OF, target=other, **by),
            self._undo,
            self._undo,
        ]
        chance.choice(acts)()

    def _undo(self) -> None:
        if self.last is not None:
            number, by = self.last
            desk.undo(number, action=by["actor"].action, **self.world.by_actor(by["actor"]))


@pytest.mark.parametrize("seed", range(8))
def test_whatever_people_do_the_clocks_are_what_the_journal_says(world: World, seed: int) -> None:
    promise_all(world)
    anybody = Anybody(world, random.Random(seed))
    for _ in range(45):
        anybody.act()
        checked(world)
    assert anybody.done > 8
    assert Entry.objects.filter(verb="clock.replayed").count() == 0
