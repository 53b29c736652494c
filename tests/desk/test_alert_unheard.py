"""An alert that is never told of again does not fire for ever, where its source says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from allswell.desk.alerts import heartbeats, sources, taking
from allswell.intake.models import Alert, AlertEpisode
from allswell.jobs.models import BlindTime
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Invalid
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


@pytest.fixture
def am(world: World) -> Monitoring:
    return Monitoring(world, service=world.lookup.pk, ends_after=24)


def test_what_is_never_told_of_again_ends_and_says_why(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    began = world.now
    am.wait(hours=23)
    assert am.alert().state == "firing"
    am.wait(hours=1)
    assert (am.alert().state, am.alert().ended_by, am.alert().resolved_at) == ("resolved", "unheard", began + timedelta(days=1))
    assert AlertEpisode.objects.get().ended_by == "unheard"
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.resolution) == ("resolved", "Monitoring told nothing of it any more.")
    assert Entry.objects.get(ticket=ticket, verb="alerts.cleared").data["is_unheard"] is True
    assert taking.go_on(actor=engine(), now=world.now) == 0, "it ends once"


def test_each_word_of_it_counts_anew_and_its_end_is_an_end_as_before(world: World, am: Monitoring) -> None:
    began = world.now
    for _ in range(3):
        am.send(am.fires(since=began))
        am.wait(hours=20)
    assert am.alert().state == "firing"
    am.send(am.is_over(since=began))
    assert (am.alert().ended_by, am.alert().stale_at) == ("sender", None)
    assert Entry.objects.get(verb="alerts.cleared").data["is_unheard"] is False


def test_told_again_with_its_old_beginning_it_fires_again(world: World, am: Monitoring) -> None:
    one = am.fires()
    am.send(one)
    am.wait(hours=25)
    assert am.alert().state == "resolved"
    am.wait(minutes=1)
    am.send(one)
    assert (am.alert().state, am.alert().stale_at) == ("firing", world.now + timedelta(days=1))


def test_hours_in_which_nobody_watched_do_not_count(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    world.forward(hours=25)
    off = {"from_at": world.now - timedelta(hours=6), "until_at": world.now - timedelta(hours=1)}
    BlindTime.objects.create(**off, node="desk", why="stopped", noted_at=world.now)
    am.wait(seconds=1)
    assert am.alert().state == "firing"
    am.wait(hours=3)
    assert am.alert().state == "firing"
    am.wait(hours=2)
    assert am.alert().state == "resolved"


def test_a_change_holds_for_what_fires_already(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    am.wait(hours=3)
    sources.change(am.source.pk, ends_after=0, **world.by(world.ada))
    am.wait(hours=40)
    assert am.alert().state == "firing"
    sources.change(am.source.pk, ends_after=48, **world.by(world.ada))
    am.wait(hours=4)
    assert am.alert().state == "firing"
    sources.change(am.source.pk, ends_after=2, **world.by(world.ada))
    am.wait(seconds=1)
    assert am.alert().state == "resolved"
    entry = Entry.objects.filter(about_kind="alert_source").latest("id")
    assert entry.data == {"fields": ["ends_after"]}


@pytest.mark.parametrize(("kind", "hours"), [("alertmanager", 144), ("grafana", 144), ("pagerduty", None), ("prometheus", None)])
def test_what_repeats_is_waited_for_and_what_tells_once_is_not(world: World, kind: str, hours: int | None) -> None:
    row, _key = sources.create(name="One", kind=kind, **world.by(world.ada))
    never, _key = sources.create(name="Other", kind=kind, ends_after=0, **world.by(world.ada))
    assert (row.ends_after, never.ends_after) == (hours, None)


@pytest.mark.parametrize("hours", [-1, 8_761])
def test_no_other_number_will_do(world: World, am: Monitoring, hours: int) -> None:
    with pytest.raises(Invalid) as refused:
        sources.change(am.source.pk, ends_after=hours, **world.by(world.ada))
    assert refused.value.field == "ends_after"


def test_a_missing_heartbeat_is_missing_until_it_is_heard_of(world: World) -> None:
    jobs = Monitoring(world, "heartbeat", service=world.lookup.pk, ends_after=24)
    heartbeats.create(jobs.source.pk, name="backup", every=3600, grace=60, **world.by(world.ada))
    jobs.wait(hours=2)
    jobs.wait(days=3)
    assert jobs.alert("backup").state == "firing"
    sources.change(jobs.source.pk, ends_after=1, **world.by(world.ada))
    jobs.wait(days=3)
    assert jobs.alert("backup").state == "firing"


def test_what_is_due_is_found_by_its_index(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    first = Alert.objects.get()
    times = dict.fromkeys(("started_at", "since_at", "last_at", "seen_at"), world.now)
    Alert.objects.bulk_create(
        Alert(source=first.source, key=f"k{n}", title="x", severity="error", state="firing", stale_at=world.now, **times)
        for n in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Alert._meta.db_table}")
    due = Alert.objects.filter(state="firing", stale_at__lte=world.now - timedelta(days=1)).order_by("stale_at")
    assert "alert_stale" in due.values_list("pk").explain()
