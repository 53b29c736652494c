"""The proof of coverage says at every minute what a run begun in that minute comes to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from allswell.calendars.rules import Calendar, Definition, Version
from allswell.notifications.rules import ContactKind, Method, Quiet, Reach, Rule, Urgency
from allswell.oncall.rules import Slot, Why
from allswell.oncall.rules.covering import FINE, Lack, Proof, Stretch, Verdict, alike
from allswell.oncall.rules.escalating import Empty
from allswell.oncall.rules.knowing import MEANT, Absent, Known
from allswell.oncall.rules.policies import During, Policy, Step, Target, TargetKind
from allswell.oncall.rules.simulating import What, walk

SINCE = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)  # a night in which the clocks of Europe go back
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
UNTIL = SINCE + 30 * HOUR
EMAIL, PUSH, SMS, VOICE = (
    Method(kind, contact, is_verified=True)
    for kind, contact in ((ContactKind.EMAIL, None), (ContactKind.PUSH, 1), (ContactKind.SMS, 2), (ContactKind.VOICE, 3))
)


def rota(level: int = 1) -> Target:
    return Target(TargetKind.ROTA, 1, level)


def person(number: int) -> Target:
    return Target(TargetKind.PERSON, number)


def policy(*steps: Step, **more: Any) -> Policy:
    return Policy(steps, **more)


def world(slots: list[Slot] | None = None, **more: Any) -> Known:
    values: dict[str, Any] = {"leave": {}, "members": {}, "chains": {}, "calendars": {}, **more}
    return Known(SINCE, UNTIL + 30 * HOUR, slots={1: slots or []}, **values)


def told(found: tuple[Stretch, ...]) -> list[tuple[int, str]]:
    """(minutes from the beginning, what holds from then on)."""
    return [
        ((one.starts_at - SINCE) // MINUTE, one.verdict.lack.value if one.verdict.lack else "off" if one.verdict.is_off else "ok")
        for one in found
    ]


def proof(known: Known, reach: dict[int, Reach], asked: Policy, within: int = 30) -> list[tuple[int, str]]:
    return told(Proof(known, reach, within=within * MINUTE).stretches(asked, SINCE, UNTIL))


def test_two_independent_ways_are_enough_and_two_of_a_kind_are_not() -> None:
    asked = policy(Step((person(1),), 300))
    for methods, expected in (
        ((EMAIL, PUSH), "ok"),
        ((EMAIL, SMS), "ok"),
        ((SMS, VOICE), "one_way"),
        ((EMAIL,), "one_way"),
        ((EMAIL, Method(ContactKind.EMAIL, 9, is_verified=True)), "one_way"),
        ((EMAIL, Method(ContactKind.PUSH, 9, is_verified=True, is_failing=True)), "one_way"),
        ((Method(ContactKind.EMAIL, None, is_verified=False),), "no_contact"),
        ((), "no_contact"),
    ):
        assert proof(world(), {1: Reach(methods)}, asked) == [(0, expected)]


def test_a_gap_is_missed_by_nobody_who_comes_within_the_time() -> None:
    slots = [
        Slot(1, SINCE - HOUR, SINCE + 2 * HOUR, 1),
        Slot(1, SINCE + 2 * HOUR, SINCE + 4 * HOUR, None, Why.GAP),
        Slot(1, SINCE + 4 * HOUR, UNTIL + HOUR, 1),
    ]
    reach = {1: Reach((EMAIL, PUSH))}
    asked = policy(Step((rota(),), 600), repeat=3)
    # the round that reached nobody lasts ten minutes; the next ones meet who comes on call meanwhile
    assert proof(world(slots), reach, asked) == [(0, "ok"), (120, "nobody"), (210, "ok")]
    assert proof(world(slots), reach, policy(Step((rota(),), 600), repeat=0)) == [(0, "ok"), (120, "nobody"), (240, "ok")]


def test_outside_support_hours_nobody_is_meant_unless_somebody_is_missing() -> None:
    slots = [Slot(1, SINCE - HOUR, SINCE + HOUR, 1), Slot(1, SINCE + HOUR, UNTIL + HOUR, None, Why.OFF_HOURS)]
    reach = {1: Reach((EMAIL, PUSH))}
    asked = policy(Step((rota(),), 600), repeat=0)
    assert proof(world(slots), reach, asked) == [(0, "ok"), (60, "off")]
    with_lead = policy(*asked.steps, Step((Target(TargetKind.LEAD, 7),), 600), repeat=0)
    assert proof(world(slots, chains={7: [2]}, leave={2: [(SINCE, UNTIL + HOUR)]}), reach, with_lead)[1] == (60, "nobody")
    ((_, fine), (_, lacking)) = [
        (one.starts_at, one.verdict) for one in Proof(world(slots), reach, within=30 * MINUTE).stretches(with_lead, SINCE, UNTIL)
    ]
    assert fine == FINE
    assert [one.absent for one in lacking.missing] == [Absent.OFF_HOURS, Absent.NO_LEAD]


def test_quiet_hours_make_it_late_and_only_what_is_not_urgent() -> None:
    reach = {1: Reach((EMAIL, PUSH), quiet=Quiet(22 * 60, 6 * 60), zone="UTC")}
    asked = policy(Step((person(1),), 600), repeat=0, starts=(3,))
    assert proof(world(), reach, asked) == [(0, "ok"), (240, "late"), (690, "ok"), (1680, "late")]
    assert proof(world(), reach, policy(*asked.steps, repeat=0, starts=(1,))) == [(0, "ok")]


def test_what_starts_for_no_priority_and_what_only_rooms_hear() -> None:
    assert proof(world(), {}, policy(Step((person(1),), 600), starts=())) == [(0, "never_starts")]
    assert proof(world(), {}, policy(Step((Target(TargetKind.ROOM, 5),), 600))) == [(0, "no_person")]
    other = policy(Step((person(1),), 600, priorities=(2,)), starts=(1, 2))
    assert proof(world(), {1: Reach((EMAIL, PUSH))}, other) == [(0, "nobody"), (0, "ok")]
    assert alike(policy(Step((person(1),), 600), starts=(1, 2, 3), urgent=(1, 2))) == [(1, 2), (3,)]


# against a model that looks at every minute


def model(known: Known, reach: dict[int, Reach], asked: Policy, priority: int, at: datetime, within: timedelta) -> Verdict:
    """What a run begun at an instant comes to, by letting it run."""
    moments = [
        one
        for one in walk(asked, priority=priority, at=at, world=known, reach=reach, rooms={}, until=at + within)
        if one.what is What.STEP
    ]
    calls = [call for one in moments for call in one.calls]
    best = {}
    for one in {call.called.person for call in calls if call.called.person is not None}:
        good = {m.contact: m.kind for m in reach.get(one, Reach()).methods if m.is_verified and not m.is_failing}
        ways = [way for call in calls if call.called.person == one for way in call.planned]
        ways = [way for way in ways if way.contact in good and way.channel is not ContactKind.DESK]
        kinds = {False: {w.channel for w in ways}, True: {w.channel for w in ways if w.due_at <= at + within}}
        best[one] = tuple(
            len({"telephone" if kind in (ContactKind.SMS, ContactKind.VOICE) else kind for kind in kinds[in_time]})
            for in_time in (True, False)
        )
    if any(in_time > 1 for in_time, _ in best.values()):
        return FINE
    if best:
        most = max(ever for _, ever in best.values())
        return Verdict(Lack.LATE if most > 1 else Lack.ONE_WAY if most else Lack.NO_CONTACT)
    if calls:
        return Verdict(Lack.NO_PERSON)
    tried = [one.taken for one in moments if one.taken is not None and one.taken.empty is not Empty.PRIORITY]
    absent = [
        known.why_not(target, one.at)
        for one in moments
        if one.taken is not None and one.taken.empty is Empty.NOBODY
        for target in asked.steps[one.taken.position].targets
    ]
    return Verdict(is_off=True) if tried and all(one in MEANT for one in absent) else Verdict(Lack.NOBODY)


def drawn(chance: random.Random) -> tuple[Known, dict[int, Reach], Policy]:
    """A world, its people and a policy, changing at any minute."""
    minutes = lambda low, high: timedelta(minutes=chance.randint(low, high))  # noqa: E731

    def slots(level: int) -> Iterator[Slot]:
        at = SINCE - HOUR
        while at < UNTIL + 30 * HOUR:
            end = at + minutes(20, 900)
            why = chance.choice([None, None, None, Why.GAP, Why.OFF_HOURS, Why.NOBODY, Why.ON_LEAVE])
            yield Slot(level, at, end, None if why else chance.randint(1, 4), why)
            at = end

    leave = {}
    for one in range(1, 5):
        start = SINCE + minutes(-600, 1800)
        leave[one] = [(start, start + minutes(10, 900))]
    methods = [EMAIL, PUSH, SMS, VOICE]
    reach = {}
    for one in range(1, 5):
        held = chance.sample(methods, chance.randint(0, 3))
        rules = tuple(
            Rule(chance.choice(list(Urgency)), method.contact, chance.choice([0, 60, 900, 2400]))
            for method in chance.sample(held, chance.randint(0, len(held)))
        )
        quiet = Quiet(chance.randint(0, 1439), chance.randint(0, 1439)) if chance.random() < 0.6 else None
        reach[one] = Reach(tuple(held), rules, quiet, chance.choice(["UTC", "Europe/Paris", "Asia/Kathmandu"]))
    days = Definition(week=tuple(((chance.randint(0, 600), chance.randint(700, 1440)),) for _ in range(7)))
    calendars = {9: Calendar("Europe/Paris", (Version(1, date(2000, 1, 1), days),))}
    known = Known(
        SINCE - HOUR,
        UNTIL + 30 * HOUR,
        slots={1: [*slots(1), *slots(2)]},
        leave=leave,
        members={5: [1, 3]},
        chains={5: [2, 4]},
        calendars=calendars,
    )
    targets = [rota(), rota(2), rota(3), person(1), person(3), Target(TargetKind.TEAM, 5)]
    targets += [Target(TargetKind.LEAD, 5), Target(TargetKind.MANAGER, 5, 1), Target(TargetKind.ROOM, 7)]
    steps = tuple(
        Step(
            tuple(chance.sample(targets, chance.choice([1, 1, 2]))),
            chance.choice([30, 60, 300, 660, 1500]),
            chance.choice([(), (), (1,), (2,)]),
            chance.choice([None, None, During(9, True), During(9, False)]),
        )
        for _ in range(chance.randint(1, 4))
    )
    return known, reach, Policy(steps, repeat=chance.randint(0, 2), starts=(1, 2), urgent=chance.choice([(1,), (1, 2), ()]))


@pytest.mark.parametrize("seed", range(6))
def test_it_says_at_every_minute_what_a_run_comes_to(seed: int) -> None:
    known, reach, asked = drawn(random.Random(seed))
    within = 30 * MINUTE
    found = Proof(known, reach, within=within).stretches(asked, SINCE, UNTIL)
    for priorities in alike(asked):
        mine = [one for one in found if one.priorities == priorities]
        assert (mine[0].starts_at, mine[-1].ends_at) == (SINCE, UNTIL)
        at, place = SINCE, 0
        while at < UNTIL:
            while mine[place].ends_at <= at:
                place += 1
            expected = model(known, reach, asked, priorities[0], at, within)
            said = mine[place].verdict
            assert (said.lack, said.is_off) == (expected.lack, expected.is_off), at
            at += MINUTE
