"""What an edit moves, whether it is fair, what is too much; and what a rota may say."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allswell.kernel.errors import Invalid
from allswell.oncall import rules
from allswell.oncall.rules import Definition, Duty, Layer, Limits, Override, Slot, Trouble, Unit, Version, Why

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ADA, BEN, CLEO = 1, 2, 3
WEEKLY = Definition("UTC", (Layer(1, "Week", (ADA, BEN, CLEO), date(2026, 11, 23), 540),))


def hours(since: float, until: float) -> tuple[datetime, datetime]:
    return MONDAY + since * HOUR, MONDAY + until * HOUR


def version(definition: Definition, number: int = 1, effective_at: datetime = MONDAY) -> Version:
    return Version(number, effective_at, definition)


def told(slots: tuple[Slot, ...]) -> list[str]:
    return [f"{slot.starts_at:%d %H:%M} {slot.person or slot.why}" for slot in slots]


def test_before_the_first_handoff_is_a_gap() -> None:
    slots = rules.resolve([version(WEEKLY)], *hours(0, 24 * 10))
    assert told(slots) == ["23 00:00 gap", "23 09:00 1", "30 09:00 2"]
    assert [slot.is_gap for slot in slots] == [True, False, False]


def test_the_next_in_the_order_takes_the_turn_of_somebody_on_leave_and_that_one_keeps_theirs() -> None:
    slots = rules.resolve([version(WEEKLY)], *hours(9, 24 * 14 + 9), leave={ADA: [hours(33, 57)]})
    assert told(slots) == ["23 09:00 1", "24 09:00 2", "25 09:00 1", "30 09:00 2"]
    assert [slot.stands_for for slot in slots] == [None, ADA, None, None]


def test_with_everybody_on_leave_there_is_a_gap_that_says_so() -> None:
    away = {person: [hours(33, 57)] for person in (ADA, BEN, CLEO)}
    slots = rules.resolve([version(WEEKLY)], *hours(9, 100), leave=away)
    assert told(slots) == ["23 09:00 1", "24 09:00 on_leave", "25 09:00 1"]
    assert slots[1].is_gap
    assert slots[1].stands_for == ADA


def test_a_lower_rank_holds_where_the_higher_has_nobody() -> None:
    days = Layer(2, "Days", (BEN,), date(2026, 11, 23), 0, week=(((540, 1020),),) * 7, rank=5)
    base = Layer(1, "Base", (ADA,), date(2026, 11, 23), 0)
    slots = rules.resolve([version(Definition("UTC", (base, days)))], *hours(0, 24))
    assert told(slots) == ["23 00:00 1", "23 09:00 2", "23 17:00 1"]


def test_a_newer_version_holds_from_its_instant_on_and_an_older_one_planned_later_never_comes() -> None:
    only_ben, only_cleo = (Definition("UTC", (replace(WEEKLY.layers[0], people=(one,)),)) for one in (BEN, CLEO))
    versions = [version(WEEKLY), version(only_ben, 2, MONDAY + 50 * HOUR), version(only_cleo, 3, MONDAY + 40 * HOUR)]
    assert told(rules.resolve(versions, *hours(9, 100))) == ["23 09:00 1", "24 16:00 3"]


def test_an_override_instead_of_somebody_holds_only_where_they_would_be() -> None:
    overrides = [Override(1, 1, *hours(24 * 6, 24 * 8), CLEO, instead_of=ADA)]
    slots = rules.resolve([version(WEEKLY)], *hours(9, 24 * 9), overrides=overrides)
    assert told(slots) == ["23 09:00 1", "29 00:00 3", "30 09:00 2"]
    assert (slots[1].stands_for, slots[1].override) == (ADA, 1)


def test_nobody_on_purpose_is_no_gap() -> None:
    slots = rules.resolve([version(WEEKLY)], *hours(9, 33), overrides=[Override(1, 1, *hours(12, 13), None)])
    assert [(slot.why, slot.is_gap) for slot in slots] == [(None, False), (Why.NOBODY, False), (None, False)]


def test_what_moves_is_told_with_from_whom_to_whom() -> None:
    before = rules.resolve([version(WEEKLY)], *hours(9, 24 * 14))
    after = rules.resolve([version(WEEKLY)], *hours(9, 24 * 14), overrides=[Override(1, 1, *hours(24, 48), CLEO)])
    moves = rules.difference(before, after)
    assert [(moved.starts_at, moved.ends_at, moved.before, moved.after) for moved in moves] == [(*hours(24, 48), ADA, CLEO)]
    changes = rules.by_person(moves)
    assert {person: (change.gains, change.loses) for person, change in changes.items()} == {
        ADA: (timedelta(), 24 * HOUR),
        CLEO: (24 * HOUR, timedelta()),
    }


def test_a_gap_that_an_edit_opens_outside_all_shifts_is_told_too() -> None:
    before = (Slot(1, *hours(0, 10), why=Why.OFF_HOURS),)
    after = (Slot(1, *hours(0, 4), why=Why.OFF_HOURS), Slot(1, *hours(4, 10), why=Why.GAP))
    assert [(moved.starts_at, moved.why) for moved in rules.difference(before, after)] == [(MONDAY + 4 * HOUR, Why.GAP)]


@st.composite
def plans(draw: st.DrawFn) -> tuple[Slot, ...]:
    points = sorted(draw(st.sets(st.integers(1, 47), max_size=6)) | {0, 48})
    return tuple(
        Slot(1, *hours(since, until), person=person, why=None if person else Why.GAP)
        for since, until in itertools.pairwise(points)
        for person in [draw(st.sampled_from([None, ADA, BEN]))]
    )


@settings(max_examples=60, deadline=None)
@given(plans(), plans())
def test_what_moves_is_what_differs_hour_by_hour(before: tuple[Slot, ...], after: tuple[Slot, ...]) -> None:
    def held(plan: tuple[Slot, ...], hour: int) -> int | None:
        at = MONDAY + hour * HOUR
        return next(slot.person for slot in plan if slot.starts_at <= at < slot.ends_at)

    moves = rules.difference(before, after)
    for hour in range(48):
        at = MONDAY + hour * HOUR
        found = [(moved.before, moved.after) for moved in moves if moved.starts_at <= at < moved.ends_at]
        was, will = held(before, hour), held(after, hour)
        assert found == ([] if was == will else [(was, will)])
    assert rules.difference(before, before) == ()


def test_an_order_begun_anew_keeps_whose_turn_it_is() -> None:
    layer = WEEKLY.layers[0]
    at = MONDAY + 24 * 10 * HOUR
    begun = rules.starting_now(layer, "UTC", at)
    assert (begun.people, begun.first_on) == ((BEN, CLEO, ADA), date(2026, 11, 30))
    span = (at, at + 1000 * HOUR)
    before, after = (rules.resolve([version(Definition("UTC", (one,)))], *span) for one in (layer, begun))
    assert before == after


# fairness


def test_nights_weekends_and_holidays_count_on_the_wall_of_the_person() -> None:
    duties = [Duty(1, 1, ADA, MONDAY + 20 * HOUR, MONDAY + 32 * HOUR), Duty(1, 1, BEN, *hours(24 * 5 - 2, 24 * 5 + 2))]
    free = {"UTC": [date(2026, 11, 24)], "Asia/Tokyo": [date(2026, 11, 27)]}
    found = rules.fairness(duties, [ADA, BEN, CLEO], zones={BEN: "Asia/Tokyo"}, zone="UTC", holidays=free)
    loads = {load.person: load for load in found.loads}
    assert (loads[ADA].total, loads[ADA].nights, loads[ADA].holidays) == (12 * HOUR, 8 * HOUR, 8 * HOUR)
    assert loads[BEN].holidays == timedelta()  # it is Saturday already where Ben lives
    assert (loads[BEN].weekends, loads[BEN].nights) == (4 * HOUR, timedelta())  # 07:00 to 11:00 on a Saturday
    assert (loads[CLEO].total, loads[CLEO].shifts) == (timedelta(), 0)
    assert found.mean == 16 * HOUR / 3
    assert [load.person for load in found.loads] == [ADA, BEN, CLEO]
    assert found.share(loads[ADA]) == pytest.approx(2.25)


def test_a_night_in_which_the_clocks_go_back_is_an_hour_longer() -> None:
    duty = Duty(1, 1, ADA, datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC))
    (load,) = rules.fairness([duty], [], zones={}, zone="Europe/Zurich").loads
    assert load.nights == 9 * HOUR


# what is too much


def warned(duties: list[Duty], **more: Any) -> list[tuple[Trouble, int, timedelta, int]]:
    limits = {1: Limits(11 * HOUR, 48 * HOUR), 2: Limits(11 * HOUR)}
    return [(one.trouble, one.person, one.worst, one.times) for one in rules.cautions(duties, limits=limits, **more)]


def test_rest_counts_over_all_rotas_and_duties_that_touch_are_one() -> None:
    duties = [Duty(1, 1, ADA, *hours(0, 8)), Duty(2, 1, ADA, *hours(8, 10)), Duty(2, 1, ADA, *hours(20, 22))]
    assert warned(duties) == [(Trouble.SHORT_REST, ADA, 10 * HOUR, 1)]
    assert warned([Duty(1, 1, ADA, *hours(0, 8)), Duty(1, 1, ADA, *hours(19, 20))]) == []


def test_what_comes_again_and_again_is_said_once_with_the_worst() -> None:
    duties = [Duty(1, 1, ADA, *hours(24 * day, 24 * day + 15 + day)) for day in range(3)]
    assert warned(duties) == [(Trouble.SHORT_REST, ADA, 8 * HOUR, 2)]


def test_too_many_hours_in_any_seven_days() -> None:
    duties = [Duty(1, 1, ADA, *hours(24 * 4, 24 * 5)), Duty(1, 1, ADA, *hours(24 * 9, 24 * 10 + 1))]
    assert warned(duties) == [(Trouble.LONG_WEEK, ADA, 49 * HOUR, 1)]
    assert warned([Duty(1, 1, ADA, *hours(0, 24)), Duty(1, 1, ADA, *hours(24 * 7, 24 * 8 + 2))]) == []


def test_the_same_person_twice_is_no_backup() -> None:
    assert warned([Duty(1, 1, ADA, *hours(0, 8)), Duty(1, 2, ADA, *hours(6, 10))]) == [(Trouble.TWICE, ADA, 2 * HOUR, 1)]
    assert warned([Duty(1, 1, ADA, *hours(0, 8)), Duty(2, 2, ADA, *hours(6, 8))]) == []


def test_on_call_while_on_leave() -> None:
    found = warned([Duty(1, 1, ADA, *hours(0, 8))], leave={ADA: [hours(6, 30)], BEN: [hours(0, 9)]})
    assert found == [(Trouble.ON_LEAVE, ADA, 2 * HOUR, 1)]


# what a rota may say


def said(**more: Any) -> dict[str, Any]:
    layer = {"name": "Week", "people": [1, 2], "first_on": "2026-11-23", "first_time": "09:00", **more}
    return {"zone": "Europe/Zurich", "layers": [layer]}


def test_it_is_kept_as_it_was_said() -> None:
    raw = said(
        week=[["08:00-12:00"], [], [], [], [], [], ["00:00-24:00"]], unit="day", every=2, begins_at="2026-12-01T00:00:00+01:00"
    )
    kept = Definition.parse(raw)
    assert Definition.parse(kept.as_json()) == kept
    assert (kept.layers[0].key, kept.layers[0].unit, kept.levels, kept.people) == (1, Unit.DAY, 1, {1, 2})


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], "layers"),
        ({"zone": "Mars/Base", "layers": []}, "zone"),
        ({**said(), "minimum_rest": 0}, "minimum_rest"),
        ({**said(), "calendar": "x"}, "calendar"),
        ({"zone": "UTC", "layers": [said()["layers"][0] | {"key": 1}] * 2}, "layers"),
        ({"zone": "UTC", "layers": [{}] * 21}, "layers"),
        (said(people=[]), "layers.0.people"),
        (said(people=[True]), "layers.0.people"),
        (said(people=[1] * 51), "layers.0.people"),
        (said(name=""), "layers.0.name"),
        (said(name=None), "layers.0.name"),
        (said(first_on="2026-13-01"), "layers.0.first_on"),
        (said(first_on="1800-01-01"), "layers.0.first_on"),
        (said(first_time="25:00"), "layers.0.first_time"),
        (said(first_time="24:00"), "layers.0.first_on"),
        (said(every=0), "layers.0.every"),
        (said(every=53), "layers.0.every"),
        (said(unit="month"), "layers.0.unit"),
        (said(unit=["week"]), "layers.0.unit"),
        (said(level=6), "layers.0.level"),
        (said(rank=-1), "layers.0.rank"),
        (said(zone="Nowhere"), "layers.0.zone"),
        (said(week=[[]] * 6), "layers.0.week"),
        (said(week=[[]] * 7), "layers.0.week"),
        (said(week=[["9-10"], [], [], [], [], [], []]), "layers.0.week.monday"),
        (said(begins_at="tomorrow"), "layers.0.begins_at"),
        (said(begins_at="2026-11-23T00:00:00Z", ends_at="2026-11-23T00:00:00Z"), "layers.0.ends_at"),
        (said(on_leave="skip"), "layers.0.on_leave"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(raw: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Definition.parse(raw)
    assert refused.value.field == field
