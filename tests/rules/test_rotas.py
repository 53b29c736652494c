"""Rotas against a model so slow that it must be right: it looks at the clocks of the places every minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allswell.calendars.rules import Calendar, zone_named
from allswell.calendars.rules import Definition as Week
from allswell.calendars.rules import Version as WeekVersion
from allswell.oncall import rules
from allswell.oncall.rules import Definition, Layer, OnLeave, Override, Slot, Unit, Version, Why

from .test_calendars import CHANGES, MINUTE, hours_strategy

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)

Shown = Callable[[str], list[datetime]]


class Model:
    """The minutes of a few days, and for each zone the latest that its clocks have shown yet."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since, self.minutes = since, [since + n * MINUTE for n in range((until - since) // MINUTE)]
        self.shown = lru_cache(self._shown)

    def _shown(self, zone: str) -> list[datetime]:
        place, latest, found = ZoneInfo(zone), datetime.min, []
        minute = self.since - 3 * DAY
        while len(found) < len(self.minutes):
            latest = max(latest, minute.astimezone(place).replace(tzinfo=None))
            if minute >= self.since:
                found.append(latest)
            minute += MINUTE
        return found

    def turn(self, layer: Layer, zone: str, n: int) -> int | None:
        """How many handoffs have come by the minute: each comes when the clock first shows its time or more."""
        first = datetime.combine(layer.first_on, datetime.min.time()) + layer.first_minute * MINUTE
        if layer.unit is Unit.HOUR:
            began = first.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
            if began.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != first:
                began += HOUR  # only asked for where the gap is an hour
            return (self.minutes[n] - began) // (layer.every * HOUR) if self.minutes[n] >= began else None
        passed = self.shown(zone)[n] - first
        step = layer.every * (7 * DAY if layer.unit is Unit.WEEK else DAY)
        return passed // step if passed >= timedelta(0) else None

    def of_layer(self, layer: Layer, zone: str, n: int, leave: rules.Leave) -> tuple[int | None, bool]:
        """Who a layer has in a minute, and whether it holds at all."""
        minute, shown = self.minutes[n], self.shown(zone)[n]
        inside = (layer.begins_at is None or layer.begins_at <= minute) and (layer.ends_at is None or minute < layer.ends_at)
        since_midnight = shown.hour * 60 + shown.minute
        hours = layer.week[shown.weekday()] if layer.week else ((0, 1440),)
        number = self.turn(layer, zone, n)
        if number is None or not inside or not any(start <= since_midnight < end for start, end in hours):
            return None, False
        order = [layer.people[(number + k) % len(layer.people)] for k in range(len(layer.people))]
        for person in order if layer.on_leave is OnLeave.NEXT else order[:1]:
            if not any(start <= minute < end for start, end in leave.get(person, ())):
                return person, True
        return None, True

    def person(
        self,
        definition: Definition,
        level: int,
        n: int,
        leave: rules.Leave,
        overrides: Sequence[Override],
        hours: Calendar | None,
    ) -> tuple[int | None, Why | None]:
        """Who is on call in a minute."""
        why: Why | None = Why.GAP
        person = None
        layers = [layer for layer in definition.layers if layer.level == level]
        for layer in sorted(layers, key=lambda layer: (-layer.rank, layer.key)):
            person, holds = self.of_layer(layer, definition.zone_of(layer), n, leave)
            why = None if person else Why.ON_LEAVE if holds else why
            if person:
                break
        if hours is not None:
            shown = self.shown(hours.zone)[n]
            minute = shown.hour * 60 + shown.minute
            if not any(start <= minute < end for start, end in hours.hours_on(shown.date())):
                person, why = None, Why.OFF_HOURS
        for override in sorted(overrides, key=lambda override: override.key):
            holds = override.level == level and override.starts_at <= self.minutes[n] < override.ends_at
            if holds and override.instead_of in (None, person):
                person, why = override.person, None if override.person else Why.NOBODY
        return person, why


def tiled(slots: Sequence[Slot], since: datetime, until: datetime, levels: int) -> None:
    """Every level is covered from one end to the other, each slot beginning where the one before ends."""
    for level in range(1, levels + 1):
        mine = [slot for slot in slots if slot.level == level]
        assert (mine[0].starts_at, mine[-1].ends_at) == (since, until)
        assert all(one.ends_at == other.starts_at for one, other in pairwise(mine))
        assert all(slot.starts_at < slot.ends_at for slot in mine)
        assert not any(other.continues(one) for one, other in pairwise(mine))


@st.composite
def layers(draw: st.DrawFn, zones: Sequence[str], changed: date, began: datetime) -> tuple[Layer, ...]:
    found = []
    for key in range(1, draw(st.integers(1, 3)) + 1):
        week = draw(st.one_of(st.just(()), st.lists(hours_strategy(), min_size=7, max_size=7).filter(any).map(tuple)))
        bounds = sorted(draw(st.lists(st.integers(0, 5000), min_size=2, max_size=2, unique=True)))
        found.append(
            Layer(
                key=key,
                name="",
                people=tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))),
                first_on=changed - timedelta(days=draw(st.integers(-1, 400))),
                first_minute=draw(st.sampled_from([0, 30, 60, 90, 120, 150, 180, 540, 1380, 1410, 1439])),
                every=draw(st.integers(1, 3)),
                unit=draw(st.sampled_from([Unit.DAY, Unit.WEEK])),
                level=draw(st.integers(1, 2)),
                rank=draw(st.integers(0, 1)),
                zone=draw(st.sampled_from(["", *zones])),
                week=week,
                begins_at=draw(st.sampled_from([None, began + bounds[0] * MINUTE])),
                ends_at=draw(st.sampled_from([None, began + bounds[1] * MINUTE])),
                on_leave=draw(st.sampled_from(OnLeave)),
            )
        )
    return tuple(found)


@st.composite
def spans(draw: st.DrawFn, began: datetime) -> tuple[datetime, datetime]:
    first, last = sorted(draw(st.lists(st.integers(-500, 4000), min_size=2, max_size=2, unique=True)))
    return began + first * MINUTE, began + last * MINUTE


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_who_is_on_call_is_as_in_the_model_that_looks_every_minute(data: st.DataObject) -> None:
    zone, changed = data.draw(st.sampled_from(CHANGES))
    since = datetime.combine(changed, datetime.min.time(), tzinfo=UTC) - data.draw(st.integers(0, 1500)) * MINUTE
    until = since + 2 * DAY
    drawn = data.draw(layers([zone, "Asia/Kolkata"], changed, since))
    week = data.draw(st.one_of(st.none(), st.lists(hours_strategy(), min_size=7, max_size=7).filter(any)))
    hours = Calendar(zone, (WeekVersion(1, date(1970, 1, 1), Week.checked(week)),)) if week else None
    definition = Definition(zone, drawn, calendar=1 if hours else None)
    leave = data.draw(st.dictionaries(st.integers(1, 4), st.lists(spans(since), max_size=2), max_size=3))
    named = st.one_of(st.none(), st.integers(1, 5))
    overrides = [
        Override(key, data.draw(st.integers(1, 2)), *data.draw(spans(since)), data.draw(named), data.draw(named))
        for key in range(1, data.draw(st.integers(0, 3)) + 1)
    ]
    slots = rules.resolve(
        [Version(1, LONG_AGO, definition)], since, until, overrides=overrides, leave=leave, calendars={1: hours} if hours else {}
    )
    tiled(slots, since, until, definition.levels)
    model = Model(since, until)
    for level in range(1, definition.levels + 1):
        mine = iter(slot for slot in slots if slot.level == level)
        slot = next(mine)
        for n, minute in enumerate(model.minutes):
            while slot.ends_at <= minute:
                slot = next(mine)
            said = model.person(definition, level, n, leave, overrides, hours)
            assert (slot.person, slot.why) == said, minute


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_turn_is_found_without_walking_to_it(data: st.DataObject) -> None:
    """As walking there from the first handoff would."""
    zone, changed = data.draw(st.sampled_from(CHANGES))
    layer = Layer(
        key=1,
        name="",
        people=(1,),
        first_on=changed - timedelta(days=data.draw(st.integers(0, 40))),
        first_minute=data.draw(st.integers(0, 1439)),
        every=data.draw(st.integers(1, 3)),
        unit=data.draw(st.sampled_from(Unit)),
    )
    at = datetime.combine(changed, datetime.min.time(), tzinfo=UTC) + data.draw(st.integers(-3000, 3000)) * MINUTE
    number = None
    while rules.handoff(layer, zone, -1 if number is None else number) <= at:
        following = 0 if number is None else number + 1
        if rules.handoff(layer, zone, following) > at:
            break
        number = following
    assert rules.turn_at(layer, zone, at) == number


def test_hours_count_elapsed_hours_over_a_change_of_the_clocks() -> None:
    layer = Layer(1, "", (1, 2), date(2026, 10, 24), 480, every=12, unit=Unit.HOUR)
    found = [turn.starts_at.astimezone(zone_named("Europe/Zurich")).strftime("%d %H:%M") for turn in _some(layer, 4)]
    assert found == ["24 08:00", "24 20:00", "25 07:00", "25 19:00"]


def _some(layer: Layer, count: int) -> list[rules.Turn]:
    began = rules.handoff(layer, "Europe/Zurich", 0)
    return list(rules.turns(layer, "Europe/Zurich", began, began + 30 * DAY))[:count]


ODD_ZONES = {
    "Africa/Cairo": 2023,
    "Asia/Beirut": 2022,
    "America/Havana": 2024,
    "America/Santiago": 2022,
    "America/Nuuk": 2022,
    "America/Scoresbysund": 2023,
    "Atlantic/Azores": 2024,
    "Australia/Lord_Howe": 2024,
    "Antarctica/Troll": 2024,
}
AWKWARD = [0, 30, 120, 1380, 1439]
YEARS = range(3 * 366)


def first_shown(zone: str, local: datetime) -> datetime:
    """The first instant at which the clock of a place shows `local` or more; each of its candidates is tried."""
    place = ZoneInfo(zone)
    guess = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    if guess.astimezone(place).replace(tzinfo=None) == local:
        return guess
    at = guess - 3 * HOUR  # left out: the clock jumps over it
    while at.astimezone(place).replace(tzinfo=None) < local:
        at += MINUTE
    return at


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_over_years_each_handoff_is_at_its_time_on_the_wall(zone: str) -> None:
    """Two layers share the day at an awkward time; together they leave no minute out, and none is held twice."""
    first_on = date(ODD_ZONES[zone], 1, 1)
    for minute in AWKWARD:
        local = datetime.combine(first_on, datetime.min.time()) + minute * MINUTE
        days = [(first_shown(zone, local + n * DAY), first_shown(zone, local + (n + 1) * DAY - minute * MINUTE)) for n in YEARS]
        since, until = days[0][0], days[-1][0]
        late, early = ((minute, 1440),), ((0, minute),) if minute else ()
        shape = {"first_on": first_on, "first_minute": minute, "unit": Unit.DAY}
        lower = [Layer(2, "early", (4, 5), week=(early,) * 7, **shape)] if early else []
        definition = Definition(zone, (Layer(1, "late", (1, 2, 3), week=(late,) * 7, **shape), *lower))
        slots = rules.resolve([Version(1, LONG_AGO, definition)], since, until)
        tiled(slots, since, until, 1)
        assert {slot.why for slot in slots} == {None}
        # where the clocks jump over the rest of the day, nothing of it is left for who would begin then
        wanted = [(at, n % 3 + 1) for n, (at, midnight) in enumerate(days[:-1]) if at < midnight]
        assert [(slot.starts_at, slot.person) for slot in slots if slot.layer == 1] == wanted


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_over_years_weeks_begin_at_their_time_on_the_wall(zone: str) -> None:
    for weekday in (4, 5, 6):
        for minute in AWKWARD:
            first_on = date(ODD_ZONES[zone], 1, 8)
            first_on += timedelta(days=weekday - first_on.weekday())
            local = datetime.combine(first_on, datetime.min.time()) + minute * MINUTE
            weeks = [first_shown(zone, local + n * DAY) for n in YEARS[::7]]
            version = Version(1, LONG_AGO, Definition(zone, (Layer(1, "", (1, 2), first_on, minute),)))
            slots = rules.resolve([version], weeks[0], weeks[-1])
            tiled(slots, weeks[0], weeks[-1], 1)
            assert [slot.starts_at for slot in slots] == weeks[:-1]
