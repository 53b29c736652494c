"""Warnings and breaches: at their instant, once, to those concerned."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from allswell.desk import alarms, outbox, preferences
from allswell.desk import people as desk_people
from allswell.desk import tickets as desk
from allswell.desk.clocks import follow_many, replay
from allswell.engine.clocks import Clocks
from allswell.engine.modules import all_modules
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.notifications import mail
from allswell.notifications.letters import Letter
from allswell.notifications.models import Delivery, Webhook
from allswell.people.models import Person
from allswell.sla.models import AgreementVersion, Clock, Revision
from allswell.tickets.models import Ticket
from allswell.tickets.rules import WaitingOn
from tests.support.promises import promise, target
from tests.support.world import World

#: resolved within four hours around the clock, with a warning after three; waiting for the requester stops it
IN_FOUR_HOURS = target("resolution", 240, pauses=["requester"], warn={"minutes": 60})


@pytest.fixture
def clocks() -> Clocks:
    """The module."""
    return Clocks()


def told(topic: str, channel: str = "app") -> list[str]:
    """First names of who was told, in the order of telling."""
    rows = Delivery.objects.filter(topic=topic, channel=channel).order_by("id")
    return [name.split()[0] for name in rows.values_list("person__name", flat=True)]


def heard(ticket: Ticket) -> list[str]:
    """What the journal of a ticket says of its clocks."""
    return list(Entry.objects.filter(ticket=ticket, verb__startswith="clock.").order_by("id").values_list("verb", flat=True))


def play(module: Clocks, now: datetime) -> int:
    """Everything that is due by now."""
    done = 0
    while module.is_due(now):
        done += module.tick(now).done
    return done


def test_a_warning_comes_at_its_instant_and_a_breach_at_its_own(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    assert not clocks.is_due(world.forward(hours=3))
    assert play(clocks, world.forward(seconds=1)) == 1
    assert heard(ticket) == ["clock.warned"]
    assert told("warned") == ["Jonas"]
    assert told("warned", "email") == ["Jonas"]
    assert not clocks.is_due(world.forward(minutes=59, seconds=59))
    assert play(clocks, world.forward(seconds=1)) == 1
    assert heard(ticket) == ["clock.warned", "clock.breached"]
    assert told("breached") == ["Jonas", "Julia", "Lena"]
    assert not clocks.is_due(world.forward(days=300))
    clock = Clock.objects.get(ticket=ticket)
    assert (clock.breached_at, clock.is_breach_told, clock.alarm_at) == (clock.due_at, True, None)


def test_the_team_is_warned_when_nobody_has_it(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    world.report()
    play(clocks, world.forward(hours=3, seconds=1))
    assert told("warned") == ["Jonas", "Julia"]


def test_the_team_is_warned_when_who_has_it_is_out_of_office(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    Person.objects.filter(pk=world.jonas.pk).update(away_from=world.now, away_until=world.now + timedelta(days=9))
    play(clocks, world.forward(hours=3, seconds=1))
    assert told("warned") == ["Julia", "Jonas"]


def test_only_who_may_see_a_ticket_is_told(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    desk_people.deactivate_person(world.julia.pk, **world.by(world.ada))
    Ticket.objects.filter(pk=ticket.pk).update(is_restricted=True)
    play(clocks, world.forward(hours=4, seconds=1))
    assert told("breached") == ["Jonas"]  # Lena leads the team without working in it, and nobody named her


def test_what_is_solved_in_time_says_nothing(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    world.forward(hours=4)
    desk.resolve(ticket.pk, code="fixed", **world.by(world.jonas))
    assert not clocks.is_due(world.forward(days=1))
    assert heard(ticket) == []
    assert Clock.objects.get(ticket=ticket).breached_at is None


def test_a_clock_that_stands_is_silent_and_speaks_later(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    world.forward(hours=1)
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    assert not clocks.is_due(world.forward(days=3))
    desk.resume(ticket.pk, **world.by(world.jonas))
    assert not clocks.is_due(world.forward(hours=2))
    assert play(clocks, world.forward(seconds=1)) == 1
    assert heard(ticket) == ["clock.warned"]


def test_what_passed_while_no_engine_ran_is_told_in_one_notice(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    tickets = [world.report(title=f"Report {number}") for number in range(30)]
    for ticket in tickets[:3]:
        desk.take(ticket.pk, **world.by(world.jonas))
    world.forward(hours=2)
    soon = world.report(title="Its warning passed, its time did not")
    world.forward(hours=3, minutes=5)
    clocks.batch = 7
    assert play(clocks, world.now) == 31
    assert told("breached") == told("warned") == []
    assert told("digest") == ["Jonas", "Julia", "Lena"]
    assert told("digest", "email") == ["Jonas", "Julia", "Lena"]
    facts = Delivery.objects.get(person=world.jonas, topic="digest", channel="email").content
    assert (facts["breached"], facts["warned"]) == (30, 1)
    assert len(facts["tickets"]) + facts["more"] == 31
    assert heard(soon) == ["clock.warned"]
    assert all(heard(ticket) == ["clock.breached"] for ticket in tickets)


def test_a_breach_that_only_an_act_noticed_is_written_down_with_its_own_instant(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    due = world.now + timedelta(hours=4)
    world.forward(hours=5)
    by = world.by(world.jonas)
    desk.resolve(ticket.pk, code="fixed", resolution="Restarted.", **by)
    assert Clock.objects.get(ticket=ticket).breached_at == due
    desk.undo(ticket.pk, action=by["actor"].action, **world.by(world.jonas))
    desk.resolve(ticket.pk, code="fixed", resolution="Restarted.", **world.by(world.jonas))
    assert play(clocks, world.forward(seconds=1)) == 1
    assert heard(ticket) == ["clock.breached"]
    entry = Entry.objects.get(verb="clock.breached")
    assert (entry.happened_at, entry.recorded_at) == (due, world.now)
    assert (told("breached"), told("digest")) == ([], ["Jonas", "Julia", "Lena"])
    clock = Clock.objects.get(ticket=ticket)
    assert (clock.breached_at, clock.is_breach_told, clock.alarm_at) == (due, True, None)
    assert not list(replay(None, actor=world.actor(world.ada), now=world.now, is_dry=True))
    assert not clocks.is_due(world.forward(days=300))


def test_nor_does_it_matter_how_the_ticket_stands_when_an_engine_looks_at_last(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    waiting, cancelled, kept = world.report(), world.report(), world.report()
    world.forward(hours=4)
    desk.resolve(kept.pk, code="fixed", resolution="In time.", **world.by(world.jonas))
    world.forward(hours=1)
    desk.take(waiting.pk, **world.by(world.jonas))
    desk.wait(waiting.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    desk.cancel(cancelled.pk, reason="withdrawn", **world.by(world.jonas))
    assert play(clocks, world.forward(minutes=1)) == 2
    assert (heard(waiting), heard(cancelled), heard(kept)) == (["clock.breached"], ["clock.breached"], [])
    states = dict(Clock.objects.values_list("state", "breached_at"))
    assert states == {"paused": world.now - timedelta(minutes=61), "cancelled": None, "completed": None}
    assert not list(replay(None, actor=world.actor(world.ada), now=world.now, is_dry=True))
    desk.resume(waiting.pk, **world.by(world.jonas))
    assert not clocks.is_due(world.forward(days=300))


def test_what_was_over_before_it_was_counted_is_not_told_after_an_import(world: World, clocks: Clocks) -> None:
    ticket = world.report()
    opened = world.now
    promise(world, IN_FOUR_HOURS)
    AgreementVersion.objects.update(in_force_from=opened)
    Revision.objects.update(number=7)
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    Clock.objects.all().delete()
    follow_many([ticket.pk], now=world.now)
    world.forward(hours=5)
    assert Clock.objects.get().state == "paused"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("allswell.desk.settling.settle", lambda *_args, **_more: None)  # an import counts at its end
        desk.resume(ticket.pk, **world.by(world.jonas))
        world.forward(hours=5)
        desk.resolve(ticket.pk, code="fixed", resolution="Restarted.", **world.by(world.jonas))
    follow_many([ticket.pk], now=world.forward(minutes=1))
    clock = Clock.objects.get()
    assert (clock.state, clock.breached_at) == ("completed", clock.due_at)
    assert not clocks.is_due(world.forward(days=300))


def test_after_a_pause_things_are_told_in_the_order_in_which_they_passed(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    numbers = []
    for hours in (0, 1, 2):
        world.forward(hours=hours)
        numbers.append(world.report().pk)
    clocks.batch = 2
    play(clocks, world.forward(days=1))
    told = Entry.objects.filter(verb="clock.breached").order_by("id").values_list("ticket", flat=True)
    assert list(told) == numbers


def test_two_looks_at_the_same_instant_tell_once(world: World) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    now = world.forward(hours=3, seconds=1)
    assert [alarms.fire(actor=engine(), now=now) for _ in range(3)] == [1, 0, 0]
    assert heard(ticket) == ["clock.warned"]


def test_a_server_clock_that_steps_back_tells_nothing_twice(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    play(clocks, world.forward(hours=3, seconds=1))
    play(clocks, world.forward(hours=1))
    assert heard(ticket) == ["clock.warned", "clock.breached"]
    world.forward(hours=-2)
    desk.reply(ticket.pk, body="We are at it.", **world.by(world.jonas))
    play(clocks, world.now)
    play(clocks, world.forward(days=1))
    assert heard(ticket) == ["clock.warned", "clock.breached"]


def test_a_promise_broken_by_rating_anew_is_written_down_but_not_told(world: World, clocks: Clocks) -> None:
    promise(world, target("resolution", 60, key="urgent", priorities=[1, 2]), target("resolution", 2400))
    ticket = world.report(impact=4, urgency=4)
    world.forward(hours=5)
    desk.edit(ticket.pk, changes={"impact": 1, "urgency": 1}, **world.by(world.jonas))
    assert play(clocks, world.forward(seconds=1)) == 1
    assert heard(ticket) == ["clock.breached"]
    assert Entry.objects.get(verb="clock.breached").data["is_rerated"]
    assert told("breached") == told("digest") == []


def test_a_warning_that_comes_by_rating_anew_is_given_at_once(world: World, clocks: Clocks) -> None:
    soon = target("resolution", 600, key="urgent", priorities=[1, 2], warn={"minutes": 480})
    promise(world, soon, target("resolution", 2400))
    ticket = world.report(impact=4, urgency=4)
    world.forward(hours=5)
    desk.edit(ticket.pk, changes={"impact": 1, "urgency": 1}, **world.by(world.jonas))
    play(clocks, world.forward(seconds=1))
    assert heard(ticket) == ["clock.warned"]
    assert told("warned") == ["Jonas", "Julia"]
    assert told("digest") == []


def test_webhooks_hear_of_it_but_not_of_a_storm(world: World, clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    promise(world, IN_FOUR_HOURS)
    Webhook.objects.create(
        name="Sink", url="https://sink.example", secret="x", verbs=["clock.breached"], owner=world.julia, created_at=world.now
    )
    monkeypatch.setattr("allswell.notifications.rules.CALLS_WAIT", 2)
    for _ in range(3):
        world.report()
    play(clocks, world.forward(hours=4, seconds=1))
    calls = Delivery.objects.filter(channel="webhook").order_by("id")
    assert [call.content["type"] for call in calls] == ["clock.breached"] * 2
    assert calls[0].content["data"]["details"]["metric"] == "resolution"


def test_the_module_sleeps_until_the_next_instant_but_not_for_long(world: World) -> None:
    clocks = Clocks(now=lambda: world.now)
    assert not clocks.is_due(world.now)
    assert clocks.idle == 0.2
    promise(world, IN_FOUR_HOURS)
    world.report()
    world.forward(hours=3, seconds=-0.12)
    assert not clocks.is_due(world.now)
    assert clocks.idle == pytest.approx(0.12)
    assert clocks.is_due(world.forward(seconds=0.121))
    assert clocks.idle == 0.025


def test_the_engine_runs_it() -> None:
    assert any(isinstance(module, Clocks) for module in all_modules())


def mails(world: World) -> dict[str, str]:
    """What the mails that wait for Jonas say: subject -> plain text."""
    world.forward(seconds=15)
    found = {}
    for claim in outbox.claim_mails(100, actor=engine(), now=world.now):
        letter = outbox.letter(claim)
        if claim.person == world.jonas.pk and isinstance(letter, Letter):
            message = mail.message(letter, sender="desk@example.org", public_url="https://desk.example.org", now=world.now)
            body = message.get_body(("plain",))
            assert body is not None
            found[str(message["Subject"])] = body.get_content()
    return found


def test_the_mail_says_what_is_due_and_when_in_the_words_of_its_reader(world: World, clocks: Clocks) -> None:
    promise(world, target("first_response", 240, warn={"minutes": 60}))
    Person.objects.filter(pk=world.jonas.pk).update(locale="de", time_zone="Europe/Zurich")
    ticket = world.report()
    Delivery.objects.filter(channel="email").delete()
    play(clocks, world.forward(hours=3, seconds=1))
    (said,) = mails(world).values()
    assert "Die erste Antwort ist bald fällig." in said
    assert "Fällig 23 Nov. 2026, 14:00 (Europe/Zurich)" in said
    play(clocks, world.forward(hours=1))
    ((subject, said),) = mails(world).items()
    assert subject == f"[INC-{ticket.pk}] Account look-up is down"
    assert "Die erste Antwort kam nicht in der zugesagten Zeit." in said


def test_the_digest_says_how_much_passed_and_where(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    first, second = world.report(), world.report()
    Delivery.objects.filter(channel="email").delete()
    play(clocks, world.forward(days=1))
    said = mails(world)["Promises whose time has passed"]
    assert "While nobody could be told, the time of 2 promises passed." in said
    assert f"INC-{first.pk}, INC-{second.pk}" in said


def test_who_does_not_want_to_be_told_is_not(world: World, clocks: Clocks) -> None:
    promise(world, IN_FOUR_HOURS)
    world.report()
    wanted = {("warned", "email"): False, ("warned", "app"): False}
    preferences.prefer(wanted, **world.by(world.jonas))
    play(clocks, world.forward(hours=3, seconds=1))
    assert told("warned") == told("warned", "email") == ["Julia"]
