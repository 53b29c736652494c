"""What comes along when one ticket becomes part of another, and goes back when that was a mistake."""

from __future__ import annotations

from allswell.desk import announcements
from allswell.desk import tickets as desk
from allswell.incidents import queries
from allswell.incidents.models import Announcement
from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.tickets.models import Ticket, Watcher
from allswell.tickets.rules import Kind
from tests.support.world import World


def announce(world: World, ticket: Ticket, **values: object) -> Announcement:
    values.setdefault("title", "Account look-up does not work")
    if "audience" not in values:
        values.setdefault("is_for_all", True)
    return announcements.announce(ticket.pk, **values, **world.by(world.jonas))  # type: ignore[arg-type]


def around(ticket: Ticket) -> set[tuple[str, str]]:
    return set(Watcher.objects.filter(ticket=ticket).values_list("person__name", "kind"))


def steps_told(person: Person) -> list[str]:
    rows = Delivery.objects.filter(person=person, topic="announced", channel="app").order_by("id")
    return [row.content["step"] for row in rows]


def affected(ticket: Ticket) -> int | None:
    return queries.people_affected([ticket.pk]).get(ticket.pk)


def test_followers_and_the_announcement_come_along_and_go_back(world: World) -> None:
    first, second = world.report(world.maria), world.report(world.rolf)
    told = announce(world, second)
    announcements.same_for_me(told.pk, **world.by(world.priya))
    desk.watch(second.pk, **world.by(world.julia))
    before = affected(first)
    desk.merge(second.pk, into=first.pk, **world.by(world.jonas))

    assert around(first) == {
        (world.rolf.name, "participant"),
        (world.julia.name, "watcher"),
        (world.priya.name, "affected"),
    }
    assert affected(first) == (before or 1) + 1
    assert queries.open_announcement(first.pk) == told
    assert queries.open_announcement(second.pk) is None
    announcements.same_for_me(told.pk, **world.by(world.otto))
    announcements.update(told.pk, body="The cause is found.", **world.by(world.jonas))
    assert steps_told(world.priya) == ["updated"]

    desk.unmerge(second.pk, **world.by(world.jonas))
    assert around(first) == set()
    assert affected(first) == (before or 1)
    assert queries.open_announcement(second.pk) == told
    assert {who for who, kind in around(second) if kind == "affected"} == {world.priya.name, world.otto.name}
    desk.resolve(first.pk, **world.by(world.jonas))
    assert steps_told(world.priya) == ["updated"]
    desk.resolve(second.pk, **world.by(world.jonas))
    assert steps_told(world.priya) == ["updated", "works_again"]
    assert steps_told(world.otto)[-1] == "works_again"


def test_two_announcements_become_one(world: World) -> None:
    first, second = world.report(world.maria), world.report(world.rolf)
    one, other = announce(world, first, audience=(world.bank.pk,)), announce(world, second)
    announcements.same_for_me(other.pk, **world.by(world.priya))
    announcements.same_for_me(other.pk, **world.by(world.otto))  # of another customer, whom the first is not for
    desk.merge(second.pk, into=first.pk, **world.by(world.jonas))
    assert queries.open_announcement(first.pk) == one
    other.refresh_from_db()
    assert other.ended_at == world.now
    assert (steps_told(world.priya), steps_told(world.otto)) == ([], ["withdrawn"])
    announcements.update(one.pk, body="Only the bank reads this.", **world.by(world.jonas))
    assert (steps_told(world.priya), steps_told(world.otto)) == (["updated"], ["withdrawn"])

    desk.unmerge(second.pk, **world.by(world.jonas))
    assert queries.open_announcement(second.pk) == other
    assert {who for who, kind in around(first) if kind == "affected"} == set()
    assert {who for who, kind in around(second) if kind == "affected"} == {world.priya.name, world.otto.name}


def test_nobody_stands_there_twice(world: World) -> None:
    """Who asked for the one and follows the other hears all of it already."""
    first, second = world.report(world.maria), world.report(world.rolf)
    announcements.same_for_me(announce(world, second).pk, **world.by(world.maria))
    desk.add_participant(second.pk, person=world.maria.pk, **world.by(world.jonas))
    desk.merge(second.pk, into=first.pk, **world.by(world.jonas))
    assert around(first) == {(world.rolf.name, "participant")}


def test_what_was_announced_ends_where_nothing_can_be(world: World) -> None:
    incident, request = world.report(), world.report(world.rolf)
    desk.refile(request.pk, kind=Kind.REQUEST, **world.by(world.jonas))
    announcements.same_for_me(announce(world, incident).pk, **world.by(world.priya))
    desk.merge(incident.pk, into=request.pk, **world.by(world.jonas))
    assert not Announcement.objects.filter(ended_at__isnull=True).exists()
    assert steps_told(world.priya) == ["withdrawn"]
