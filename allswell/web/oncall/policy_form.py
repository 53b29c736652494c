"""The form of an escalation policy: what was typed, and what it means. Every step is a group of plain fields: no script is needed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from allswell.kernel.errors import DeskError, Invalid
from allswell.oncall.rules.policies import (
    LONGEST_PROMISE,
    LONGEST_WAIT,
    MOST_STEPS,
    PRIORITIES,
    SHORTEST_PROMISE,
    SHORTEST_WAIT,
    Policy,
    Step,
    Target,
    TargetKind,
)
from allswell.web.pages import field_errors

from .form import Resolve

MOST_TARGETS = 20
_PLACES = re.compile(r"steps\.(\d+)(?:\.(targets|wait|priorities|hours))?(?:\.(\d+))?(?:\.\w+)?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_TARGET = re.compile(r"(rota|team|lead|manager|room|webhook)-(\d{1,15})(?:-([1-9]))?")
_KNOWN = frozenset({"name", "team", "repeat", "promise", "starts", "urgent", "note", "steps"})


def key_of(target: Target) -> str:
    """How a target stands in a list to choose from."""
    return f"{target.kind.value}-{target.id}-{target.level}"


def split(seconds: int) -> tuple[str, str]:
    """A time as a number and a unit: 300 seconds are 5 minutes."""
    unit = "hour" if seconds % 3600 == 0 else "minute" if seconds % 60 == 0 else "second"
    return str(seconds // _SECONDS[unit]), unit


@dataclass
class StepRow:
    """One step as it is typed. `number` tells the fields of the rows apart; `people` are names, one a line."""

    number: int
    targets: list[str] = field(default_factory=lambda: [""])
    people: str = ""
    wait: str = "5"
    unit: str = "minute"
    priorities: list[str] = field(default_factory=list)
    hours: str = ""
    #: the field each target that was sent came from
    places: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, step: Step, named: dict[int, str]) -> StepRow:
        """A step to be changed."""
        wait, unit = split(step.wait)
        during = step.during
        people = [target.id for target in step.targets if target.kind is TargetKind.PERSON]
        return cls(
            number,
            targets=[key_of(target) for target in step.targets if target.kind is not TargetKind.PERSON] or [""],
            people="\n".join(named.get(person, f"#{person}") for person in people),
            wait=wait,
            unit=unit,
            priorities=[str(value) for value in step.priorities],
            hours=f"{'in' if during.is_inside else 'out'}-{during.calendar}" if during else "",
        )

    @classmethod
    def read(cls, number: int, sent: QueryDict) -> StepRow:
        """A row that was sent."""
        at = f"s{number}_"
        return cls(
            number,
            targets=[said.strip()[:40] for said in sent.getlist(f"{at}target")[:MOST_TARGETS]] or [""],
            people=sent.get(f"{at}people", "").strip()[:5000],
            wait=sent.get(f"{at}wait", "").strip()[:12],
            unit=sent.get(f"{at}unit", "").strip()[:12],
            priorities=[said for said in sent.getlist(f"{at}priorities")[:9] if said in {str(value) for value in PRIORITIES}],
            hours=sent.get(f"{at}hours", "").strip()[:24],
        )

    def field(self, part: str) -> str:
        """The name of one of its fields."""
        return f"s{self.number}_{part}"

    def as_json(self, resolve: Resolve) -> dict[str, Any]:
        """The step as the use cases take it. Raises Invalid naming the field of the row."""
        targets, self.places = [], []
        for said in filter(None, self.targets):
            targets.append(_target(said, self.field("target")))
            self.places.append("target")
        for line in filter(None, (line.strip() for line in self.people.splitlines()[:MOST_TARGETS])):
            targets.append({"kind": "person", "person": resolve(line, self.field("people"))})
            self.places.append("people")
        return {
            "targets": targets,
            "wait": _seconds(self.wait, self.unit, self.field("wait")),
            "priorities": [int(said) for said in self.priorities],
            "hours": _hours(self.hours, self.field("hours")),
        }


def _target(said: str, name: str) -> dict[str, Any]:
    found = _TARGET.fullmatch(said)
    if found is None:
        raise Invalid("Choose one of the list.", field=name)
    return Target(TargetKind(found[1]), int(found[2]), int(found[3] or 1)).as_json()


def _seconds(said: str, unit: str, name: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) < 7) or unit not in _SECONDS:
        raise Invalid("Use a whole number.", field=name)
    seconds = int(said) * _SECONDS[unit]
    if not SHORTEST_WAIT <= seconds <= LONGEST_WAIT:
        raise Invalid("A step waits from 30 seconds to a week.", field=name)
    return seconds


def _hours(said: str, name: str) -> dict[str, Any] | None:
    if not said:
        return None
    side, _, calendar = said.partition("-")
    if side not in ("in", "out") or not (calendar.isascii() and calendar.isdigit()):
        raise Invalid("Choose one of the list.", field=name)
    return {"calendar": int(calendar), "is_inside": side == "in"}


@dataclass
class PolicyForm:
    """A whole form: whose policy it is, and what it says. `seen` is the version that was looked at."""

    name: str = ""
    team: str = ""
    repeat: str = "1"
    promise: str = "30"
    promise_unit: str = "minute"
    starts: list[str] = field(default_factory=lambda: ["1", "2"])
    urgent: list[str] = field(default_factory=lambda: ["1", "2"])
    note: str = ""
    seen: str = ""
    rows: list[StepRow] = field(default_factory=lambda: [StepRow(0)])
    errors: dict[str, str] = field(default_factory=dict)
    #: the row to look at after a button that changed the rows
    turned_to: int | None = None

    def say(self, policy: Policy, named: dict[int, str]) -> PolicyForm:
        """Fill in what a policy says."""
        self.repeat = str(policy.repeat)
        self.promise, self.promise_unit = split(policy.promise)
        self.starts, self.urgent = [str(one) for one in policy.starts], [str(one) for one in policy.urgent]
        self.rows = [StepRow.of(number, step, named) for number, step in enumerate(policy.steps)]
        return self

    def take(self, sent: QueryDict) -> None:
        """Read what was sent, as it was typed."""
        for name in ("name", "team", "repeat", "promise", "promise_unit", "note", "seen"):
            if name in sent:
                setattr(self, name, sent.get(name, "").strip()[:400])
        self.starts, self.urgent = sent.getlist("starts")[:9], sent.getlist("urgent")[:9]
        raw = sent.get("rows", "")
        count = min(int(raw), MOST_STEPS) if raw.isascii() and raw.isdigit() and len(raw) < 5 else 0
        self.rows = [StepRow.read(number, sent) for number in range(count)]

    def turned(self, word: str) -> bool:
        """Do what a button of the rows says ("add", "up-2", "down-0", "remove-1", "target-0"); False for any other button."""
        verb, _, at = word.partition("-")
        place = int(at) if at.isascii() and at.isdigit() and len(at) < 4 else -1
        if verb == "add" and not at:
            if len(self.rows) < MOST_STEPS:
                self.rows.append(StepRow(len(self.rows)))
            place = len(self.rows) - 1
        elif verb not in ("up", "down", "remove", "target") or not 0 <= place < len(self.rows):
            return False
        elif verb == "target":
            self.rows[place].targets = [*filter(None, self.rows[place].targets), ""]
        elif verb == "remove":
            del self.rows[place]
            place = min(place, len(self.rows) - 1)
        else:
            to = min(max(place + (1 if verb == "down" else -1), 0), len(self.rows) - 1)
            self.rows.insert(to, self.rows.pop(place))
            place = to
        for number, row in enumerate(self.rows):
            row.number = number
        self.turned_to = max(place, 0)
        return True

    def definition(self, resolve: Resolve) -> dict[str, Any]:
        """What the form says, as the use cases take it. Raises Invalid."""
        return {
            "steps": [row.as_json(resolve) for row in self.rows],
            "repeat": _whole(self.repeat, "repeat"),
            "promise": _promise(self.promise, self.promise_unit),
            "starts": _chosen(self.starts, "starts"),
            "urgent": _chosen(self.urgent, "urgent"),
        }

    def refused(self, error: DeskError) -> None:
        """Put an error beside the field it is about."""
        (name, text), *_ = field_errors(error).items()
        found = _PLACES.fullmatch(name)
        if found and int(found[1]) < len(self.rows):
            row = self.rows[int(found[1])]
            place = row.places[int(found[3])] if found[3] and int(found[3]) < len(row.places) else found[2] or "target"
            name = row.field("target" if place == "targets" else place)
        self.errors = {name if name in _KNOWN or re.fullmatch(r"s\d+_\w+", name) else "": text}

    def has_error(self, row: StepRow) -> bool:
        """Whether something is wrong in a row."""
        return any(name.startswith(f"s{row.number}_") for name in self.errors)


def _whole(said: str, name: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) < 7):
        raise Invalid("Use a whole number.", field=name)
    return int(said)


def _promise(said: str, unit: str) -> int:
    if unit not in _SECONDS:
        raise Invalid("Choose one of the list.", field="promise")
    seconds = _whole(said, "promise") * _SECONDS[unit]
    if not SHORTEST_PROMISE <= seconds <= LONGEST_PROMISE:
        raise Invalid("The next word comes in 5 minutes to 24 hours.", field="promise")
    return seconds


def _chosen(said: list[str], name: str) -> list[int]:
    if any(one not in {str(value) for value in PRIORITIES} for one in said):
        raise Invalid("Priorities go from 1 to 5.", field=name)
    return sorted({int(one) for one in said})
