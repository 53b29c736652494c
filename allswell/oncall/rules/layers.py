"""Layers: an order of people who take turns, and the hours of the week in which the layer holds.

Handoffs by days and weeks come at the same time on the wall, whatever the clocks of the place do; by hours they count elapsed hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from allswell.calendars.rules import Calendar, Hours, Version, at_local, local_time, open_spans, zone_named
from allswell.calendars.rules import Definition as Week

Span = tuple[datetime, datetime]

_LONG_AGO = date(1970, 1, 1)


class Unit(StrEnum):
    """What the length of a turn is counted in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class OnLeave(StrEnum):
    """What becomes of the turn of somebody on leave: the next in the order takes it, or it stays open."""

    NEXT = "next"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Layer:
    """People in order, each for `every` units; `people` may name somebody more than once.

    Level 1 is called first, 2 is its backup. Within a level the greater rank wins where several layers hold. The first handoff is a
    time on the wall of `zone` ("" is the rota's). `week` are the hours of seven weekdays, () is always; `begins_at` and `ends_at`
    bound the layer. `key` is the same in every version of the rota.
    """

    key: int
    name: str
    people: tuple[int, ...]
    first_on: date
    first_minute: int = 540
    every: int = 1
    unit: Unit = Unit.WEEK
    level: int = 1
    rank: int = 0
    zone: str = ""
    week: tuple[Hours, ...] = ()
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    on_leave: OnLeave = OnLeave.NEXT


@dataclass(frozen=True, slots=True)
class Turn:
    """From one handoff to the next; `number` counts from the first handoff, 0."""

    number: int
    starts_at: datetime
    ends_at: datetime


def handoff(layer: Layer, zone: str, number: int) -> datetime:
    """The instant at which a turn begins: its time on the wall, or the end of the gap that leaves it out."""
    if layer.unit is Unit.HOUR:
        return at_local(zone, layer.first_on, layer.first_minute) + timedelta(hours=layer.every * number)
    return at_local(zone, layer.first_on + timedelta(days=_days(layer) * number), layer.first_minute)


def _days(layer: Layer) -> int:
    return layer.every * (7 if layer.unit is Unit.WEEK else 1)


def turn_at(layer: Layer, zone: str, at: datetime) -> int | None:
    """The number of the turn that holds at an instant, found without walking there; None before the first handoff."""
    first = handoff(layer, zone, 0)
    if at < first:
        return None
    if layer.unit is Unit.HOUR:
        return (at - first) // timedelta(hours=layer.every)
    shown = local_time(zone_named(zone), at).date()
    number = max(0, (shown - layer.first_on).days // _days(layer) - 1)
    while handoff(layer, zone, number) > at:
        number -= 1
    while handoff(layer, zone, number + 1) <= at:
        number += 1
    return number


def turns(layer: Layer, zone: str, since: datetime, until: datetime) -> Iterator[Turn]:
    """The turns that touch a time, whole, in order. Before the first handoff there is none."""
    number = turn_at(layer, zone, since)
    if number is None:
        number = 0
    starts_at = handoff(layer, zone, number)
    while starts_at < until:
        ends_at = handoff(layer, zone, number + 1)
        if ends_at > starts_at:  # a place may leave out a whole day
            yield Turn(number, starts_at, ends_at)
        number, starts_at = number + 1, ends_at


def whose(layer: Layer, number: int) -> int:
    """The person whose turn it is."""
    return layer.people[number % len(layer.people)]


def starting_now(layer: Layer, zone: str, at: datetime) -> Layer:
    """The same turns, counted from the one that holds at `at`: what is then put at the end of the order comes last.

    Unchanged before the first handoff and for turns by the hour, whose count would drift.
    """
    number = turn_at(layer, zone, at)
    if not number or layer.unit is Unit.HOUR or not layer.people:
        return layer
    place = number % len(layer.people)
    first_on = layer.first_on + timedelta(days=_days(layer) * number)
    return replace(layer, first_on=first_on, people=layer.people[place:] + layer.people[:place])


@lru_cache(maxsize=512)
def _hours(zone: str, week: tuple[Hours, ...]) -> Calendar:
    return Calendar(zone, (Version(1, _LONG_AGO, Week(week)),))


def windows(layer: Layer, zone: str, since: datetime, until: datetime) -> list[Span]:
    """When the layer holds: within its bounds, in its hours of the week."""
    since = max(since, layer.begins_at) if layer.begins_at else since
    until = min(until, layer.ends_at) if layer.ends_at else until
    if until <= since:
        return []
    return open_spans(_hours(zone, layer.week), since, until) if layer.week else [(since, until)]
