"""An outage is announced, joined by one click, updated, and ends with everybody told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk import announcements, preferences
from allswell.desk import tickets as desk
from allswell.incidents import queries
from allswell.incidents.models import Announcement
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.tickets import queries as tickets
from allswell.tickets.models import Ticket
from tests.support.world import World


def announce(world: World, ticket: Ticket, by: Person | None = None, **values: object) -> Announcement:
    values.setdefault("title", "Account look-up does not work in branches")
    values.setdefault("body", "Until then, use Ledger Inquiry.")
    if "audience" not in values:
        values.setdefault("is_for_all", True)
    return announcements.announce(ticket.pk, **values, **world.by(by or world.jonas))  # type: ignore[arg-type]


def told(person: Person, channel: str = "email") -> list[dict]:
    return [row.content for row in Delivery.objects.filter(person=person, topic="announced", channel=channel).order_by("id")]


def test_a_colleague_joins_by_one_click_and_is_told_to_the_end(world: World) -> None:
    ticket = world.report(service=world.lookup.slug)
    announcement = announce(world, ticket, next_update_at=world.now + timedelta(minutes=30))
    announcements.same_for_me(announcement.pk, **world.by(world.rolf))
    announcements.update(announcement.pk, body="The cause is found.", **world.by(world.jonas))
    desk.resolve(ticket.pk, resolution="Pool enlarged", **world.by(world.jonas))
    assert [notice["step"] for notice in told(world.rolf)] == ["updated", "works_again"]
    assert told(world.rolf)[0]["body"] == "The cause is found."
    assert "Pool enlarged" not in str(told(world.rolf))
    assert [notice["step"] for notice in told(world.maria)] == ["announced", "updated"]  # she gets the resolution itself
    assert not queries.visible_announcements(world.actor(world.rolf)).exists()
    assert Entry.objects.filter(ticket=ticket, verb="incident.announcement_ended").count() == 1


def test_affected_people_never_see_the_conversation(world: World) -> None:
    ticket = world.report()
    announcements.same_for_me(announce(world, ticket).pk, **world.by(world.rolf))
    rolf = world.actor(world.rolf)
    assert not tickets.visible_to(rolf).exists()
    desk.reply(ticket.pk, body="Please send me your account number.", **world.by(world.jonas))
    desk.note(ticket.pk, body="Pool is full", **world.by(world.jonas))
    assert not Delivery.objects.filter(person=world.rolf).exclude(topic="announced").exists()
    with pytest.raises(NotFound):
        desk.reply(ticket.pk, body="Me too", **world.by(world.rolf))


def test_saying_it_twice_counts_once(world: World) -> None:
    ticket = world.report()
    announcement = announce(world, ticket)
    for person in (world.rolf, world.rolf, world.maria, world.olga):
        announcements.same_for_me(announcement.pk, **world.by(person))
    assert queries.incident(ticket.pk).people_affected == 3  # Maria reported it and counts already
    assert Entry.objects.filter(ticket=ticket, verb="incident.affected").count() == 2
    assert queries.joined(world.actor(world.rolf), [announcement]) == {announcement.pk}
    assert queries.joined(world.actor(world.maria), [announcement]) == {announcement.pk}
    assert queries.joined(world.actor(world.julia), [announcement]) == set()


def test_an_organization_hears_what_is_for_it_or_one_above(world: World) -> None:
    announcement = announce(world, world.report(), audience=(world.bank.pk,))
    assert list(queries.visible_announcements(world.actor(world.rolf))) == [announcement]
    assert list(queries.visible_announcements(world.actor(world.otto))) == []
    assert queries.matching("account look-up", world.actor(world.rolf)) == [announcement]
    assert queries.matching("account look-up", world.actor(world.otto)) == []
    with pytest.raises(NotFound):
        announcements.same_for_me(announcement.pk, **world.by(world.otto))


def test_the_branch_is_told_and_its_bank_is_not(world: World) -> None:
    announcement = announce(world, world.report(), audience=(world.branch.pk, world.other.pk))
    assert list(queries.visible_announcements(world.actor(world.rolf))) == [announcement]
    assert list(queries.visible_announcements(world.actor(world.olga))) == []
    assert list(queries.announcements_at_the_desk(world.actor(world.olga))) == [announcement]
    assert list(queries.announcements_at_the_desk(world.actor(world.oskar))) == []


def test_an_agent_of_one_customer_reaches_that_customer_only(world: World) -> None:
    ticket = world.report(world.otto)
    for wrong in ({"is_for_all": True}, {"audience": (world.bank.pk,)}):
        with pytest.raises((NotAllowed, Invalid)):
            announce(world, ticket, world.oskar, **wrong)
    announce(world, ticket, world.oskar, audience=(world.other.pk,))
    with pytest.raises(NotFound):
        announce(world, world.report(), world.oskar, audience=(world.other.pk,))


def test_only_agents_announce(world: World) -> None:
    ticket = world.report()
    for person in (world.maria, world.audrey):
        with pytest.raises(NotAllowed):
            announce(world, ticket, person)
    announcement = announce(world, ticket)
    for person in (world.maria, world.audrey, world.otto):
        with pytest.raises((NotAllowed, NotFound)):
            announcements.update(announcement.pk, body="Nothing", **world.by(person))


def test_there_is_one_open_announcement_of_an_incident(world: World) -> None:
    ticket = world.report()
    first = announce(world, ticket)
    with pytest.raises(Conflict):
        announce(world, ticket)
    announcements.end(first.pk, body="It works for most of you.", **world.by(world.jonas))
    with pytest.raises(Conflict):
        announcements.update(first.pk, body="More", **world.by(world.jonas))
    announce(world, ticket)


def test_who_was_affected_before_hears_of_the_next_announcement(world: World) -> None:
    ticket = world.report()
    first = announce(world, ticket)
    announcements.same_for_me(first.pk, **world.by(world.rolf))
    announcements.end(first.pk, **world.by(world.jonas))
    announce(world, ticket)
    assert [notice["step"] for notice in told(world.rolf)] == ["ended", "announced"]


def test_a_cancelled_incident_is_no_longer_announced(world: World) -> None:
    ticket = world.report()
    announcements.same_for_me(announce(world, ticket).pk, **world.by(world.rolf))
    desk.cancel(ticket.pk, reason="mistake", **world.by(world.jonas))
    assert [notice["step"] for notice in told(world.rolf)] == ["withdrawn"]


@pytest.mark.parametrize("values", [{"title": ""}, {"title": "x" * 161}, {"audience": ()}, {"service": "no-such"}])
def test_what_is_wrong_is_named(world: World, values: dict) -> None:
    with pytest.raises(Invalid) as caught:
        announce(world, world.report(), **values)
    assert caught.value.field == next(iter(values))


def test_a_promise_lies_in_the_future(world: World) -> None:
    with pytest.raises(Invalid):
        announce(world, world.report(), next_update_at=world.now)


def test_who_wants_no_mail_gets_none(world: World) -> None:
    announcement = announce(world, world.report())
    announcements.same_for_me(announcement.pk, **world.by(world.rolf))
    assert preferences.prefer({("announced", "email"): False, ("announced", "app"): True}, **world.by(world.rolf)) == 1
    assert preferences.prefer({("announced", "email"): False}, **world.by(world.rolf)) == 0
    announcements.update(announcement.pk, body="The cause is found.", **world.by(world.jonas))
    assert (len(told(world.rolf, "email")), len(told(world.rolf, "app"))) == (0, 1)
    with pytest.raises(Invalid):
        preferences.prefer({("account", "email"): False}, **world.by(world.rolf))
