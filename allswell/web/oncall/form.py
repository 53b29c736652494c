"""The form of a rota: what was typed, and what it means. Every layer is a group of plain fields, so that no script is needed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from allswell.calendars.rules import WEEKDAYS, clock_time, show_hours, zone_named
from allswell.kernel.errors import DeskError, Invalid
from allswell.oncall.rules import Definition, Layer
from allswell.web import show
from allswell.web.pages import field_errors

MOST_ROWS = 20
_PLACES = re.compile(r"layers\.(\d+)(?:\.([a-z_]+))?(?:\.([a-z]+))?")
_FIELDS = ("key", "name", "level", "rank", "zone", "people", "every", "unit", "first_on", "first_time")
_MORE = ("begins_at", "ends_at", "on_leave")
#: what somebody typed, and the field it stands in -> whose number it is
Resolve = Callable[[str, str], int]


@dataclass
class LayerRow:
    """One layer as it is typed. `number` tells the fields of the rows apart; `people` are names, one a line."""

    number: int
    key: str = ""
    name: str = ""
    level: str = "1"
    rank: str = "0"
    zone: str = ""
    people: str = ""
    every: str = "1"
    unit: str = "week"
    first_on: str = ""
    first_time: str = "09:00"
    week: list[str] = field(default_factory=lambda: [""] * 7)
    begins_at: str = ""
    ends_at: str = ""
    on_leave: str = "next"
    is_removed: bool = False

    @classmethod
    def of(cls, number: int, layer: Layer, named: dict[int, str]) -> LayerRow:
        """A layer to be changed."""
        return cls(
            number,
            key=str(layer.key),
            name=layer.name,
            level=str(layer.level),
            rank=str(layer.rank),
            zone=layer.zone,
            people="\n".join(named.get(person, f"#{person}") for person in layer.people),
            every=str(layer.every),
            unit=layer.unit.value,
            first_on=layer.first_on.isoformat(),
            first_time=clock_time(layer.first_minute),
            week=[show_hours(hours) for hours in layer.week] if layer.week else [""] * 7,
            begins_at=show.for_input(layer.begins_at),
            ends_at=show.for_input(layer.ends_at),
            on_leave=layer.on_leave.value,
        )

    @classmethod
    def read(cls, number: int, sent: QueryDict) -> LayerRow:
        """A row that was sent."""
        row = cls(number, is_removed=bool(sent.get(f"l{number}_remove")))
        for name in (*_FIELDS, *_MORE):
            setattr(row, name, sent.get(f"l{number}_{name}", "").strip()[:5000])
        row.week = [sent.get(f"l{number}_{day}", "").strip()[:600] for day in WEEKDAYS]
        return row

    @property
    def is_blank(self) -> bool:
        """Whether nothing is said in it."""
        return not self.name and not self.people

    @property
    def has_hours(self) -> bool:
        """Whether it holds at certain hours only."""
        return any(self.week)

    def field(self, part: str) -> str:
        """The name of one of its fields."""
        return f"l{self.number}_{part}"

    def as_json(self, resolve: Resolve, kept: Mapping[str, Layer]) -> dict[str, Any]:
        """The layer as the use cases take it; a time that stands as it was shown is the one in `kept`, to the second.

        Raises Invalid naming the field of the row.
        """
        before = kept.get(self.key)
        if self.zone:
            _zone(self.zone, self.field("zone"))
        names = [line.strip() for line in self.people.splitlines() if line.strip()]
        return {
            "key": _whole(self.key or "0", self.field("name")),
            "name": self.name,
            "level": _whole(self.level, self.field("level")),
            "rank": _whole(self.rank or "0", self.field("rank")),
            "zone": self.zone,
            "people": [resolve(name, self.field("people")) for name in names[:51]],  # one too many is refused by the rules
            "every": _whole(self.every, self.field("every")),
            "unit": self.unit,
            "first_on": self.first_on,
            "first_time": self.first_time,
            "week": [[day] if day else [] for day in self.week] if self.has_hours else [],
            "begins_at": _instant(self.begins_at, self.field("begins_at"), before.begins_at if before else None),
            "ends_at": _instant(self.ends_at, self.field("ends_at"), before.ends_at if before else None),
            "on_leave": self.on_leave,
        }


def _whole(said: str, name: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise Invalid("Use a whole number.", field=name)
    return int(said)


def _zone(said: str, name: str) -> None:
    try:
        zone_named(said)
    except Invalid as error:
        raise Invalid(error.template, field=name, **error.params) from error


def _instant(said: str, name: str, before: datetime | None) -> str | None:
    """A time of the viewer, as definitions have it. A form shows minutes: what it showed stays what it was."""
    if not said:
        return None
    if before is not None and said == show.for_input(before):
        return before.isoformat()
    try:
        return datetime.fromisoformat(said).replace(tzinfo=timezone.get_current_timezone(), fold=0).isoformat()
    except ValueError as error:
        raise Invalid("Give a date and a time.", field=name) from error


def _hours(said: str, name: str) -> int | None:
    """ "11", "11.5", "11,5" hours in minutes; None when empty. Raises Invalid."""
    if not said:
        return None
    if not re.fullmatch(r"\d{1,3}([.,]\d{1,2})?", said):
        raise Invalid("Write a number of hours, such as 11 or 11.5.", field=name)
    return round(float(said.replace(",", ".")) * 60)


def _as_hours(minutes: int | None) -> str:
    return "" if minutes is None else f"{minutes / 60:.2f}".rstrip("0").rstrip(".")


@dataclass
class RotaForm:
    """A whole form: whose rota it is, and what it says. `seen` is the version that was looked at, `mark` what was previewed."""

    name: str = ""
    team: str = ""
    zone: str = ""
    calendar: str = ""
    minimum_rest: str = "11"
    maximum_week: str = ""
    handover: str = ""
    handover_within: str = "30"
    handover_holds: str = ""
    effective_at: str = ""
    note: str = ""
    seen: str = ""
    mark: str = ""
    rows: list[LayerRow] = field(default_factory=list)
    kept: dict[str, Layer] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def begin(self, today: date) -> RotaForm:
        """An empty form: one layer that hands over every Monday."""
        monday = date.fromordinal(today.toordinal() - today.weekday())
        self.rows = [LayerRow(0, first_on=monday.isoformat())]
        return self

    def say(self, definition: Definition, named: dict[int, str]) -> RotaForm:
        """Fill in what a rota says."""
        self.zone = definition.zone
        self.calendar = str(definition.calendar or "")
        self.minimum_rest, self.maximum_week = _as_hours(definition.minimum_rest), _as_hours(definition.maximum_week)
        handing = definition.handover
        self.handover, self.handover_holds = "1" * handing.wanted, "1" * handing.holds
        self.handover_within = str(handing.within)
        self.rows = [LayerRow.of(number, layer, named) for number, layer in enumerate(definition.layers)]
        self.kept = {str(layer.key): layer for layer in definition.layers}
        return self

    def take(self, sent: QueryDict) -> None:
        """Read what was sent, as it was typed."""
        for name in ("name", "team", "zone", "calendar", "minimum_rest", "maximum_week", "effective_at", "note", "seen"):
            if name in sent:
                setattr(self, name, sent.get(name, "").strip()[:400])
        for name in ("handover", "handover_holds"):
            setattr(self, name, "1" if sent.get(name) else "")
        self.handover_within = sent.get("handover_within", "30").strip()[:10]
        raw = sent.get("rows", "")
        count = min(int(raw), MOST_ROWS) if raw.isascii() and raw.isdigit() and len(raw) < 5 else 0
        self.rows = [LayerRow.read(number, sent) for number in range(count)]

    def add_row(self, today: date) -> None:
        """Room for one layer more, at the level below the last."""
        if len(self.rows) < MOST_ROWS:
            first_on = next((row.first_on for row in self.rows if row.first_on), today.isoformat())
            self.rows.append(LayerRow(len(self.rows), first_on=first_on))

    def _said(self) -> list[LayerRow]:
        return [row for row in self.rows if not row.is_blank and not row.is_removed]

    def definition(self, resolve: Resolve) -> dict[str, Any]:
        """What the form says, as the use cases take it. Raises Invalid."""
        _zone(self.zone, "zone")
        return {
            "zone": self.zone,
            "calendar": _whole(self.calendar, "calendar") if self.calendar else None,
            "minimum_rest": _hours(self.minimum_rest, "minimum_rest"),
            "maximum_week": _hours(self.maximum_week, "maximum_week"),
            "handover": {
                "wanted": bool(self.handover),
                "within": _whole(self.handover_within or "30", "handover_within"),
                "holds": bool(self.handover_holds),
            },
            "layers": [row.as_json(resolve, self.kept) for row in self._said()],
        }

    def marked(self, definition: dict[str, Any]) -> str:
        """What tells this form from every other that would be saved: only what was previewed is saved."""
        said = [definition, self.team, self.effective_at, self.seen]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]

    def refused(self, error: DeskError) -> None:
        """Put an error beside the field it is about."""
        (name, text), *_ = field_errors(error).items()
        place = _PLACES.fullmatch(name)
        if place and int(place[1]) < len(self._said()):
            name = self._said()[int(place[1])].field(place[3] or place[2] or "name")
        name = name.replace("handover.", "handover_")
        known = {"name", "team", "zone", "calendar", "minimum_rest", "maximum_week", "effective_at", "note", "layers"}
        known |= {"handover", "handover_within"}
        self.errors = {name if name in known or re.fullmatch(r"l\d+_\w+", name) else "": text}

    def has_error(self, row: LayerRow) -> bool:
        """Whether something is wrong in a row."""
        return any(name.startswith(f"l{row.number}_") for name in self.errors)
