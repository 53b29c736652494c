"""The account look-up goes down at night: who is called, who answers, who hears of it, and how it ends."""

from __future__ import annotations

from datetime import timedelta

from allswell.desk import contacts, paging, policies, shifts
from allswell.desk import people as desk_people
from allswell.desk import tickets as desk
from allswell.notifications.models import ContactRule, PagingHours
from allswell.notifications.rules import Outcome
from allswell.oncall.models import Escalation, Page
from allswell.oncall.queries import escalations
from tests.desk.test_paging import dba_policy, down
from tests.desk.test_rotas import dbas
from tests.support.phones import Phones
from tests.support.world import World


def test_the_first_sleeps_the_second_answers_with_one_thumb(world: World, phones: Phones) -> None:
    dba_policy(world)
    amir, priya = phones.of(world.amir, "sms"), phones.of(world.priya, "sms")
    ticket = world.report(impact=1, urgency=1, service="account-look-up")
    phones.forward(minutes=3)
    amir.is_silent()
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="The database refuses connections.", **world.by(world.jonas))
    phones.forward(minutes=1)
    amir.expects(f"INC-{ticket.pk}")
    phones.of(world.amir).expects("Priya Nair is paged at")
    phones.forward(minutes=5)
    page = priya.expects(f"INC-{ticket.pk}")
    priya.answers(page)
    phones.forward(minutes=25)
    amir.is_silent()
    desk.note(ticket.pk, body="The standby is being promoted.", **world.by(world.priya))
    phones.forward(minutes=25)
    desk.restore(ticket.pk, **world.by(world.priya))
    phones.forward(hours=3)
    amir.is_silent()
    priya.is_silent()
    ticket.refresh_from_db()
    assert ticket.assignee == world.priya


def test_a_promise_that_is_not_kept_calls_again_and_says_why(world: World, phones: Phones) -> None:
    dba_policy(world)
    amir = phones.of(world.amir)
    ticket = down(world)
    phones.forward(seconds=10)
    amir.answers(amir.expects("Databases are down"), minutes=15)
    phones.forward(minutes=16)
    again = amir.expects("no word came by the promised time")
    amir.answers(again)
    paging.promise(ticket.pk, minutes=120, **world.by(world.amir))
    phones.forward(minutes=119)
    amir.is_silent()


def test_normal_pages_wait_for_the_morning_and_urgent_ones_do_not(world: World, phones: Phones) -> None:
    dba_policy(world, starts=[1, 2, 3, 4, 5], urgent=[1])
    PagingHours.objects.create(person=world.amir, quiet_from=8 * 60, quiet_until=10 * 60)  # it is 09:00
    amir = phones.of(world.amir)
    quiet = down(world, impact=2, urgency=3)
    phones.forward(minutes=4)
    amir.is_silent()
    down(world)
    phones.forward(seconds=10)
    amir.expects("P1 Databases are down")
    assert not [message for message in amir.got if message.number == quiet.pk]
    phones.forward(minutes=54)
    assert [message.number for message in amir.got].count(quiet.pk) == 0
    phones.forward(minutes=5)
    amir.expects(f"INC-{quiet.pk}")  # it is ten


def test_a_carrier_that_refuses_makes_the_next_way_begin(world: World, phones: Phones) -> None:
    dba_policy(world)
    mailbox, phone = phones.of(world.amir), phones.of(world.amir, "sms")
    mailbox.answer = Outcome.FAILED
    ticket = down(world)
    phones.forward(seconds=10)
    phone.expects(f"ack {ticket.pk}")  # not after a minute


def test_who_took_the_shift_over_is_called(world: World, phones: Phones) -> None:
    rota = dbas(world)
    definition = {"steps": [{"targets": [{"kind": "rota", "rota": rota.pk, "level": 1}], "wait": 300}], "repeat": 0}
    row = policies.create_policy(name="Databases", team="databases", definition=definition, **world.by(world.lena))
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))
    shifts.take_shift(rota.pk, level=1, until=world.now + timedelta(hours=8), **world.by(world.priya))
    down(world)
    phones.forward(minutes=1)
    phones.of(world.amir).is_silent()
    phones.of(world.priya).expects("Databases are down")


def test_nobody_at_all_is_there(world: World, phones: Phones) -> None:
    dba_policy(world)
    until = world.now + timedelta(days=9)
    for person in (world.amir, world.priya, world.lena):
        desk_people.set_away(person.pk, away_from=world.now, away_until=until, stands_in=None, **world.by(person))
    ticket = down(world)
    phones.forward(hours=1)
    for person in (world.amir, world.priya, world.lena):
        phones.of(person).is_silent()
    (run,) = escalations.runs_of(ticket.pk)
    assert run.state == "exhausted"
    assert list(escalations.unanswered(since=world.now - timedelta(days=1))) == [run]


def test_a_storm_of_forty_reaches_one_phone_as_a_handful(world: World, phones: Phones) -> None:
    dba_policy(world)
    amir = phones.of(world.amir)
    for _ in range(40):
        down(world)
    phones.forward(minutes=2)
    assert len(amir.got) <= 7
    assert "36 pages wait for you" in amir.got[4].headline
    assert Page.objects.filter(person=world.amir).count() == 40


def test_rules_of_ones_own_decide_the_order(world: World, phones: Phones) -> None:
    dba_policy(world)
    text = phones.of(world.amir, "sms")
    way = contacts.queries.contacts_of(world.amir.pk).get()
    ContactRule.objects.create(person=world.amir, urgency="urgent", contact=way, after=0)
    ContactRule.objects.create(person=world.amir, urgency="urgent", contact=None, after=120, position=1)
    down(world)
    phones.forward(minutes=1)
    text.expects("P1")
    phones.of(world.amir).is_silent()
    phones.forward(minutes=1)
    phones.of(world.amir).expects("Databases are down")


def test_the_run_keeps_the_policy_it_began_with(world: World, phones: Phones) -> None:
    policy = dba_policy(world)
    ticket = down(world)
    phones.forward(minutes=1)
    other = {"steps": [{"targets": [{"kind": "person", "person": world.amir.pk}], "wait": 60}]}
    policies.change_policy(policy.pk, definition=other, **world.by(world.lena))
    phones.forward(minutes=5)
    phones.of(world.priya).expects(f"INC-{ticket.pk}")
    assert Escalation.objects.get(ticket=ticket.pk).number == 1
