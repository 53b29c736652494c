"""The form of an agreement: what was typed, and what it means. Every target is a row of plain fields, so that no script is needed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.http import QueryDict

from allswell.kernel.errors import DeskError, Invalid
from allswell.sla import wording
from allswell.sla.rules.terms import Counting, Target, Terms, clock_face
from allswell.web.pages import field_errors

MOST_ROWS = 100
_PART = re.compile(r"(\d{1,7})\s*([^\W\d]*)\.?\s*")
_UNITS = {"h": 60, "s": 60, "m": 1, "d": 1440, "t": 1440}  # hours, Stunden, minutes, days, Tage
_PLACES = re.compile(r"targets\.(\d+)(?:\.(.+))?")
#: parts of a target -> the field in its row that says them
_FIELDS = {
    "key": "metric",
    "within": "amount",
    "within.amount": "amount",
    "within.counting": "counting",
    "within.calendar": "calendar",
    "within.cutoff": "cutoff",
    "within.opening": "opening",
    "within.off_day": "off_day",
    "warn.share": "warn",
    "warn.minutes": "warn",
}


@dataclass
class Row:
    """One target as it is typed. `number` tells the fields of the rows apart."""

    number: int
    key: str = ""
    metric: str = ""
    priorities: list[str] = field(default_factory=list)
    amount: str = ""
    counting: str = Counting.WORKING.value
    calendar: str = ""
    cutoff: str = ""
    opening: str = ""
    off_day: str = "same_time"
    stop: str = ""
    pauses: list[str] = field(default_factory=list)
    warn: str = ""
    is_removed: bool = False

    @classmethod
    def of(cls, number: int, target: Target) -> Row:
        """A target to be changed."""
        within = target.within
        is_time = within.counting is Counting.WORKING
        return cls(
            number,
            key=target.key,
            metric=target.metric.value,
            priorities=[str(one) for one in sorted(target.priorities)],
            amount=wording.length(within.budget) if is_time else str(within.amount),
            counting=within.counting.value,
            calendar=within.calendar,
            cutoff=clock_face(within.cutoff) or "",
            opening=clock_face(within.opening) or "",
            off_day=within.off_day,
            stop=target.stop.value,
            pauses=sorted(target.pauses),
            warn=_warning(target),
        )

    @classmethod
    def read(cls, number: int, sent: QueryDict) -> Row:
        """A row that was sent."""
        row = cls(number, is_removed=bool(sent.get(f"t{number}_remove")))
        for name in ("key", "metric", "amount", "counting", "calendar", "cutoff", "opening", "off_day", "stop", "warn"):
            setattr(row, name, sent.get(f"t{number}_{name}", "").strip())
        row.priorities = sent.getlist(f"t{number}_priorities")
        row.pauses = sent.getlist(f"t{number}_pauses")
        return row

    @property
    def is_blank(self) -> bool:
        """Whether nothing is promised in it."""
        return not self.metric and not self.amount

    def as_json(self) -> dict[str, Any]:
        """The target as the use cases take it. Raises Invalid naming the field of the row."""
        priorities = sorted({int(one) for one in self.priorities if one in {"1", "2", "3", "4", "5"}})
        key = "-".join([self.metric.replace("_", "-"), *(f"p{one}" for one in priorities)])
        is_time = self.counting == Counting.WORKING
        amount = minutes(self.amount, field=self.name("amount")) if is_time else days(self.amount, field=self.name("amount"))
        within: dict[str, Any] = {"counting": self.counting, "amount": amount}
        if self.counting != Counting.CALENDAR_DAYS:
            within["calendar"] = self.calendar
        if self.counting == Counting.WORKING_DAYS:
            within |= {"cutoff": self.cutoff, "opening": self.opening, "off_day": self.off_day}
        said: dict[str, Any] = {"key": self.key or key, "metric": self.metric, "within": within, "priorities": priorities}
        said["pauses"] = self.pauses
        if self.stop:
            said["stop"] = self.stop
        if self.warn:
            said["warn"] = warning(self.warn, field=self.name("warn"))
        return said

    def name(self, part: str) -> str:
        """The name of one of its fields."""
        return f"t{self.number}_{part}"


def minutes(said: str, *, field: str) -> int:
    """ "4 h", "1 h 30 min", "2 d": minutes. Raises Invalid."""
    text, total, place = said.strip().lower(), 0, 0
    while place < len(text):
        part = _PART.match(text, place)
        unit = _UNITS.get(part[2][:1]) if part else None
        if part is None or unit is None:
            raise Invalid("Write how long: 30 min, 4 h, 1 h 30 min.", field=field)
        total += int(part[1]) * unit
        place = part.end()
    if not total:
        raise Invalid("Write how long: 30 min, 4 h, 1 h 30 min.", field=field)
    return total


def days(said: str, *, field: str) -> int:
    """ "5", "5 days": a number of days. Raises Invalid."""
    part = _PART.fullmatch(said.strip().lower())
    if part is None or part[2][:1] not in ("", "d", "t"):
        raise Invalid("Write how many days.", field=field)
    return int(part[1])


def warning(said: str, *, field: str) -> dict[str, Any]:
    """ "80 %": at that share of the time; "30 min": so long before it is up. Raises Invalid."""
    share = re.fullmatch(r"(\d{1,3})\s*%", said)
    return {"share": int(share[1]) / 100} if share else {"minutes": minutes(said, field=field)}


def _warning(target: Target) -> str:
    if target.warn is None:
        return ""
    if target.warn.share is not None:
        return f"{round(target.warn.share * 100)} %"
    return wording.length(timedelta(minutes=target.warn.minutes or 0))


@dataclass
class AgreementForm:
    """A whole form: whom the agreement is for, and what it says."""

    name: str = ""
    audience: str = "customer"
    organization: str = ""
    team: str = ""
    zone: str = ""
    kinds: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    priorities: list[str] = field(default_factory=list)
    in_force_from: str = ""
    note: str = ""
    rows: list[Row] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def say(self, terms: Terms) -> AgreementForm:
        """Fill in what an agreement says."""
        self.zone = terms.zone
        self.kinds = sorted(terms.kinds)
        self.services = [str(one) for one in sorted(terms.services)]
        self.priorities = [str(one) for one in sorted(terms.priorities)]
        self.rows = [Row.of(number, target) for number, target in enumerate(terms.targets)]
        return self

    def take(self, sent: QueryDict) -> None:
        """Read what was sent, as it was typed."""
        for name in ("name", "audience", "organization", "team", "zone", "in_force_from", "note"):
            if name in sent:
                setattr(self, name, sent.get(name, "").strip())
        for name in ("kinds", "services", "priorities"):
            setattr(self, name, sent.getlist(name))
        raw = sent.get("rows", "")
        count = min(int(raw), MOST_ROWS) if raw.isascii() and raw.isdigit() and len(raw) < 5 else 0
        self.rows = [Row.read(number, sent) for number in range(count)]

    def add_row(self) -> None:
        """Room for one target more."""
        if len(self.rows) < MOST_ROWS:
            self.rows.append(Row(len(self.rows)))

    def _said(self) -> list[Row]:
        return [row for row in self.rows if not row.is_blank and not row.is_removed]

    def definition(self) -> dict[str, Any]:
        """What the form says, as the use cases take it. Raises Invalid."""
        return {
            "zone": self.zone,
            "kinds": self.kinds,
            "services": [int(one) for one in self.services if one.isascii() and one.isdigit() and len(one) < 16],
            "priorities": [int(one) for one in self.priorities if one in {"1", "2", "3", "4", "5"}],
            "targets": [row.as_json() for row in self._said()],
        }

    def refused(self, error: DeskError) -> None:
        """Put an error beside the field it is about."""
        (name, text), *_ = field_errors(error).items()
        place = _PLACES.fullmatch(name)
        if place and int(place[1]) < len(self._said()):
            row, part = self._said()[int(place[1])], place[2] or "metric"
            name = row.name(_FIELDS.get(part, part.split(".")[0]))
        known = {"name", "organization", "team", "zone", "kinds", "services", "priorities", "in_force_from", "note"}
        is_known = name in known or re.fullmatch(r"t\d+_\w+", name)
        self.errors = {name if is_known else "": text}

    def has_error(self, row: Row) -> bool:
        """Whether something is wrong in a row."""
        return any(name.startswith(f"t{row.number}_") for name in self.errors)
