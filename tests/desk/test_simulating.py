"""The dry run says what the engine then does: the same people at the same instants by the same ways."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from allswell.desk import calling, paging, policies, rotas, shifts, simulating
from allswell.desk import people as desk_people
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import engine
from allswell.kernel.errors import Invalid, NotAllowed, NotFound
from allswell.notifications.models import ContactMethod, ContactRule, PagingHours
from allswell.oncall.models import Escalation, Page, PageDelivery
from allswell.oncall.rules import Definition, Layer, OnLeave, Unit
from allswell.oncall.rules.escalating import Empty
from allswell.oncall.rules.simulating import Answer, What
from allswell.tickets.models import Ticket
from tests.desk.test_paging import dba_policy, down, steps_of, watch
from tests.support.world import World

MINUTES = timedelta(minutes=1)
Told = tuple[datetime, int | None, tuple[tuple[str, int | None, datetime], ...]]


def foreseen(found: simulating.Simulated) -> list[Told]:
    """Who is called when, and by what when, as the dry run says."""
    return [
        (moment.at, call.called.person, tuple(sorted((way.channel.value, way.contact, way.due_at) for way in call.planned)))
        for moment in found.moments
        for call in moment.calls
    ]


def happened() -> list[Told]:
    """The same, as the engine did it."""
    told: list[Told] = []
    for page in Page.objects.order_by("pk"):
        ways = PageDelivery.objects.filter(page=page).values_list("channel", "contact_id", "planned_at")
        told.append((page.created_at, page.person_id, tuple(sorted((a, b or 0, c) for a, b, c in ways))))
    return told


def plain(told: list[Told]) -> list[Any]:
    return [(at, person, tuple(sorted((a, b or 0, c) for a, b, c in ways))) for at, person, ways in told]


def run_out(world: World, ticket: Ticket) -> None:
    """Let the engine take every step at its instant, until the run ends."""
    for _ in range(300):
        due = Escalation.objects.filter(ticket=ticket.pk, ended_at=None).values_list("next_step_at", flat=True).first()
        if due is None:
            return
        world.now = max(world.now, due)
        calling.take_steps(limit=50, actor=engine(), now=world.now)
    raise AssertionError("it never ends")


def dry(world: World, **more: Any) -> simulating.Simulated:
    values = {"at": world.now, "priority": 1, **more}
    asked = simulating.Asked(team=world.dba_team.pk)
    return simulating.what_happens(asked, actor=world.actor(world.lena), **values)


def test_it_says_what_then_happens(world: World) -> None:
    dba_policy(world)
    said = dry(world)
    run_out(world, down(world))
    assert plain(foreseen(said)) == happened()
    assert [moment.what for moment in said.moments][-1] is What.EXHAUSTED
    assert said.names == {world.amir.pk: "Amir Haddad", world.priya.pk: "Priya Nair", world.lena.pk: "Lena Frei"}
    assert said.starts


def test_who_is_back_or_goes_later_is_called_now(world: World) -> None:
    dba_policy(world)
    away_from = world.now + timedelta(days=3)
    by = world.by(world.amir)
    desk_people.set_away(world.amir.pk, away_from=away_from, away_until=away_from + timedelta(days=9), stands_in=None, **by)
    down(world)
    assert plain(foreseen(dry(world)))[0][1] == world.amir.pk
    assert watch(world) == ["Amir Haddad"]


def test_an_answer_holds_and_a_broken_promise_calls_again(world: World) -> None:
    dba_policy(world)
    kept = dry(world, answer=Answer(step=1, after=2 * MINUTES))
    assert [moment.what for moment in kept.moments] == [What.STEP, What.STEP, What.ANSWERED]
    assert kept.moments[-1].at == world.now + 7 * MINUTES
    broken = dry(world, answer=Answer(step=1, after=2 * MINUTES, is_kept=False))
    assert broken.moments[2].until == world.now + 37 * MINUTES
    ticket = down(world)
    watch(world)
    world.forward(minutes=5)
    watch(world)
    world.forward(minutes=2)
    paging.acknowledge(ticket.pk, **world.by(world.priya))
    run_out(world, ticket)
    assert [(at, person) for at, person, _ in happened()] == [(at, person) for at, person, _ in foreseen(broken)]


def test_without_a_policy_nobody_is_called(world: World) -> None:
    asked = simulating.Asked(service=world.lookup.slug)
    said = simulating.what_happens(asked, at=world.now, actor=world.actor(world.jonas))
    assert (said.definition, said.moments, said.starts) == (None, (), False)


def test_a_draft_is_tried_before_it_is_kept(world: World) -> None:
    draft = {"steps": steps_of({"kind": "person", "person": world.amir.pk}), "repeat": 0}
    said = simulating.what_happens(simulating.Asked(definition=draft), at=world.now, priority=2, actor=world.actor(world.lena))
    assert [call.called.person for moment in said.moments for call in moment.calls] == [world.amir.pk]


def test_requesters_learn_nothing_and_others_what_they_may_know(world: World) -> None:
    row = dba_policy(world)
    world.printing.organization = world.bank
    world.printing.save()
    with pytest.raises(NotAllowed):
        simulating.what_happens(simulating.Asked(policy=row.pk), at=world.now, actor=world.actor(world.maria))
    for asked in (simulating.Asked(policy=10**9), simulating.Asked(team="no"), simulating.Asked(service=world.printing.slug)):
        with pytest.raises(NotFound):
            simulating.what_happens(asked, at=world.now, actor=world.actor(world.oskar))
    for asked in (simulating.Asked(), simulating.Asked(policy=row.pk, team="databases")):
        with pytest.raises(Invalid):
            simulating.what_happens(asked, at=world.now, actor=world.actor(world.lena))
    with pytest.raises(Invalid):
        dry(world, priority=9)
    with pytest.raises(Invalid):
        dry(world, answer=Answer(step=7, after=MINUTES))


def test_the_hour_that_comes_twice_is_said(world: World) -> None:
    paris = ZoneInfo("Europe/Paris")
    night = datetime(2026, 10, 25, 2, 30)
    first, second = (simulating.on_the_wall(night, paris, is_second=is_second) for is_second in (False, True))
    assert (first.at, first.is_twice) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True)
    assert second.at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    skipped = simulating.on_the_wall(datetime(2026, 3, 29, 2, 30), paris)
    assert (skipped.at, skipped.is_skipped) == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), True)


def test_the_step_a_dry_run_calls_empty_is_empty(world: World) -> None:
    dba_policy(world)
    shifts.add_leave(person=world.amir.pk, starts_at=world.now, ends_at=world.now + timedelta(days=30), **world.by(world.lena))
    said = dry(world)
    assert said.moments[0].taken is not None
    assert said.moments[0].taken.empty is Empty.NOBODY
    assert said.moments[1].at == said.moments[0].at
    ticket = down(world)
    watch(world)
    entry = Entry.objects.filter(ticket=ticket.pk, verb=Verb.PAGED).order_by("pk")[0]
    assert entry.data["empty"] == "nobody"


# any policy, rota, leave, contacts and quiet hours


def drawn_by(chance: random.Random) -> dict[str, Any]:
    """A world as it may be."""
    some, one = chance.randint, chance.choice
    targets = ["level 1", "level 2", "person 0", "person 2", "team", "lead", "manager"]
    return {
        "layers": [
            {
                "people": [some(0, 3) for _ in range(some(1, 3))],
                "unit": one(list(Unit)),
                "every": some(1, 3),
                "minute": some(0, 47) * 30,
                "on_leave": one(list(OnLeave)),
            }
            for _ in range(2)
        ],
        "steps": [
            {
                "targets": chance.sample(targets, some(1, 3)),
                "wait": one([30, 300, 1800, 7200, 40000]),
                "priorities": one([[], [], [1, 2], [3]]),
            }
            for _ in range(some(1, 4))
        ],
        "repeat": some(0, 2),
        "urgent": one([[1], []]),
        "leave": [(some(0, 3), some(0, 60), some(1, 40)) for _ in range(some(0, 3))],
        "away": [(some(0, 3), some(-40, 60), some(1, 40)) for _ in range(some(0, 2))],
        "contacts": [(some(0, 3), one(["sms", "voice", "ntfy"]), one([True, False])) for _ in range(some(0, 4))],
        "rules": [(some(0, 3), one(["urgent", "normal"]), some(0, 900)) for _ in range(some(0, 3))],
        "quiet": [(some(0, 3), some(0, 1439), some(0, 1439)) for _ in range(some(0, 2))],
        "starts": some(0, 40),
    }


def furnish(world: World, drawn: dict[str, Any]) -> None:
    """Make what was drawn."""
    cast = [world.amir, world.priya, world.jonas, world.olga]
    by = world.by(world.ada)
    for place, zone in enumerate(("Europe/Paris", "America/New_York", "Asia/Kathmandu", "")):
        cast[place].time_zone = zone
        cast[place].save(update_fields=["time_zone"])
    layers = tuple(
        Layer(
            key=number,
            name=f"L{number}",
            people=tuple(cast[one].pk for one in said["people"]),
            first_on=date(2026, 11, 20),
            first_minute=said["minute"],
            every=said["every"],
            unit=said["unit"],
            level=number,
            on_leave=said["on_leave"],
        )
        for number, said in enumerate(drawn["layers"], start=1)
    )
    rota = rotas.create_rota(name="Any", team="databases", definition=Definition("Europe/Paris", layers), **by)
    for one, after, hours in drawn["leave"]:
        start = world.now + timedelta(hours=after)
        shifts.add_leave(person=cast[one].pk, starts_at=start, ends_at=start + timedelta(hours=hours), **by)
    for one, after, hours in drawn["away"]:
        cast[one].away_from = world.now + timedelta(hours=after)
        cast[one].away_until = cast[one].away_from + timedelta(hours=hours)
        cast[one].save(update_fields=["away_from", "away_until"])
    for one, kind, is_verified in drawn["contacts"]:
        at = world.now if is_verified else None
        ContactMethod.objects.create(person=cast[one], kind=kind, address=f"+4915{one}", created_at=world.now, verified_at=at)
    for place, (one, urgency, after) in enumerate(drawn["rules"]):
        contact = ContactMethod.objects.filter(person=cast[one]).first()
        ContactRule.objects.create(person=cast[one], urgency=urgency, contact=contact, after=after, position=place)
    for one, since, until in {row[0]: row for row in drawn["quiet"]}.values():
        PagingHours.objects.create(person=cast[one], quiet_from=since, quiet_until=until)
    named = {
        "level 1": {"kind": "rota", "rota": rota.pk, "level": 1},
        "level 2": {"kind": "rota", "rota": rota.pk, "level": 2},
        "person 0": {"kind": "person", "person": cast[0].pk},
        "person 2": {"kind": "person", "person": cast[2].pk},
        "team": {"kind": "team", "team": world.dba_team.pk},
        "lead": {"kind": "lead", "team": world.dba_team.pk},
        "manager": {"kind": "manager", "team": world.dba_team.pk, "level": 1},
    }
    steps = [{**step, "targets": [named[one] for one in step["targets"]]} for step in drawn["steps"]]
    definition = {"steps": steps, "repeat": drawn["repeat"], "urgent": drawn["urgent"]}
    row = policies.create_policy(name="Any", team="databases", definition=definition, **by)
    policies.use_for_team("databases", policy=row.pk, **by)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_policy_the_engine_does_what_the_dry_run_said(world: World, seed: int) -> None:
    drawn = drawn_by(random.Random(seed))
    furnish(world, drawn)
    world.forward(minutes=17 * drawn["starts"])
    said = dry(world)
    ticket = down(world)
    run_out(world, ticket)
    assert plain(foreseen(said)) == happened()
    empties = [moment.taken.empty.value for moment in said.moments if moment.taken and moment.taken.empty]
    journaled = Entry.objects.filter(ticket=ticket.pk, verb=Verb.PAGED).order_by("pk")
    assert [entry.data["empty"] for entry in journaled if entry.data["empty"]] == empties
