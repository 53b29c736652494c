"""Monitoring tells the desk: one outage is one incident, and it ends when all its alerts are over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk import policies
from allswell.desk import tickets as desk
from allswell.desk.alerts import taking
from allswell.intake.models import Alert, AlertEpisode, AlertRule, Heartbeat, MaintenanceWindow, RawReport, Silence
from allswell.intake.operations import alerts as writing
from allswell.intake.queries import alerts as queries
from allswell.intake.rules.kept import Raw
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.oncall.models import Escalation
from allswell.tickets.models import Comment, Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


@pytest.fixture
def am(world: World) -> Monitoring:
    return Monitoring(world, service=world.lookup.pk)


def test_an_alert_opens_an_incident_and_its_end_resolves_it(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(am.fires())
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.service_id, ticket.priority, ticket.channel) == (
        "HighLatency on all",
        world.lookup.pk,
        1,
        "monitoring",
    )
    assert ticket.team == world.desk_team
    assert ticket.occurred_at == began
    assert am.alert().ticket_id == ticket.pk
    world.forward(minutes=5)
    am.send(am.fires(since=began))
    assert (am.alert().count, Ticket.objects.count()) == (2, 1)
    am.send(am.is_over(since=began))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolution_code) == ("resolved", "by_itself")
    assert [row.outcome for row in AlertEpisode.objects.all()] == ["opened"]
    assert AlertEpisode.objects.get().ended_by == "sender"


def test_one_outage_is_one_incident(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(*[am.fires(f"Down{n}", host=f"web{n}") for n in range(50)])
    am.send(am.fires("Other", host="db"), group="g2")
    assert Ticket.objects.count() == 1
    ticket = Ticket.objects.get()
    assert Alert.objects.filter(ticket=ticket).count() == 51
    assert [entry.data["count"] for entry in Entry.objects.filter(verb="alerts.joined").order_by("pk")] == [50, 1]
    am.send(*[am.is_over(f"Down{n}", host=f"web{n}", since=began) for n in range(50)])
    ticket.refresh_from_db()
    assert ticket.state == "new"
    am.send(am.is_over("Other", host="db", since=began), group="g2")
    ticket.refresh_from_db()
    assert ticket.state == "resolved"


def test_whoever_took_it_resolves_it(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(am.fires())
    number = Ticket.objects.get().pk
    desk.take(number, **world.by(world.jonas))
    world.forward(minutes=5)
    am.send(am.is_over(since=began))
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.restored_at) == ("in_progress", world.now)


def test_it_fires_again_and_the_incident_opens_again(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(am.fires())
    world.forward(minutes=5)
    am.send(am.is_over(since=began))
    world.forward(minutes=5)
    am.send(am.fires())
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.reopened_count) == ("in_progress", 1)
    assert am.alert().episode == 2


def test_what_comes_back_and_goes_away_again_by_itself_is_over_by_itself(world: World, am: Monitoring) -> None:
    for _ in range(2):
        began = world.now
        am.send(am.fires())
        world.forward(minutes=3)
        am.send(am.is_over(since=began))
        world.forward(minutes=3)
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.reopened_count, ticket.resolution_code) == ("resolved", 1, "by_itself")


def test_what_begins_again_in_the_second_in_which_it_ended_is_heard(world: World) -> None:
    nagios = Monitoring(world, "nagios")
    seconds = int(world.now.timestamp())

    def tells(state: str, changed: int) -> None:
        said = {"host": "db1", "state": state, "t": str(seconds + 5), "last_state_change": str(seconds + changed)}
        assert nagios.post(said).status_code == 200
        nagios.read()

    world.forward(seconds=10)
    tells("DOWN", 0)
    tells("UP", 5)
    tells("DOWN", 0)  # told once more, and late
    assert Alert.objects.get().state == "resolved"
    tells("DOWN", 5)
    assert (Alert.objects.get().state, Alert.objects.get().episode) == ("firing", 2)


def test_long_after_it_is_another_incident(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(am.fires())
    am.send(am.is_over(since=began))
    world.forward(hours=3)
    am.send(am.fires())
    assert Ticket.objects.count() == 2


def test_what_comes_late_changes_nothing(world: World, am: Monitoring) -> None:
    began = world.now
    am.send(am.fires())
    world.forward(minutes=10)
    ended = am.is_over(since=began)
    am.send(ended)
    world.forward(minutes=2)
    second = world.now
    am.send(am.fires())
    am.send(ended)  # the end of the first episode once more
    assert am.alert().state == "firing"
    am.send(am.fires(since=began))
    assert am.alert().started_at == second


def test_the_end_of_something_unknown_is_no_news(world: World, am: Monitoring) -> None:
    am.send(am.is_over(since=world.now))
    assert not Alert.objects.exists()
    assert not Ticket.objects.exists()


def test_flapping_is_held(world: World, am: Monitoring) -> None:
    for _ in range(4):
        began = world.now
        am.send(am.fires())
        world.forward(minutes=1)
        am.send(am.is_over(since=began))
        world.forward(minutes=1)
    assert am.alert().is_flapping
    ticket = Ticket.objects.get()
    assert ticket.done_at is None
    am.wait(minutes=20)
    ticket.refresh_from_db()
    assert not am.alert().is_flapping
    assert ticket.restored_at is not None


def test_a_silence_holds_and_survives_a_resolve(world: World, am: Monitoring) -> None:
    Silence.objects.create(
        matchers=[{"label": "host", "operator": "=", "value": "web1"}],
        reason="being replaced", starts_at=world.now, ends_at=world.now + timedelta(hours=1), created_at=world.now,
    )  # fmt: skip
    began = world.now
    am.send(am.fires(host="web1"))
    am.send(am.is_over(host="web1", since=began))
    world.forward(minutes=1)
    am.send(am.fires(host="web1"))
    assert not Ticket.objects.exists()
    am.wait(hours=1)
    assert Ticket.objects.count() == 1


def test_alerts_in_a_window_belong_to_it(world: World, am: Monitoring) -> None:
    change = world.report(world.jonas, title="New disks for the look-up")
    window = MaintenanceWindow.objects.create(
        title="New disks", ticket=change, starts_at=world.now, ends_at=world.now + timedelta(hours=1), created_at=world.now
    )
    window.services.add(world.lookup)
    am.send(am.fires())
    assert Ticket.objects.count() == 1
    assert am.alert().ticket_id == change.pk
    am.wait(minutes=61)
    assert Ticket.objects.count() == 2
    assert am.alert().ticket_id != change.pk


def test_a_rule_decides(world: World, am: Monitoring) -> None:
    definition = {
        "matchers": [{"label": "job", "operator": "=~", "value": "db.*"}],
        "service_label": "app", "team": world.dba_team.pk, "impact": 2, "urgency": 2, "group_by": ["host"], "on_clear": "note",
    }  # fmt: skip
    AlertRule.objects.create(name="Databases", position=1, definition=definition, created_at=world.now, changed_at=world.now)
    began = world.now
    am.send(am.fires(job="db1", host="a", app="ledger-database"), am.fires(job="db2", host="b", app="ledger-database"))
    assert Ticket.objects.count() == 2
    first = Ticket.objects.order_by("pk")[0]
    assert (first.service, first.team, first.impact, first.urgency) == (world.ledger, world.dba_team, 2, 2)
    am.send(am.is_over(job="db1", host="a", app="ledger-database", since=began))
    first.refresh_from_db()
    assert first.state == "new"
    assert Entry.objects.filter(verb="alerts.cleared", ticket=first.pk).count() == 1
    assert AlertRule.objects.get().fits_count == 2


def test_a_storm_of_many_things_is_one_trouble(world: World) -> None:
    am = Monitoring(world)
    am.send(*[am.fires(f"Down{n}") for n in range(3)], group="g0")
    for n in range(1, 30):
        am.send(am.fires(f"Down{n}", host="x"), group=f"g{n}")
    assert Ticket.objects.count() == 10
    assert Alert.objects.filter(ticket=None).count() == 0


def test_worse_is_more_urgent(world: World, am: Monitoring) -> None:
    began = world.now
    warning = am.fires() | {}
    warning["labels"] = {**warning["labels"], "severity": "warning"}
    am.send(warning)
    ticket = Ticket.objects.get()
    assert ticket.urgency == 3
    worse = {**warning, "labels": {**warning["labels"], "severity": "critical"}, "startsAt": began.isoformat()}
    world.forward(minutes=1)
    am.send(worse)
    ticket.refresh_from_db()
    assert (ticket.urgency, ticket.priority) == (1, 1)


def test_a_heartbeat_that_is_missing_fires(world: World, am: Monitoring) -> None:
    Heartbeat.objects.create(
        source=am.source, name="backup", every=60, grace=60, created_at=world.now, due_at=world.now + timedelta(seconds=120)
    )
    am.wait(minutes=3)
    assert Ticket.objects.get().title == "backup is silent"
    assert writing.beat(am.source.pk, "backup", at=world.now) is not None
    assert not Heartbeat.objects.filter(missing_since__isnull=False).exists()


def test_a_key_is_needed(world: World, am: Monitoring) -> None:
    assert am.post({}, key="nobody-has-this-key").status_code == 404
    assert am.post({}, path="/in/nagios/" + am.key).status_code == 404
    answer = am.post({"version": "4"})
    assert answer.status_code == 400
    am.source.refresh_from_db()
    assert am.source.refusal
    assert not RawReport.objects.exists()


def test_what_was_read_is_forgotten_after_a_day(world: World, am: Monitoring) -> None:
    am.send(am.fires())
    am.send(am.fires("Other"))
    RawReport.objects.filter(pk=RawReport.objects.order_by("pk")[0].pk).update(error="It cannot be read")
    world.forward(hours=25)
    taking.forget_read(actor=engine(), now=world.now)
    assert [row.error for row in RawReport.objects.all()] == ["It cannot be read"]
    world.forward(days=30)
    taking.forget_read(actor=engine(), now=world.now)
    assert not RawReport.objects.exists()


def test_large_requests_are_taken_a_few_at_a_time(world: World, am: Monitoring) -> None:
    for _ in range(3):
        taking.keep([Raw(am.source.pk, world.now, {}, b"x" * 900, "n")], actor=engine(), now=world.now)
    assert len(queries.waiting(limit=10, most_bytes=1000)) == 1
    assert len(queries.waiting(limit=10, most_bytes=2000)) == 2
    assert len(queries.waiting(limit=2, most_bytes=10**6)) == 2


def test_the_key_is_in_no_log(world: World, am: Monitoring, caplog: pytest.LogCaptureFixture) -> None:
    for body in (b"{", b"[]", b"\x00"):
        assert am.post(body).status_code == 400
    assert am.key not in caplog.text


def test_what_is_acknowledged_at_the_source_pauses_paging_and_is_told(world: World) -> None:
    pd = Monitoring(world, "pagerduty", service=world.lookup.pk)
    policy = policies.create_policy(
        name="Night",
        team=world.desk_team.pk,
        definition={"steps": [{"targets": [{"kind": "person", "person": world.jonas.pk}], "wait": 300}]},
        **world.by(world.lena),
    )
    AlertRule.objects.create(name="All", position=1, definition={"policy": policy.pk}, created_at=world.now, changed_at=world.now)

    def told(action: str, key: str) -> None:
        payload = {"summary": key, "source": "db1", "severity": "critical"}
        pd.post({"routing_key": pd.key, "event_action": action, "dedup_key": key, "payload": payload}, path="/v2/enqueue")
        pd.read()
        world.forward(minutes=1)

    told("trigger", "k1")
    told("trigger", "k2")
    ticket = Ticket.objects.get()
    told("acknowledge", "k1")
    assert set(Escalation.objects.values_list("state", flat=True)) == {"running"}, "k2 is nobody's yet"
    told("acknowledge", "k2")
    told("acknowledge", "k2")
    assert set(Escalation.objects.values_list("state", flat=True)) == {"acknowledged"}
    notes = list(Comment.objects.filter(ticket=ticket, is_public=False).order_by("id").values_list("body", flat=True))
    assert [body.splitlines()[-1] for body in notes] == ["- k1", "- k2"]


@pytest.mark.parametrize("is_of_rule", [True, False])
def test_what_is_acknowledged_before_it_was_read_calls_nobody(world: World, is_of_rule: bool) -> None:
    pd = Monitoring(world, "pagerduty", service=world.lookup.pk)
    policy = policies.create_policy(
        name="Night",
        team=world.desk_team.pk,
        definition={"steps": [{"targets": [{"kind": "person", "person": world.jonas.pk}], "wait": 300}], "starts": [1, 2]},
        **world.by(world.lena),
    )
    if is_of_rule:
        AlertRule.objects.create(
            name="All", position=1, definition={"policy": policy.pk}, created_at=world.now, changed_at=world.now
        )
    else:
        policies.use_for_service(world.lookup.pk, policy=policy.pk, **world.by(world.ada))
    for action in ("trigger", "acknowledge"):
        payload = {"summary": "disk full", "source": "db1", "severity": "critical"}
        pd.post({"routing_key": pd.key, "event_action": action, "dedup_key": "k1", "payload": payload}, path="/v2/enqueue")
    pd.read()
    assert set(Escalation.objects.values_list("state", flat=True)) == {"acknowledged"}
    assert Comment.objects.get(is_public=False).body.endswith("- disk full")


def test_a_note_written_at_the_source_is_a_note_of_the_incident(world: World) -> None:
    og = Monitoring(world, "opsgenie", service=world.lookup.pk)
    key = {"headers": {"Authorization": f"GenieKey {og.key}"}}
    og.post({"message": "disk full", "alias": "d1"}, path="/v2/alerts", **key)
    og.read()
    for number in range(2):
        body = {"note": f"looking at it {number}", "user": "Kim"}
        og.post(body, path="/v2/alerts/d1/notes?identifierType=alias", **key)
    og.post({"note": "nobody knows"}, path="/v2/alerts/d9/notes?identifierType=alias", **key)
    og.read()
    note = Comment.objects.get(is_public=False)
    assert note.ticket == Ticket.objects.get()
    assert "Kim: looking at it 0\n\nKim: looking at it 1" in note.body
