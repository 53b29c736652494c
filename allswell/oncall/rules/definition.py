"""What a version of a rota says, checked and as it is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from allswell.calendars.rules import WEEKDAYS, Hours, clock_time, hours_as_json, minute_of, parse_hours, zone_named
from allswell.kernel import text
from allswell.kernel.errors import Invalid

from .handing import WITHIN
from .layers import Layer, OnLeave, Unit

E = TypeVar("E", bound=StrEnum)

MOST_LAYERS, MOST_LEVELS, MOST_PEOPLE, MOST_RANK = 20, 5, 50, 99
#: the longest turn in each unit: a year
LONGEST = {Unit.HOUR: 8784, Unit.DAY: 366, Unit.WEEK: 52}
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2150, 1, 1)
#: eleven hours, what most laws of work ask for
REST = 660
_WEEK_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Handing:
    """Whether shifts are handed over: accepted `within` minutes, or it escalates; `holds`: nobody goes before that."""

    wanted: bool = False
    within: int = 30
    holds: bool = False

    @property
    def length(self) -> timedelta:
        """How long somebody has to take the shift, from its beginning on."""
        return timedelta(minutes=self.within)

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"wanted": self.wanted, "within": self.within, "holds": self.holds}

    @classmethod
    def parse(cls, raw: Any) -> Handing:
        """From JSON; what is not said is as usual. Raises Invalid."""
        if raw is None:
            return cls()
        if not isinstance(raw, dict) or not all(type(raw.get(name, False)) is bool for name in ("wanted", "holds")):
            raise Invalid(
                "A handover says whether it is wanted, within how many minutes, and whether it holds.", field="handover"
            )
        within = _number(raw.get("within", 30), "handover.within")
        return cls(raw.get("wanted", False), within or 0, raw.get("holds", False))


@dataclass(frozen=True, slots=True)
class Definition:
    """A rota: its layers, the calendar of its support hours (None: around the clock is wanted), and what it warns of.

    `minimum_rest` and `maximum_week` are minutes; None warns of nothing.
    """

    zone: str
    layers: tuple[Layer, ...]
    calendar: int | None = None
    minimum_rest: int | None = REST
    maximum_week: int | None = None
    handover: Handing = Handing()

    @property
    def levels(self) -> int:
        """How many levels there are; those between are there even when no layer has them."""
        return max((layer.level for layer in self.layers), default=1)

    @property
    def people(self) -> frozenset[int]:
        """Everybody named in a layer."""
        return frozenset(person for layer in self.layers for person in layer.people)

    def zone_of(self, layer: Layer) -> str:
        """The zone of a layer's handoffs and hours."""
        return layer.zone or self.zone

    def checked(self) -> Definition:
        """The same when every rule holds. Raises Invalid with the field that is wrong ("layers.2.people")."""
        zone_named(self.zone)
        if len(self.layers) > MOST_LAYERS:
            raise Invalid("Use at most %(limit)s layers.", field="layers", limit=MOST_LAYERS)
        if len({layer.key for layer in self.layers}) != len(self.layers):
            raise Invalid("Two layers have the same key.", field="layers")
        for place, layer in enumerate(self.layers):
            _check(layer, f"layers.{place}.")
        for minutes, name in ((self.minimum_rest, "minimum_rest"), (self.maximum_week, "maximum_week")):
            if minutes is not None and not 0 < minutes <= _WEEK_MINUTES:
                raise Invalid("Use a time of up to a week, or none.", field=name)
        least, most = WITHIN
        if not least <= self.handover.within <= most:
            raise Invalid("Use between %(least)s and %(most)s minutes.", field="handover.within", least=least, most=most)
        return self

    def as_json(self) -> dict[str, Any]:
        """As it is stored and as the API shows it."""
        return {
            "zone": self.zone,
            "calendar": self.calendar,
            "minimum_rest": self.minimum_rest,
            "maximum_week": self.maximum_week,
            "handover": self.handover.as_json(),
            "layers": [_layer_as_json(layer) for layer in self.layers],
        }

    @classmethod
    def parse(cls, raw: Any) -> Definition:
        """From JSON as `as_json` gives it; a layer without a key gets the next free one. Raises Invalid."""
        if not isinstance(raw, dict) or not isinstance(raw.get("zone"), str) or not isinstance(raw.get("layers"), list):
            raise Invalid("A rota has a zone and layers.", field="layers")
        if len(raw["layers"]) > MOST_LAYERS:
            raise Invalid("Use at most %(limit)s layers.", field="layers", limit=MOST_LAYERS)
        layers = [_layer_from_json(layer, f"layers.{place}.") for place, layer in enumerate(raw["layers"])]
        return cls(
            zone=raw["zone"],
            layers=with_keys(layers),
            calendar=_number(raw.get("calendar"), "calendar"),
            minimum_rest=_number(raw.get("minimum_rest", REST), "minimum_rest"),
            maximum_week=_number(raw.get("maximum_week"), "maximum_week"),
            handover=Handing.parse(raw.get("handover")),
        ).checked()


def with_keys(layers: Iterable[Layer], *, after: int = 0) -> tuple[Layer, ...]:
    """The layers, those with the key 0 given the next free ones, greater than any used `after`."""
    found = list(layers)
    following = max([after, *(layer.key for layer in found)]) + 1
    kept = []
    for layer in found:
        kept.append(layer if layer.key else replace(layer, key=following))
        following += not layer.key
    return tuple(kept)


def _check(layer: Layer, at: str) -> None:
    text.line(layer.name, field=f"{at}name", limit=80)
    if layer.zone:
        _check_zone(layer.zone, f"{at}zone")
    if not layer.people:
        raise Invalid("Name who takes turns.", field=f"{at}people")
    if len(layer.people) > MOST_PEOPLE:
        raise Invalid("Use at most %(limit)s people.", field=f"{at}people", limit=MOST_PEOPLE)
    if not 1 <= layer.level <= MOST_LEVELS:
        raise Invalid("Levels go from 1 to %(limit)s.", field=f"{at}level", limit=MOST_LEVELS)
    if not 0 <= layer.rank <= MOST_RANK:
        raise Invalid("Ranks go from 0 to %(limit)s.", field=f"{at}rank", limit=MOST_RANK)
    if not 1 <= layer.every <= LONGEST[layer.unit]:
        raise Invalid("A turn is between one and %(limit)s of this unit.", field=f"{at}every", limit=LONGEST[layer.unit])
    if not FIRST_DAY <= layer.first_on < LAST_DAY or not 0 <= layer.first_minute < 1440:
        raise Invalid("This is no day and time for a handoff.", field=f"{at}first_on")
    if layer.week and (len(layer.week) != 7 or not any(layer.week)):
        raise Invalid("Say hours on at least one day, or none at all for always.", field=f"{at}week")
    if layer.begins_at and layer.ends_at and layer.ends_at <= layer.begins_at:
        raise Invalid("This ends before it begins.", field=f"{at}ends_at")


def _check_zone(name: str, field: str) -> None:
    try:
        zone_named(name)
    except Invalid as error:
        raise Invalid(error.template, field=field, **error.params) from error


def _layer_as_json(layer: Layer) -> dict[str, Any]:
    return {
        "key": layer.key,
        "name": layer.name,
        "level": layer.level,
        "rank": layer.rank,
        "zone": layer.zone,
        "people": list(layer.people),
        "every": layer.every,
        "unit": layer.unit.value,
        "first_on": layer.first_on.isoformat(),
        "first_time": clock_time(layer.first_minute),
        "week": [hours_as_json(hours) for hours in layer.week],
        "begins_at": layer.begins_at.isoformat() if layer.begins_at else None,
        "ends_at": layer.ends_at.isoformat() if layer.ends_at else None,
        "on_leave": layer.on_leave.value,
    }


def _layer_from_json(raw: Any, at: str) -> Layer:
    if not isinstance(raw, dict):
        raise Invalid("A layer has a name, people and a first handoff.", field=at.rstrip("."))
    people = raw.get("people")
    if not isinstance(people, list) or not all(type(person) is int and 0 < person < 2**63 for person in people):
        raise Invalid("The people of a layer are a list of their numbers.", field=f"{at}people")
    return Layer(
        key=_number(raw.get("key"), f"{at}key") or 0,
        name=text.line(_text(raw, "name", at), field=f"{at}name", limit=80),
        people=tuple(people),
        first_on=_day(_text(raw, "first_on", at), f"{at}first_on"),
        first_minute=minute_of(_text(raw, "first_time", at, "09:00"), field=f"{at}first_time"),
        every=_number(raw.get("every", 1), f"{at}every") or 0,
        unit=_choice(Unit, raw.get("unit", "week"), f"{at}unit"),
        level=_number(raw.get("level", 1), f"{at}level") or 0,
        rank=_number(raw.get("rank", 0), f"{at}rank") or 0,
        zone=_text(raw, "zone", at, ""),
        week=_week(raw.get("week") or [], at),
        begins_at=_instant(raw.get("begins_at"), f"{at}begins_at"),
        ends_at=_instant(raw.get("ends_at"), f"{at}ends_at"),
        on_leave=_choice(OnLeave, raw.get("on_leave", "next"), f"{at}on_leave"),
    )


def _text(raw: dict[str, Any], name: str, at: str, default: str | None = None) -> str:
    value = raw.get(name, default)
    if not isinstance(value, str):
        raise Invalid("This is needed.", field=f"{at}{name}")
    return value


def _number(value: Any, field: str) -> int | None:
    if value is None or (type(value) is int and 0 <= value < 2**31):
        return value
    raise Invalid("This is not a whole number.", field=field)


def _choice(kind: type[E], value: Any, field: str) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise Invalid("Choose one of the list.", field=field) from error


def _day(said: str, field: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise Invalid("%(date)s is no date. Write dates as 2026-12-25.", field=field, date=said[:20] or "-") from error


def _instant(value: Any, field: str) -> datetime | None:
    if value in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None and FIRST_DAY.year < found.year < LAST_DAY.year:
            return found.astimezone(UTC)
    except (ValueError, TypeError):
        pass
    raise Invalid("This is no instant. Write instants as 2026-12-24T08:00:00+01:00.", field=field)


def _week(raw: Any, at: str) -> tuple[Hours, ...]:
    if not isinstance(raw, list) or len(raw) not in (0, 7):
        raise Invalid("A week has seven days, Monday first.", field=f"{at}week")
    found = []
    for name, day in zip(WEEKDAYS, raw, strict=False):
        if not isinstance(day, list) or not all(isinstance(period, str) for period in day):
            raise Invalid('The hours of a day are a list of periods such as "08:30-12:00".', field=f"{at}week.{name}")
        found.append(parse_hours(",".join(day), field=f"{at}week.{name}"))
    return tuple(found)


#: how far a plan may be asked for
FARTHEST = timedelta(days=2 * 366)
