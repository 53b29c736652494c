"""Somebody tries whether pages reach them: the whole way of a real page, for no ticket."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk import carrier_reports, contacts, page_answers, page_links, paging, practising
from allswell.desk.page_answers import Stands
from allswell.desk.sign_in import TooMany
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, Invalid, NotAllowed
from allswell.notifications.models import ContactMethod
from allswell.notifications.rules import Outcome
from allswell.oncall.models import Page, PageDelivery
from allswell.oncall.queries import escalations
from allswell.people.models import EmailAddress, Person
from allswell.tickets.models import Ticket
from allswell.web import page_words
from tests.desk.test_paging import dba_policy, down
from tests.support.phones import Phones
from tests.support.world import World


def practise(world: World, urgency: str = "urgent", *, by: Person | None = None, to: Person | None = None) -> Page:
    sender = by or world.amir
    return practising.send(urgency=urgency, person=to.pk if to else None, **world.by(sender)).page


def told(world: World, person: Person) -> str:
    story = practising.newest(person.pk, now=world.now)
    assert story is not None
    return page_words.practised(story)[0]


def test_it_goes_by_ones_own_order_and_one_button_answers(world: World, phones: Phones) -> None:
    mail, phone = phones.of(world.amir), phones.of(world.amir, "sms")
    page = practise(world)
    assert told(world, world.amir) == "On its way: nobody has answered yet."
    phones.forward(seconds=1)
    message = mail.expects("This is how you are paged")
    assert message.is_drill
    assert message.number == 0
    phone.is_silent()
    phones.forward(seconds=60)  # the text message comes after a minute, as for every urgent page
    assert "Reply: ack" in phone.expects("Drill").short
    page_id = page_links.read(message.link.rpartition("/")[2], now=world.now)
    row, actor = page_answers.called_by(page_id)
    assert page_answers.shown(row, actor=actor).stands is Stands.DRILL
    paging.answer_page(page_id, by="link", actor=actor, now=world.now)
    row, actor = page_answers.called_by(page_id)
    assert page_answers.shown(row, actor=actor).stands is Stands.DRILL_DONE
    assert told(world, world.amir) == "Reached by E-mail after 0 s, answered after 1 min."
    phones.forward(minutes=30)
    mail.is_silent()
    phone.is_silent()
    assert not Ticket.objects.exists()
    assert not PageDelivery.objects.filter(page=page, settled_at=None).exists()


def test_an_answer_in_time_makes_the_later_ways_needless(world: World, phones: Phones) -> None:
    phone = phones.of(world.amir, "sms")
    page = practise(world)
    phones.forward(seconds=10)
    paging.answer_page(page.pk, by="desk", **world.by(world.amir))
    phones.forward(minutes=5)
    phone.is_silent()
    fates = {row.channel: page_words.way_went(row, page.created_at)[0] for row in PageDelivery.objects.filter(page=page)}
    assert fates["sms"] == "not needed any more"
    assert fates["email"] == "sent after 0 s"


def test_a_normal_one_waits_in_quiet_hours_and_an_urgent_one_of_ones_own_passes(world: World, phones: Phones) -> None:
    mail = phones.of(world.amir)
    contacts.set_quiet_hours(since=0, until=23 * 60 + 59, **world.by(world.amir))
    practise(world, "normal")
    phones.forward(minutes=5)
    mail.is_silent()
    assert told(world, world.amir).startswith("It waits until")
    practise(world, "urgent")  # the former is over
    phones.forward(seconds=10)
    mail.expects("This is how you are paged")
    mail.is_silent()


def test_the_desk_rings_until_it_is_answered_or_over(world: World, phones: Phones) -> None:
    page = practise(world)
    phones.forward(seconds=10)
    assert escalations.alarms([world.amir.pk]) == {world.amir.pk: ((page.pk, True),)}
    (waiting,) = page_answers.waiting_for(world.actor(world.amir))
    assert (waiting.page, waiting.number, waiting.reference) == (page.pk, 0, "")
    assert practising.tidy(actor=engine(), now=world.now) == 0
    phones.forward(minutes=16)
    assert practising.tidy(actor=engine(), now=world.now) == 1
    assert escalations.alarms([world.amir.pk]) == {}
    assert told(world, world.amir) == "Nobody answered."


def test_practice_does_not_stand_among_what_is_real(world: World, phones: Phones) -> None:
    dba_policy(world)
    ticket = down(world)
    phones.forward(seconds=10)
    practise(world)
    real = Page.objects.get(person=world.amir, ticket=ticket)
    assert page_answers.shown(real, actor=world.actor(world.amir)).others == ()
    first, second = page_answers.waiting_for(world.actor(world.amir))
    assert (first.number, second.number) == (ticket.pk, 0)


def test_a_text_message_answers_it_when_nothing_real_waits(world: World, phones: Phones) -> None:
    phones.of(world.amir, "sms")
    number = ContactMethod.objects.get(person=world.amir).address
    page = practise(world)
    phones.forward(minutes=1)
    assert carrier_reports.meant_by(number, "ack").page == page.pk
    dba_policy(world)
    ticket = down(world)
    phones.forward(seconds=10)
    real = Page.objects.get(person=world.amir, ticket=ticket)
    assert carrier_reports.meant_by(number, "ack").page == real.pk
    paging.answer_page(real.pk, by="sms", **world.by(world.amir))
    assert carrier_reports.meant_by(number, "ack").page == page.pk


def test_a_way_that_fails_is_told(world: World, phones: Phones) -> None:
    phone = phones.of(world.amir, "sms")
    phones.of(world.amir).answer = Outcome.FAILED
    page = practise(world)
    phones.forward(seconds=10)
    phone.expects("Drill")  # hurried, as in earnest
    mail = PageDelivery.objects.get(page=page, channel="email")
    assert page_words.way_went(mail, page.created_at) == ("failed for good after 0 s", "bad")


def test_a_lead_sends_one_to_a_member_and_wakes_nobody(world: World, phones: Phones) -> None:
    contacts.set_quiet_hours(since=0, until=23 * 60 + 59, **world.by(world.amir))
    with pytest.raises(Conflict, match="quiet"):
        practise(world, "urgent", by=world.lena, to=world.amir)
    contacts.set_quiet_hours(since=None, until=None, **world.by(world.amir))
    page = practise(world, "urgent", by=world.lena, to=world.amir)
    phones.forward(seconds=1)
    assert "Lena Frei tries whether pages reach you" in phones.of(world.amir).expects("This is how you are paged").text
    assert [story.page.pk for story in practising.own(**world.by(world.lena))] == [page.pk]
    entry = Entry.objects.latest("pk")
    assert (entry.about_kind, entry.about_id, entry.data) == ("person", world.amir.pk, {"practice_page": "urgent"})
    with pytest.raises(NotAllowed):
        practise(world, "normal", by=world.amir, to=world.priya)
    with pytest.raises(NotAllowed):
        practise(world, "normal", by=world.maria)
    with pytest.raises(Invalid):
        practise(world, "shrill")


def test_an_hour_has_only_so_many(world: World) -> None:
    for _ in range(practising.MOST_TO_ONESELF):
        practise(world)
    with pytest.raises(TooMany):
        practise(world)
    for _ in range(practising.MOST_TO_ANOTHER):
        practise(world, "normal", by=world.lena, to=world.amir)
    with pytest.raises(TooMany):
        practise(world, "normal", by=world.lena, to=world.amir)
    assert Page.objects.filter(person=world.amir, closed_at=None).count() == 1
    world.now += timedelta(hours=1, minutes=1)
    practise(world)


def test_who_cannot_be_reached_is_told_so(world: World) -> None:
    EmailAddress.objects.filter(person=world.amir).delete()
    with pytest.raises(Conflict, match="no verified way"):
        practise(world)
