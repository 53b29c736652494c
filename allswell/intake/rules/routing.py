"""What the desk does about an alert: the first rule that fits says, unless it is silenced or expected. Pure.

A decision says why, so that it can be shown beside the alert, and in a dry run before anything happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from allswell.intake.parsers.alerts.shape import Severity
from allswell.kernel import text
from allswell.kernel.errors import Invalid

from .matching import Matcher, fit, parse_all


class Act(StrEnum):
    """What is done about an alert that fires."""

    OPEN = "open"  # it belongs to an incident; one is opened when there is none
    ATTACH = "attach"  # it belongs to an incident that is open, but is no reason to open one
    RECORD = "record"  # it is shown among the alerts, and nobody is told


class Clear(StrEnum):
    """What is done about an incident when all its alerts are over."""

    RESOLVE = "resolve"  # resolved, whoever works on it
    RESTORE = "restore"  # the service works again; a person resolves it
    AUTO = "auto"  # resolved when nobody took it, else restored
    NOTE = "note"  # it is written in the journal, and that is all


#: how urgent an incident of an alert is when its rule does not say, 1 (highest) to 4; what has none opens nothing by itself
URGENCY = {Severity.CRITICAL: 1, Severity.ERROR: 2, Severity.WARNING: 3}
#: alerts that belong together come to one incident when no more than so much lies between them
WINDOW = timedelta(minutes=30)
#: an incident whose alerts are over is opened again when one fires within so long
REOPENS_WITHIN = timedelta(minutes=30)
#: a source that would open more incidents than so many within so long has one trouble, not many: further ones join the last
STORM = 10
STORM_WITHIN = timedelta(minutes=5)
_LONGEST_WINDOW = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Rule:
    """Which alerts, and what is done. `service` is an id; `service_label` names a label that holds a service's slug or name.

    `group_by` names labels: alerts alike in them (and of one service) belong to one incident. Without any, those of one service
    do; without a service, those of one group of the sender's. `window` is in seconds. `number` is the rule's id, None built in.
    """

    number: int | None = None
    name: str = ""
    source: int | None = None
    matchers: tuple[Matcher, ...] = ()
    severities: tuple[Severity, ...] = ()
    act: Act = Act.OPEN
    service: int | None = None
    service_label: str = ""
    team: int | None = None
    impact: int | None = None
    urgency: int | None = None
    policy: int | None = None
    group_by: tuple[str, ...] = ()
    window: int = int(WINDOW.total_seconds())
    on_clear: Clear = Clear.AUTO

    @classmethod
    def parse(cls, given: Mapping[str, Any], *, number: int | None = None, name: str = "") -> Rule:
        """From JSON. Raises Invalid naming the field. Whether ids are those of somebody is not asked here."""
        return cls(
            number=number,
            name=name,
            source=_number(given, "source"),
            matchers=parse_all(_list(given, "matchers")),
            severities=tuple(dict.fromkeys(_word(Severity, one, "severities") for one in _list(given, "severities"))),
            act=_word(Act, given.get("act", Act.OPEN), "act"),
            service=_number(given, "service"),
            service_label=text.line(str(given.get("service_label", "")), field="service_label", limit=128, required=False),
            team=_number(given, "team"),
            impact=_level(given, "impact"),
            urgency=_level(given, "urgency"),
            policy=_number(given, "policy"),
            group_by=tuple(text.line(str(one), field="group_by", limit=128) for one in _list(given, "group_by")[:10]),
            window=_window(given),
            on_clear=_word(Clear, given.get("on_clear", Clear.AUTO), "on_clear"),
        )

    def as_json(self) -> dict[str, Any]:
        """As it is stored; what is as always is left out."""
        found: dict[str, Any] = {
            "source": self.source,
            "matchers": [matcher.as_json() for matcher in self.matchers],
            "severities": [severity.value for severity in self.severities],
            "act": self.act.value,
            "service": self.service,
            "service_label": self.service_label,
            "team": self.team,
            "impact": self.impact,
            "urgency": self.urgency,
            "policy": self.policy,
            "group_by": list(self.group_by),
            "window": self.window,
            "on_clear": self.on_clear.value,
        }
        return {name: value for name, value in found.items() if value not in (None, "", [])}

    def fits(self, alert: Facts) -> bool:
        """Whether it is about this alert."""
        return self.misfit(alert) is None

    def misfit(self, alert: Facts) -> Matcher | Literal["source", "severity"] | None:
        """Why it is not about this alert: the first thing that does not fit; None when it is."""
        if self.source is not None and self.source != alert.source:
            return "source"
        if self.severities and alert.severity not in self.severities:
            return "severity"
        return self._misfit_of_labels(alert)

    def is_about(self, alert: Facts) -> bool:
        """Whether it is about alerts of this source and these labels, of one severity or another."""
        return self.source in (None, alert.source) and self._misfit_of_labels(alert) is None

    def _misfit_of_labels(self, alert: Facts) -> Matcher | None:
        return next((matcher for matcher in self.matchers if not matcher.fits(alert.told)), None)


#: what is done when no rule fits: what is at least a warning is an incident, all else is shown
OTHERWISE = Rule(name="")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision about an alert depends on. `service` and `team` are those of its source. `told`: see `matching`."""

    source: int
    key: str
    group: str
    severity: Severity
    title: str
    labels: Mapping[str, str]
    source_slug: str = ""
    service: int | None = None
    team: int | None = None
    told: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, **values: Any) -> Facts:
        """With the names every alert has among its labels."""
        told = {
            **values["labels"],
            "title": values["title"],
            "severity": str(values["severity"]),
            "source": values.get("source_slug", ""),
        }
        return cls(**values, told=told)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence (`kind` "silence") or a maintenance window ("window") that is in force. `ticket` of a window: its alerts go there;
    of a silence: it is about the alerts of that ticket."""

    kind: str
    number: int
    matchers: tuple[Matcher, ...] = ()
    services: frozenset[int] = frozenset()
    ticket: int | None = None

    def covers(self, alert: Facts, *, service: int | None, ticket: int | None) -> bool:
        """Whether it is about this alert, of this service and with this ticket."""
        if self.kind == "silence" and self.ticket is not None:
            return ticket == self.ticket and fit(self.matchers, alert.told)
        if self.services and service not in self.services:
            return False
        return bool(self.services or self.matchers) and fit(self.matchers, alert.told)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about an alert, and why: `rule` decided (None: what is done otherwise), `quiet` holds it back."""

    act: Act
    rule: Rule
    service: int | None
    team: int | None
    case: str
    urgency: int
    quiet: Quiet | None = None


def decide(
    alert: Facts,
    *,
    rules: Iterable[Rule],
    quiet: Sequence[Quiet],
    services: Mapping[str, int],
    ticket: int | None = None,
) -> Decision:
    """What is done about an alert that fires. `rules` in their order; `services`: id by slug and by folded name."""
    rule = next((rule for rule in rules if rule.fits(alert)), OTHERWISE)
    service = _service_of(alert, rule, services)
    urgency = rule.urgency or URGENCY.get(alert.severity, 4)
    act = rule.act
    if act is Act.OPEN and rule.number is None and alert.severity not in URGENCY:
        act = Act.RECORD
    held = next((one for one in quiet if one.covers(alert, service=service, ticket=ticket)), None)
    team = rule.team or alert.team
    return Decision(act, rule, service, team, case_of(alert, rule, service), urgency, held)


def service_changed(alert: Facts, *, rules: Iterable[Rule], services: Mapping[str, int]) -> int | None:
    """The service a change is about: as of an alert of the same labels, however severe, for a change has no severity."""
    rule = next((rule for rule in rules if rule.is_about(alert)), OTHERWISE)
    return _service_of(alert, rule, services)


def _service_of(alert: Facts, rule: Rule, services: Mapping[str, int]) -> int | None:
    named = services.get(alert.labels.get(rule.service_label, "").casefold()) if rule.service_label else None
    return named or rule.service or services.get(alert.labels.get("service", "").casefold()) or alert.service


class Basis(StrEnum):
    """What alerts of one incident have in common."""

    LABELS = "labels"  # those that the rule names, and the service
    SERVICE = "service"
    GROUP = "group"  # of the sender's


def basis_of(rule: Rule, service: int | None) -> Basis:
    """What alerts that this rule is about have in common with others of their incident."""
    if rule.group_by:
        return Basis.LABELS
    return Basis.SERVICE if service is not None else Basis.GROUP


def case_of(alert: Facts, rule: Rule, service: int | None) -> str:
    """What names the incident an alert belongs to: alike for all that belong together, a digest of 64 characters."""
    basis = basis_of(rule, service)
    if basis is Basis.LABELS:
        parts = [*(f"{name}={alert.labels.get(name, '')}" for name in rule.group_by), str(service or "")]
    elif basis is Basis.SERVICE:
        parts = [str(service)]
    else:
        parts = [str(alert.source), alert.group or alert.key]
    parts.insert(0, basis.value)
    return hashlib.sha256("\x00".join([str(rule.number or ""), *parts]).encode()).hexdigest()


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    value = given.get(name) or []
    if not isinstance(value, list):
        raise Invalid("This is a list.", field=name)
    return value


def _number(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise Invalid("There is no such thing.", field=name)
    return value


def _level(given: Mapping[str, Any], name: str) -> int | None:
    value = _number(given, name)
    if value is not None and value > 4:
        raise Invalid("Use a number from 1 (highest) to 4.", field=name)
    return value


def _window(given: Mapping[str, Any]) -> int:
    value = given.get("window", int(WINDOW.total_seconds()))
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST_WINDOW:
        raise Invalid("Give a time of at most seven days.", field="window")
    return value


def _word(kind: type[Any], value: Any, name: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise Invalid("Choose one of the list.", field=name) from None
