"""Silences and announced work: who may quiet what, for how long, what that does, and what comes after it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import tickets as desk
from allswell.desk.alerts import quiet, silences, windows
from allswell.intake.models import AlertEpisode, MaintenanceWindow, Silence
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound
from allswell.tickets import queries
from allswell.tickets.models import Ticket
from allswell.tickets.rules import Kind
from tests.desk.test_alert_rules import condition
from tests.support.monitoring import Monitoring
from tests.support.world import World

HOUR = timedelta(hours=1)


def silence(world: World, **values: Any) -> Silence:
    values = {"reason": "known", "ends_at": world.now + HOUR, "service": world.lookup.pk, **values}
    person = values.pop("by", world.jonas)
    return silences.create(**values, **world.by(person))


def work(world: World, **values: Any) -> MaintenanceWindow:
    values = {"title": "Upgrade", "starts_at": None, "ends_at": world.now + HOUR, "services": [world.lookup.pk], **values}
    person = values.pop("by", world.jonas)
    return windows.announce(**values, **world.by(person))


# silences


def test_what_is_silenced_calls_nobody_until_that_is_over(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    silence(world, service=None, matchers=[condition("host", "web.*", "=~")])
    am.send(am.fires("Disk", host="web1"))
    am.send(am.fires("Cert", host="db1"), group="g2")
    assert (am.alert("Disk").ticket, am.alert("Cert").ticket) == (None, Ticket.objects.get())
    am.wait(minutes=61)
    assert (am.alert("Disk").silence, am.alert("Disk").ticket) == (None, Ticket.objects.latest("pk"))


def test_what_fires_already_keeps_its_incident_and_is_not_joined_to_it_again(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires())
    ticket = Ticket.objects.get()
    row = silence(world)
    assert (am.alert().silence, am.alert().ticket) == (row, ticket)
    am.wait(minutes=61)
    assert (am.alert().silence, am.alert().ticket, Ticket.objects.count()) == (None, ticket, 1)
    assert Entry.objects.filter(ticket=ticket, verb="alerts.joined").count() == 1
    assert AlertEpisode.objects.get().outcome == "opened"


def test_what_fires_again_while_it_is_silenced_opens_nothing(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    began = world.now
    am.send(am.fires())
    silence(world)
    world.forward(minutes=5)
    am.send(am.is_over(since=began))
    world.forward(minutes=5)
    am.send(am.fires())
    assert Ticket.objects.get().done_at is not None
    assert am.alert().silence is not None


def test_ended_early_what_fires_is_looked_at_at_once(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    row = silence(world)
    am.send(am.fires())
    assert not Ticket.objects.exists()
    world.forward(minutes=5)
    silences.end(row.pk, **world.by(world.jonas))
    am.wait(seconds=1)
    assert Ticket.objects.count() == 1
    with pytest.raises(Conflict):
        silences.end(row.pk, **world.by(world.jonas))


def test_one_to_come_is_taken_back(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    row = silence(world, starts_at=world.now + HOUR, ends_at=world.now + 2 * HOUR)
    am.send(am.fires())
    assert am.alert().silence is None
    silences.end(row.pk, **world.by(world.jonas))
    assert not Silence.objects.exists()
    assert Entry.objects.latest("id").verb == "record.removed"


def test_the_alerts_of_a_ticket_are_silenced(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("Disk"))
    am.send(am.fires("Other"), group="g2")
    ticket = Ticket.objects.get()
    row = silence(world, service=None, ticket=ticket.pk)
    assert {am.alert("Disk").silence, am.alert("Other").silence} == {row}
    assert silences.preview(matchers=[], ticket=ticket.pk, actor=world.by(world.jonas)["actor"]).count == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"service": None}, "matchers"),
        ({"service": None, "matchers": [{"label": "host", "operator": "!=", "value": "x"}]}, "matchers"),
        ({"service": None, "matchers": [{"label": "host", "operator": "=~", "value": ".*"}]}, "matchers"),
        ({"service": 999_999_999}, "service"),
        ({"service": None, "ticket": 999_999_999}, "ticket"),
        ({"reason": " "}, "reason"),
        ({"ends_at": None}, "ends_at"),
        ({"for": -HOUR}, "ends_at"),
        ({"for": timedelta(days=31)}, "ends_at"),
        ({"from": timedelta(days=400), "for": timedelta(days=401)}, "starts_at"),
        ({"from": 2 * HOUR, "for": HOUR}, "ends_at"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(world: World, wrong: dict[str, Any], field: str) -> None:
    values = dict(wrong)
    if "for" in values:
        values["ends_at"] = world.now + values.pop("for")
    if "from" in values:
        values["starts_at"] = world.now + values.pop("from")
    with pytest.raises(Invalid) as refused:
        silence(world, **values)
    assert refused.value.field == field
    assert not Silence.objects.exists()


def test_a_ticket_that_is_done_has_nothing_to_silence(world: World) -> None:
    number = world.report().pk
    desk.cancel(number, reason="mistake", **world.by(world.jonas))
    with pytest.raises(Conflict):
        silence(world, service=None, ticket=number)


def test_who_may_silence_what(world: World) -> None:
    for person in (world.audrey, world.maria):
        with pytest.raises(NotAllowed):
            silence(world, by=person)
    with pytest.raises(DeskError):
        silence(world, by=world.oskar)
    world.lookup.organization = world.bank
    world.lookup.save()
    bert = world._person("Bert Branch", world.branch, role="agent")
    bert.grants.all().delete()
    world._grant(bert, "agent", organization=world.branch)
    with pytest.raises(DeskError):
        silence(world, by=bert)
    with pytest.raises(NotAllowed):
        silence(world, by=bert, service=None, matchers=[condition("host", "x")])
    world.printing.organization = world.branch
    world.printing.save()
    row = silence(world, by=bert, service=world.printing.pk)
    assert list(silences.visible_to(world.by(bert)["actor"])) == [row]
    mine = silence(world)
    assert mine not in silences.visible_to(world.by(world.oskar)["actor"])
    with pytest.raises(NotFound):
        silences.end(mine.pk, **world.by(world.oskar))
    with pytest.raises(NotAllowed):
        silences.end(mine.pk, **world.by(world.audrey))


def test_a_silence_of_a_restricted_ticket_is_for_who_sees_that(world: World) -> None:
    ticket = world.report()
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="x", **world.by(world.jonas))
    row = silence(world, by=world.lena, service=None, ticket=ticket.pk)
    desk.restrict(ticket.pk, **world.by(world.lena))
    assert row in silences.visible_to(world.by(world.audrey)["actor"])
    outsiders = [person for person in (world.jonas, world.olga) if not _sees(world, person, ticket.pk)]
    assert outsiders
    for person in outsiders:
        assert row not in silences.visible_to(world.by(person)["actor"])


def _sees(world: World, person: Any, number: int) -> bool:

    return queries.at_the_desk(world.by(person)["actor"]).filter(pk=number).exists()


def test_the_journal_holds_no_words_of_it(world: World) -> None:
    silence(world, reason="Kestrel", matchers=[condition("bird", "Merlin")])
    work(world, title="Osprey", matchers=[condition("bird", "Harrier")])
    kept = str(list(Entry.objects.filter(about_kind__in=("silence", "maintenance_window")).values_list("data", flat=True)))
    assert not [word for word in ("Kestrel", "Merlin", "Osprey", "Harrier") if word in kept]


def test_a_preview_counts_what_one_sees(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    am.send(am.fires("Disk", host="web1"), am.fires("Cert", host="web2"), am.fires("C", host="db"))
    actor = world.by(world.jonas)["actor"]
    assert silences.preview(matchers=[condition("host", "web.*", "=~")], actor=actor) == quiet.Preview(2, is_more=False)
    assert silences.preview(matchers=[], service=world.printing.pk, actor=actor).count == 0
    assert windows.preview(services=[world.lookup.pk], actor=actor).count == 3


# from elsewhere


def elsewhere(world: World, comment: str = "Known", **more: Any) -> dict[str, Any]:
    """A silence as a running Alertmanager tells it."""
    matcher = {"name": "host", "value": "web.*", "isRegex": True, "isEqual": True}
    times = {"startsAt": world.now.isoformat(), "endsAt": (world.now + HOUR).isoformat()}
    by = {"createdBy": "john", "comment": comment, "status": {"state": "active"}}
    return {"id": "1", "matchers": [matcher], **times, **by, **more}


def taken_over(world: World, *told: Any, by: Any = None) -> tuple[int, int]:
    done = silences.take_over(json.dumps(told).encode(), **world.by(by or world.jonas))
    return done.made, done.left_out


def test_the_silences_of_an_alertmanager_hold_here_too(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    assert taken_over(world, elsewhere(world)) == (1, 0)
    row = Silence.objects.get()
    assert (row.reason, row.ends_at, row.matchers) == ("Known · john", world.now + HOUR, [condition("host", "web.*", "=~")])
    am.send(am.fires("Disk", host="web1"))
    assert am.alert("Disk").silence == row
    assert taken_over(world, elsewhere(world)) == (0, 1)


def test_what_is_over_or_about_everything_is_left_out_and_what_is_long_is_cut(world: World) -> None:
    everything = [{"name": "host", "value": ".*", "isRegex": True}]
    over, long = {"endsAt": world.now.isoformat()}, {"endsAt": "2063-01-01T00:00:00Z"}
    told = [elsewhere(world, **over), elsewhere(world, matchers=everything), elsewhere(world, status={"state": "expired"})]
    assert taken_over(world, *told, elsewhere(world, "Long", **long)) == (1, 3)
    assert Silence.objects.get().ends_at == world.now + timedelta(days=30)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b'[{"matchers": []}]',
        b"[" * 5000,
        b"\xff",
        b'[{"matchers": [{"name": "a", "value": "(", "isRegex": true}]}]',
    ],
)
def test_what_is_no_list_of_silences_is_refused(world: World, body: bytes) -> None:
    with pytest.raises(Invalid):
        silences.take_over(body, **world.by(world.jonas))
    assert not Silence.objects.exists()


def test_only_who_reaches_everything_takes_over(world: World) -> None:
    for person in (world.maria, world.audrey, world.oskar):
        with pytest.raises(NotAllowed):
            taken_over(world, elsewhere(world), by=person)


# announced work


def test_alerts_of_announced_work_belong_to_its_ticket(world: World) -> None:
    am = Monitoring(world, service=world.lookup.pk)
    change = world.report(kind=Kind.REQUEST, title="Upgrade", service=world.printing.slug)
    work(world, ticket=change.pk)
    am.send(am.fires())
    assert am.alert().ticket == change
    assert Ticket.objects.count() == 1
    am.wait(minutes=61)
    assert am.alert().ticket != change
    assert Ticket.objects.count() == 2


def test_work_is_changed_before_it_begins_and_ended_after(world: World) -> None:
    row = work(world, starts_at=world.now + HOUR, ends_at=world.now + 2 * HOUR)
    by = world.by(world.jonas)
    windows.change(row.pk, services=[world.printing.pk], title="Move", **by)
    row.refresh_from_db()
    assert (row.title, list(row.services.all())) == ("Move", [world.printing])
    world.forward(minutes=61)
    by = world.by(world.jonas)
    with pytest.raises(Conflict):
        windows.change(row.pk, title="Too late", **by)
    windows.end(row.pk, **by)
    row.refresh_from_db()
    assert row.ends_at == world.now
    with pytest.raises(Conflict):
        windows.end(row.pk, **by)
    verbs = Entry.objects.filter(about_kind="maintenance_window").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["record.created", "record.changed", "record.changed"]


def test_work_that_has_not_begun_is_taken_back(world: World) -> None:
    row = work(world, starts_at=world.now + HOUR, ends_at=world.now + 2 * HOUR)
    windows.end(row.pk, **world.by(world.olga))
    assert not MaintenanceWindow.objects.exists()


def test_who_may_announce_what(world: World) -> None:
    row = work(world, starts_at=world.now + HOUR, ends_at=world.now + 2 * HOUR)
    for person in (world.audrey, world.maria):
        with pytest.raises(NotAllowed):
            work(world, by=person)
    with pytest.raises(NotAllowed):
        windows.end(row.pk, **world.by(world.audrey))
    for person in (world.oskar, world.maria):
        with pytest.raises(NotFound):
            windows.end(row.pk, **world.by(person))
    with pytest.raises(Invalid):
        work(world, services=[])
    with pytest.raises(Invalid):
        work(world, services=[world.lookup.pk, 999_999_999])
    with pytest.raises(Invalid):
        work(world, ends_at=world.now + timedelta(days=61))
