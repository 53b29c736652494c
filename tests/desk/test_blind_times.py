"""When nothing was watching: it is written down once, shown, and told to who administers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from allswell.desk import machinery, notices
from allswell.jobs import queries as jobs
from allswell.jobs.models import BlindTime, Watcher
from allswell.jobs.rules import BLIND_TIMES_KEPT, WATCHER_FORGOTTEN_AFTER, Glance
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.steady import Move
from allswell.notifications import wording
from allswell.notifications.models import Delivery
from tests.support.world import World


class Engine:
    """An engine of the story; what it knows of itself is what a real one knows."""

    def __init__(self, world: World, node: str = "here/1") -> None:
        self.world, self.node = world, node
        self.own_at: datetime | None = None

    def beat(self, **more: object) -> list[BlindTime]:
        """One beat; the blind times written by it."""
        before = set(BlindTime.objects.values_list("pk", flat=True))
        machinery.beat([], self._glance(**more), actor=engine(), now=self.world.now)
        self.own_at = self.world.now
        return list(BlindTime.objects.exclude(pk__in=before))

    def leave(self) -> None:
        """It ends in good order."""
        machinery.leave(self._glance(), actor=engine(), now=self.world.now)

    def _glance(self, **more: object) -> Glance:
        return Glance(self.node, self.own_at, **more)  # type: ignore[arg-type]


def test_the_first_start_of_an_installation_and_an_upgrade_are_no_blindness(world: World) -> None:
    first = Engine(world)
    assert first.beat() == []
    world.forward(seconds=5)
    assert first.beat() == []
    first.leave()
    world.forward(seconds=3)
    assert Engine(world, "here/2").beat() == []


def test_a_program_that_was_stopped_says_from_when_until_when(world: World) -> None:
    one = Engine(world)
    one.beat()
    one.leave()
    stopped = world.now
    world.forward(minutes=16)
    (row,) = Engine(world, "here/2").beat()
    assert (row.from_at, row.until_at, row.why, row.node) == (stopped, world.now, "stopped", "here/2")
    entry = Entry.objects.get(verb="engine.was_blind")
    assert (entry.about_kind, entry.about_id, entry.data["why"]) == ("blind_time", row.pk, "stopped")
    assert jobs.was_blind(stopped + timedelta(minutes=5), world.now) == [row]
    assert jobs.was_blind(stopped - timedelta(minutes=5), stopped) == []
    world.forward(seconds=5)
    assert jobs.was_blind(row.until_at, world.now) == []


def test_one_that_was_killed_or_held_still_for_six_hours_finds_it_itself(world: World) -> None:
    one = Engine(world)
    one.beat()
    asleep = world.now
    world.forward(hours=6)
    (row,) = one.beat()
    assert (row.from_at, row.until_at - row.from_at, row.why) == (asleep, timedelta(hours=6), "silent")


def test_while_one_of_two_is_awake_nothing_is_blind(world: World) -> None:
    awake, asleep = Engine(world, "here/1"), Engine(world, "there/1")
    awake.beat(), asleep.beat()
    for _ in range(10):
        world.forward(seconds=5)
        assert awake.beat() == []
    awake.leave()
    assert asleep.beat() == []


def test_both_asleep_write_it_once(world: World) -> None:
    one, other = Engine(world, "here/1"), Engine(world, "there/1")
    one.beat(), other.beat()
    world.forward(minutes=2)
    assert len(one.beat()) == 1
    assert other.beat() == []


def test_a_database_that_was_away_is_named(world: World) -> None:
    one = Engine(world)
    one.beat()
    world.forward(minutes=2)
    (row,) = one.beat(could_not_write=True)
    assert row.why == "database_away"


def test_an_engine_whose_clocks_stand_still_does_not_watch(world: World) -> None:
    one = Engine(world)
    one.beat()
    seen = world.now
    for _ in range(9):
        world.forward(seconds=5)
        machinery.beat([], Glance("here/1", seen, is_watching=False), actor=engine(), now=world.now)
    assert jobs.last_watched() == seen
    (row,) = one.beat()
    assert (row.from_at, row.why) == (seen, "silent")


def test_administrators_are_told_of_what_is_longer_than_five_minutes(world: World) -> None:
    one = Engine(world)
    one.beat()
    world.forward(minutes=4)
    one.beat()
    assert not Delivery.objects.exists()
    world.forward(minutes=16)
    one.beat()
    assert {(row.person_id, row.channel) for row in Delivery.objects.all()} == {(world.ada.pk, "app"), (world.ada.pk, "email")}
    world.ada.time_zone, world.ada.locale = "Europe/Zurich", "de"
    world.ada.save()
    ((_, matter, said),), _ = notices.inbox(world.actor(world.ada), before=None, limit=5, now=world.now)
    assert matter is None
    assert "10:04 – 23" in said.body
    assert "Zurich" in said.body
    assert said.facts["path"] == "/setup/machinery"
    assert wording.sentence(said, None) == "Nothing was watching for 16 minutes."


def test_a_clock_that_was_set_is_written_with_by_how_much(world: World) -> None:
    one, beside = Engine(world, "here/1"), Engine(world, "here/2")
    one.beat(), beside.beat()
    world.forward(seconds=5)
    back = Move(world.now, world.now - timedelta(hours=1), -timedelta(hours=1))
    (row,) = one.beat(moves=(back,))
    assert (row.why, row.moved_seconds) == ("clock_moved", -3600)
    assert beside.beat(moves=(back,)) == []
    assert jobs.was_blind(world.now - timedelta(minutes=30), world.now) == []
    at = world.now
    world.forward(hours=1)
    (on,) = one.beat(moves=(Move(at, world.now, timedelta(hours=1)),))
    assert (on.from_at, on.until_at, on.moved_seconds) == (at, world.now, 3600)
    assert jobs.was_blind(at + timedelta(minutes=5), world.now) == [on]


def test_watchers_are_remembered_and_what_is_old_is_forgotten(world: World) -> None:
    machinery.watched_by("hobbit", actor=engine(), now=world.now)
    world.forward(seconds=15)
    machinery.watched_by("hobbit", actor=engine(), now=world.now)
    (watcher,) = jobs.watchers()
    assert (watcher.name, watcher.seen_at - watcher.first_seen_at) == ("hobbit", timedelta(seconds=15))
    Engine(world).beat()
    world.forward(hours=1)
    Engine(world).beat()
    world.forward(seconds=(BLIND_TIMES_KEPT + WATCHER_FORGOTTEN_AFTER).total_seconds())
    machinery.forget_old_machinery(actor=engine(), now=world.now)
    assert not BlindTime.objects.exists()
    assert not Watcher.objects.exists()
    assert Entry.objects.filter(verb="engine.was_blind").count() == 1


def test_nothing_is_asked_of_an_installation_that_never_ran(world: World) -> None:
    assert jobs.last_watched() is None
    assert list(jobs.blind_times(datetime(2026, 1, 1, tzinfo=UTC), world.now)) == []
