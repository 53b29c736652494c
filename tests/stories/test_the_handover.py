"""Nobody takes the shift: whoever should is called, then their lead and whoever goes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from allswell.desk import handover_calls, handovers, paging, shifts
from allswell.kernel.errors import Conflict, NotFound
from allswell.notifications.letters import PageMessage
from allswell.oncall import queries
from allswell.oncall.models import Handover, Page
from allswell.oncall.rules import Handing
from allswell.people.models import Person
from tests.desk.test_handovers import CHANGE, HOLDING, MINUTE, drafted, run
from tests.support.phones import Phones
from tests.support.world import World


def until(phones: Phones, when: datetime) -> None:
    """Time passes minute by minute; whoever is to be called is called."""
    while phones.world.now < when:
        run(phones.world)
        phones.forward(minutes=min(1, (when - phones.world.now) / MINUTE))
    run(phones.world)
    phones.forward(seconds=10)


def page_of(person: Person) -> Page:
    return Page.objects.filter(person=person, handover__isnull=False).latest("pk")


def pages(message: PageMessage) -> bool:
    """Whether a phone can do nothing but open it: what is answered is a shift, not a ticket."""
    return not message.number and not message.takes_answer and "/p/" in message.link


def test_the_incoming_sleeps_and_takes_it_when_the_phone_rings(world: World, phones: Phones) -> None:
    row = drafted(world, HOLDING)
    priya, amir, lena = (phones.of(person) for person in (world.priya, world.amir, world.lena))
    until(phones, CHANGE + 29 * MINUTE)
    priya.is_silent()
    until(phones, CHANGE + 31 * MINUTE)
    message = priya.expects("Take the shift: Databases")
    assert pages(message)
    assert "Your shift after Amir Haddad began at" in message.text
    assert "Amir Haddad stays on call until it is taken" in message.text
    assert "these are paged at" in message.text
    assert "Amir Haddad, Lena" in message.text
    amir.is_silent()
    lena.is_silent()
    assert queries.handover_calls_of(world.priya.pk).count() == 1
    handover_calls.take(page_of(world.priya).pk, by="link", **world.by(world.priya))
    handover_calls.take(page_of(world.priya).pk, by="link", **world.by(world.priya))  # a second tap
    row.refresh_from_db()
    assert (row.state, row.accepted_by) == ("accepted", world.priya)
    until(phones, CHANGE + 90 * MINUTE)
    for phone in (priya, amir, lena):
        phone.is_silent()
    assert not queries.handover_calls_of(world.priya.pk).exists()


def test_not_even_then_and_the_lead_and_the_outgoing_are_called(world: World, phones: Phones) -> None:
    row = drafted(world)
    priya, amir, lena = (phones.of(person) for person in (world.priya, world.amir, world.lena))
    until(phones, CHANGE + 61 * MINUTE)
    priya.expects("Take the shift")
    for phone in (amir, lena):
        message = phone.expects("Nobody has taken the shift: Databases")
        assert "Priya Nair should have taken the shift at" in message.text
        assert pages(message)
    assert Page.objects.filter(handover=row).count() == 3
    until(phones, CHANGE + 120 * MINUTE)  # once each
    for phone in (priya, amir, lena):
        phone.is_silent()
    assert Page.objects.filter(handover=row).count() == 3
    handovers.accept(row.pk, **world.by(world.priya))
    assert not Page.objects.filter(handover=row, closed_at=None).exists()


def test_the_lead_sees_to_it_and_later_takes_the_shift(world: World, phones: Phones) -> None:
    row = drafted(world)
    until(phones, CHANGE + 61 * MINUTE)
    page = page_of(world.lena)
    handover_calls.see_to(page.pk, by="link", **world.by(world.lena))
    shown = handover_calls.shown(Page.objects.get(pk=page.pk), actor=world.actor(world.lena))
    assert (shown.stands, shown.may_take) == (handover_calls.Stands.SEEN_TO, True)
    handover_calls.take(page.pk, by="link", **world.by(world.lena))
    row.refresh_from_db()
    assert (row.state, row.incoming, row.accepted_by) == ("accepted", world.lena, world.lena)
    assert queries.on_call([row.rota_id], world.now)[row.rota_id][1].person == world.lena.pk
    with pytest.raises(Conflict, match="over"):
        handover_calls.take(page_of(world.priya).pk, by="link", **world.by(world.priya))


def test_whoever_goes_takes_it_back_and_nothing_is_handed_over(world: World, phones: Phones) -> None:
    row = drafted(world)
    until(phones, CHANGE + 61 * MINUTE)
    handover_calls.take(page_of(world.amir).pk, by="link", **world.by(world.amir))
    row.refresh_from_db()
    assert row.state == "lapsed"
    assert queries.on_call([row.rota_id], world.now)[row.rota_id][1].person == world.amir.pk
    shown = handover_calls.shown(page_of(world.amir), actor=world.actor(world.amir))
    assert shown.stands is handover_calls.Stands.MINE


def test_who_cannot_be_reached_is_not_waited_for(world: World, phones: Phones) -> None:
    world.priya.addresses.all().delete()
    drafted(world)
    until(phones, CHANGE + 31 * MINUTE)
    phones.of(world.lena).expects("Nobody has taken the shift")


def test_given_to_another_meanwhile_the_first_is_called_no_more(world: World, phones: Phones) -> None:
    row = drafted(world)
    until(phones, CHANGE + 31 * MINUTE)
    phones.of(world.priya).expects("Take the shift")
    shifts.add_override(
        row.rota_id,
        level=1,
        starts_at=world.now,
        ends_at=CHANGE + timedelta(days=7),
        person=world.jonas.pk,
        **world.by(world.lena),
    )
    until(phones, CHANGE + 33 * MINUTE)
    phones.of(world.jonas).expects("Take the shift")
    assert page_of(world.priya).closed_at is not None


def test_a_page_of_a_shift_is_nobody_elses(world: World, phones: Phones) -> None:
    drafted(world)
    until(phones, CHANGE + 31 * MINUTE)
    page = page_of(world.priya)
    for act in (handover_calls.take, handover_calls.see_to):
        with pytest.raises(NotFound):
            act(page.pk, by="link", **world.by(world.amir))
    with pytest.raises(Conflict, match="page of the handover"):
        paging.answer_page(page.pk, by="api", **world.by(world.priya))


def test_the_longest_time_to_take_it_still_leaves_time_to_call(world: World) -> None:
    row = drafted(world, Handing(wanted=True, within=240))
    assert CHANGE < row.due_at < queries.timer_of(row).passes_on_at < row.lapses_at
    assert Handover.objects.filter(next_at=CHANGE).exists()
