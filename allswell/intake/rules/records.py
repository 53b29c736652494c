"""A row of a file becomes a neutral record, or is rejected with a reason. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Channel
from allswell.kernel.errors import Invalid
from allswell.tickets.rules import DONE_STATES, Kind, State, WaitingOn

from .mapping import Spot, TicketMapping

Row = Mapping[str, Any]
_DATE = re.compile(
    r"(\d{1,4})[/.\-](\d{1,2})[/.\-](\d{1,4})"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s*([AaPp][Mm])?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?"
)
_LEVEL = re.compile(r"\s*(\d{1,9})\b")
_ORDER = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
_CHANNELS = frozenset(one.value for one in Channel)
_KINDS = frozenset(one.value for one in Kind)
_WAITS = frozenset(one.value for one in WaitingOn)
_STATES = frozenset(one.value for one in State)
_VERBS = frozenset(one.value for one in Verb)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """A comment found in a row. `by` is a name or address, "" when nobody is known."""

    body: str
    is_public: bool
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """A ticket as one row shows it. Names are still words of the source; instants are aware; `at` is when the row was true."""

    line: int
    ref: str
    digest: str
    at: datetime
    kind: Kind
    state: State
    waiting_on: str
    title: str
    description: str
    impact: int
    urgency: int
    recorded_priority: int | None
    channel: str
    opened_at: datetime
    instants: Mapping[str, datetime]
    people: Mapping[str, str]
    team: str
    service: str
    unit: str
    category: tuple[str, ...]
    resolution_code: str
    resolution: str
    reopened_count: int | None
    handover_count: int | None
    verb: Verb | None
    custom: Mapping[str, str]
    comments: tuple[Said, ...]


def instant(value: Any, *, order: str, zone: ZoneInfo, field: str) -> datetime | None:
    """An aware instant; None for "". A local time that does not exist rolls forward, of two the first is meant. Raises Invalid."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if not value:
        return None
    found = _DATE.fullmatch(value.strip())
    if found is None:
        raise Invalid("%(name)s: “%(value)s” is no date (%(order)s).", field=field, name=field, value=value[:40], order=order)
    first, second, third, hour, minute, seconds, part, half, offset = found.groups()
    numbers = (int(first), int(second), int(third))
    year, month, day = numbers if len(first) == 4 else (numbers[place] for place in _ORDER[order])
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    try:
        local = datetime(
            year if year > 99 else 2000 + year,
            month,
            day,
            hours,
            int(minute or 0),
            int(seconds or 0),
            int((part or "0").ljust(6, "0")),
            tzinfo=_offset(offset) if offset else zone,
        )
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            "%(name)s: “%(value)s” is no date (%(order)s).", field=field, name=field, value=value[:40], order=order
        ) from error
    if moment < _EARLIEST:
        raise Invalid("%(name)s: “%(value)s” is before 1970.", field=field, name=field, value=value[:40])
    return moment


def _offset(written: str) -> timezone:
    if written == "Z":
        return UTC
    sign = -1 if written[0] == "-" else 1
    digits = written[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def digest(source: str, row: Row) -> str:
    """Names the content of a row, so that the same row brought in again is known. 40 hexadecimal characters."""
    whole = "\x1f".join(f"{name}\x1e{value}" for name, value in row.items())
    return hashlib.blake2b(f"{source}\x1d{whole}".encode("utf-8", "replace"), digest_size=20).hexdigest()


class Translator:
    """Turns rows into records by one mapping in one time zone."""

    def __init__(self, mapping: TicketMapping, zone: ZoneInfo) -> None:
        self.mapping, self.zone = mapping, zone

    def record(self, row: Row, line: int) -> Record:
        """The record of a row. Raises Invalid with the reason why it cannot come in."""
        state, waiting_on = self._state(row)
        kind = self._kind(row)
        if kind is Kind.REQUEST and state is State.RESOLVED:
            state = State.FULFILLED
        instants = self._instants(row)
        opened_at = instants.get("opened_at") or instants.get("occurred_at")
        if opened_at is None:
            raise Invalid("opened_at: is empty.", field="opened_at")
        at = self._instant(row, "at") or instants.get("updated_at") or max(instants.values())
        if self.mapping.is_history and self._instant(row, "at") is None:
            raise Invalid("at: is empty.", field="at")
        title, description = self._title(row)
        return Record(
            line=line,
            ref=self._line(row, "ref", 120, required=True),
            digest=digest(self.mapping.source, row),
            at=at,
            kind=kind,
            state=state,
            waiting_on=waiting_on if state is State.WAITING else "",
            title=title,
            description=description,
            impact=self._level(row, "impact", 3),
            urgency=self._level(row, "urgency", 3),
            recorded_priority=self._number(row, "priority"),
            channel=self._choice(row, "channel", _CHANNELS, Channel.IMPORT.value),
            opened_at=opened_at,
            instants=instants,
            people={name: self._line(row, name, 120) for name in ("requester", "reporter", "assignee", "by")},
            team=self._line(row, "team", 120),
            service=self._line(row, "service", 120),
            unit=self._line(row, "unit", 120),
            category=self._path(row, "category"),
            resolution_code=self._line(row, "resolution_code", 20) if state in DONE_STATES else "",
            resolution=text.prose(self._text(row, "resolution"), field="resolution"),
            reopened_count=self._number(row, "reopened_count"),
            handover_count=self._number(row, "handover_count"),
            verb=self._verb(row),
            custom=self._custom(row),
            comments=self._comments(row),
        )

    def _cell(self, row: Row, column: str) -> Any:
        value = row.get(column)
        if value is None:
            return ""
        if isinstance(value, str):
            value = text.clean(value).strip()
            return "" if value in self.mapping.missing else value
        return value

    def _read(self, row: Row, spot: Spot, name: str) -> Any:
        values = [value for column in spot.columns if (value := self._cell(row, column)) != ""]
        value = values[0] if len(values) == 1 else spot.joined.join(str(part) for part in values)
        if spot.values and value != "":
            meaning = spot.values.get(str(value).casefold())
            if meaning is None and spot.default is None:
                raise Invalid(
                    "%(name)s: the mapping has no meaning for “%(value)s”.", field=name, name=name, value=str(value)[:80]
                )
            return spot.default if meaning is None else meaning
        return spot.default if value == "" and spot.default is not None else value

    def _text(self, row: Row, name: str) -> str:
        spot = self.mapping.spots.get(name)
        return str(self._read(row, spot, name)) if spot else ""

    def _line(self, row: Row, name: str, limit: int, *, required: bool = False) -> str:
        value = self._text(row, name)
        if not value and not required:
            return ""
        try:
            return text.line(value, field=name, limit=limit)
        except Invalid as error:
            raise Invalid("%(name)s: %(why)s", field=name, name=name, why=str(error)) from error

    def _title(self, row: Row) -> tuple[str, str]:
        """The title, cut at 200 characters; a longer one stands whole at the top of the description."""
        whole = self._text(row, "title")
        description = text.prose(self._text(row, "description"), field="description")
        title = " ".join(whole.split())
        if not title:
            raise Invalid("title: is empty.", field="title")
        if len(title) <= 200:
            return text.line(title, field="title", limit=200), description
        return text.line(title[:199] + "…", field="title", limit=200), f"{whole}\n\n{description}".strip()[:100_000]

    def _instant(self, row: Row, name: str) -> datetime | None:
        spot = self.mapping.spots.get(name)
        if spot is None:
            return None
        return instant(self._read(row, spot, name), order=self.mapping.date_order, zone=self.zone, field=name)

    def _instants(self, row: Row) -> dict[str, datetime]:
        names = ("opened_at", "updated_at", "occurred_at", "acknowledged_at", "restored_at", "resolved_at", "closed_at")
        return {name: moment for name in names if (moment := self._instant(row, name)) is not None}

    def _number(self, row: Row, name: str) -> int | None:
        value = self._text(row, name)
        if not value:
            return None
        found = _LEVEL.match(value)
        if found is None:
            raise Invalid("%(name)s: “%(value)s” is no number.", field=name, name=name, value=value[:40])
        return min(int(found[1]), 30_000)

    def _level(self, row: Row, name: str, default: int) -> int:
        level = self._number(row, name)
        if level is None:
            return default
        if not 1 <= level <= 4:
            raise Invalid("%(name)s: %(level)s is not between 1 and 4.", field=name, name=name, level=level)
        return level

    def _choice(self, row: Row, name: str, allowed: frozenset[str], default: str) -> str:
        value = self._text(row, name)
        if not value:
            return default
        if value not in allowed:
            raise Invalid("%(name)s: “%(value)s” is unknown here.", field=name, name=name, value=value[:40])
        return value

    def _kind(self, row: Row) -> Kind:
        return Kind(self._choice(row, "kind", _KINDS, Kind.INCIDENT.value))

    def _state(self, row: Row) -> tuple[State, str]:
        word = self._text(row, "state").lower()
        state, _, on = word.partition(" on ")
        if state not in _STATES:
            raise Invalid("state: “%(value)s” is unknown here.", field="state", value=word[:40])
        if on and on not in _WAITS:
            raise Invalid("state: “%(value)s” is unknown here.", field="state", value=word[:40])
        return State(state), on or self._choice(row, "waiting_on", _WAITS, WaitingOn.REQUESTER.value)

    def _verb(self, row: Row) -> Verb | None:
        value = self._text(row, "verb")
        return Verb(self._choice(row, "verb", _VERBS, "")) if value else None

    def _path(self, row: Row, name: str) -> tuple[str, ...]:
        spot = self.mapping.spots.get(name)
        if spot is None:
            return ()
        if not spot.is_path:
            return (one,) if (one := self._line(row, name, 80)) else ()
        parts = (str(self._cell(row, column))[:80].strip() for column in spot.columns)
        return tuple(part for part in parts if part)

    def _custom(self, row: Row) -> dict[str, str]:
        found = {}
        for key, (spot, _) in self.mapping.custom.items():
            if value := str(self._read(row, spot, key)):
                found[key] = value[:1000]
        return found

    def _comments(self, row: Row) -> tuple[Said, ...]:
        found = []
        for spot in self.mapping.comments:
            body = text.prose(str(self._cell(row, spot.column)), field=spot.column)
            if not body:
                continue
            by = str(self._read(row, spot.by, "comments"))[:120] if spot.by else ""
            at = None
            if spot.at:
                at = instant(
                    self._read(row, spot.at, "comments"), order=self.mapping.date_order, zone=self.zone, field=spot.column
                )
            found.append(Said(body, spot.is_public, by, at))
        return tuple(found)
