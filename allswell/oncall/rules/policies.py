"""What an escalation policy says, checked and as it is stored: whom it calls in which order, and how long it waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from allswell.kernel.errors import Invalid
from allswell.notifications.rules import Urgency

MOST_STEPS, MOST_TARGETS, MOST_REPEATS = 20, 20, 9
#: seconds: a step waits for an answer at least this long, at most a week
SHORTEST_WAIT, LONGEST_WAIT = 30, 7 * 24 * 3600
#: seconds an acknowledgement may hold without a word, least and most
SHORTEST_PROMISE, LONGEST_PROMISE = 300, 24 * 3600
PRIORITIES = (1, 2, 3, 4, 5)


class TargetKind(StrEnum):
    """What a step calls."""

    ROTA = "rota"  # who is on call there, at a level
    PERSON = "person"
    TEAM = "team"  # everybody in it who is there
    LEAD = "lead"  # of a team
    MANAGER = "manager"  # of a team's lead, `level` steps further up
    ROOM = "room"  # a contact of a team: a chat room, a list
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom or what a step calls: the id of a rota, person, team, contact or webhook; `level` of a rota or of the managers."""

    kind: TargetKind
    id: int
    level: int = 1

    def as_json(self) -> dict[str, Any]:
        """As it is stored: {"kind": "rota", "rota": 3, "level": 1}."""
        named = {"kind": self.kind.value, _NAMED[self.kind]: self.id}
        return named | {"level": self.level} if self.kind in _LEVELLED else named


_NAMED = {
    TargetKind.ROTA: "rota",
    TargetKind.PERSON: "person",
    TargetKind.TEAM: "team",
    TargetKind.LEAD: "team",
    TargetKind.MANAGER: "team",
    TargetKind.ROOM: "contact",
    TargetKind.WEBHOOK: "webhook",
}
_LEVELLED = frozenset({TargetKind.ROTA, TargetKind.MANAGER})


@dataclass(frozen=True, slots=True)
class During:
    """Only within the hours of a calendar, or only outside them."""

    calendar: int
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Whom a step calls, and how many seconds it then waits for an answer; without `priorities` it is for all of them."""

    targets: tuple[Target, ...]
    wait: int
    priorities: tuple[int, ...] = ()
    during: During | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """An escalation policy.

    After the last step it begins again `repeat` times. An acknowledgement holds for `promise` seconds without a word. Incidents of
    the priorities in `starts` start it by themselves; those in `urgent` page urgently.
    """

    steps: tuple[Step, ...]
    repeat: int = 1
    promise: int = 1800
    starts: tuple[int, ...] = (1, 2)
    urgent: tuple[int, ...] = (1, 2)

    def urgency(self, priority: int) -> Urgency:
        """How urgently a ticket of a priority pages."""
        return Urgency.URGENT if priority in self.urgent else Urgency.NORMAL

    def ids(self, kind: TargetKind) -> frozenset[int]:
        """The ids of all targets of a kind."""
        return frozenset(target.id for step in self.steps for target in step.targets if target.kind is kind)

    @property
    def calendars(self) -> frozenset[int]:
        """The calendars some step depends on."""
        return frozenset(step.during.calendar for step in self.steps if step.during)

    def as_json(self) -> dict[str, Any]:
        """As it is stored and as the API shows it."""
        return {
            "steps": [_step_as_json(step) for step in self.steps],
            "repeat": self.repeat,
            "promise": self.promise,
            "starts": list(self.starts),
            "urgent": list(self.urgent),
        }

    @classmethod
    def parse(cls, raw: Any) -> Policy:
        """From JSON as `as_json` gives it. Raises Invalid with the field that is wrong ("steps.2.targets.0.rota")."""
        if not isinstance(raw, dict) or not isinstance(raw.get("steps"), list):
            raise Invalid("A policy has steps.", field="steps")
        if not 1 <= len(raw["steps"]) <= MOST_STEPS:
            raise Invalid("A policy has from one to %(limit)s steps.", field="steps", limit=MOST_STEPS)
        return cls(
            steps=tuple(_step(step, f"steps.{place}.") for place, step in enumerate(raw["steps"])),
            repeat=_within(raw.get("repeat", 1), 0, MOST_REPEATS, "repeat"),
            promise=_within(raw.get("promise", 1800), SHORTEST_PROMISE, LONGEST_PROMISE, "promise"),
            starts=_priorities(raw.get("starts", [1, 2]), "starts"),
            urgent=_priorities(raw.get("urgent", [1, 2]), "urgent"),
        )


def _step_as_json(step: Step) -> dict[str, Any]:
    said: dict[str, Any] = {"targets": [target.as_json() for target in step.targets], "wait": step.wait}
    if step.priorities:
        said["priorities"] = list(step.priorities)
    if step.during:
        said["hours"] = {"calendar": step.during.calendar, "is_inside": step.during.is_inside}
    return said


def _step(raw: Any, at: str) -> Step:
    if not isinstance(raw, dict) or not isinstance(raw.get("targets"), list):
        raise Invalid("A step says whom it calls and how long it waits.", field=at.rstrip("."))
    if not 1 <= len(raw["targets"]) <= MOST_TARGETS:
        raise Invalid("A step calls from one to %(limit)s.", field=f"{at}targets", limit=MOST_TARGETS)
    targets = tuple(_target(target, f"{at}targets.{place}") for place, target in enumerate(raw["targets"]))
    if len(set(targets)) != len(targets):
        raise Invalid("A step calls the same twice.", field=f"{at}targets")
    return Step(
        targets=targets,
        wait=_within(raw.get("wait"), SHORTEST_WAIT, LONGEST_WAIT, f"{at}wait"),
        priorities=_priorities(raw.get("priorities") or [], f"{at}priorities"),
        during=_during(raw.get("hours"), f"{at}hours"),
    )


def _target(raw: Any, at: str) -> Target:
    try:
        kind = TargetKind(raw["kind"])
    except (TypeError, KeyError, ValueError) as error:
        raise Invalid("Choose one of the list.", field=f"{at}.kind") from error
    level = _within(raw.get("level", 1), 1, 9, f"{at}.level") if kind in _LEVELLED else 1
    return Target(kind, _id(raw.get(_NAMED[kind]), f"{at}.{_NAMED[kind]}"), level)


def _during(raw: Any, at: str) -> During | None:
    if raw is None:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("is_inside", True), bool):
        raise Invalid("Hours are those of a calendar, or the time outside them.", field=at)
    return During(_id(raw.get("calendar"), f"{at}.calendar"), raw.get("is_inside", True))


def _id(value: Any, field: str) -> int:
    if type(value) is int and 0 < value < 2**63:
        return value
    raise Invalid("Choose one of the list.", field=field)


def _within(value: Any, least: int, most: int, field: str) -> int:
    if type(value) is int and least <= value <= most:
        return value
    raise Invalid("Use a whole number from %(least)s to %(most)s.", field=field, least=least, most=most)


def _priorities(raw: Any, field: str) -> tuple[int, ...]:
    if not isinstance(raw, Iterable) or isinstance(raw, str) or any(value not in PRIORITIES for value in raw):
        raise Invalid("Priorities go from 1 to 5.", field=field)
    return tuple(sorted(set(raw)))
