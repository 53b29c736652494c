"""Paging when something in it breaks: one bad row holds up nobody else, and nothing is sent for ever or lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allswell.desk import calling, page_sending, paging
from allswell.desk import tickets as desk
from allswell.engine.pages import Pages
from allswell.kernel.actor import engine
from allswell.notifications.rules import Answer, Outcome
from allswell.oncall.models import Escalation, Page, PageDelivery, PageEvent
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.rules.sending import Claim, sort_out
from tests.desk.test_page_sending import send
from tests.desk.test_paging import MINUTES, dba_policy, down, run, watch
from tests.support.world import World


def test_what_no_database_can_hold_is_not_sent_for_ever(world: World) -> None:
    dba_policy(world)
    down(world)
    watch(world)
    send(world, lambda _: Answer(Outcome.SENT, world.now, world.now, reference="SM\0\ud800", detail="x\0", status=99999))
    assert PageDelivery.objects.get(channel="email").outcome == "sent"
    world.forward(minutes=2)
    assert send(world) == []


def test_one_try_that_cannot_be_settled_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dba_policy(world)
    first, second = down(world), down(world)
    watch(world)
    bad = Page.objects.get(ticket=first.pk).pk
    real = page_sending.writing.settle_sent

    def settle_sent(sent: Any) -> None:
        if any(one.held.page == bad for one in sent):
            raise ValueError("nonsense")
        real(sent)

    monkeypatch.setattr(page_sending.writing, "settle_sent", settle_sent)
    groups = page_sending.claim(limit=50, actor=engine(), now=world.now)
    made = page_sending.parcels(groups, now=world.now)
    said = Answer(Outcome.SENT, world.now, world.now)
    sender = Pages(now=lambda: world.now)
    sender._write_down([page_sending.Done(one, said) for one in made if isinstance(one, page_sending.Parcel)])
    sender.finish()
    outcomes = dict(PageDelivery.objects.filter(channel="email").values_list("page__ticket", "outcome"))
    assert outcomes == {first.pk: "sent", second.pk: "sent"}
    assert "could not be settled" in caplog.text
    caplog.clear()


def test_a_page_that_cannot_be_written_now_is_written_later(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dba_policy(world)
    down(world)
    watch(world)
    sender = Pages(now=lambda: world.now)
    with monkeypatch.context() as broken:
        broken.setattr(page_sending, "_look", _raise)
        groups = page_sending.claim(limit=50, actor=engine(), now=world.now)
        unsent = sender._written(groups)
        page_sending.drop(unsent, actor=engine(), now=world.now)  # type: ignore[arg-type]
    sender.finish()
    caplog.clear()
    assert PageEvent.objects.filter(kind="attempted").count() == 1
    world.forward(seconds=5)
    (mail,) = send(world)
    assert mail.way.kind == "email"


def _raise(*_: object, **__: object) -> None:
    raise RuntimeError("the database restarts")


def test_a_run_that_breaks_all_together_is_passed_over_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dba_policy(world)
    first, second = down(world), down(world)
    real = calling._sight

    def look(due: Any) -> Any:
        if any(found.row.ticket_id == first.pk for found in due):
            raise ValueError("nonsense")
        return real(due)

    monkeypatch.setattr(calling, "_sight", look)
    watch(world)
    caplog.clear()
    assert list(Page.objects.values_list("ticket", flat=True)) == [second.pk]
    assert run(first).position == 1


def test_a_run_that_cannot_even_be_moved_on_waits_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dba_policy(world)
    first, second = down(world), down(world)
    Escalation.objects.filter(ticket=first.pk).update(definition={"steps": "nonsense"})
    monkeypatch.setattr(calling, "_tell_unanswered", _raise)
    watch(world)
    caplog.clear()
    assert list(Page.objects.values_list("ticket", flat=True)) == [second.pk]
    assert run(first).next_step_at > world.now


def test_two_begin_the_same_run_at_the_same_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = dba_policy(world)
    ticket = down(world)
    monkeypatch.setattr(Escalation.objects, "filter", lambda **_: Escalation.objects.none())
    more = {"number": 1, "definition": {}, "cause": "by_hand", "by": None, "now": world.now}
    assert writing.start(ticket=ticket.pk, policy=row.pk, **more) is None
    monkeypatch.undo()
    assert Escalation.objects.filter(ticket=ticket.pk).count() == 1


def test_only_a_word_of_the_desk_keeps_a_promise(world: World) -> None:
    dba_policy(world)
    ticket = down(world, requester=world.maria.pk)
    desk.add_participant(ticket.pk, person=world.rolf.pk, **world.by(world.jonas))
    watch(world)
    paging.acknowledge(ticket.pk, **world.by(world.amir))
    world.forward(minutes=20)
    promised = run(ticket).next_step_at
    for asks in (world.rolf, world.maria):
        desk.reply(ticket.pk, body="It is still down!", **world.by(asks))
        assert run(ticket).next_step_at == promised
    desk.note(ticket.pk, body="Restoring.", **world.by(world.amir))
    assert run(ticket).next_step_at == world.now + 30 * MINUTES


def test_who_reported_it_and_has_it_keeps_their_promise_by_a_word(world: World) -> None:
    dba_policy(world)
    ticket = world.report(world.amir, title="Slow", team=world.dba_team.pk, impact=1, urgency=1, requester=world.amir.pk)
    watch(world)
    paging.acknowledge(ticket.pk, **world.by(world.amir))
    world.forward(minutes=20)
    desk.note(ticket.pk, body="Restoring.", **world.by(world.amir))
    assert run(ticket).next_step_at == world.now + 30 * MINUTES


def test_a_lower_priority_calls_nobody_anew(world: World) -> None:
    dba_policy(world, starts=[1, 2])
    ticket = down(world)
    watch(world)
    paging.stop(ticket.pk, reason="It is a drill.", **world.by(world.amir))
    desk.override_priority(ticket.pk, priority=2, reason="Fewer people.", **world.by(world.amir))
    assert watch(world) == []
    desk.override_priority(ticket.pk, priority=1, reason="Everybody again.", **world.by(world.amir))
    assert watch(world) == ["Amir Haddad"]


def test_a_great_storm_is_one_message_not_one_a_minute(world: World) -> None:
    dba_policy(world)
    for _ in range(12):
        down(world)
    watch(world)
    assert [len(parcel.group.claims) for parcel in send(world, limit=6)] == [1, 1, 1, 1, 8]
    world.forward(seconds=10)
    for _ in range(4):
        down(world)
    watch(world)
    assert send(world, limit=2) == []
    assert not escalations.is_delivery_due(world.now)
    world.forward(seconds=50)
    assert [len(parcel.group.claims) for parcel in send(world, limit=2)] == [4]


def _claims(count: int, now: datetime) -> list[Claim]:
    return [Claim(at, 1, f"page_{at}", at, None, "email", "email-of-1", 0, now) for at in range(count)]


def test_a_clock_set_back_puts_nothing_off_for_an_hour() -> None:
    now = datetime(2026, 3, 2, 3, tzinfo=UTC)
    ahead = [now + timedelta(minutes=minutes) for minutes in (50, 51, 52, 53, 54)]
    assert len(sort_out(_claims(2, now), sent_at=ahead, now=now).alone) == 2


def test_the_last_place_before_a_storm_is_used() -> None:
    now = datetime(2026, 3, 2, 3, tzinfo=UTC)
    found = sort_out(_claims(2, now), sent_at=[now - timedelta(seconds=second) for second in (1, 2, 3, 4)], now=now)
    assert (len(found.together), found.later) == (2, ())
