"""Rules of alerts: what is done about those that fire. The first that fits decides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins

from allswell.api.contract import BASE, Body, Call, Id, operation
from allswell.desk.alerts import rules as desk
from allswell.intake.rules.matching import MOST
from allswell.intake.rules.routing import WINDOW

from . import rule_acts
from .alerts import TAG, Severity

SCOPE = "setup:write"
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Level = Annotated[int, Meta(ge=1, le=4)]
LabelName = Annotated[str, Meta(min_length=1, max_length=128)]


class Condition(Body):
    """How a label must be: equal, not equal, or fitting an expression (RE2, the whole value) or not."""

    label: LabelName
    operator: Literal["=", "!=", "=~", "!~"] = "="
    value: Annotated[str, Meta(max_length=200)] = ""


Conditions = Annotated[list[Condition], Meta(max_length=MOST)]


def said(conditions: list[Condition]) -> list[dict[str, str]]:
    """Conditions as the use cases take them."""
    return [{"label": one.label, "operator": one.operator, "value": one.value} for one in conditions]


class RuleDefinition(Body):
    """Which alerts, and what is done about them; what is left out is as always. `window` is in seconds."""

    source: Id | None = None
    matchers: Conditions = []
    severities: Annotated[list[Severity], Meta(max_length=4)] = []
    act: Literal["open", "attach", "record"] = "open"
    service: Id | None = None
    service_label: Annotated[str, Meta(max_length=128)] = ""
    team: Id | None = None
    impact: Level | None = None
    urgency: Level | None = None
    policy: Id | None = None
    group_by: Annotated[list[LabelName], Meta(max_length=10)] = []
    window: Annotated[int, Meta(ge=0, le=604_800)] = int(WINDOW.total_seconds())
    on_clear: Literal["resolve", "restore", "auto", "note"] = "auto"

    def as_json(self) -> dict[str, Any]:
        """As the use cases take it."""
        return {**{name: getattr(self, name) for name in self.__struct_fields__}, "matchers": said(self.matchers)}


class AlertRule(Struct):
    """A rule in its place, how many alerts it fitted, and when last."""

    noted: ClassVar[frozenset[str]] = frozenset({"fits_count", "last_fit_at"})

    id: int
    name: str
    is_active: bool
    definition: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    fits_count: int
    last_fit_at: datetime | None


def _make(row: Any) -> AlertRule:
    return AlertRule(
        row.pk,
        row.name,
        row.is_active,
        to_builtins(row.definition),
        row.created_at,
        row.changed_at,
        row.fits_count,
        row.last_fit_at,
    )


@operation(
    "GET",
    "/alert-rules",
    id="listAlertRules",
    summary="All rules of alerts, in the order in which they are asked",
    tag=TAG,
    scope=SCOPE,
    answer=list[AlertRule],
)
def list_rules(call: Call) -> list[AlertRule]:
    return [_make(row) for row in desk.all_rules(call.actor)]


@operation("GET", "/alert-rules/{id}", id="getAlertRule", summary="One rule of alerts", tag=TAG, scope=SCOPE, answer=AlertRule)
def get(call: Call) -> AlertRule:
    return _make(desk.one(call.path["id"], actor=call.actor))


class NewAlertRule(Body):
    """A rule is asked after all others, until it is put elsewhere."""

    name: Name
    definition: RuleDefinition


@operation(
    "POST",
    "/alert-rules",
    id="createAlertRule",
    summary="Add a rule of alerts, asked after all others",
    tag=TAG,
    scope=SCOPE,
    body=NewAlertRule,
    answer=AlertRule,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewAlertRule = call.body
    return desk.create(name=body.name, definition=body.definition.as_json(), actor=call.actor, now=call.now)


def _created(call: Call, row: Any) -> AlertRule:
    call.headers["Location"] = f"{BASE}/alert-rules/{row.pk}"
    return _make(row)


class AlertRuleChange(Body):
    """What to change; what is left out stays. A definition is given whole."""

    name: Name | UnsetType = UNSET
    definition: RuleDefinition | UnsetType = UNSET


@operation(
    "PATCH",
    "/alert-rules/{id}",
    id="updateAlertRule",
    summary="Change a rule of alerts",
    tag=TAG,
    scope=SCOPE,
    body=AlertRuleChange,
    answer=AlertRule,
    present=lambda call, row: _make(row),
    current=get,
)
def update(call: Call) -> Any:
    body: AlertRuleChange = call.body
    return desk.change(
        call.path["id"],
        name=None if body.name is UNSET else body.name,
        definition=None if body.definition is UNSET else body.definition.as_json(),
        actor=call.actor,
        now=call.now,
    )


class RuleOrder(Body):
    """The ids of all rules, in the order in which they are to be asked."""

    order: Annotated[list[Id], Meta(max_length=desk.MOST)]


rule_acts.declare(desk, of="alert", answer=AlertRule, order=RuleOrder, make=_make, list_rules=list_rules, tag=TAG, scope=SCOPE)
