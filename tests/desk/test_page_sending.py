"""A page on its way: claimed, sent, tried again, by another way, together with others; and what its ledger says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import outbox, page_sending, paging, policies, webhooks
from allswell.desk import tickets as desk
from allswell.desk.page_sending import Done, Group, Parcel, Unsent
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.notifications.letters import Call
from allswell.notifications.models import ContactMethod
from allswell.notifications.rules import Answer, Outcome
from allswell.oncall.models import Page, PageDelivery, PageEvent
from allswell.oncall.queries import escalations
from allswell.people.models import Person, RoleGrant
from allswell.tickets.models import Ticket
from tests.desk.test_paging import dba_policy, down, watch
from tests.support.world import World

Said = Callable[[Parcel], Answer]


def answer(world: World, outcome: Outcome = Outcome.SENT, **more: object) -> Said:
    return lambda parcel: Answer(outcome, world.now, world.now, **more)  # type: ignore[arg-type]


def send(world: World, said: Said | None = None, *, limit: int = 50) -> list[Parcel]:
    """Let the engine send what is due; what went out."""
    groups = page_sending.claim(limit=limit, actor=engine(), now=world.now)
    made = page_sending.parcels(groups, now=world.now)
    page_sending.drop([one for one in made if isinstance(one, Unsent)], actor=engine(), now=world.now)
    out = [one for one in made if isinstance(one, Parcel)]
    says = said or answer(world, reference="SM1")
    page_sending.settle([Done(one, says(one)) for one in out], chance=0.0, actor=engine(), now=world.now)
    return out


def phone(world: World, person: Person, number: str = "+4915112345678") -> ContactMethod:
    return ContactMethod.objects.create(
        person=person, kind="sms", address=number, shown="…", created_at=world.now, verified_at=world.now
    )


def kinds(page: Page) -> list[str]:
    return [event.kind for event in escalations.ledger([page.pk])]


def test_amir_gets_a_mail_at_once_and_a_text_after_a_minute(world: World) -> None:
    dba_policy(world)
    phone(world, world.amir)
    ticket = down(world)
    watch(world)
    (mail,) = send(world)
    assert (mail.way.kind, mail.way.address) == ("email", "amir@example.org")
    assert mail.message.headline == "P1 Databases are down"
    assert f"INC-{ticket.pk}" in mail.message.text
    assert "Priya Nair" in mail.message.text
    assert "/p/" in mail.message.link
    assert send(world) == []
    world.forward(seconds=60)
    (text,) = send(world)
    assert (text.way.kind, text.way.address) == ("sms", "+4915112345678")
    assert f"ack {ticket.pk}" in text.message.short
    assert len(text.message.short) <= 160
    page = Page.objects.get(person=world.amir)
    assert kinds(page).count("sent") == 2


def test_once_answered_nothing_more_goes_out(world: World) -> None:
    dba_policy(world)
    phone(world, world.amir)
    ticket = down(world)
    watch(world)
    send(world)
    paging.acknowledge(ticket.pk, **world.by(world.amir))
    world.forward(minutes=2)
    assert send(world) == []
    assert PageDelivery.objects.get(channel="sms").outcome == "moot"


def test_a_failed_way_makes_the_next_one_begin_at_once(world: World) -> None:
    dba_policy(world)
    phone(world, world.amir)
    down(world)
    watch(world)
    send(world, answer(world, Outcome.FAILED, detail="550 no such mailbox"))
    (text,) = send(world)
    assert text.way.kind == "sms"
    assert "failed" in kinds(Page.objects.get(person=world.amir))


def test_it_is_tried_again_with_the_same_key_and_then_given_up(world: World) -> None:
    dba_policy(world)
    down(world)
    watch(world)
    keys = set()
    for seconds in (0, 5, 15, 30, 60):
        world.forward(seconds=seconds)
        (mail,) = send(world, answer(world, Outcome.RETRY, detail="busy", is_certain=False))
        keys.add(mail.message.key)
        assert send(world) == []
    row = PageDelivery.objects.get(channel="email", page__person=world.amir)
    assert (len(keys), row.outcome, row.attempts, row.is_maybe_twice) == (1, "failed", 5, True)


def test_the_engine_that_held_it_dies_and_another_sends_it_again(world: World) -> None:
    dba_policy(world)
    down(world)
    watch(world)
    (dead,) = page_sending.claim(limit=50, actor=engine(), now=world.now)
    world.forward(seconds=29)
    assert send(world) == []
    world.forward(seconds=1)
    (mail,) = send(world)
    assert mail.message.key == dead.head.key
    assert PageDelivery.objects.get(pk=dead.head.id).is_maybe_twice
    done = Done(Parcel(Group(dead.head), mail.message, mail.way), answer(world)(mail))
    page_sending.settle([done], chance=0.0, actor=engine(), now=world.now)  # the dead one wakes up
    assert kinds(Page.objects.get(person=world.amir)).count("sent") == 1


def test_a_page_speaks_the_language_of_its_reader_in_their_zone(world: World) -> None:
    dba_policy(world)
    Person.objects.filter(pk=world.amir.pk).update(locale="de", time_zone="Asia/Kolkata")
    down(world)
    watch(world)
    (mail,) = send(world)
    assert mail.message.locale == "de"
    assert "Seit " in mail.message.text
    assert "(Asia/Kolkata)" in mail.message.text


def test_a_storm_becomes_one_message_a_minute(world: World) -> None:
    dba_policy(world)
    for _ in range(12):
        down(world)
    watch(world)
    first = send(world)
    assert [parcel.group.rest == () for parcel in first] == [True, True, True, True, False]
    assert "8 pages wait for you" in first[-1].message.headline
    world.forward(seconds=10)
    down(world)
    down(world)
    watch(world)
    assert send(world) == []
    world.forward(seconds=50)
    (later,) = send(world)
    assert "2 pages wait for you" in later.message.headline
    assert not PageDelivery.objects.filter(channel="email", settled_at=None).exists()


def test_a_storm_for_one_does_not_hold_up_another(world: World) -> None:
    dba_policy(world)
    for _ in range(12):
        down(world)
    watch(world)
    send(world)
    other = world.report(world.jonas, impact=1, urgency=1)
    paging.page(other.pk, person=world.julia.pk, **world.by(world.jonas))
    watch(world)
    assert [parcel.way.address for parcel in send(world)] == ["julia@example.org"]


def test_who_may_not_know_the_ticket_any_more_hears_nothing(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    desk.hand_over(ticket.pk, team=world.desk_team.pk, reason="Not ours.", **world.by(world.lena))
    assert send(world) == []
    assert set(PageDelivery.objects.exclude(channel="desk").values_list("outcome", flat=True)) == {"moot"}


def test_somebody_without_any_way_is_named_in_the_journal(world: World) -> None:
    dba_policy(world)
    world.amir.addresses.all().delete()
    ticket = down(world)
    assert watch(world) == ["Amir Haddad", "Priya Nair"]  # nobody waits for who cannot hear it
    assert [parcel.way.address for parcel in send(world)] == ["priya@example.org"]
    first, second = Entry.objects.filter(ticket=ticket.pk, verb="paging.paged").order_by("id")
    assert (first.data["unreachable"], first.data["empty"]) == ([world.amir.pk], "unreachable")
    assert (second.data["unreachable"], second.data["empty"]) == ([], "")
    assert ledger(world.amir) == ["no_way"]


def test_who_can_never_know_the_ticket_is_passed_over_at_once(world: World) -> None:
    dba_policy(world)
    RoleGrant.objects.filter(person=world.amir).delete()
    ticket = down(world)
    assert watch(world) == ["Amir Haddad", "Priya Nair"]
    first, _second = Entry.objects.filter(ticket=ticket.pk, verb="paging.paged").order_by("id")
    assert (first.data["unseen"], first.data["unreachable"], first.data["empty"]) == ([world.amir.pk], [], "unreachable")
    assert ledger(world.amir) == ["unseen"]
    assert not escalations.alarms([world.amir.pk])


def test_who_loses_sight_of_it_before_it_is_sent_is_not_waited_for(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    assert watch(world) == ["Amir Haddad"]
    RoleGrant.objects.filter(person=world.amir).delete()
    assert send(world) == []
    assert ledger(world.amir)[-2:] == ["unseen", "moot"]  # and nothing is asked of the carrier
    assert watch(world) == ["Priya Nair"]
    assert Entry.objects.filter(ticket=ticket.pk, verb="paging.paged").count() == 2


def ledger(person: Person) -> list[str]:
    return list(PageEvent.objects.filter(page__person=person).order_by("id").values_list("kind", flat=True))


@pytest.mark.parametrize("after", [timedelta(0), timedelta(minutes=4, seconds=59)])
def test_a_contact_that_is_removed_meanwhile_is_passed_over(world: World, after: timedelta) -> None:
    dba_policy(world)
    way = phone(world, world.amir)
    down(world)
    watch(world)
    send(world)
    ContactMethod.objects.filter(pk=way.pk).update(removed_at=world.now)
    world.forward(seconds=60 + after.total_seconds())
    assert send(world) == []
    assert PageDelivery.objects.get(channel="sms").outcome == "failed"


def calls_everybody(world: World) -> Ticket:
    """A ticket of the databases, whose policy calls a room and a program that belongs to Julia."""
    room = ContactMethod.objects.create(
        team=world.dba_team, kind="email", address="room@example.org", shown="…", created_at=world.now, verified_at=world.now
    )
    hook, _secret = webhooks.create(
        name="Pager", url="https://pager.example.org/", verbs=["incident.restored"], owner=world.julia.pk, **world.by(world.ada)
    )
    targets = [{"kind": "room", "contact": room.pk}, {"kind": "webhook", "webhook": hook.pk}]
    definition = {"steps": [{"targets": targets, "wait": 300}], "starts": [1], "urgent": [1]}
    policy = policies.create_policy(name="All", team="databases", definition=definition, **world.by(world.lena))
    policies.use_for_team("databases", policy=policy.pk, **world.by(world.lena))
    return down(world)


def program_is_told(world: World) -> dict[str, Any]:
    """What the engine would send the program now."""
    (claim,) = outbox.claim_calls(10, actor=engine(), now=world.now)
    made = outbox.call(claim, now=world.now)
    assert isinstance(made, Call)
    told: dict[str, Any] = json.loads(made.body)["data"]["ticket"]
    return told


def test_a_room_and_a_program_of_a_policy_are_told_what_it_is(world: World) -> None:
    ticket = calls_everybody(world)
    watch(world)
    (to_room,) = send(world)
    assert to_room.message.headline == "P1 Databases are down"
    told = program_is_told(world)
    assert (told["number"], told["title"]) == (ticket.pk, "Databases are down")


@pytest.mark.parametrize("is_restricted_before", [True, False])
def test_of_a_restricted_ticket_rooms_and_programs_learn_its_number_alone(world: World, *, is_restricted_before: bool) -> None:
    ticket = calls_everybody(world)
    if not is_restricted_before:
        watch(world)  # it is restricted between the step and the sending
    desk.restrict(ticket.pk, **world.by(world.priya))
    paging.page(ticket.pk, person=world.priya.pk, reason="The CEO's mailbox", **world.by(world.priya))
    watch(world)
    to_room = next(parcel for parcel in send(world) if parcel.way.address == "room@example.org")
    said = f"{to_room.message.headline} {to_room.message.text} {to_room.message.short} {to_room.message.spoken}"
    assert f"INC-{ticket.pk}" in said
    assert "Databases are down" not in said
    assert "CEO" not in said
    told = program_is_told(world)
    assert told == {
        "number": ticket.pk,
        "reference": f"INC-{ticket.pk}",
        "title": f"INC-{ticket.pk}",
        "url": told["url"],
        "kind": "incident",
        "state": told["state"],
        "priority": 1,
        "version": told["version"],
        "team": world.dba_team.pk,
        "is_restricted": True,
    }
